"""Rows of several shapes in one set, taken apart: a file for each, to be learned apart, in stages, or not at all."""

import json
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from core.data.columns import Columns
from core.data.inspect import Reading
from core.data.rows import Shape
from core.files import folder_in_place


def separate(
    files: tuple[str, ...], folder: Path, *, columns: Columns | None = None, passage: int = 0
) -> dict[Shape, tuple[Path, int]]:
    """Write the rows of `files` into `folder`, a JSONL file for each shape, and return those with their rows.

    Rows are in the `messages` shape with the `file` and `line` that they came from; the shape of most rows comes first.
    The folder is written whole or not at all. Raises what `core.data.inspect.inspect_files` raises, and OSError.
    """
    reading = Reading(files, columns=columns, passage=passage)
    written: dict[Shape, IO[str]] = {}
    rows: dict[Shape, int] = {}
    with folder_in_place(folder) as beside, ExitStack() as open_files:
        for row in reading:
            shape = reading.shape
            if shape not in written:
                path = beside / f"{shape.value}.jsonl"
                opened = path.open("w", encoding="utf-8", errors="backslashreplace", newline="\n")
                written[shape] = open_files.enter_context(opened)
            said = row.written() | {"file": row.file, "line": row.line}
            written[shape].write(json.dumps(said, ensure_ascii=False) + "\n")
            rows[shape] = rows.get(shape, 0) + 1
    most = sorted(rows, key=lambda shape: -rows[shape])
    return {shape: (folder / f"{shape.value}.jsonl", rows[shape]) for shape in most}
