"""Text of PDF files, page by page; pages that are pictures are told, and so are locked files."""

import logging
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from core.data.chunks import Line
from core.data.codes import FileReason, RowCode
from core.data.marks import text_rows
from core.data.source import Halted, Record, Source
from core.problems import Code, Trouble

#: Held in memory to tell conversations from running text.
_MOST_CHARACTERS = 100_000_000
_MOST_PAGES = 20_000


def pdf_records(source: Source) -> Iterator[Record]:
    """Yield the conversations or passages of a PDF file; lines are numbered by page.

    Raises Trouble(DATA_UNREADABLE, PACKAGE_MISSING).
    """
    try:
        import pypdf
    except ModuleNotFoundError:
        raise Trouble(Code.PACKAGE_MISSING, package="pypdf") from None
    # it writes about every oddity of a file; what matters comes as an exception
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    with closing(source.seekable()) as stream:
        try:
            pages = list(_pages(source, pypdf.PdfReader(stream)))
        except (Trouble, Halted, MemoryError):
            raise
        except (pypdf.errors.DependencyError, pypdf.errors.FileNotDecryptedError):
            raise source.unreadable(FileReason.LOCKED) from None
        except Exception as error:
            # it stumbles over damaged files in every way there is
            raise source.unreadable(FileReason.DAMAGED, text=f"{type(error).__name__}: {error}"[:300]) from None
    yield from _rows(source, pages)


def _rows(source: Source, pages: list[str]) -> Iterator[Record]:
    empty = [number for number, text in enumerate(pages, 1) if not text.strip()]
    if pages and len(empty) == len(pages):
        raise source.unreadable(FileReason.SCANNED)
    yield from (Record(number, code=RowCode.NO_TEXT_PAGE) for number in empty)
    lines: list[Line] = [(number, line + "\n") for number, text in enumerate(pages, 1) for line in text.splitlines()]
    yield from text_rows(source, lines)


def _pages(source: Source, reader: Any) -> Iterator[str]:
    # many files are only locked against printing and open without a password
    if reader.is_encrypted and not reader.decrypt(""):
        raise source.unreadable(FileReason.LOCKED)
    count = len(reader.pages)
    if count > _MOST_PAGES:
        raise source.unreadable(FileReason.TOO_BIG, size_bytes=source.size)
    size = 0
    for number in range(count):
        text = reader.pages[number].extract_text()
        size += len(text)
        if size > _MOST_CHARACTERS:
            raise source.unreadable(FileReason.OVERPACKED)
        source.told(source.size * (number + 1) // count)
        yield text
