"""The record of a run, events.jsonl: written so that no line is lost or torn, and read piece by piece."""

import contextlib
import os
from collections import deque
from collections.abc import Iterable
from pathlib import Path

from core.codec import CodecError
from core.events import Event
from core.wire import decode_event

#: Bytes that wait for room while the disk is full; beyond that the record has a gap.
PATIENCE = 8 << 20
#: Bytes at the end of a record among which lines are looked for that one of two writers may not have written any more.
TAIL = 2 << 20


class Record:
    """Appends lines to the file at `path`. Never raises: what cannot be written now is written when there is room."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self._waiting = b""

    def add(self, line: str) -> None:
        """Append a line."""
        # a file name that is no text must not silence the run
        if len(self._waiting) < PATIENCE:
            self._waiting += line.encode(errors="replace") + b"\n"
        self.flush()

    def flush(self) -> None:
        """Write what waits."""
        with contextlib.suppress(OSError):
            while self._waiting:
                self._waiting = self._waiting[os.write(self._opened(), self._waiting) :]

    def close(self) -> None:
        """Write what waits, and let go of the file."""
        self.flush()
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.close(self._file)
            self._file = None

    def _opened(self) -> int:
        if self._file is None:
            binary = getattr(os, "O_BINARY", 0)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | binary, 0o644)
            size = os.fstat(self._file).st_size
            os.lseek(self._file, max(size - 1, 0), os.SEEK_SET)
            if size and os.read(self._file, 1) != b"\n":
                # who wrote here before was cut off in the middle of a line
                self._waiting = b"\n" + self._waiting
        return self._file


class Spoken:
    """The newest lines that were handed to another process, which keeps the record for as long as it lives."""

    def __init__(self, most: int = 4000) -> None:
        self._lines: deque[str] = deque(maxlen=most)

    def add(self, line: str) -> None:
        """Remember a line that was handed over."""
        self._lines.append(line)

    def missing(self, path: Path) -> list[str]:
        """Lines that did not make it into the record at `path`: all those after the last one that did."""
        known = set(_tail(path).decode(errors="replace").splitlines())
        lost: list[str] = []
        for line in reversed(self._lines):
            if line in known:
                break
            lost.append(line)
        return lost[::-1]


def read_on(path: Path, offset: int, most: int = 1 << 20) -> tuple[list[Event], int]:
    """Read whole lines of the record at `path` from byte `offset` on, about `most` bytes of them.

    Returns the events and the offset to read on from: 0 where the file is shorter than that, because it is another one.
    Lines that are no events, or of newer versions, are passed over. Raises OSError.
    """
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) < offset:
            return [], 0
        file.seek(offset)
        lines = file.readlines(most)
    if lines and not lines[-1].endswith(b"\n"):
        lines.pop()
    return list(_events(lines)), offset + sum(map(len, lines))


def _events(lines: Iterable[bytes]) -> Iterable[Event]:
    for line in lines:
        with contextlib.suppress(CodecError):
            yield decode_event(line.decode(errors="replace"))


def _tail(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(max(file.seek(0, os.SEEK_END) - TAIL, 0))
            return file.read()
    except OSError:
        return b""
