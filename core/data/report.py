"""Tally: counts the rows of data files while they pass by and sums them up in a DataReport."""

from array import array
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np

from core.data.leaves import as_json
from core.data.lengths import RowLengths, buckets, described
from core.data.rows import Call, Conversation, DataReport, Message, RowProblem, Shape

_PREVIEW = 50
_PREVIEW_CHARACTERS = 4_000
_PROBLEMS = 1_000
_COLUMNS = 50


class Tally:
    """What is known so far of the files being read; holds one hash a row, not the rows. `count` counts tokens.

    `by_file` gets a number for each of `files` when its rows begin.
    """

    def __init__(self, files: tuple[str, ...], count: RowLengths | None = None) -> None:
        self.files = files
        self.count = count
        self.by_file: list[int] = []
        self.usable = 0
        self.rejected = 0
        self.complete = True
        self.last = Shape.UNKNOWN
        self._shapes: Counter[Shape] = Counter()
        self._columns: dict[str, None] = {}
        self._problems: list[RowProblem] = []
        self._seen = array("q")
        self._characters: Counter[int] = Counter()
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
        self.last = shape
        self.usable += 1
        self.by_file[-1] += 1
        self._shapes[shape] += 1
        self._preferred += preferred
        self._seen.append(_said(conversation))
        self._characters[sum(len(message.text) for message in conversation.messages)] += 1
        if self.count is not None:
            self.count.add(conversation)
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
        count = self.count or RowLengths()
        count.close()
        return DataReport(
            files=self.files,
            rows=self.rows,
            usable=self.usable,
            shape=self._shapes.most_common(1)[0][0] if self._shapes else Shape.UNKNOWN,
            columns=tuple(self._columns),
            problems=tuple(self._problems),
            rejected=self.rejected,
            duplicates=self.usable - len(np.unique(np.frombuffer(self._seen, np.int64))) if self._seen else 0,
            characters=described(self._characters, median=50, p95=95),
            preview=tuple(self._preview),
            encodings=self._encodings,
            preferred=self._preferred,
            complete=self.complete,
            tokens=described(count.counts, median=50, p95=95, p99=99),
            tokens_exact=count.exact and bool(count.counts),
            tokens_model=count.model,
            lengths=buckets(count.counts),
            shapes={shape.value: rows for shape, rows in self._shapes.most_common()},
            by_file=tuple(self.by_file),
        )


def _said(conversation: Conversation) -> int:
    """What a row says as a number; the ids of calls say nothing."""
    if not conversation.has_tools:
        return hash(conversation.messages)
    return hash((conversation.tools, tuple((message.role, message.text) for message in conversation.messages)))


def _shortened(conversation: Conversation) -> Conversation:
    messages = tuple(map(_short, conversation.messages[:_PREVIEW]))
    tools = conversation.tools if len(conversation.tools) <= _PREVIEW_CHARACTERS else _names(conversation)
    return replace(conversation, messages=messages, tools=tools)


def _short(message: Message) -> Message:
    calls = tuple(map(_short_call, message.calls[:_PREVIEW]))
    return replace(message, content=_cut(message.content), thought=_cut(message.thought), calls=calls)


def _short_call(call: Call) -> Call:
    short = len(call.arguments) <= _PREVIEW_CHARACTERS
    return call if short else replace(call, arguments=as_json({"…": _cut(call.arguments)}))


def _names(conversation: Conversation) -> str:
    """The tools of a row without what they are for."""
    tools = (conversation.definitions() or [])[:_PREVIEW]
    named = ({"name": _cut(tool["function"]["name"])} for tool in tools)
    return as_json([{"type": "function", "function": name} for name in named])


def _cut(text: str) -> str:
    return text if len(text) <= _PREVIEW_CHARACTERS else text[:_PREVIEW_CHARACTERS] + "…"


def _speakable(name: str) -> str:
    # half surrogate pairs cannot be written to a pipe or a file
    return name[:100].encode("utf-8", "replace").decode()
