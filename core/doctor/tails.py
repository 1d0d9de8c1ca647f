"""The ends of long files, and texts without the rows that stand in them."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

#: Stands in the place of a line that holds a piece of a row.
GAP = "<a line with words of the data>"
#: Pieces of a row that give a line away: letters of an alphabet, and of a script that needs fewer.
_LATIN, _HAN = 16, 6
#: Rows are compared up to here. Bytes.
_MOST_ROWS = 200_000_000


def tail(path: Path, most: int) -> str:
    """The last `most` bytes of a file in whole lines, "" when it cannot be read.

    Half a line at the beginning is left out: half a secret could not be told from a word.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - most))
            text = file.read(most).decode("utf-8", "replace")
    except OSError:
        return ""
    return text if size <= most else text.partition("\n")[2]


def without(text: str, said: Iterable[str]) -> str:
    """Return the text without lines that hold a piece of what was `said`: rows, questions, answers.

    Found is every quotation of twice `_LATIN` letters, or of twice `_HAN` where a script is not ASCII.
    """
    windows = {size: {text[i : i + size] for i in range(len(text) - size + 1)} for size in (_LATIN, _HAN)}
    pieces = {piece for each in said for piece in _pieces(each) if piece in windows[len(piece)]}
    if not pieces:
        return text
    return "\n".join(GAP if _holds(line, pieces) else line for line in text.split("\n"))


def texts_in(folder: Path) -> Iterator[str]:
    """Every text in the JSON lines of a folder, as far as they can be read."""
    read = 0
    for path in sorted(folder.glob("*.jsonl")) if folder.is_dir() else ():
        try:
            with path.open(encoding="utf-8", errors="replace") as lines:
                for line in lines:
                    read += len(line)
                    if read > _MOST_ROWS:
                        return
                    yield from _texts(line)
        except OSError:
            continue


def _texts(line: str) -> Iterator[str]:
    try:
        waiting: list[Any] = [json.loads(line)]
    except (ValueError, RecursionError):
        return
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def _pieces(text: str) -> Iterator[str]:
    for line in text.splitlines():
        line = line.strip()
        if line.isascii():
            yield from _cut(line, _LATIN)
        else:
            yield from _cut(line, _HAN)
            # as Python and JSON write it
            yield from _cut(line.encode("unicode_escape").decode("ascii"), _LATIN)


def _cut(line: str, size: int) -> Iterator[str]:
    for at in range(0, len(line) - size + 1, size):
        yield line[at : at + size]
    if len(line) > size:
        yield line[-size:]


def _holds(line: str, pieces: set[str]) -> bool:
    return any(line[i : i + size] in pieces for size in (_LATIN, _HAN) for i in range(len(line) - size + 1))
