"""Files into conversations, with a report that accounts for every row."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from typing import Any

from core.data.archives import bytes_of, sources, unusable
from core.data.chunks import cut
from core.data.codes import FileReason, RowCode, RowFault
from core.data.columns import Columns
from core.data.faults import Faults, Hopeless
from core.data.fields import is_preference
from core.data.lengths import RowLengths
from core.data.read import records
from core.data.report import Tally
from core.data.rows import Conversation, DataReport, RowProblem, Shape
from core.data.shapes import read_row, read_tools, running_text, usual_shape
from core.data.source import Halted, Passage, Record, Source
from core.data.turns import checked_text
from core.data.way import Way
from core.problems import Code, Trouble

Progress = Callable[[int, int], None]
Stopped = Callable[[], bool]
#: Says why a model's template cannot show a row, None when it can.
Refuses = Callable[[Conversation], RowFault | None]

#: So many rows decide what a file's rows usually look like.
_FIRST = 200

#: … but not more than fit into so many bytes of the file.
_FIRST_BYTES = 20_000_000


def inspect_files(
    files: tuple[str, ...],
    progress: Progress = lambda done, total: None,
    stopped: Stopped = lambda: False,
    count: RowLengths | None = None,
    *,
    columns: Columns | None = None,
    passage: int = 0,
) -> DataReport:
    """Read data files and report on them; when `stopped`, on the rows so far (`complete` is False then).

    `progress` hears bytes read and bytes in all; `count` counts tokens, which takes longer than reading.
    `columns` says which columns are learned from, where a table has them. Running text without questions and answers
    is learned as it stands in passages of at most `passage` characters; 0 refuses it.

    A folder or an archive stands for the files in it: what cannot be read among them is a row that is not used.
    Raises Trouble(DATA_MISSING, DATA_UNREADABLE, DATA_EMPTY, DATA_SHAPE, PACKAGE_MISSING) for the first file of
    which no row can be understood.
    """
    reading = Reading(files, progress, stopped, columns=columns, passage=passage, count=count)
    for _conversation in reading:
        pass
    return reading.report()


def read_conversations(
    files: tuple[str, ...],
    progress: Progress = lambda done, total: None,
    stopped: Stopped = lambda: False,
    *,
    columns: Columns | None = None,
    passage: int = 0,
) -> tuple[list[Conversation], DataReport]:
    """Read every usable row of data files, in order, with the report of `inspect_files`. Raises like it."""
    reading = Reading(files, progress, stopped, columns=columns, passage=passage)
    return list(reading), reading.report()


class Reading:
    """Data files as they are read: iterate once over the usable rows, in order, then ask for the report.

    `refuses` judges rows with tools; without it the template of the model that `count` counts for does.
    """

    def __init__(
        self,
        files: tuple[str, ...],
        progress: Progress = lambda done, total: None,
        stopped: Stopped = lambda: False,
        *,
        columns: Columns | None = None,
        passage: int = 0,
        count: RowLengths | None = None,
        refuses: Refuses | None = None,
    ) -> None:
        self._tally = Tally(files, count)
        wishes = _Wishes(columns, passage, refuses or (count.refuses if count else None))
        self._rows = _conversations(files, self._tally, Way(progress, stopped), wishes)

    def __iter__(self) -> Iterator[Conversation]:
        return self._rows

    @property
    def by_file(self) -> tuple[int, ...]:
        """Usable rows of each file, in order."""
        return tuple(self._tally.by_file)

    @property
    def shape(self) -> Shape:
        """The shape of the row that came last."""
        return self._tally.last

    def report(self, count: RowLengths | None = None) -> DataReport:
        """Sum up what was read; `count` has counted the tokens of other rows than those."""
        self._tally.count = count or self._tally.count
        return self._tally.report()


@dataclass(frozen=True)
class _Wishes:
    """How the user wants the rows to be read."""

    columns: Columns | None
    passage: int
    refuses: Refuses | None = None


def _conversations(files: tuple[str, ...], tally: Tally, way: Way, wishes: _Wishes) -> Iterator[Conversation]:
    if not files:
        raise Trouble(Code.DATA_MISSING)
    sizes = [bytes_of(name) for name in files]
    way.total = sum(sizes)
    try:
        for at, name in enumerate(files):
            tally.by_file.append(0)
            yield from _behind(name, tally, way, wishes)
            way.reached(sum(sizes[: at + 1]))
    except Halted:
        tally.complete = False


def _behind(name: str, tally: Tally, way: Way, wishes: _Wishes) -> Iterator[Conversation]:
    """Yield the conversations of a file, or of all files in a folder or an archive."""
    before = tally.rows, tally.usable
    first: Trouble | None = None
    with closing(sources(name, way.told)) as found:
        for one in found:
            trouble = one if isinstance(one, Trouble) else None
            if isinstance(one, RowProblem):
                tally.reject(one)
            elif isinstance(one, Source):
                try:
                    yield from _of_file(one, tally, wishes)
                except Trouble as of_file:
                    if one.name == name:
                        raise
                    trouble = of_file
                way.passed(one)
            if trouble is not None:
                first = first or trouble
            if trouble is not None and not isinstance(trouble, Hopeless):
                tally.reject(unusable(str(trouble.problem.facts.get("path", name)), trouble))
    if tally.usable == before[1] and first is not None:
        raise first
    if tally.rows == before[0]:
        raise Trouble(Code.DATA_EMPTY, path=name)


def _of_file(source: Source, tally: Tally, wishes: _Wishes) -> Iterator[Conversation]:
    """Yield a file's conversations. Raises Trouble when not one of its rows was understood."""
    before = tally.rows, tally.usable
    faults = Faults()
    try:
        with closing(_rows(source, wishes)) as rows:
            for record, row in rows:
                tally.saw(record.value)
                if isinstance(row, RowProblem):
                    faults.add(record, row)
                    tally.reject(row)
                else:
                    tally.accept(*row, preferred=is_preference(record.value))
                    yield row[1]
    except PermissionError:
        raise source.unreadable(FileReason.NO_ACCESS) from None
    except OSError as error:
        raise source.of_drive(error) from error
    if tally.rows == before[0]:
        raise Trouble(Code.DATA_EMPTY, path=source.name)
    if tally.usable == before[1]:
        faults.raise_if_hopeless(source)
    tally.read(source.name, source.encoding if source.was_text else "")


def _rows(source: Source, wishes: _Wishes) -> Generator[tuple[Record, tuple[Shape, Conversation] | RowProblem]]:
    if not source.size:
        return
    source.passage = wishes.passage or source.passage
    all_records = records(source)
    first: list[Record] = []
    for record in all_records:
        first.append(record)
        if len(first) >= _FIRST or source.done > _FIRST_BYTES:
            break
    usual = usual_shape(_value(record, wishes) for record in first if record.code is None)
    for record in chain(first, all_records):
        file = f"{source.name}/{record.part}" if record.part else source.name
        for row in _understood(record, file, usual, wishes):
            yield record, row


def _value(record: Record, wishes: _Wishes) -> Any:
    return wishes.columns.apply(record.value) if wishes.columns else record.value


def _understood(
    record: Record, file: str, usual: Shape | None, wishes: _Wishes
) -> Iterator[tuple[Shape, Conversation] | RowProblem]:
    """Yield what a row is: mostly one conversation; running text may be several passages."""
    if record.code is not None:
        yield RowProblem(file, record.line, record.code, record.detail)
        return
    value = _value(record, wishes)
    if isinstance(value, Passage) or (wishes.passage and usual in (None, Shape.TEXT)):
        text = running_text(value)
        if text and not wishes.passage:
            yield RowProblem(file, record.line, RowCode.OUTSIDE_PAIR)
            return
        for passage in cut(text, wishes.passage) if text else ():
            try:
                yield Shape.DOCUMENT, Conversation(checked_text(passage), file, record.line)
            except RowFault as fault:
                yield RowProblem(file, record.line, fault.code, fault.detail)
        if text:
            return
    try:
        shape, messages = read_row(value, usual)
        conversation = Conversation(messages, file, record.line, read_tools(value))
        if conversation.has_tools and wishes.refuses is not None and (refused := wishes.refuses(conversation)):
            raise refused
    except RowFault as fault:
        # half surrogate pairs cannot be written to a pipe or a file
        yield RowProblem(file, record.line, fault.code, fault.detail.encode("utf-8", "replace").decode())
    else:
        yield shape, conversation
