"""Rows of any file: which reader a file gets. A new format is a new line in the table."""

from collections.abc import Callable, Iterator

from core.data.arrow import arrow_records, parquet_records
from core.data.codes import FileReason
from core.data.documents import docx_records
from core.data.html import html_records
from core.data.json_rows import json_records, jsonl_records
from core.data.kinds import SAVED_AS_XLS, kind_of
from core.data.marks import text_records
from core.data.ods import ods_records
from core.data.packed import OPENERS
from core.data.pdf import pdf_records
from core.data.source import Record, Source
from core.data.spreadsheets import xls_records, xlsx_records
from core.data.tables import csv_records, tsv_records

Reader = Callable[[Source], Iterator[Record]]


def plain_records(source: Source) -> Iterator[Record]:
    """Yield the rows of a file whose name says little: JSON or a web page by its first character, else text."""
    first, _more = source.opening()
    if first.startswith("{"):
        return jsonl_records(source)
    if first[:14].lower().startswith(("<html", "<!doctype html", "<table")):
        return html_records(source)
    return json_records(source) if first.startswith("[") else text_records(source)


def saved_as_xls(source: Source) -> Iterator[Record]:
    """Yield the rows of a table that is text or a web page and called .xls, as some programs save it."""
    first, _more = source.opening()
    return html_records(source) if first.startswith("<") else csv_records(source)


READERS: dict[str, Reader] = {
    ".json": json_records,
    ".jsonl": jsonl_records,
    ".ndjson": jsonl_records,
    ".csv": csv_records,
    ".tsv": tsv_records,
    ".tab": tsv_records,
    ".txt": plain_records,
    ".text": plain_records,
    ".md": plain_records,
    ".markdown": plain_records,
    ".html": html_records,
    ".htm": html_records,
    ".parquet": parquet_records,
    ".arrow": arrow_records,
    ".feather": arrow_records,
    ".ipc": arrow_records,
    ".xlsx": xlsx_records,
    ".xlsm": xlsx_records,
    ".xls": xls_records,
    ".ods": ods_records,
    ".docx": docx_records,
    ".pdf": pdf_records,
}

#: Known to hold something else; saying so is kinder than calling them binary.
_OTHER = frozenset((
    ".doc", ".odt", ".rtf", ".pptx", ".ppt", ".epub", ".xml", ".xlsb",
    ".7z", ".rar", ".zst", ".tar", ".tgz", ".db", ".sqlite",
    ".pkl", ".pickle", ".pt", ".bin", ".safetensors", ".gguf",
))  # fmt: skip


def records(source: Source) -> Iterator[Record]:
    """Yield the rows of a file as they stand there. Raises Trouble(DATA_UNREADABLE, DATA_SHAPE)."""
    kind = kind_of(source) if source.kind is None else source.kind
    if kind in _OTHER:
        raise source.unreadable(FileReason.NOT_SUPPORTED, suffix=kind)
    reader = saved_as_xls if kind == SAVED_AS_XLS else READERS.get(kind, plain_records)
    return reader(source)


def suffixes() -> tuple[str, ...]:
    """Every ending that is read, for file dialogs."""
    return (*READERS, ".zip", *OPENERS)
