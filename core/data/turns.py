"""Turns of a conversation: roles and texts under their many names, and what makes turns a row."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from core.data.codes import RowCode, RowFault
from core.data.rows import Message

_ROLES = {
    "system": ("system", "developer", "系统"),
    "user": ("user", "human", "usr", "prompter", "question", "用户", "人类", "提问者"),
    "assistant": ("assistant", "gpt", "chatgpt", "bot", "ai", "model", "bard", "answer", "助手", "机器人"),
}
_ROLE_OF = {name: role for role, names in _ROLES.items() for name in names}

_ROLE_KEYS = ("role", "from", "speaker")
_TEXT_KEYS = ("content", "value", "text")

# NUL, U+FFFD and half surrogate pairs: left by a wrong encoding or a broken escape, and tokenizers stumble
_BROKEN = re.compile("[\0\ufffd\ud800-\udfff]")


def text_of(value: Any, name: str) -> str:
    """Return a field's text without the space around it; "" for nothing. Raises RowFault(NOT_TEXT)."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, list) and value and all(_is_text_part(part) for part in value):
        return "".join(part["text"] for part in value).strip()
    raise RowFault(RowCode.NOT_TEXT, name)


def as_list(value: Any) -> list[Any] | None:
    """Return a list of turns, also one that a table cell holds as JSON text; None for anything else."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, list) else None


def is_turns(value: Any) -> bool:
    """Whether a value is a list of turns, each with a role and a text."""
    return isinstance(value, list) and bool(value) and all(_is_turn(turn) for turn in value)


def turns(values: list[Any]) -> list[Message]:
    """Return the turns of a list. Raises RowFault."""
    return [_turn(value) for value in values]


def checked(messages: list[Message]) -> tuple[Message, ...]:
    """Return the messages of a row to learn from. Raises RowFault for what cannot be learned from."""
    kept = tuple(m for m in messages if m.content or m.role != "system")
    talk = kept[1:] if kept and kept[0].role == "system" else kept
    roles = [m.role for m in talk]
    if "user" not in roles:
        raise RowFault(RowCode.NO_QUESTION)
    if roles[-1] == "user":
        raise RowFault(RowCode.NO_ANSWER)
    if roles != ["user", "assistant"] * (len(roles) // 2):
        raise RowFault(RowCode.BAD_ROLE_ORDER, ", ".join(roles[:8]))
    for message in talk:
        if not message.content:
            user = message.role == "user"
            raise RowFault(RowCode.EMPTY_QUESTION if user else RowCode.EMPTY_ANSWER)
    if any(_BROKEN.search(m.content) for m in kept):
        raise RowFault(RowCode.BROKEN_TEXT)
    return kept


def _turn(value: Any) -> Message:
    if not isinstance(value, Mapping):
        raise RowFault(RowCode.NOT_TEXT, type(value).__name__)
    said = next((value[key] for key in _ROLE_KEYS if key in value), "")
    role = _ROLE_OF.get(str(said).strip().lower())
    if role is None:
        raise RowFault(RowCode.UNKNOWN_ROLE, str(said)[:40])
    key = next((key for key in _TEXT_KEYS if key in value), "content")
    return Message(role, text_of(value.get(key), key))


def _is_turn(value: Any) -> bool:
    return isinstance(value, Mapping) and any(k in value for k in _ROLE_KEYS) and any(k in value for k in _TEXT_KEYS)


def _is_text_part(part: Any) -> bool:
    return isinstance(part, Mapping) and part.get("type") == "text" and isinstance(part.get("text"), str)
