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

from core.data.codes import RowFault
from core.data.rows import Conversation
from core.data.sandbox import BoundedSandbox
from core.data.toolform import ANSWERED, ASKED, Messages, ToolForm, Tools, first_written

#: Template for models that bring none (D0). The documents do not speak of tools: they get headings of the same kind.
FALLBACK_TEMPLATE = (
    "{{ first }}{% for m in messages %}"
    "{% if m['role'] == 'system' %}{{ m['content'] + '\n\n' }}"
    "{% elif m['role'] == 'user' %}"
    "{% if tools and loop.index0 == (1 if messages[0]['role'] == 'system' else 0) %}{{ '### Tools:\n' }}"
    "{% for tool in tools %}{{ tool['function'] | tojson + '\n' }}{% endfor %}{{ '\n' }}{% endif %}"
    "{{ '### Instruction:\n' + m['content'] + '\n\n' }}"
    "{% elif m['role'] == 'tool' %}{{ '### Result:\n' + m['content'] + '\n\n' }}"
    "{% else %}{{ '### Response:\n' + m['content'] }}"
    "{% for call in m['tool_calls'] or [] %}"
    "{{ ('\n' if m['content'] or not loop.first else '') + '<tool_call>\n'"
    " + {'name': call['function']['name'], 'arguments': call['function']['arguments']} | tojson + '\n</tool_call>' }}"
    "{% endfor %}{{ eos_token + '\n\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '### Response:\n' }}{% endif %}"
)
#: Templates and the files around them are a few kilobytes; added tokens can make it megabytes.
_MOST_BYTES = 50_000_000

_MARKS = re.compile(r"\{%[-+]?\s*generation\s*[-+]?%\}")


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
        self._template = environment().from_string(written or FALLBACK_TEMPLATE)
        self._in_parts = False
        self._in_parts = takes_parts(lambda messages: self._apply(messages, None))
        self._form = ToolForm(self._spelled)

    def render(self, messages: Messages, first: str = "", tools: Tools = None) -> str:
        """Write a conversation; a template that knows no system role gets it in the first question.

        `first` begins the text where there is no template (a model's begin-of-text token).
        """
        return self._spelled(self._form.formed(messages), tools, first)

    def refuses(self, conversation: Conversation) -> RowFault | None:
        """Why the template cannot show a row with tools as it is, None when it can."""
        return self._form.fault(conversation.plain(), conversation.definitions())

    def _spelled(self, messages: Messages, tools: Tools, first: str = "") -> str:
        return str(first_written(lambda spelling: self._apply(spelling, tools, first), messages))

    def _apply(self, messages: Messages, tools: Tools, first: str = "") -> str:
        more: dict[str, Any] = {"first": first} if self.fallback else {"documents": None}
        form = in_parts(messages) if self._in_parts else messages
        return self._template.render(messages=form, tools=tools, add_generation_prompt=False, **self.special, **more)


def has_marks(template: str) -> bool:
    """Whether a template marks what the model generates ({% generation %})."""
    return _MARKS.search(template) is not None


def takes_parts(write: Callable[[Messages], str]) -> bool:
    """Whether a template wants each text as a list of parts, as those of vision models do.

    `write` applies it. Given plain texts such a template fails, or leaves them out without a word.
    """
    plain = [{"role": "user", "content": ASKED}, {"role": "assistant", "content": ANSWERED}]
    return not _keeps(write, plain) and _keeps(write, in_parts(plain))


def _keeps(write: Callable[[Any], str], messages: list[Any]) -> bool:
    try:
        text = write(messages)
    except (jinja2.TemplateError, TypeError, RecursionError):
        return False
    return ASKED in text and ANSWERED in text


def in_parts(messages: Messages) -> list[Any]:
    """Messages as templates of vision models take them: each text a list of one part."""
    return [{**m, "content": [{"type": "text", "text": m["content"]}] if m["content"] else []} for m in messages]


class _Generation(Extension):
    """`{% generation %}` marks answers for transformers and writes nothing itself."""

    tags = {"generation"}  # noqa: RUF012 - jinja's own interface

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def environment() -> BoundedSandbox:
    """The sandbox as transformers sets it up (utils/chat_template_utils.py), within bounds."""
    found = BoundedSandbox(trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, "jinja2.ext.loopcontrols"])
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
