"""Tools, their calls and their results under the many names that they go by, and whether they fit together."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from core.data.codes import RowCode, RowFault
from core.data.leaves import as_json, without_nothing
from core.data.rows import Call, Message

#: Roles under which a call stands as JSON text, and those under which a result stands.
CALL_ROLES = frozenset(("function_call", "tool_call", "tool_calls"))
RESULT_ROLES = frozenset((
    "tool", "tools", "function", "function_response", "tool_response", "tool_result", "observation", "ipython", "工具",
))  # fmt: skip
#: Fields of a turn that hold calls, and those of a row that define tools.
CALL_KEYS = ("tool_calls", "function_call", "tool_call", "function_calls")
TOOL_KEYS = ("tools", "functions")

_ARGUMENTS = ("arguments", "parameters", "args", "input")
_PARAMETERS = ("parameters", "input_schema")
_CALL_IDS = ("tool_call_id", "call_id", "tool_use_id")
_NOTHING: tuple[Any, ...] = (None, "", "[]", "null", [], {})
#: Calls that an assistant wrote as text: they stay as they are.
_WRITTEN = re.compile(
    r"<(?:tool_call|function_?call|function=)|<\|python_tag\|>|\[TOOL_CALLS\]|^Action:|\A\[\w[^\[\]()]{0,200}\(",
    re.IGNORECASE | re.MULTILINE,
)


def definitions(value: Any, name: str) -> str:
    """Return the tools that a field defines, as JSON text in OpenAI's form; "" for none. Raises RowFault(TOOL_LIST)."""
    if isinstance(value, str):
        value = _parsed(value, RowFault(RowCode.TOOL_LIST, name)) if value.strip() else None
    if value in _NOTHING:
        return ""
    if isinstance(value, Mapping) and not {"name", "function"}.isdisjoint(value):
        value = [value]
    if not isinstance(value, list):
        raise RowFault(RowCode.TOOL_LIST, name)
    try:
        return as_json([_definition(one, name) for one in value])
    except (TypeError, ValueError, RecursionError):
        raise RowFault(RowCode.TOOL_LIST, name) from None


def calls_of(turn: Mapping[str, Any]) -> tuple[Call, ...]:
    """Return the calls in the fields of a turn. Raises RowFault(CALL_UNREADABLE, CALL_ARGUMENTS)."""
    name = next((name for name in CALL_KEYS if turn.get(name) not in _NOTHING), "")
    return calls(turn[name], name) if name else ()


def calls(value: Any, name: str) -> tuple[Call, ...]:
    """Return a call or a list of calls, as it is or as JSON text. Raises RowFault(CALL_UNREADABLE, CALL_ARGUMENTS)."""
    unreadable = RowFault(RowCode.CALL_UNREADABLE, name)
    if isinstance(value, str):
        value = _parsed(value, unreadable)
    listed = [value] if isinstance(value, Mapping) else value
    if not isinstance(listed, list) or not listed:
        raise unreadable
    return tuple(_call(one, unreadable) for one in listed)


def result_of(turn: Mapping[str, Any], content: Any) -> Message | None:
    """Return a result that is no text as JSON text, None where the content has to be read as text."""
    if isinstance(content, list) and any(isinstance(one, Mapping) and "type" in one for one in content):
        return None
    if not isinstance(content, (Mapping, list)):
        return None
    try:
        return result(turn, as_json(content))
    except (TypeError, ValueError, RecursionError):
        return None


def result(turn: Mapping[str, Any], content: str) -> Message:
    """Return what a tool said."""
    identity = next((turn[name] for name in _CALL_IDS if turn.get(name)), "")
    return Message("tool", content, name=str(turn.get("name") or ""), call_id=str(identity))


def joined(messages: Iterable[Message]) -> list[Message]:
    """Put calls that stand in turns of their own into the turn of the assistant before them."""
    found: list[Message] = []
    for message in messages:
        before = found[-1] if found else None
        if before and before.role == message.role == "assistant" and message.calls and not message.content:
            thought = "\n".join(filter(None, (before.thought, message.thought)))
            found[-1] = replace(before, thought=thought, calls=before.calls + message.calls)
        else:
            found.append(message)
    return found


def matched(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Give every result the name of the tool that was called. Raises RowFault(RESULT_UNASKED, CALL_UNANSWERED)."""
    if not any(message.calls or message.role == "tool" for message in messages):
        return messages
    found: list[Message] = []
    waiting: list[Call] = []
    answered = written = False
    for message in messages:
        if message.role == "tool":
            call = _call_for(message, waiting)
            if call is not None:
                waiting.remove(call)
                message = replace(message, name=call.name)
            elif not written:
                raise RowFault(RowCode.RESULT_UNASKED, (message.name or message.call_id)[:40])
            answered = True
        else:
            if waiting and not answered:
                raise RowFault(RowCode.CALL_UNANSWERED, waiting[0].name[:40])
            waiting, answered = list(message.calls), False
            written = message.role == "assistant" and _WRITTEN.search(message.content) is not None
        found.append(message)
    return tuple(found)


def without_calls(messages: tuple[Message, ...]) -> list[Message]:
    """Leave out results and the calls that they answer: what is left takes turns."""
    followed = (*messages[1:], Message("", ""))
    pairs = zip(messages, followed, strict=False)
    return [
        one for one, after in pairs if one.role != "tool" and not (one.role == "assistant" and after.role == "tool")
    ]


def _call_for(result: Message, waiting: list[Call]) -> Call | None:
    """The call that a result answers: by id, else by name, else the first one."""
    if result.call_id and any(call.id for call in waiting):
        return next((call for call in waiting if call.id == result.call_id), None)
    if result.name:
        return next((call for call in waiting if call.name == result.name), None)
    return waiting[0] if waiting else None


def _definition(value: Any, name: str) -> dict[str, Any]:
    """A tool in OpenAI's form."""
    if not isinstance(value, Mapping):
        raise RowFault(RowCode.TOOL_LIST, name)
    inner = value.get("function")
    function = dict(inner if isinstance(inner, Mapping) else value)
    if not isinstance(inner, Mapping):
        function.pop("type", None)
    if not isinstance(function.get("name"), str) or not function["name"].strip():
        raise RowFault(RowCode.TOOL_LIST, name)
    schema = next((key for key in _PARAMETERS if key in function), "")
    if schema:
        function[schema] = _schema(function[schema], name)
    spelled = {("parameters" if key == schema else key): item for key, item in function.items()}
    return {"type": "function", "function": without_nothing(spelled)}


def _schema(value: Any, name: str) -> Any:
    if isinstance(value, str):
        value = _parsed(value, RowFault(RowCode.TOOL_LIST, name)) if value.strip() else {}
    if value is not None and not isinstance(value, Mapping):
        raise RowFault(RowCode.TOOL_LIST, name)
    return value


def _call(value: Any, unreadable: RowFault) -> Call:
    if not isinstance(value, Mapping):
        raise unreadable
    inner = value.get("function")
    function = inner if isinstance(inner, Mapping) else value
    name = function.get("name")
    if not isinstance(name, str) or not name.strip():
        raise unreadable
    key = next((key for key in _ARGUMENTS if key in function), "")
    return Call(name.strip(), _arguments(function.get(key), name.strip()), str(value.get("id") or ""))


def _arguments(value: Any, name: str) -> str:
    """Arguments as the JSON text of an object."""
    fault = RowFault(RowCode.CALL_ARGUMENTS, name[:40])
    if isinstance(value, str):
        value = _parsed(value, fault) if value.strip() else None
    if not isinstance(value, (Mapping, type(None))):
        raise fault
    try:
        return as_json(dict(value or {}))
    except (TypeError, ValueError, RecursionError):
        raise fault from None


def _parsed(text: str, fault: RowFault) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise fault from None
