"""Rows from tables: CSV and TSV with a line of column names on top, and Parquet."""

import csv
from collections.abc import Iterator

from core.data.codes import FileReason, RowCode
from core.data.fields import KNOWN, field_name
from core.data.source import MAX_ROW, Record, Source
from core.problems import Code, Trouble

# process-wide, and 131,072 characters by default: a long answer is longer
csv.field_size_limit(MAX_ROW)

_SEPARATORS = (",", "\t", ";", "|")
_BATCH = 512


def csv_records(source: Source) -> Iterator[Record]:
    """Yield the rows of a table whose cells are separated by commas, tabs, semicolons or bars."""
    names, _more = source.opening()
    return _table(source, max(_SEPARATORS, key=lambda mark: _likelihood(names, mark)))


def tsv_records(source: Source) -> Iterator[Record]:
    """Yield the rows of a table whose cells are separated by tabs."""
    return _table(source, "\t")


def parquet_records(source: Source) -> Iterator[Record]:
    """Yield the rows of a Parquet file. Raises Trouble(DATA_UNREADABLE, PACKAGE_MISSING)."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ModuleNotFoundError:
        raise Trouble(Code.PACKAGE_MISSING, package="pyarrow") from None
    number = 0
    try:
        with parquet.ParquetFile(source.path) as file:
            for batch in file.iter_batches(batch_size=_BATCH):
                for row in batch.to_pylist():
                    number += 1
                    yield Record(number, row)
                source.told(source.size * number // max(file.metadata.num_rows, 1))
    except (pyarrow.ArrowException, ValueError) as error:
        raise source.unreadable(FileReason.BAD_TABLE, text=str(error)[:300]) from None


def _likelihood(names: str, mark: str) -> tuple[int, int]:
    """How well a separator cuts the line of names: names that are known, then cells."""
    try:
        cells = next(csv.reader([names], delimiter=mark), [])
    except csv.Error:
        return 0, 0
    return sum(field_name(cell) in KNOWN for cell in cells), len(cells)


def _table(source: Source, mark: str) -> Iterator[Record]:
    lines = _Lines(source)
    # strict: a quotation mark that is never closed would swallow the rest of the file without a word
    reader = csv.reader(lines, delimiter=mark, strict=True)
    names: list[str] | None = None
    while True:
        start = lines.number + 1
        cells = _cells(reader)
        yield from (Record(number, code=RowCode.TOO_LONG_LINE) for number in lines.forget_too_long())
        if cells is None:
            return
        if isinstance(cells, csv.Error):
            yield Record(start, code=RowCode.BAD_QUOTES)
        elif any(cell.strip() for cell in cells):
            if names is not None:
                yield _row(start, names, cells)
            else:
                names = [cell.strip("\ufeff \t") for cell in cells]


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
        self._lines = source.lines()
        self._too_long: list[int] = []
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        self.number, line = next(self._lines)
        if line is None:
            self._too_long.append(self.number)
        return line or "\n"

    def forget_too_long(self) -> list[int]:
        """Return the numbers of the lines that were too long since the last call."""
        numbers, self._too_long = self._too_long, []
        return numbers
