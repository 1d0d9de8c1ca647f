"""Turns of a conversation: roles and texts under their many names, and what makes turns a row."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from core.data.calls import (
    CALL_KEYS,
    CALL_ROLES,
    RESULT_ROLES,
    TOOL_KEYS,
    calls,
    calls_of,
    definitions,
    joined,
    matched,
    result,
    result_of,
    without_calls,
)
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
_SAID_KEYS = (*_TEXT_KEYS, *CALL_KEYS)

_MEDIA = ("image", "images", "video", "videos", "audio", "audios")
_MORE = frozenset(_MEDIA)
_THOUGHTS = ("reasoning_content", "thinking", "reasoning", "thought")

# NUL, U+FFFD and half surrogate pairs: left by a wrong encoding or a broken escape, and tokenizers stumble
_BROKEN = re.compile("[\0\ufffd\ud800-\udfff]")


def text_of(value: Any, name: str) -> str:
    """Return a field's text without the space around it; "" for nothing. Raises RowFault(NOT_TEXT)."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, (int, float)) and not isinstance(value, bool) and not _is_endless(value):
        return str(value)
    if isinstance(value, list) and value and all(_is_text_part(part) for part in value):
        return "".join(part["text"] for part in value).strip()
    if isinstance(value, list):
        _refuse_parts(value)
    raise RowFault(RowCode.NOT_TEXT, name)


def refuse_more_than_text(row: Mapping[str, Any]) -> None:
    """Refuse a row with pictures or sound: as text alone it would teach something else. Raises RowFault."""
    if _MORE.isdisjoint(row):
        return
    for name in _MEDIA:
        if isinstance(row.get(name), (str, list, Mapping, bytes)) and row[name] and not _is_prose(row[name]):
            raise RowFault(RowCode.MEDIA, name)


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
    return joined(map(_turn, values))


def checked(messages: list[Message]) -> tuple[Message, ...]:
    """Return the messages of a row to learn from. Raises RowFault for what cannot be learned from."""
    kept = matched(tuple(m for m in messages if m.content or m.role != "system"))
    talk = kept[1:] if kept and kept[0].role == "system" else kept
    roles = [m.role for m in without_calls(talk)]
    if "user" not in roles:
        raise RowFault(RowCode.NO_QUESTION)
    if roles[-1] == "user":
        raise RowFault(RowCode.NO_ANSWER)
    if roles != ["user", "assistant"] * (len(roles) // 2):
        raise RowFault(RowCode.BAD_ROLE_ORDER, ", ".join(m.role for m in talk[:8]))
    for message in talk:
        if message.is_empty:
            user = message.role == "user"
            raise RowFault(RowCode.EMPTY_QUESTION if user else RowCode.EMPTY_ANSWER)
    if any(_BROKEN.search(m.text) for m in kept):
        raise RowFault(RowCode.BROKEN_TEXT)
    return kept


def tools_of(row: Mapping[str, Any], said: list[Any] | None) -> str:
    """Return the tools that a row or its system turn defines, as JSON text; "" for none. Raises RowFault."""
    first = said[0] if said and isinstance(said[0], Mapping) else {}
    system = _ROLE_OF.get(_role_name(first)) == "system"
    for holder in (row, first if system else {}):
        for name in TOOL_KEYS:
            if found := definitions(holder.get(name), name):
                # where the system text has them already they would stand there twice
                written = system and any("<tools>" in str(first.get(key)) for key in _TEXT_KEYS)
                if _BROKEN.search(found):
                    raise RowFault(RowCode.BROKEN_TEXT)
                return "" if written else found
    return ""


def checked_text(text: str) -> tuple[Message, ...]:
    """Return running text as the one message of a row. Raises RowFault for what cannot be learned from."""
    if _BROKEN.search(text):
        raise RowFault(RowCode.BROKEN_TEXT)
    return (Message("text", text),)


def _turn(value: Any) -> Message:
    if not isinstance(value, Mapping):
        raise RowFault(RowCode.NOT_TEXT, type(value).__name__)
    said = _role_name(value)
    key = next((key for key in _TEXT_KEYS if key in value), "content")
    content, thought = value.get(key), _thought(value)
    if said in RESULT_ROLES:
        return result_of(value, content) or result(value, text_of(content, key))
    if said in CALL_ROLES:
        return _called(value, content, said, thought)
    role = _ROLE_OF.get(said)
    if role is None:
        raise RowFault(RowCode.UNKNOWN_ROLE, str(next((value[k] for k in _ROLE_KEYS if k in value), ""))[:40])
    if role == "assistant" and value.get("weight") == 0 and not isinstance(value.get("weight"), bool):
        raise RowFault(RowCode.TURN_WEIGHT)
    if isinstance(content, list):
        content, inside = _without_thinking(content)
        thought = thought or inside
    text = text_of(content, key)
    if role != "assistant":
        return Message(role, text)
    # a thought that is in the text stays there
    return Message(role, text, "" if "</think>" in text else thought, calls_of(value))


def _called(value: Mapping[str, Any], content: Any, said: str, thought: str) -> Message:
    """A turn that is nothing but calls, perhaps after a thought."""
    if isinstance(content, str) and "</think>" in content:
        before, _end, content = content.rpartition("</think>")
        thought = before.replace("<think>", "").strip()
    return Message("assistant", "", thought, calls_of(value) or calls(content, said))


def _role_name(value: Mapping[str, Any]) -> str:
    return str(next((value[key] for key in _ROLE_KEYS if key in value), "")).strip().lower()


def _thought(value: Mapping[str, Any]) -> str:
    """What an assistant thought before it answered, under its many names."""
    name = next((name for name in _THOUGHTS if value.get(name)), "")
    return text_of(value[name], name) if name else ""


def _without_thinking(parts: list[Any]) -> tuple[list[Any] | None, str]:
    """Part the thoughts in a list of parts from what is said."""
    is_thought = [isinstance(part, Mapping) and part.get("type") in ("thinking", "reasoning") for part in parts]
    thoughts = [part for part, thought in zip(parts, is_thought, strict=True) if thought]
    said = "\n".join(text_of(part.get("thinking") or part.get("text"), "thinking") for part in thoughts)
    return [part for part, thought in zip(parts, is_thought, strict=True) if not thought] or None, said


def _refuse_parts(parts: list[Any]) -> None:
    """Say of a list of parts what they are where they are known to be no text."""
    for part in parts:
        kind = str(part.get("type", "")) if isinstance(part, Mapping) else ""
        if kind.startswith(("tool", "function")):
            raise RowFault(RowCode.TOOLS, kind[:40])
        if kind.startswith(("image", "audio", "input_image", "input_audio", "video", "file", "document")):
            raise RowFault(RowCode.MEDIA, kind[:40])


def _is_endless(value: float) -> bool:
    return isinstance(value, float) and math.isinf(value)


def _is_prose(value: Any) -> bool:
    """Whether what stands under the name of a picture is a text about it and not its place."""
    return isinstance(value, str) and len(value.split()) > 3


def _is_turn(value: Any) -> bool:
    return isinstance(value, Mapping) and any(k in value for k in _ROLE_KEYS) and any(k in value for k in _SAID_KEYS)


def _is_text_part(part: Any) -> bool:
    return isinstance(part, Mapping) and part.get("type") == "text" and isinstance(part.get("text"), str)
