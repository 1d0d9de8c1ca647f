"""How a chat template wants thoughts, calls of tools and their results, and what of tools it shows.

Templates differ, and one that knows no tools leaves them out without a word. So each is shown made-up words once,
and what it writes of them tells.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import jinja2

from core.data.codes import RowCode, RowFault
from core.data.leaves import as_json

Messages = list[dict[str, Any]]
Tools = list[dict[str, Any]] | None
#: Applies a template; raises what templates raise.
Write = Callable[[Messages, Tools], str]

#: Words that no template writes of itself.
ASKED, ANSWERED = "Qwxyz", "Zyxwq"
_TOOL, _PARAMETER, _CALLED, _PLACE, _VALUE = "Qyxwv", "Vqwyx", "Wqyxz", "Ywqxv", "Xqzwy"
_RESULT, _THOUGHT, _BESIDE, _SECOND = "Yxqzw", "Zqwxy", "Vwzqx", "Qzvwx"
#: The names under which templates look for a thought.
_THOUGHTS = ("reasoning_content", "thinking", "reasoning")
#: What a template raises that cannot be applied to these messages.
_FAILURES = (jinja2.TemplateError, TypeError, ValueError, LookupError, ArithmeticError, RecursionError)

_QUESTION = {"role": "user", "content": ASKED}
_ANSWER = {"role": "assistant", "content": ANSWERED}
_DEFINED: Tools = [
    {
        "type": "function",
        "function": {
            "name": _TOOL,
            "description": _TOOL,
            "parameters": {
                "type": "object",
                "properties": {_PARAMETER: {"type": "string", "description": _PARAMETER}},
                "required": [_PARAMETER],
            },
        },
    }
]


@dataclass(frozen=True)
class _Calls:
    """How calls are written: the content of a turn that only calls, and whether arguments are JSON text."""

    content: str | None = ""
    as_text: bool = False
    calls: bool = False
    results: bool = False
    beside: bool = False
    several: bool = False


class ToolForm:
    """What one template makes of tools; looks at it only when a row has them."""

    def __init__(self, write: Write) -> None:
        self._write = write

    def formed(self, messages: Messages) -> Messages:
        """Messages as the template takes them."""
        if not any("tool_calls" in message or "reasoning_content" in message for message in messages):
            return messages
        return [self._formed(message) for message in messages]

    def fault(self, messages: Messages, tools: Tools) -> RowFault | None:
        """Why the template cannot show a row with tools, None when it can."""
        calls = any("tool_calls" in message for message in messages)
        results = any(message["role"] == "tool" for message in messages)
        form = self._calls
        if (tools and not self._defines) or (calls and not form.calls) or (results and not form.results):
            return RowFault(RowCode.TOOLS_NOT_SHOWN)
        beside = any("tool_calls" in message and message["content"] for message in self.formed(messages))
        if beside and not form.beside:
            return RowFault(RowCode.TEXT_BESIDE_CALL)
        if not form.several and any(len(message.get("tool_calls", ())) > 1 for message in messages):
            return RowFault(RowCode.ONE_CALL)
        try:
            self._write(self.formed(messages), tools)
        except _FAILURES as error:
            return RowFault(RowCode.TEMPLATE_REFUSES, " ".join(str(error).split())[:200].rstrip("."))
        return None

    def _formed(self, message: dict[str, Any]) -> dict[str, Any]:
        new = dict(message)
        if thought := new.pop("reasoning_content", ""):
            if self._thought:
                new[self._thought] = thought
            else:
                # the form in which the models that think write it, and in which their templates look for it
                new["content"] = f"<think>\n{thought}\n</think>\n\n{new['content']}".rstrip()
        if "tool_calls" in new:
            return _called(new, self._calls)
        return new

    @cached_property
    def _thought(self) -> str:
        """The name under which the template looks for a thought, "" when it knows none."""
        for name in _THOUGHTS:
            if _THOUGHT in self._tried([_QUESTION, {**_ANSWER, name: _THOUGHT}]):
                return name
        return ""

    @cached_property
    def _defines(self) -> bool:
        text = self._tried([_QUESTION, _ANSWER], _DEFINED)
        return _TOOL in text and _PARAMETER in text

    @cached_property
    def _calls(self) -> _Calls:
        """The form in which the template shows most."""
        forms = (_Calls(content, as_text) for content, as_text in product(("", None), (False, True)))
        return max(map(self._shown, forms), key=lambda form: (form.calls, form.results))

    def _shown(self, form: _Calls) -> _Calls:
        text = self._tried(_talk("", form), _DEFINED)
        repr_of_python = f"'{_PLACE}': '{_VALUE}'" in text
        calls = _CALLED in text and _VALUE in text and not repr_of_python
        # Gemma 4 writes it behind the result
        before, _, _ = self._tried(_talk(_BESIDE, form), _DEFINED).partition(_RESULT)
        beside = calls and _BESIDE in before
        several = calls and _SECOND in self._tried(_talk("", form, _SECOND), _DEFINED)
        return _Calls(form.content, form.as_text, calls, _RESULT in text, beside, several)

    def _tried(self, messages: Messages, tools: Tools = None) -> str:
        try:
            return self._write(messages, tools)
        except _FAILURES:
            return ""


def spellings(messages: Messages) -> Iterator[Messages]:
    """Yield messages as they are, then in forms for templates that refuse them so."""
    with_calls = any("tool_calls" in message for message in messages)
    yield messages
    if with_calls:
        # Mistral wants nine letters and digits
        yield _numbered(messages)
    # Gemma and others know no system role
    yield system_folded(messages)
    if with_calls:
        yield _numbered(system_folded(messages))


def system_folded(messages: Messages) -> Messages:
    """Put the system text in front of the first user turn."""
    system = "\n\n".join(m["content"] for m in messages if m["role"] == "system")
    others = [dict(m) for m in messages if m["role"] != "system"]
    if system and others:
        others[0]["content"] = f"{system}\n\n{others[0]['content']}"
    return others


def first_written(write: Callable[[Messages], Any], messages: Messages) -> Any:
    """Return what `write` makes of the first spelling that it takes. Raises the first jinja2.TemplateError."""
    first: jinja2.TemplateError | None = None
    for spelling in spellings(messages):
        try:
            return write(spelling)
        except jinja2.TemplateError as error:
            first = first or error
    assert first is not None
    raise first


def _called(message: dict[str, Any], form: _Calls) -> dict[str, Any]:
    calls = message["tool_calls"]
    if form.as_text:
        calls = [
            {**call, "function": {**call["function"], "arguments": as_json(call["function"]["arguments"])}}
            for call in calls
        ]
    return {**message, "content": message["content"] or form.content, "tool_calls": calls}


def _talk(content: str, form: _Calls, *more: str) -> Messages:
    """A question, calls with their results, an answer; `more` are arguments of further calls beside the first one."""
    calls, results = [], []
    for number, value in enumerate((_VALUE, *more)):
        identity = f"a1b2c3d4{number}"
        function = {"name": _CALLED, "arguments": {_PLACE: value}}
        calls.append({"id": identity, "type": "function", "function": function})
        results.append({"role": "tool", "content": _RESULT, "name": _CALLED, "tool_call_id": identity})
    said = {"role": "assistant", "content": content, "tool_calls": calls}
    return [_QUESTION, _called(said, form), *results, _ANSWER]


def _numbered(messages: Messages) -> Messages:
    """The same with an id of nine letters and digits for every call and its result."""
    new: Messages = []
    waiting: list[tuple[dict[str, Any], str]] = []
    count = 0
    for message in messages:
        if "tool_calls" in message:
            waiting = [(call, f"call{count + place:05d}") for place, call in enumerate(message["tool_calls"])]
            count += len(waiting)
            message = {**message, "tool_calls": [{**call, "id": identity} for call, identity in waiting]}
        elif message["role"] == "tool" and waiting:
            at = next((at for at, (call, _id) in enumerate(waiting) if _answers(message, call)), 0)
            message = {**message, "tool_call_id": waiting.pop(at)[1]}
        new.append(message)
    return new


def _answers(result: dict[str, Any], call: dict[str, Any]) -> bool:
    if "tool_call_id" in result and "id" in call:
        return bool(result["tool_call_id"] == call["id"])
    return "name" not in result or bool(result["name"] == call["function"]["name"])
