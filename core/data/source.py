"""A data file being read: its text, its lines, never more than a row of it in memory, and how far it is."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.data.codes import FileReason, RowCode
from core.data.encoding import encoding_of
from core.problems import Code, Trouble

#: The longest row that is read, in characters; what is longer was not meant to be a row.
MAX_ROW = 16_000_000
_BLOCK = 1 << 20


class Halted(Exception):  # noqa: N818 - not an error
    """Raised inside a read when the user asked to stop."""


@dataclass(frozen=True)
class Record:
    """One row as it stands in the file, or the code of what is wrong with it. `line` is 1-based."""

    line: int
    value: Any = None
    code: RowCode | None = None
    detail: str = ""


class Source:
    """An open question to a file: `told(bytes)` hears how far the reading is and may raise Halted."""

    def __init__(self, name: str, told: Callable[[int], None]) -> None:
        """Look at the file. Raises Trouble(DATA_MISSING, DATA_UNREADABLE)."""
        self.name = name
        self.path = Path(name)
        self.told = told
        self.size = self._look()
        self._encoding = ""

    @property
    def encoding(self) -> str:
        """The text encoding, found out on first use. Raises Trouble(DATA_UNREADABLE) for binary data."""
        if not self._encoding:
            found = encoding_of(self.path, lambda: self.told(0))
            if not found:
                raise self.unreadable(FileReason.ENCODING if found is None else FileReason.BINARY)
            self._encoding = found
        return self._encoding

    @property
    def was_text(self) -> bool:
        """Whether the file was read as text."""
        return bool(self._encoding)

    def text(self, newline: str | None = None, *, ahead: bool = False) -> io.TextIOWrapper:
        """Open the text; bytes that are no text become U+FFFD, which makes their row a broken one.

        A look `ahead` asks whether to stop but does not count as reading.
        """
        encoding = self.encoding
        raw = _Counted(self.path, (lambda _done: self.told(0)) if ahead else self.told)
        return io.TextIOWrapper(io.BufferedReader(raw, _BLOCK), encoding, "replace", newline)

    def lines(self) -> Iterator[tuple[int, str | None]]:
        """Yield (number, line with its end); None stands for a line longer than MAX_ROW."""
        number = 0
        with self.text(newline="") as stream:
            while line := stream.readline(MAX_ROW + 1):
                number += 1
                if len(line) > MAX_ROW and not line.endswith(("\n", "\r")):
                    _skip_line(stream)
                    yield number, None
                else:
                    yield number, line

    def opening(self) -> tuple[str, bool]:
        """Return the first line that is not blank, stripped and cut at MAX_ROW, and whether more follows."""
        with self.text(ahead=True) as stream:
            lines = (line for line in iter(lambda: stream.readline(MAX_ROW), "") if not line.isspace())
            return next(lines, "").strip(), next(lines, None) is not None

    def unreadable(self, reason: FileReason, **facts: Any) -> Trouble:
        """The Trouble to raise when the file cannot be read."""
        return Trouble(Code.DATA_UNREADABLE, path=self.name, reason=str(reason), **facts)

    def _look(self) -> int:
        try:
            found = self.path.stat()
            if self.path.is_dir():
                raise self.unreadable(FileReason.FOLDER)
            if not self.path.is_file():
                raise self.unreadable(FileReason.NOT_A_FILE)
            self.path.open("rb").close()
        except PermissionError:
            raise self.unreadable(FileReason.NO_ACCESS) from None
        except (OSError, ValueError):
            # a name that is too long or holds a NUL byte names no file either
            raise Trouble(Code.DATA_MISSING, path=self.name) from None
        return found.st_size


class _Counted(io.FileIO):
    """A file that tells how many bytes were read, every megabyte and at its end."""

    def __init__(self, path: Path, told: Callable[[int], None]) -> None:
        super().__init__(path)
        self._told = told
        self._done = 0
        self._next = _BLOCK

    def readinto(self, buffer: Any) -> int:
        """Read and tell."""
        count = super().readinto(buffer)
        self._done += count
        if self._done >= self._next or not count:
            self._next = self._done + _BLOCK
            self._told(self._done)
        return count


def _skip_line(stream: io.TextIOWrapper) -> None:
    while rest := stream.readline(_BLOCK):
        if rest.endswith(("\n", "\r")):
            return
