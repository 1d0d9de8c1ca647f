"""Files into conversations, with a report that accounts for every row."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from itertools import chain, islice
from typing import Any

from core.data.codes import FileReason, Found, RowCode, RowFault
from core.data.fields import is_preference
from core.data.read import records
from core.data.report import Tally
from core.data.rows import Conversation, DataReport, RowProblem, Shape
from core.data.shapes import read_row, usual_shape
from core.data.source import Halted, Record, Source
from core.problems import Code, Trouble

Progress = Callable[[int, int], None]
Stopped = Callable[[], bool]

#: So many rows decide what a file's rows usually look like.
_FIRST = 200

_UNREADABLE = {
    RowCode.BAD_JSON: FileReason.BAD_JSON,
    RowCode.TOO_DEEP: FileReason.TOO_DEEP,
    RowCode.TOO_LONG_LINE: FileReason.TOO_LONG,
}
_UNRECOGNISED = {RowCode.NOT_AN_OBJECT, RowCode.UNKNOWN_FIELDS, RowCode.OUTSIDE_PAIR}


def inspect_files(
    files: tuple[str, ...], progress: Progress = lambda done, total: None, stopped: Stopped = lambda: False
) -> DataReport:
    """Read data files and report on them; when `stopped`, on the rows so far (`complete` is False then).

    `progress` hears bytes read and bytes in all. Raises Trouble(DATA_MISSING, DATA_UNREADABLE, DATA_EMPTY,
    DATA_SHAPE, PACKAGE_MISSING) for the first file of which no row can be understood.
    """
    tally = Tally(files)
    for _conversation in _conversations(files, tally, progress, stopped):
        pass
    return tally.report()


def read_conversations(
    files: tuple[str, ...], progress: Progress = lambda done, total: None, stopped: Stopped = lambda: False
) -> tuple[list[Conversation], DataReport]:
    """Read every usable row of data files, in order, with the report of `inspect_files`. Raises like it."""
    tally = Tally(files)
    kept = list(_conversations(files, tally, progress, stopped))
    return kept, tally.report()


def _conversations(
    files: tuple[str, ...], tally: Tally, progress: Progress, stopped: Stopped
) -> Iterator[Conversation]:
    way = _Way(progress, stopped)
    sources = [Source(name, way.told) for name in files]
    if not sources:
        raise Trouble(Code.DATA_MISSING)
    way.total = sum(source.size for source in sources)
    try:
        for source in sources:
            yield from _of_file(source, tally)
            way.passed(source)
    except Halted:
        tally.complete = False


def _of_file(source: Source, tally: Tally) -> Iterator[Conversation]:
    """Yield a file's conversations. Raises Trouble when not one of its rows was understood."""
    before = tally.rows, tally.usable
    faults = _Faults()
    try:
        with closing(_rows(source)) as rows:
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
        raise source.unreadable(FileReason.DRIVE, text=str(error)) from error
    if tally.rows == before[0]:
        raise Trouble(Code.DATA_EMPTY, path=source.name)
    if tally.usable == before[1]:
        faults.raise_if_hopeless(source)
    tally.read(source.name, source.encoding if source.was_text else "")


def _rows(source: Source) -> Generator[tuple[Record, tuple[Shape, Conversation] | RowProblem]]:
    if not source.size:
        return
    all_records = records(source)
    first = list(islice(all_records, _FIRST))
    usual = usual_shape(record.value for record in first if record.code is None)
    for record in chain(first, all_records):
        yield record, _row(record, source.name, usual)


def _row(record: Record, file: str, usual: Shape | None) -> tuple[Shape, Conversation] | RowProblem:
    if record.code is not None:
        return RowProblem(file, record.line, record.code, record.detail)
    try:
        shape, messages = read_row(record.value, usual)
    except RowFault as fault:
        # half surrogate pairs cannot be written to a pipe or a file
        return RowProblem(file, record.line, fault.code, fault.detail.encode("utf-8", "replace").decode())
    return shape, Conversation(messages, file, record.line)


class _Way:
    """How far the reading is, over all files; hears every block that is read and asks whether to stop."""

    def __init__(self, progress: Progress, stopped: Stopped) -> None:
        self._progress, self._stopped = progress, stopped
        self.total = 0
        self._before = 0

    def told(self, done: int) -> None:
        """Tell on; `done` is bytes of the file being read. Raises Halted."""
        if self._stopped():
            raise Halted
        self._progress(min(self._before + done, self.total), self.total)

    def passed(self, source: Source) -> None:
        """A file is done."""
        self._before += source.size
        self.told(0)


class _Faults:
    """What is wrong with the rows of a file, and what is wrong with the file when it is all of them."""

    def __init__(self) -> None:
        self._codes: set[str] = set()
        self._first: RowProblem | None = None
        self._value: Any = None

    def add(self, record: Record, problem: RowProblem) -> None:
        """Take a rejected row in."""
        self._codes.add(problem.code)
        self._first = self._first or problem
        self._value = record.value if self._value is None else self._value

    def raise_if_hopeless(self, source: Source) -> None:
        """Raise Trouble(DATA_UNREADABLE, DATA_SHAPE) when no row was even understood."""
        if self._first is None or not self._codes <= _UNREADABLE.keys() | _UNRECOGNISED:
            return
        if self._codes <= _UNREADABLE.keys():
            reason = _UNREADABLE[RowCode(self._first.code)]
            column = int(self._first.detail) if self._first.detail else None
            raise source.unreadable(reason, line=self._first.line, column=column)
        found, facts = _found(self._value)
        raise Trouble(Code.DATA_SHAPE, path=source.name, found=found.value, **facts)


def _found(value: Any) -> tuple[Found, dict[str, str]]:
    """Say what stands where rows were expected."""
    if isinstance(value, dict) and set(value) != {"text"}:
        names = ", ".join(str(key) for key in value)[:300]
        return Found.COLUMNS, {"columns": names.encode("utf-8", "replace").decode()}
    if value is None or isinstance(value, dict):
        return Found.RUNNING_TEXT, {}
    if isinstance(value, str):
        return Found.TEXTS, {}
    return Found.LISTS if isinstance(value, list) else Found.NUMBERS, {}
