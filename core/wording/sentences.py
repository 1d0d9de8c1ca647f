"""Filling facts into sentences: a sentence that needs a fact nobody gave is left out, never an error.

"text with {fact}"        one sentence
NN_("one", "many")        its two forms; the first fact in it is the number that decides
Either(a, b, c)           the first of them whose facts are all known
"""

import string
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from core.i18n import N_, _, language, ngettext
from core.wording.numbers import count, gigabytes, percent


class Either:
    """Sentences that say the same with fewer and fewer facts."""

    def __init__(self, *sentences: "str | tuple[str, str]") -> None:
        self.sentences = sentences


_ENDS = ".!?…。！？”"
#: After these no space is written.
_CLOSING = ("。", "！", "？", "。”", "！”", "？”", "）")

Sentence = str | tuple[str, str] | Either

METHODS: dict[str, str] = {
    "lora": N_("LoRA"),
    "lora8": N_("LoRA on 8-bit base"),
    "qlora": N_("QLoRA"),
}

#: The same inside a sentence.
_METHODS = METHODS | {"lora8": N_("LoRA on an 8-bit base")}

HELD: dict[str, str] = {"lora": N_("16 bits"), "lora8": N_("8 bits"), "qlora": N_("4 bits")}

#: Sizes that are words; the others ("7B") are the same in every language.
SIZES: dict[str, str] = {"large": N_("large"), "small": N_("small"), "starter": N_("starter")}

GOALS: dict[str, str] = {
    "simple": N_("style and sorting"),
    "medium": N_("questions and answers"),
    "complex": N_("reasoning and deep knowledge"),
}

#: What texts are written in (core.data.clean.languages.script_of).
SCRIPTS: dict[str, str] = {
    "han": N_("Chinese"),
    "kana": N_("Japanese"),
    "hangul": N_("Korean"),
    "latin": N_("Latin script"),
    "cyrillic": N_("Cyrillic script"),
    "arabic": N_("Arabic script"),
    "devanagari": N_("Devanagari script"),
    "thai": N_("Thai"),
    "greek": N_("Greek"),
    "hebrew": N_("Hebrew"),
}


def tell(sentences: Iterable[Sentence], facts: Mapping[str, Any]) -> str:
    """Return every sentence whose facts are known, one after the other."""
    stop = "。" if language() == "zh" else "."
    said = [say(sentence, facts) for sentence in sentences]
    # a fact at the end of a sentence ("Details: …") may lack the full stop
    return joined(*(text if text[-1] in _ENDS else text + stop for text in said if text))


def joined(*sentences: str) -> str:
    """Return the sentences that say something, one after the other as their script writes them."""
    *before, last = [text for text in sentences if text] or [""]
    return "".join(text if text.endswith(_CLOSING) else text + " " for text in before) + last


def say(sentence: Sentence, facts: Mapping[str, Any]) -> str:
    """Return `sentence` in the language in use, empty when a fact it needs is not known."""
    if isinstance(sentence, Either):
        return next(filter(None, (say(one, facts) for one in sentence.sentences)), "")
    needed = _needed(sentence if isinstance(sentence, str) else sentence[1])
    if any(_unknown(facts.get(name)) for name in needed):
        return ""
    template = _(sentence) if isinstance(sentence, str) else _plural(sentence, facts[needed[0]])
    words = {name: shown(name, facts[name]) for name in needed}
    # a translation may name a fact that its English sentence does not
    return _closed_up(template, words).format_map(defaultdict(str, words))


def shown(name: str, value: Any) -> str:
    """Return a fact as people read it; its name says what it is."""
    if isinstance(value, str):
        return _shown_text(name, value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if name.endswith("_bytes"):
        return gigabytes(value)
    if name.endswith("parameters"):
        return parameters(value)
    if name.endswith("exitcode"):
        return str(value)
    if isinstance(value, int):
        return count(value)
    if name.endswith("loss"):
        return _shown_float(float(f"{value:.3g}"))
    return percent(value) if name in ("agreement", "share") else _shown_float(value)


def parameters(n: float) -> str:
    """A number of parameters as models are called: "135M", "1.7B", "8B"."""
    size, unit = (n / 1e9, "B") if n >= 1e9 else (n / 1e6, "M")
    return f"{size:.1f}".removesuffix(".0") + unit if unit == "B" else f"{size:.0f}{unit}"


def _closed_up(template: str, words: Mapping[str, str]) -> str:
    """A Chinese sentence sets spaces around "7B", but none around a Chinese word."""
    for name, word in words.items():
        if language() == "zh" and word[:1] >= "一" and word[-1:] >= "一":
            template = template.replace(f" {{{name}}} ", f"{{{name}}}").replace(f"{{{name}}} ", f"{{{name}}}")
    return template


def _plural(forms: tuple[str, str], number: Any) -> str:
    return ngettext(*forms, number if isinstance(number, int) else 2)


def _needed(template: str) -> list[str]:
    return [name for _text, name, _spec, _conversion in string.Formatter().parse(template) if name]


def _unknown(value: Any) -> bool:
    return value is None or value == ""


def _shown_text(name: str, value: str) -> str:
    if name in ("method", "before", "after") and value in _METHODS:
        return _(_METHODS[value])
    table = {"goal": GOALS, "held": HELD, "size_class": SIZES, "script": SCRIPTS}.get(name, {})
    if value in table:
        return _(table[value])
    return " ".join(value.split())[:400]


def _shown_float(value: float) -> str:
    """Small numbers as trainers write them ("2e-4"), the others without idle zeros."""
    if 0 < abs(value) < 1e-2:
        mantissa, _e, exponent = f"{value:.1e}".partition("e")
        return f"{mantissa.removesuffix('.0')}e{int(exponent)}"
    return f"{value:g}"
