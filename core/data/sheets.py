"""Sheets of a workbook as rows: where the column names stand, what merged cells say, how cells become text."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import chain, islice
from typing import Any

from core.data.chunks import Line
from core.data.codes import RowCode
from core.data.fields import KNOWN, field_name
from core.data.marks import text_rows
from core.data.source import Record, Source
from core.data.tables import column_names

#: Titles and notes stand above the column names in no more rows than these.
_ABOVE = 10

Cells = list[Any]
#: First row, last row, column; rows and columns count from 0.
Merge = tuple[int, int, int]


def sheet_records(source: Source, part: str, rows: Iterable[tuple[int, Cells]]) -> Iterator[Record]:
    """Yield the rows of one sheet under the names in its header row; `rows` are numbered as the program shows them.

    A sheet of one column has no names: it is text. Raises Trouble(DATA_UNREADABLE).
    """
    filled = ((number, [plain(cell) for cell in cells]) for number, cells in rows)
    filled = ((number, cells) for number, cells in filled if any(cell != "" for cell in cells))
    first = list(islice(filled, _ABOVE))
    if not first:
        return
    if all(_width(cells) == 1 for _number, cells in first) and not _known(first[0][1]):
        yield from _text(source, part, chain(first, filled))
        return
    at = _header(first)
    for number, _cells in first[:at]:
        yield Record(number, code=RowCode.ABOVE_NAMES, part=part)
    names = column_names(source, [str(cell) for cell in first[at][1]])
    for number, cells in chain(first[at + 1 :], filled):
        if any(cell != "" for cell in cells[len(names) :]):
            yield Record(number, code=RowCode.EXTRA_CELLS, part=part)
        else:
            yield Record(number, {n: c for n, c in zip(names, cells, strict=False) if n or c != ""}, part=part)


def merged(rows: Iterable[tuple[int, Cells]], merges: Sequence[Merge]) -> Iterator[tuple[int, Cells]]:
    """Yield rows with what a cell says that reaches over several rows in each of them."""
    reach = {(first, column): last for first, last, column in merges}
    held: dict[int, tuple[int, Any]] = {}
    for number, cells in rows:
        row = number - 1
        for column in [column for column, (last, _value) in held.items() if last < row]:
            del held[column]
        for column, (_last, value) in held.items():
            if column < len(cells) and cells[column] in (None, ""):
                cells[column] = value
        for column, cell in enumerate(cells) if reach else ():
            if (row, column) in reach:
                held[column] = (reach[row, column], cell)
        yield number, cells


def plain(cell: Any) -> Any:
    """What a cell says: whole numbers without ".0", dates as 2024-01-05, everything else as it is."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return int(cell)
    if isinstance(cell, datetime):
        midnight = cell.time() == time()
        return cell.date().isoformat() if midnight else cell.isoformat(" ", "minutes" if not cell.second else "seconds")
    if isinstance(cell, (date, time)):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    return cell.strip() if isinstance(cell, str) else cell


def _header(first: list[tuple[int, Cells]]) -> int:
    """Which of the first rows holds the names: the one with the most known ones, else the first that is no title."""
    known = [_known(cells) for _number, cells in first]
    if max(known):
        return known.index(max(known))
    return next((at for at, (_number, cells) in enumerate(first) if _width(cells) > 1), 0)


def _known(cells: Cells) -> int:
    return sum(isinstance(cell, str) and field_name(cell) in KNOWN for cell in cells)


def _width(cells: Cells) -> int:
    return sum(cell != "" for cell in cells)


def _text(source: Source, part: str, rows: Iterable[tuple[int, Cells]]) -> Iterator[Record]:
    """One column of cells as running text: conversations where it has marks."""
    lines: list[Line] = [(number, "".join(str(cell) for cell in cells) + "\n") for number, cells in rows]
    found = text_rows(source, lines)
    for record in found:
        yield Record(record.line, record.value, record.code, record.detail, part)
