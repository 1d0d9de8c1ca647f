"""Rows that are asked in one script and answered in another. Languages of one script are not told apart."""

import re

from core.data.clean.look import Found, Look, Seen, excerpt

#: So many letters of a text are looked at; fewer than the second number say nothing.
_LOOKED_AT = 600
_ENOUGH = {"latin": 24}
_ENOUGH_OTHERS = 8
#: A Latin text has at least so many words: names, paths and identifiers are of no language.
_WORDS = 4
#: The largest share that another script has in a text of one language: names, terms, formulas.
_CLEAR = 0.75

_SCRIPTS = (
    ("han", re.compile("[\u3400-\u9fff]")),
    ("kana", re.compile("[\u3040-\u30ff]")),
    ("hangul", re.compile("[\uac00-\ud7af]")),
    ("cyrillic", re.compile("[\u0400-\u052f]")),
    ("arabic", re.compile("[\u0600-\u06ff]")),
    ("devanagari", re.compile("[\u0900-\u097f]")),
    ("thai", re.compile("[\u0e00-\u0e7f]")),
    ("greek", re.compile("[\u0370-\u03ff]")),
    ("hebrew", re.compile("[\u0590-\u05ff]")),
)
_LATIN = re.compile("[A-Za-z\u00c0-\u024f]")
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`|https?://\S+|\$[^$\n]+\$|<[^<>\n]{1,200}>", re.DOTALL)
_CODE_SIGNS = re.compile(
    r"[{};]\s*\n|\bdef \w+\(|\bimport \w|\bSELECT\b|#include|\breturn\b|</\w+>|=>|\\[a-z]+\{|^\s*\w+\s*=\s*\S",
    re.MULTILINE,
)
#: The question names a language or asks for a text in one.
_ASKED_FOR = re.compile(
    r"translat|interpret|\b(?:in|into|to|from) (?:chinese|english|mandarin|japanese|korean|"
    r"russian|arabic|greek|hebrew|hindi|thai|french|german|spanish)"
    r"|\b(?:chinese|english|japanese|korean|russian|arabic|mandarin|pinyin|poem)\b"
    r"|翻译|译成|译为|译文|英文|英语|中文|汉语|日语|日文|韩语|韩文|俄语|双语|外语|润色|改写|语法|单词|句子|拼音|作文|邮件|代码|程序|函数|脚本|SQL|命令|公式",
    re.IGNORECASE,
)


def look() -> Look:
    """The step; what it finds is open, as a set may teach to translate."""
    return _look


def _look(seen: Seen) -> Found | None:
    if seen.text.isascii() or len(seen.messages) < 2:
        return None
    # calls are written for programs
    asked, answer = seen.question[:_LOOKED_AT], seen.messages[-1].content[:_LOOKED_AT]
    one, other = script_of(asked), script_of(answer)
    if not one or not other or one == other or {one, other} == {"han", "kana"}:
        return None
    if _ASKED_FOR.search(seen.asked) or _CODE_SIGNS.search(answer) or _CODE_SIGNS.search(asked):
        return None
    return Found(f"{excerpt(asked)[:80]} → {excerpt(answer)[:80]}", open=True)


def script_of(text: str) -> str:
    """Return the script that a text is written in, "" when it is too short, mixed or only code.

    Japanese is "kana" as soon as a fifth of its letters are.
    """
    if "`" in text or "http" in text or "$" in text or "<" in text:
        text = _CODE.sub(" ", text)
    latin = len(_LATIN.findall(text))
    if text.isascii():
        return "latin" if latin >= _ENOUGH["latin"] and len(text.split()) >= _WORDS else ""
    counts = {name: number for name, letters in _SCRIPTS if (number := len(letters.findall(text)))}
    if counts.get("kana", 0) * 5 >= counts.get("han", 0) + counts.get("kana", 0) > 0:
        counts["kana"] += counts.pop("han", 0)
    # a Latin word has five letters where a Chinese one has two
    counts["latin"] = latin // 3
    best = max(counts, key=lambda name: counts[name])
    enough = _ENOUGH["latin"] // 3 if best == "latin" else _ENOUGH_OTHERS
    return best if counts[best] >= max(enough, _CLEAR * sum(counts.values())) else ""
