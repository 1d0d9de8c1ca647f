"""Is the chat template of a model folder one that may be used? It is read, searched and tried out within bounds."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.problems import Code, Trouble

#: The files that may hold templates, each a few kilobytes; tokenizer settings with many added tokens are megabytes.
_FILES = ("chat_template.jinja", "chat_template.json", "tokenizer_config.json")
#: Where transformers looks for more of them.
_FOLDER = "additional_chat_templates"
_MOST_BYTES = 50_000_000
#: Where escapes from sandboxes begin. The sandbox stops them; a template that tries is no honest one.
_INSIDES = frozenset({
    "__class__", "__mro__", "__base__", "__bases__", "__subclasses__", "__init__", "__globals__", "__builtins__",
    "__import__", "__dict__", "__code__", "__getattribute__", "__reduce__", "__reduce_ex__", "__self__", "__func__",
})  # fmt: skip
_TALK = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "What is 3?"},
    {"role": "assistant", "content": "It is 3."},
] + [{"role": role, "content": "Again."} for role in ("user", "assistant")] * 8


def check_template(folder: Path) -> None:
    """Raise Trouble(MODEL_TEMPLATE) for a template that reaches for Python's insides, or has no end in sight.

    One that fails in other ways is no danger: whoever uses it says so.
    """
    for path in (*(folder / name for name in _FILES), *(folder / _FOLDER).glob("*.jinja")):
        if not path.is_file():
            continue
        found = path.stat()
        text = _complaint(path, found.st_size, found.st_mtime_ns)
        if text:
            raise Trouble(Code.MODEL_TEMPLATE, path=folder, text=text)


@lru_cache(maxsize=64)
def _complaint(path: Path, size: int, _changed: int) -> str:
    """What is wrong with the templates in a file, "" if nothing is; asked again only when the file has changed."""
    if size > _MOST_BYTES:
        return f"{path.name} is too large"
    try:
        text = path.read_text(encoding="utf-8")
        texts = [text] if path.suffix == ".jinja" else _texts(json.loads(text))
    except (OSError, ValueError, RecursionError):
        # whoever needs the file says so
        return ""
    return next(filter(None, map(_reaches, texts)), "")


def _texts(facts: Any) -> list[str]:
    """The templates in settings: one, or several that have names."""
    found = facts.get("chat_template") if isinstance(facts, dict) else None
    if isinstance(found, list):
        return [str(one["template"]) for one in found if isinstance(one, dict) and "template" in one]
    if isinstance(found, dict):
        return [str(one) for one in found.values()]
    return [found] if isinstance(found, str) else []


def _reaches(template: str) -> str:
    from jinja2 import TemplateError, nodes

    from core.data.budget import TooMuch
    from core.data.sandbox import LONGEST_TEMPLATE
    from core.data.template import environment

    if len(template) > LONGEST_TEMPLATE:
        return "the template is too long"
    sandbox = environment()
    try:
        tree = sandbox.parse(template)
        names = [node.attr for node in tree.find_all(nodes.Getattr) if node.attr.startswith("__")]
        names += [one for one in (node.value for node in tree.find_all(nodes.Const)) if str(one) in _INSIDES]
        hidden = next(iter(names), "")
        if hidden:
            return f"it reaches for {hidden[:40]}"
        sandbox.from_string(template).render(messages=_TALK, tools=None, add_generation_prompt=True, documents=None)
    except TooMuch as found:
        return str(found)
    except (TemplateError, TypeError, ValueError, LookupError, ArithmeticError, RecursionError, AttributeError):
        return ""
    return ""
