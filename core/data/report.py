"""Tally: counts the rows of data files while they pass by and sums them up in a DataReport."""

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from core.data.rows import Conversation, DataReport, RowProblem, Shape

_PREVIEW = 50
_PREVIEW_CHARACTERS = 4_000
_PROBLEMS = 1_000
_COLUMNS = 50


class Tally:
    """What is known so far of the files being read; holds eight bytes a row beside one hash, not the rows."""

    def __init__(self, files: tuple[str, ...]) -> None:
        self.files = files
        self.usable = 0
        self.rejected = 0
        self.complete = True
        self._shapes: Counter[Shape] = Counter()
        self._columns: dict[str, None] = {}
        self._problems: list[RowProblem] = []
        self._seen: set[int] = set()
        self._lengths = array("Q")
        self._preview: list[Conversation] = []
        self._encodings: dict[str, str] = {}
        self._preferred = 0

    @property
    def rows(self) -> int:
        """Every row that passed by."""
        return self.usable + self.rejected

    def saw(self, value: Any) -> None:
        """Note the names of a row's fields."""
        if not isinstance(value, dict) or value.keys() <= self._columns.keys():
            return
        if len(self._columns) < _COLUMNS:
            self._columns |= dict.fromkeys(_speakable(str(key)) for key in list(value)[:_COLUMNS])

    def accept(self, shape: Shape, conversation: Conversation, *, preferred: bool = False) -> None:
        """Count a row to learn from."""
        self.usable += 1
        self._shapes[shape] += 1
        self._preferred += preferred
        self._seen.add(hash(conversation.messages))
        self._lengths.append(sum(len(message.content) for message in conversation.messages))
        if len(self._preview) < _PREVIEW:
            self._preview.append(_shortened(conversation))

    def reject(self, problem: RowProblem) -> None:
        """Count a row that is not used."""
        self.rejected += 1
        if len(self._problems) < _PROBLEMS:
            self._problems.append(problem)

    def read(self, file: str, encoding: str) -> None:
        """Note a file's text encoding where it is not UTF-8; "" for files that are no text."""
        if encoding and not encoding.startswith("utf-8"):
            self._encodings[file] = encoding

    def report(self) -> DataReport:
        """Sum up."""
        return DataReport(
            files=self.files,
            rows=self.rows,
            usable=self.usable,
            shape=self._shapes.most_common(1)[0][0] if self._shapes else Shape.UNKNOWN,
            columns=tuple(self._columns),
            problems=tuple(self._problems),
            rejected=self.rejected,
            duplicates=self.usable - len(self._seen),
            characters=_characters(sorted(self._lengths)),
            preview=tuple(self._preview),
            encodings=self._encodings,
            preferred=self._preferred,
            complete=self.complete,
        )


def _characters(lengths: Sequence[int]) -> dict[str, int]:
    """Describe sorted lengths; empty when there are none."""
    if not lengths:
        return {}
    last = len(lengths) - 1
    return {
        "total": sum(lengths),
        "mean": round(sum(lengths) / len(lengths)),
        "shortest": lengths[0],
        "median": lengths[last // 2],
        "p95": lengths[last * 95 // 100],
        "longest": lengths[last],
    }


def _shortened(conversation: Conversation) -> Conversation:
    messages = tuple(replace(message, content=_cut(message.content)) for message in conversation.messages[:_PREVIEW])
    return replace(conversation, messages=messages)


def _cut(text: str) -> str:
    return text if len(text) <= _PREVIEW_CHARACTERS else text[:_PREVIEW_CHARACTERS] + "…"


def _speakable(name: str) -> str:
    # half surrogate pairs cannot be written to a pipe or a file
    return name[:100].encode("utf-8", "replace").decode()
