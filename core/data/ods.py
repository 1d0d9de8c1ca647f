"""Rows from .ods workbooks, read as a stream: a cell that says it is there a million times takes no memory."""

from collections.abc import Iterator

from core.data.codes import FileReason
from core.data.markup import attribute, events, local
from core.data.sheets import Cells, sheet_records
from core.data.source import Record, Source
from core.data.tables import MOST_COLUMNS

#: Rows that are filled and equal are written once with a count.
_MOST_REPEATED = 100_000

Sheet = tuple[str, list[tuple[int, Cells]]]


def ods_records(source: Source) -> Iterator[Record]:
    """Yield the rows of every sheet of an .ods workbook. Raises Trouble(DATA_UNREADABLE, PACKAGE_MISSING)."""
    reading = _Reading(source)
    several = sum(begins and local(element) == "table" for begins, element in events(source, "content.xml")) > 1
    while reading.next_sheet():
        yield from sheet_records(source, reading.sheet if several else "", reading.rows())


class _Reading:
    """Walks through the sheets of one workbook."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._events = events(source, "content.xml")
        self._inside = False
        self.sheet = ""

    def next_sheet(self) -> bool:
        """Go to the next sheet; False where there is none."""
        for _row in self.rows() if self._inside else ():
            pass
        for begins, element in self._events:
            if begins and local(element) == "table":
                self._inside, self.sheet = True, attribute(element, "name")
                return True
        return False

    def rows(self) -> Iterator[tuple[int, Cells]]:
        """Yield the rows of this sheet that have something in them."""
        number = 0
        cells: Cells = []
        for begins, element in self._events:
            name = local(element)
            if name == "table" and not begins:
                self._inside = False
                return
            if name == "table-row" and begins:
                cells = []
            elif name in ("table-cell", "covered-table-cell") and begins:
                self._cell(cells, _times(element, "number-columns-repeated"), self._text(name))
            elif name == "table-row":
                times = _times(element, "number-rows-repeated")
                for at in range(times if any(cells) else 0):
                    if at >= _MOST_REPEATED:
                        raise self._source.unreadable(FileReason.OVERPACKED)
                    yield number + at + 1, list(cells)
                number += times

    def _cell(self, cells: Cells, times: int, text: str) -> None:
        if not text:
            # the empty ones at the end of a row are counted to the edge of the sheet
            times = min(times, MOST_COLUMNS + 1)
        if text and len(cells) + times > MOST_COLUMNS:
            raise self._source.unreadable(FileReason.MANY_COLUMNS, most=MOST_COLUMNS)
        cells += [text] * times

    def _text(self, cell: str) -> str:
        """The text of the cell that has just begun, as it is shown; comments in it are no part of it."""
        said: list[str] = []
        skipped = 0
        for begins, element in self._events:
            name = local(element)
            if name == cell and not begins:
                return "".join(said).strip()
            if name == "annotation":
                skipped += 1 if begins else -1
            elif not skipped and begins and name == "p" and said:
                said.append("\n")
            elif not skipped and not begins:
                said += [" "] if name == "s" else [element.text or ""] if name in ("p", "span", "a") else []
                said += [element.tail or ""] if name in ("span", "a", "s") else []
        return "".join(said)


def _times(row_or_cell: object, name: str) -> int:
    said = attribute(row_or_cell, name)  # type: ignore[arg-type]
    return int(said) if said.isdigit() and len(said) < 8 else 1
