"""Rows from tables: CSV and TSV with a line of column names on top."""

import csv
import re
from collections import Counter
from collections.abc import Iterator

from core.data.codes import FileReason, RowCode
from core.data.fields import KNOWN, field_name
from core.data.source import MAX_ROW, Record, Source

# process-wide, and 131,072 characters by default: a long answer is longer
csv.field_size_limit(MAX_ROW)

_SEPARATORS = (",", "\t", ";", "|")
#: The line with which Excel says what separates the cells of a CSV file; of a tab nothing is left there.
_SAID = re.compile(r'"?sep=([,;|]?)"?', re.IGNORECASE)
#: A row of these takes about a megabyte; no table of questions and answers comes near.
MOST_COLUMNS = 10_000
#: So much of the first line tells the separator. Characters.
_NAMES = 200_000


def csv_records(source: Source) -> Iterator[Record]:
    """Yield the rows of a table whose cells are separated by commas, tabs, semicolons or bars."""
    names = source.opening()[0][:_NAMES]
    said = _SAID.fullmatch(names)
    mark = (said[1] or "\t") if said else max(_SEPARATORS, key=lambda mark: _likelihood(names, mark))
    return _table(source, mark, said=said is not None)


def tsv_records(source: Source) -> Iterator[Record]:
    """Yield the rows of a table whose cells are separated by tabs."""
    return _table(source, "\t")


def _likelihood(names: str, mark: str) -> tuple[int, int]:
    """How well a separator cuts the line of names: names that are known, then cells."""
    try:
        cells = next(csv.reader([names], delimiter=mark), [])
    except csv.Error:
        return 0, 0
    return sum(field_name(cell) in KNOWN for cell in cells), len(cells)


def _table(source: Source, mark: str, *, said: bool = False) -> Iterator[Record]:
    """Yield the rows; `said` says that a line with the separator stands above the names."""
    lines = _Lines(source)
    # strict: a quotation mark that is never closed would swallow the rest of the file without a word
    reader = csv.reader(lines, delimiter=mark, strict=True)
    names: list[str] | None = None
    while True:
        start = lines.begin_row()
        cells = _cells(reader)
        yield from (Record(number, code=RowCode.TOO_LONG_LINE) for number in lines.forget_too_long())
        if cells is None:
            return
        if isinstance(cells, csv.Error):
            yield Record(start, code=RowCode.BAD_QUOTES)
        elif any(cell.strip() for cell in cells):
            if names is not None:
                yield _row(start, names, cells)
            elif said:
                said = False
            else:
                names = column_names(source, cells)


def column_names(source: Source, cells: list[str]) -> list[str]:
    """Return the names of a table's columns. Raises Trouble(DATA_UNREADABLE) where it is not clear what is meant."""
    if len(cells) > MOST_COLUMNS:
        raise source.unreadable(FileReason.MANY_COLUMNS, most=MOST_COLUMNS)
    names: list[str] = []
    seen: Counter[str] = Counter()
    for cell in cells:
        name = cell.strip("\ufeff \t\r\n")
        seen[field_name(name)] += 1
        twice = seen[field_name(name)]
        if twice > 1 and field_name(name) in KNOWN:
            raise source.unreadable(FileReason.DOUBLE_COLUMN, columns=name[:100])
        names.append(f"{name} ({twice})" if name and twice > 1 else name)
    return names


def _cells(reader: Iterator[list[str]]) -> list[str] | csv.Error | None:
    """The next row of a table, what is wrong with it, or None at the end."""
    try:
        return next(reader, None)
    except csv.Error as error:
        return error


def _row(line: int, names: list[str], cells: list[str]) -> Record:
    if any(cell.strip() for cell in cells[len(names) :]):
        return Record(line, code=RowCode.EXTRA_CELLS)
    return Record(line, dict(zip(names, cells, strict=False)))


class _Lines:
    """The lines of a file for the csv module; a line that is too long is blank there and remembered here."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lines = source.lines()
        self._too_long: list[int] = []
        self._start = self._size = 0
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        self.number, line = next(self._lines)
        self._size += len(line or "")
        if self._size > 2 * MAX_ROW:
            # quotation marks that open and close so that the row never ends
            raise self._source.unreadable(FileReason.TOO_LONG, line=self._start)
        if line is None:
            self._too_long.append(self.number)
        return line or "\n"

    def begin_row(self) -> int:
        """Return the number of the line that the next row begins on."""
        self._start, self._size = self.number + 1, 0
        return self._start

    def forget_too_long(self) -> list[int]:
        """Return the numbers of the lines that were too long since the last call."""
        numbers, self._too_long = self._too_long, []
        return numbers
