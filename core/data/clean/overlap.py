"""Rows that training and validation share, and rows that belong together: what a split must not tear apart."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.data.clean.bands import Bands
from core.data.clean.cleaning import row_number
from core.data.clean.equal import equals
from core.data.clean.look import beginning, weight
from core.data.clean.near import near_duplicates, said
from core.data.clean.report import LISTED, RowRef
from core.data.clean.spool import Spool
from core.data.rows import Conversation

_BLOCK = 512
#: A question of this weight is one that two people hardly ask by chance; more rows than this share a prompt, not it.
_OWN_QUESTION = 30
_SAME_QUESTION_ROWS = 20


@dataclass(frozen=True)
class Pair:
    """A row of the validation set and the one in training that it repeats, with the beginnings of both."""

    row: RowRef
    like: RowRef
    exact: bool
    text: str
    like_text: str


@dataclass(frozen=True)
class Overlap:
    """How many validation rows stand in training too, word for word (`exact`) or nearly.

    `pairs` is cut after LISTED.
    """

    training: int
    validation: int
    exact: int
    near: int
    pairs: tuple[Pair, ...] = ()

    @property
    def share(self) -> float:
        """The part of the validation set that training has seen, 0 to 1."""
        return (self.exact + self.near) / max(self.validation, 1)


def overlap(
    train: Iterable[Conversation],
    validation: Iterable[Conversation],
    similar: float = 0.8,
    folder: Path | None = None,
) -> Overlap:
    """Compare every validation row with training; each side is read once. Raises OSError when the disk is full."""
    with _Set(similar, folder) as rows:
        rows.read(train)
        border = len(rows.spool)
        rows.read(validation)
        numbers = rows.numbers
        checks = np.arange(len(numbers)) >= border
        # training comes first, so the first of equal rows tells whether training has one
        firsts, _counts = equals(numbers)
        exact = {int(row): int(firsts[row]) for row in np.flatnonzero(checks & (firsts < border))}
        chosen = np.ones(len(numbers), bool)
        chosen[list(exact)] = False
        likes = near_duplicates(rows.spool, rows.bands, chosen, similar, led=checks)
        near = {int(place): int(likes[place]) for place in np.flatnonzero((likes >= 0) & checks & chosen)}
        shared = sorted((exact | near).items())[:LISTED]
        pairs = tuple(rows.pair(row, like, exact=row in exact) for row, like in shared)
    return Overlap(border, int(checks.sum()), len(exact), len(near), pairs)


def groups(
    conversations: Sequence[Conversation] | Iterable[Conversation], similar: float = 0.8, folder: Path | None = None
) -> list[int]:
    """Return a group for every row, the number of its first row: rows of one group stay on one side of a split.

    One group are rows that say the same or nearly, that begin with the same question and answer (pieces of one
    conversation), or that ask the same question of some length. Raises OSError when the disk is full.
    """
    with _Set(similar, folder) as rows:
        rows.read(conversations)
        count = len(rows.numbers)
        parents = list(range(count))
        likes = near_duplicates(rows.spool, rows.bands, np.ones(count, bool), similar)
        for row in np.flatnonzero(likes >= 0).tolist():
            _join(parents, row, int(likes[row]))
        for numbers, most in ((rows.numbers, count), (rows.openings, count), (rows.questions, _SAME_QUESTION_ROWS)):
            firsts, counts = equals(numbers)
            for row in np.flatnonzero((firsts != np.arange(count)) & (counts <= most) & (numbers > 0)).tolist():
                _join(parents, row, int(firsts[row]))
        return [_root(parents, row) for row in range(count)]


class _Set:
    """Rows read for comparing, with a few numbers each."""

    def __init__(self, similar: float, folder: Path | None) -> None:
        self.spool, self.bands = Spool(folder), Bands(similar, folder)
        self._numbers = list[npt.NDArray[np.uint64]]()

    def __enter__(self) -> "_Set":
        return self

    def __exit__(self, *_error: object) -> None:
        self.spool.close()
        self.bands.close()

    def read(self, conversations: Iterable[Conversation]) -> None:
        """Add rows."""
        numbers, texts = list[tuple[int, int, int]](), list[str]()
        for conversation in conversations:
            self.spool.add(conversation)
            numbers.append((row_number(conversation), _opening(conversation), _question(conversation)))
            texts.append(said(conversation))
            if len(texts) == _BLOCK:
                self._add(numbers, texts)
                numbers, texts = [], []
        if texts:
            self._add(numbers, texts)

    def _add(self, numbers: list[tuple[int, int, int]], texts: list[str]) -> None:
        self._numbers.append(np.array(numbers, np.uint64))
        end = len(self.spool)
        self.bands.add(range(end - len(texts), end), texts)

    @property
    def _columns(self) -> npt.NDArray[np.uint64]:
        return np.concatenate(self._numbers) if self._numbers else np.zeros((0, 3), np.uint64)

    @property
    def numbers(self) -> npt.NDArray[np.uint64]:
        """What every row says, as a number."""
        return self._columns[:, 0]

    @property
    def openings(self) -> npt.NDArray[np.uint64]:
        """Its first question and answer, for rows of several turns and what may be their beginnings."""
        return self._columns[:, 1]

    @property
    def questions(self) -> npt.NDArray[np.uint64]:
        """Its question, 0 for a short one or several turns."""
        return self._columns[:, 2]

    def pair(self, row: int, like: int, *, exact: bool) -> Pair:
        """Two rows side by side."""
        one, other = self.spool[row][0], self.spool[like][0]
        numbers = self.numbers
        ref, like_ref = (RowRef(r.file, r.line, f"{int(numbers[n]):016x}") for r, n in ((one, row), (other, like)))
        return Pair(ref, like_ref, exact, beginning(said(one)), beginning(said(other)))


def _opening(conversation: Conversation) -> int:
    talk = tuple(message for message in conversation.messages if message.role != "system")
    return row_number(Conversation(talk[:2]))


def _question(conversation: Conversation) -> int:
    asked = tuple(message for message in conversation.messages if message.role == "user")
    if len(asked) != 1 or (len(asked[0].content) < _OWN_QUESTION and weight(asked[0].content) < _OWN_QUESTION):
        return 0
    return row_number(Conversation(asked))


def _join(parents: list[int], one: int, other: int) -> None:
    first, second = sorted((_root(parents, one), _root(parents, other)))
    parents[second] = first


def _root(parents: list[int], row: int) -> int:
    while parents[row] != row:
        parents[row] = parents[parents[row]]
        row = parents[row]
    return row
