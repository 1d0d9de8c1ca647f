"""Rows of any file: which reader a file gets. A new format is a new line in the table."""

from collections.abc import Callable, Iterator

from core.data.codes import FileReason
from core.data.json_rows import json_records, jsonl_records
from core.data.marks import text_records
from core.data.source import Record, Source
from core.data.tables import csv_records, parquet_records, tsv_records

Reader = Callable[[Source], Iterator[Record]]


def plain_records(source: Source) -> Iterator[Record]:
    """Yield the rows of a file whose name says little: JSON by its first character, else marked text."""
    first, _more = source.opening()
    if first.startswith("{"):
        return jsonl_records(source)
    return json_records(source) if first.startswith("[") else text_records(source)


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
    ".parquet": parquet_records,
}

#: Known to hold something else; saying so is kinder than calling them binary.
_OTHER = frozenset((
    ".xlsx", ".xls", ".ods", ".docx", ".doc", ".odt", ".rtf", ".pdf", ".pptx", ".epub", ".html", ".htm",
    ".xml",
    ".zip", ".gz", ".7z", ".rar", ".bz2", ".xz", ".zst", ".tar", ".arrow", ".feather", ".db", ".sqlite",
    ".pkl", ".pickle", ".pt", ".bin", ".safetensors", ".gguf",
))  # fmt: skip


def records(source: Source) -> Iterator[Record]:
    """Yield the rows of a file as they stand there. Raises Trouble(DATA_UNREADABLE, DATA_SHAPE)."""
    suffix = source.path.suffix.lower()
    if suffix in _OTHER:
        raise source.unreadable(FileReason.NOT_SUPPORTED, suffix=suffix)
    return READERS.get(suffix, plain_records)(source)


def suffixes() -> tuple[str, ...]:
    """Every ending that a reader is known for, for file dialogs."""
    return tuple(READERS)
