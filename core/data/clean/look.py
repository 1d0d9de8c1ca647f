"""What a step sees of a row, and how it says what it found."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from core.data.rows import Conversation

#: What is learned: answers, and running text as a whole.
LEARNED = ("assistant", "text")
#: Letters that say as much as three Latin ones: Chinese, Japanese and Korean.
CJK = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_AROUND = 60
_EXCERPT = 240
_BEGINNING = 400


@dataclass(frozen=True, slots=True)
class Found:
    """What a step found in a row: a piece of it, and the changed row where the step repairs.

    An `open` finding waits for what the whole set looks like.
    """

    what: str
    changed: Conversation | None = None
    open: bool = False


class Seen:
    """A row on its way through the steps; what several of them need is worked out once."""

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self.messages = conversation.messages

    @cached_property
    def text(self) -> str:
        """Everything that is said, system message included."""
        return "\n".join(message.text for message in self.messages)

    @cached_property
    def asked(self) -> str:
        """What the user and the system message say."""
        return "\n".join(message.text for message in self.messages if message.role not in LEARNED)

    @cached_property
    def answers(self) -> tuple[str, ...]:
        """What is learned: what the assistant thinks, says and calls, turn by turn, or the running text."""
        return tuple(message.text for message in self.messages if message.role in LEARNED)

    @property
    def answer(self) -> str:
        """The last answer."""
        return self.answers[-1] if self.answers else ""

    @property
    def question(self) -> str:
        """What the last answer answers."""
        return next((message.content for message in reversed(self.messages) if message.role == "user"), "")

    def changed(self, repair: Callable[[str], str], *, data: bool = True) -> Conversation | None:
        """Return the row with every text repaired, None when that changes nothing.

        What tools get and give is left alone where `data` is not meant.
        """

        def mended(text: str, _name: str) -> str:
            new = repair(text)
            # readers strip too: what is written and read again is the same
            return text if new == text else new.strip()

        new = self.conversation.mended(mended, data=data)
        return None if new is self.conversation else new


Look = Callable[[Seen], Found | None]


def weight(text: str) -> int:
    """Length of a text in Latin letters; a Chinese, Japanese or Korean one counts as three.

    Chinese needs about a third of the letters for the same sentence.
    """
    return len(text) if text.isascii() else len(text) + 2 * len(CJK.findall(text))


def excerpt(text: str, start: int = 0, end: int | None = None) -> str:
    """Return the piece of a text around [start:end] in one line, cut with "…"."""
    end = start if end is None else end
    first, last = max(start - _AROUND, 0), min(max(end + _AROUND, start + _EXCERPT - _AROUND), start + _EXCERPT)
    piece = " ".join(text[first:last].split())
    return f"{'…' * (first > 0)}{piece}{'…' * (last < len(text))}"


def beginning(text: str) -> str:
    """Return what a text begins with, cut with "…"."""
    return text if len(text) <= _BEGINNING else text[:_BEGINNING].rstrip() + "…"


def difference(old: Conversation, new: Conversation) -> tuple[str, str]:
    """Return excerpts of both rows around the first place where they differ."""
    for before, after in zip(old.messages, new.messages, strict=True):
        if before.text != after.text:
            return _around(before.text, after.text)
    return _around(old.tools, new.tools) if old.tools != new.tools else ("", "")


def _around(before: str, after: str) -> tuple[str, str]:
    place = _first_difference(before, after)
    return excerpt(before, place), excerpt(after, place)


def _first_difference(one: str, other: str) -> int:
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle - 1)
    return low
