"""Which pieces of a written conversation are answers, for templates that do not mark them.

A conversation is written up to each answer and with it: what comes in addition is the answer.
"""

from bisect import bisect_left
from collections.abc import Sequence

from core.data.toolform import Messages, Tools
from core.engine.rendering import Rendering

#: A piece of text and whether it is trained.
Segment = tuple[str, bool]


class Answers:
    """Cuts conversations; `end` is the text that ends an answer, `appended` the one that has to be added for it."""

    def __init__(self, rendering: Rendering, end: str, appended: str = "") -> None:
        self._rendering, self._end, self._appended = rendering, end, appended

    def segments(self, messages: Messages, tools: Tools = None) -> list[Segment]:
        """Split the written conversation into pieces; calls of tools are answers too."""
        answers = [i for i, m in enumerate(messages) if m["role"] == "assistant"]
        if not answers:
            return []
        whole = self._by_turns(messages, tools, answers)
        if whole is None and any(m["role"] == "tool" for m in messages):
            whole = self._as_written(messages, tools, answers)
        return whole if whole is not None else self._by_turns(messages, tools, answers[-1:]) or []

    def _by_turns(self, messages: Messages, tools: Tools, answers: Sequence[int]) -> list[Segment] | None:
        """Segments with the given answers trained, None when the template rewrites earlier turns."""
        pieces: list[Segment] = []
        done = ""
        for i in answers:
            prompt = self._rendering.text(messages[:i], tools, prompt=True)
            full = self._rendering.text(messages[: i + 1], tools)
            if not prompt.startswith(done):
                return None
            start = _common(prompt, full)
            if start < len(prompt):
                if len(answers) > 1:
                    return None
                start = max(start, self._behind(messages[:i], tools, prompt, full))
            answer, rest = self._cut_after_end(full[start:])
            # what comes after the end of the turn belongs to the next prompt
            pieces += [(full[len(done) : start], False), (answer, True)]
            done = full[: len(full) - len(rest)]
        return pieces

    def _behind(self, messages: Messages, tools: Tools, prompt: str, full: str) -> int:
        """Where in `full` the last of `messages` ends and the model takes over, although what is before was rewritten.

        gpt-oss drops the thoughts before a call once the answer is there; 0 when it is not to be found.
        """
        history = self._rendering.text(messages, tools)
        told = _common_end(history, full)
        if len(told) < len(messages[-1]["content"]) or not prompt.startswith(history):
            return 0
        at = full.rindex(told) + len(told)
        return at + _common(prompt[len(history) :], full[at:])

    def _as_written(self, messages: Messages, tools: Tools, answers: Sequence[int]) -> list[Segment] | None:
        """Segments with the calls since the last question trained as they stand before their results.

        Some templates write less of a call once its result follows: Qwen3 without the empty thought, gpt-oss without
        any. What both have in common is the call. None when one is not to be found.
        """
        prompt, *last = self._by_turns(messages, tools, answers[-1:]) or [("", False)]
        asked = max((i for i, m in enumerate(messages) if m["role"] == "user"), default=0)
        pieces: list[Segment] = []
        whole, done = prompt[0], 0
        for i in (i for i in answers[:-1] if i > asked):
            before = self._rendering.text(messages[:i], tools, prompt=True)
            alone = self._rendering.text(messages[: i + 1], tools)
            start = _common(before, whole)
            call = _common_end(self._cut_after_end(alone[_common(before, alone) :])[0], whole[start:])
            if self._appended or start < done or not _says(call, messages[i]):
                return None
            stop = whole.index(call, start) + len(call)
            pieces += [(whole[done:start], False), (whole[start:stop], True)]
            done = stop
        return [*pieces, (whole[done:], False), *last]

    def _cut_after_end(self, text: str) -> tuple[str, str]:
        if self._appended:
            return text.rstrip("\n") + self._appended, ""
        at = text.rfind(self._end)
        return (text[: at + len(self._end)], text[at + len(self._end) :]) if at >= 0 else (text, "")


def _says(text: str, message: dict[str, object]) -> bool:
    """Whether a written turn holds what is said and called in it."""
    calls = message.get("tool_calls", [])
    assert isinstance(calls, list)
    return str(message["content"]) in text and all(call["function"]["name"] in text for call in calls)


def _common(a: str, b: str) -> int:
    """Length of the common start of two strings."""
    limit = min(len(a), len(b))
    return next((i for i in range(limit) if a[i] != b[i]), limit)


def _common_end(text: str, other: str) -> str:
    """The longest end of `text` that stands somewhere in `other`."""
    return text[bisect_left(range(len(text)), True, key=lambda start: text[start:] in other) :]
