"""Rows from workbooks: .xlsx, .ods and .xls, every sheet, as the cells were last calculated; `=cmd()` is plain text.

Read row by row. Libraries that lay a sheet out whole take gigabytes for two cells in opposite corners, and some of
them end the program where these are not there (measured with python-calamine 0.9).
"""

import re
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from typing import Any, BinaryIO

from core.data.codes import FileReason
from core.data.packed import FAULTS, open_zip
from core.data.sheets import Cells, Merge, merged, sheet_records
from core.data.source import Record, Source
from core.data.tables import MOST_COLUMNS
from core.problems import Code, Trouble

_BATCH = 200
#: A sheet ends here in every program.
_MOST_ROWS = 1_048_576
#: The old format is read whole. Bytes.
_MOST_OLD = 100_000_000
#: Texts that cells share are held in memory. Bytes unpacked.
_MOST_SHARED = 60_000_000
_MERGE = re.compile(rb'<(?:\w+:)?mergeCell\b[^>]*?\bref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
_MOST_MERGES = 20_000
#: A merged cell that says the same in more rows than these is a picture frame, not a question.
_FARTHEST = 1_000


def xlsx_records(source: Source) -> Iterator[Record]:
    """Yield the rows of every sheet of an .xlsx workbook. Raises Trouble(DATA_UNREADABLE, PACKAGE_MISSING)."""
    try:
        import openpyxl
    except ModuleNotFoundError:
        raise Trouble(Code.PACKAGE_MISSING, package="openpyxl") from None
    with closing(source.seekable()) as stream:
        with closing(open_zip(source, stream)) as archive:
            shared = [member for member in archive.infolist() if member.filename.lower().endswith("sharedstrings.xml")]
            if sum(member.file_size for member in shared) > _MOST_SHARED:
                raise source.unreadable(FileReason.TOO_BIG, size_bytes=shared[0].file_size)
        book = _tried(source, lambda: openpyxl.load_workbook(stream, read_only=True, data_only=True))
        try:
            for sheet in book.worksheets:
                merges = _merges(source, stream, getattr(sheet, "_worksheet_path", ""))
                sheet.reset_dimensions()
                rows = _batched(source, sheet.iter_rows(values_only=True))
                part = sheet.title if len(book.worksheets) > 1 else ""
                yield from sheet_records(source, part, merged(rows, merges))
        finally:
            book.close()


def xls_records(source: Source) -> Iterator[Record]:
    """Yield the rows of every sheet of an .xls workbook. Raises Trouble(DATA_UNREADABLE, PACKAGE_MISSING)."""
    try:
        import xlrd
    except ModuleNotFoundError:
        raise Trouble(Code.PACKAGE_MISSING, package="xlrd") from None
    if source.size > _MOST_OLD:
        raise source.unreadable(FileReason.TOO_BIG, size_bytes=source.size)
    with source.open() as file:
        data = file.read(_MOST_OLD)
    book = _tried(
        source, lambda: xlrd.open_workbook(file_contents=data, on_demand=True, ragged_rows=True, logfile=_Silence())
    )
    for name in book.sheet_names():
        sheet = _tried(source, lambda name=name: book.sheet_by_name(name))  # type: ignore[misc]
        numbered = ((at + 1, [_old_cell(book, cell) for cell in sheet.row(at)]) for at in range(sheet.nrows))
        yield from sheet_records(source, name if book.nsheets > 1 else "", numbered)
        source.told(0)
        book.unload_sheet(name)


def _old_cell(book: Any, cell: Any) -> Any:
    import xlrd

    if cell.ctype == xlrd.XL_CELL_DATE:
        try:
            return xlrd.xldate_as_datetime(cell.value, book.datemode)
        except (ValueError, OverflowError):
            return cell.value
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return bool(cell.value)
    return "" if cell.ctype == xlrd.XL_CELL_ERROR else cell.value


class _Silence:
    """Where the library for .xls writes what it thinks of a file."""

    def write(self, _text: str) -> None:
        """Say nothing."""


def _batched(source: Source, rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[int, Cells]]:
    number = 0
    while batch := _tried(source, lambda: list(islice(rows, _BATCH))):
        source.told(0)
        for cells in batch:
            number += 1
            if number > _MOST_ROWS:
                raise source.unreadable(FileReason.DAMAGED)
            if len(cells) > MOST_COLUMNS and any(cell is not None for cell in cells[MOST_COLUMNS:]):
                raise source.unreadable(FileReason.MANY_COLUMNS, most=MOST_COLUMNS)
            if cells:
                yield number, list(cells)


def _tried(source: Source, act: Callable[[], Any]) -> Any:
    """Do something with a library that raises all kinds of exceptions where a file is damaged."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return act()
    except (Trouble, MemoryError):
        raise
    except Exception as error:
        if _is_forbidden(error):
            raise source.unreadable(FileReason.ENTITIES) from None
        raise source.unreadable(FileReason.DAMAGED, text=f"{type(error).__name__}: {error}"[:300]) from None


def _is_forbidden(error: BaseException) -> bool:
    """Whether definitions in the XML are behind an error; openpyxl says something else in front of it."""
    from defusedxml import DefusedXmlException

    cause = error.__cause__ or error.__context__
    return isinstance(error, DefusedXmlException) or (cause is not None and _is_forbidden(cause))


def _merges(source: Source, stream: BinaryIO, path: str) -> list[Merge]:
    """The cells of a sheet that reach over several rows; they are listed behind the rows."""
    found: list[Merge] = []
    try:
        with zipfile.ZipFile(stream) as archive, archive.open(path.lstrip("/")) as file:
            tail = b""
            while block := file.read(1 << 20):
                source.told(0)
                data = tail + block
                last = 0
                for match in _MERGE.finditer(data):
                    found += _reach(*match.groups())
                    last = match.end()
                tail = data[max(last, len(data) - 200) :]
                if len(found) > _MOST_MERGES:
                    break
    except (*FAULTS, KeyError):
        return []
    return found


def _reach(left: bytes, top: bytes, right: bytes, bottom: bytes) -> Iterator[Merge]:
    first, last = int(top) - 1, int(bottom) - 1
    if left == right and first < last <= first + _FARTHEST:
        column = 0
        for letter in left:
            column = column * 26 + letter - 64
        yield first, last, column - 1
