"""Rows that were kept in a file (core.data.clean.written), of which single ones are read by their number."""

import json
from array import array
from collections.abc import Callable
from pathlib import Path

from core.data.rows import Conversation, conversation_of

_BLOCK = 1 << 20


class RowsFile:
    """The rows of a file, one a line: 8 bytes of memory a row, the rest stays on the disk. Raises OSError."""

    def __init__(self, path: Path) -> None:
        """Look for where the rows begin, which reads the file once: not for the window's thread."""
        self.path = path
        self._places = array("Q", [0])
        with path.open("rb", buffering=_BLOCK) as lines:
            at = 0
            for line in lines:
                at += len(line)
                self._places.append(at)

    def __len__(self) -> int:
        return len(self._places) - 1

    def __getitem__(self, number: int) -> Conversation:
        if not 0 <= number < len(self):
            raise IndexError(number)
        # opened anew each time: nobody has to close it, and it may be deleted everywhere
        with self.path.open("rb") as file:
            file.seek(self._places[number])
            return _row(file.read(self._places[number + 1] - self._places[number]))

    def find(self, text: str, start: int = 0, stopped: Callable[[], bool] = lambda: False) -> int:
        """Return the first row from `start` on, then from the first one on, that has `text` in it; -1 for none.

        Upper and lower case are the same. Reads with a file of its own: it may run in another thread.
        """
        wanted = text.casefold()
        with self.path.open("rb", buffering=_BLOCK) as file:
            for first, last in ((start, len(self)), (0, start)):
                file.seek(self._places[first])
                for number in range(first, last):
                    if number % 256 == 0 and stopped():
                        return -1
                    if any(wanted in message.text.casefold() for message in _row(file.readline()).messages):
                        return number
        return -1

    def place(self, file: str, line: int) -> int:
        """Return the row that stands at `line` of `file`, -1 when it is not among these rows.

        Reads everything: not for the window's thread.
        """
        number = str(line).encode()
        with self.path.open("rb", buffering=_BLOCK) as rows:
            for place, row in enumerate(rows):
                if number in row:
                    said = json.loads(row)
                    if said.get("line") == line and str(said.get("file", "")) == file:
                        return place
        return -1


def _row(data: bytes) -> Conversation:
    said = json.loads(data)
    return conversation_of(said, str(said.get("file", "")), int(said.get("line", 0)))
