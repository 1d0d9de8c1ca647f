"""Rows of a file to check with that training has too: those that a run leaves out of its check, each with its like."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from core.data.clean.cleaning import StepName, row_number
from core.data.clean.look import beginning
from core.data.clean.report import LISTED, Effect, RowRef, Touch
from core.data.rows import Conversation


@dataclass(frozen=True)
class Shared:
    """Of the `checked` rows to check with, `rows` stand in training too, `exact` of them word for word.

    `touches` shows the first of them beside their like in training; it is cut after LISTED.
    """

    checked: int
    rows: int = 0
    exact: int = 0
    touches: tuple[Touch, ...] = ()


def shared_rows(training: Iterable[Conversation], checks: Iterable[Conversation], similar: float = 0.8) -> Shared:
    """Find the rows to check with that `core.data.prepare` leaves out; each side is iterated twice.

    They say the same, or nearly, or belong to one conversation or question. Raises OSError when the disk is full.
    """
    from core.data.clean.overlap import groups

    seen = _Seen()
    found = groups(seen.of(training, checks), similar)
    border, first = seen.border, dict[int, int]()
    for place in range(border):
        first.setdefault(found[place], place)
    pairs = [
        (place, seen.same(place), first[found[place]]) for place in range(border, len(found)) if found[place] in first
    ]
    likes = {like if same is None else same for _place, same, like in pairs[:LISTED]}
    rows = seen.read_again(training, likes)
    checked = seen.read_again(checks, {place - border for place, _same, _like in pairs[:LISTED]})
    touches = tuple(
        _touch(checked[place - border], rows[like if same is None else same], exact=same is not None)
        for place, same, like in pairs[:LISTED]
    )
    return Shared(len(found) - border, len(pairs), sum(same is not None for _place, same, _like in pairs), touches)


class _Seen:
    """What every row says, as a number, and where training ends."""

    def __init__(self) -> None:
        self.border = 0
        self._first: dict[int, int] = {}
        self._checks: list[int] = []

    def of(self, training: Iterable[Conversation], checks: Iterable[Conversation]) -> Iterator[Conversation]:
        """Pass the rows on, training first."""
        for row in training:
            self._first.setdefault(row_number(row), self.border)
            self.border += 1
            yield row
        for row in checks:
            self._checks.append(row_number(row))
            yield row

    def same(self, place: int) -> int | None:
        """The training row that a row to check with repeats word for word."""
        return self._first.get(self._checks[place - self.border])

    @staticmethod
    def read_again(rows: Iterable[Conversation], places: set[int]) -> dict[int, Conversation]:
        """The rows at some places."""
        return {place: row for place, row in enumerate(rows) if place in places} if places else {}


def _touch(row: Conversation, like: Conversation, *, exact: bool) -> Touch:
    step = StepName.EXACT if exact else StepName.NEAR
    # without a key: these rows are no business of cleaning
    refs = RowRef(row.file, row.line, ""), RowRef(like.file, like.line, "")
    return Touch(step, Effect.DROPPED, refs[0], before=_beginning(row), after=_beginning(like), like=refs[1])


def _beginning(row: Conversation) -> str:
    return beginning("\n".join(message.text for message in row.messages if message.role != "system"))
