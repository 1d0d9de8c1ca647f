"""Rows from column stores: Parquet, and Arrow (Feather) files and streams."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, BinaryIO

from core.data.codes import FileReason
from core.data.leaves import without_nothing
from core.data.packed import most_bytes
from core.data.source import Record, Source
from core.data.tables import MOST_COLUMNS
from core.problems import Code, Trouble

_BATCH = 512
#: So many bytes of rows are looked at together, by their average.
_BATCH_BYTES = 16_000_000
#: A column of equal values takes next to nothing; rows beyond these made a file to run forever.
_ROWS_A_BYTE = 100
_FEW_ROWS = 1_000_000
_STREAM = b"\xff\xff\xff\xff"


def parquet_records(source: Source) -> Iterator[Record]:
    """Yield the rows of a Parquet file. Raises Trouble(DATA_UNREADABLE, PACKAGE_MISSING)."""
    return _read(source, _parquet_batches)


def arrow_records(source: Source) -> Iterator[Record]:
    """Yield the rows of an Arrow or Feather file, or of an Arrow stream. Raises like `parquet_records`."""
    return _read(source, _arrow_batches)


def _read(source: Source, batches: Callable[[Source, BinaryIO], Iterator[tuple[Any, float]]]) -> Iterator[Record]:
    try:
        import pyarrow
    except ModuleNotFoundError:
        raise Trouble(Code.PACKAGE_MISSING, package="pyarrow") from None
    number = 0
    try:
        with closing(source.seekable()) as stream:
            for batch, read in batches(source, stream):
                calls = "tool_calls" in str(batch.schema)
                for row in batch.to_pylist():
                    number += 1
                    yield Record(number, _unfilled(row) if calls else row)
                source.told(int(source.size * min(read, 1.0)))
    except (pyarrow.ArrowException, ValueError, OverflowError, MemoryError, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise source.unreadable(FileReason.BAD_TABLE, text=str(error)[:300]) from None


def _unfilled(row: dict[str, Any]) -> dict[str, Any]:
    """A row whose calls have the arguments that they were given, not those of every other row as well."""
    for turns in row.values():
        for turn in turns if isinstance(turns, list) else ():
            if isinstance(turn, dict) and turn.get("tool_calls"):
                turn["tool_calls"] = without_nothing(turn["tool_calls"])
    return row


def _parquet_batches(source: Source, stream: BinaryIO) -> Iterator[tuple[Any, float]]:
    from pyarrow import parquet

    with parquet.ParquetFile(stream) as file:
        facts = file.metadata
        _check_columns(source, facts.num_columns)
        unpacked = sum(facts.row_group(at).total_byte_size for at in range(facts.num_row_groups))
        if unpacked > most_bytes(source.size) or facts.num_rows > _FEW_ROWS + _ROWS_A_BYTE * source.size:
            raise source.unreadable(FileReason.OVERPACKED)
        size = max(1, min(_BATCH, _BATCH_BYTES * facts.num_rows // max(unpacked, 1)))
        read = 0
        for batch in file.iter_batches(batch_size=size):
            read += batch.num_rows
            yield batch, read / max(facts.num_rows, 1)


def _arrow_batches(source: Source, stream: BinaryIO) -> Iterator[tuple[Any, float]]:
    from pyarrow import ipc

    head = stream.read(8)
    stream.seek(0)
    if head.startswith(b"ARROW1"):
        file = ipc.open_file(stream)
        _check_columns(source, len(file.schema))
        batches = (file.get_batch(at) for at in range(file.num_record_batches))
    elif head.startswith(b"FEA1") or not head.startswith(_STREAM):
        # the first Feather format, of 2016
        raise source.unreadable(FileReason.BAD_TABLE)
    else:
        file = ipc.open_stream(stream)
        _check_columns(source, len(file.schema))
        batches = iter(file)
    for batch in batches:
        # the bytes may point anywhere
        batch.validate(full=True)
        if batch.nbytes > most_bytes(source.size) or batch.num_rows > _FEW_ROWS + _ROWS_A_BYTE * source.size:
            raise source.unreadable(FileReason.OVERPACKED)
        size = max(1, min(_BATCH, _BATCH_BYTES * batch.num_rows // max(batch.nbytes, 1)))
        for start in range(0, batch.num_rows, size):
            yield batch.slice(start, size), stream.tell() / max(source.size, 1)


def _check_columns(source: Source, count: int) -> None:
    if count > MOST_COLUMNS:
        raise source.unreadable(FileReason.MANY_COLUMNS, most=MOST_COLUMNS)
