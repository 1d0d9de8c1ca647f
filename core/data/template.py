"""A model's chat template without transformers: what it writes around the messages of a conversation."""

import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

#: Template for models that bring none (D0).
FALLBACK_TEMPLATE = (
    "{{ first }}{% for m in messages %}"
    "{% if m['role'] == 'system' %}{{ m['content'] + '\n\n' }}"
    "{% elif m['role'] == 'user' %}{{ '### Instruction:\n' + m['content'] + '\n\n' }}"
    "{% else %}{{ '### Response:\n' + m['content'] + eos_token + '\n\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '### Response:\n' }}{% endif %}"
)
#: Templates and the files around them are a few kilobytes; added tokens can make it megabytes.
_MOST_BYTES = 50_000_000

Messages = list[dict[str, str]]

_MARKS = re.compile(r"\{%[-+]?\s*generation\s*[-+]?%\}")
#: Words that no template writes of itself.
_ASKED, _ANSWERED = "Qwxyz", "Zyxwq"


class ChatTemplate:
    """The template that lies in a model folder, or the fallback where there is none.

    `special` holds the texts of the tokens that have a name ("bos_token", "eos_token", …), `marked` says that the
    template itself marks what the model generates. A template is
    untrusted: it runs in jinja's sandbox, as in transformers. Raises jinja2.TemplateError, OSError, ValueError.
    """

    def __init__(self, folder: Path) -> None:
        facts = _read_json(folder / "tokenizer_config.json")
        self.special = _special(_read_json(folder / "special_tokens_map.json") | facts)
        self.fallback = not (written := _template(folder, facts))
        self.marked = has_marks(written)
        self._template = _environment().from_string(written or FALLBACK_TEMPLATE)
        self._in_parts = False
        self._in_parts = takes_parts(lambda messages: self._apply(messages, ""))

    def render(self, messages: Messages, first: str = "") -> str:
        """Write a conversation; a template that knows no system role gets it in the first question.

        `first` begins the text where there is no template (a model's begin-of-text token).
        """
        try:
            return self._apply(messages, first)
        except jinja2.TemplateError:
            # Gemma and others know no system role
            return self._apply(system_folded(messages), first)

    def _apply(self, messages: Messages, first: str) -> str:
        more: dict[str, Any] = {"first": first} if self.fallback else {"tools": None, "documents": None}
        form = in_parts(messages) if self._in_parts else messages
        return self._template.render(messages=form, add_generation_prompt=False, **self.special, **more)


def has_marks(template: str) -> bool:
    """Whether a template marks what the model generates ({% generation %})."""
    return _MARKS.search(template) is not None


def takes_parts(write: Callable[[Messages], str]) -> bool:
    """Whether a template wants each text as a list of parts, as those of vision models do.

    `write` applies it. Given plain texts such a template fails, or leaves them out without a word.
    """
    plain = [{"role": "user", "content": _ASKED}, {"role": "assistant", "content": _ANSWERED}]
    return not _keeps(write, plain) and _keeps(write, in_parts(plain))


def _keeps(write: Callable[[Any], str], messages: list[Any]) -> bool:
    try:
        text = write(messages)
    except (jinja2.TemplateError, TypeError):
        return False
    return _ASKED in text and _ANSWERED in text


def in_parts(messages: Messages) -> list[Any]:
    """Messages as templates of vision models take them: each text a list of one part."""
    return [{**m, "content": [{"type": "text", "text": m["content"]}]} for m in messages]


def system_folded(messages: Messages) -> Messages:
    """Put the system text in front of the first user turn."""
    system = "\n\n".join(m["content"] for m in messages if m["role"] == "system")
    others = [dict(m) for m in messages if m["role"] != "system"]
    if system and others:
        others[0]["content"] = f"{system}\n\n{others[0]['content']}"
    return others


class _Generation(Extension):
    """`{% generation %}` marks answers for transformers and writes nothing itself."""

    tags = {"generation"}  # noqa: RUF012 - jinja's own interface

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _environment() -> ImmutableSandboxedEnvironment:
    """The sandbox as transformers sets it up (utils/chat_template_utils.py)."""
    found = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, "jinja2.ext.loopcontrols"]
    )
    found.filters["tojson"] = _to_json
    found.globals |= {"raise_exception": _refuse, "strftime_now": lambda form: datetime.now().strftime(form)}
    return found


def _to_json(value: Any, ensure_ascii: bool = False, **more: Any) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, **more)


def _refuse(message: str) -> None:
    raise jinja2.TemplateError(message)


def _template(folder: Path, facts: dict[str, Any]) -> str:
    """The default template: a file of its own wins over tokenizer_config.json."""
    file = folder / "chat_template.jinja"
    if file.is_file():
        _check_size(file)
        return file.read_text(encoding="utf-8")
    found = facts.get("chat_template")
    if isinstance(found, list):
        named = {str(entry.get("name")): entry.get("template") for entry in found if isinstance(entry, dict)}
        found = named.get("default")
    return found if isinstance(found, str) else ""


def _special(facts: dict[str, Any]) -> dict[str, str]:
    """Texts of the named tokens, each given as text or as {"content": …}."""
    texts = {
        name: value.get("content") if isinstance(value, dict) else value
        for name, value in facts.items()
        if name.endswith("_token")
    }
    return {name: text for name, text in texts.items() if isinstance(text, str)}


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    _check_size(path)
    found = json.loads(path.read_text(encoding="utf-8"))
    return found if isinstance(found, dict) else {}


def _check_size(path: Path) -> None:
    if path.stat().st_size > _MOST_BYTES:
        raise ValueError(f"{path.name} is too large")
