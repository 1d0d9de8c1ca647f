"""A data file being read: its text, its lines, never more than a row of it in memory, and how far it is."""

import io
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from core.data.codes import FileReason, RowCode
from core.data.encoding import encoding_of
from core.problems import Code, Trouble

#: The longest row that is read, in characters; what is longer was not meant to be a row.
MAX_ROW = 16_000_000
#: About 500 to 1,500 tokens. Characters.
PASSAGE = 2_000
_BLOCK = 1 << 20
#: Files inside archives that must be read here and there lie in memory up to this, then on the disk. Bytes.
_IN_MEMORY = 8_000_000

Told = Callable[[int], None]


class Halted(Exception):  # noqa: N818 - not an error
    """Raised inside a read when the user asked to stop."""


class Passage(str):
    """Running text as a reader cut it: no question, no answer."""

    __slots__ = ()


@dataclass(frozen=True)
class Record:
    """One row as it stands in the file, or the code of what is wrong with it.

    `line` is 1-based: a line, a row, a paragraph of a document or a page; `part` names the sheet of a workbook.
    """

    line: int
    value: Any = None
    code: RowCode | None = None
    detail: str = ""
    part: str = ""


@dataclass(frozen=True)
class Inside:
    """A file inside another one: how it is opened, its bytes unpacked, and its share of the bytes on the disk."""

    open: Callable[[], BinaryIO]
    size: int
    share: int


class Source:
    """An open question to a file: `told(bytes)` hears how far the reading is and may raise Halted."""

    def __init__(self, name: str, told: Told, inside: Inside | None = None, *, unpacked: bool = False) -> None:
        """Look at the file; `unpacked` says that the name is that of the packed one.

        Raises Trouble(DATA_MISSING, DATA_UNREADABLE).
        """
        self.name = name
        self.is_unpacked = unpacked
        #: Running text is cut into passages of so many characters at most.
        self.passage = PASSAGE
        #: The ending that says how it is read, once somebody looked (core.data.kinds).
        self.kind: str | None = None
        self.path = Path(name)
        self.done = 0
        self._told = told
        self._inside = inside
        self.size = self._look() if inside is None else inside.size
        #: Bytes on the disk, for progress.
        self.share = self.size if inside is None else inside.share
        self._encoding = ""

    def told(self, done: int) -> None:
        """Tell on that `done` bytes of this file are read; 0 only asks whether to stop. Raises Halted."""
        self.done = max(self.done, done)
        self._told(min(done if self.share == self.size else done * self.share // max(self.size, 1), self.share))

    @property
    def encoding(self) -> str:
        """The text encoding, found out on first use. Raises Trouble(DATA_UNREADABLE) for binary data."""
        if not self._encoding:
            found = encoding_of(self.open, lambda: self.told(0))
            if not found:
                raise self.unreadable(FileReason.ENCODING if found is None else FileReason.BINARY)
            self._encoding = found
        return self._encoding

    @property
    def was_text(self) -> bool:
        """Whether the file was read as text."""
        return bool(self._encoding)

    def open(self) -> BinaryIO:
        """Open the bytes for reading from the start on."""
        return self.path.open("rb") if self._inside is None else self._inside.open()

    def seekable(self) -> BinaryIO:
        """Open the bytes for reading here and there; a file inside another one is unpacked for that."""
        if self._inside is None:
            return self.path.open("rb")
        copy = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - the reader closes it
        with self.open() as packed:
            shutil.copyfileobj(packed, copy, _BLOCK)
        copy.seek(0)
        return cast(BinaryIO, copy)

    def text(self, newline: str | None = None, *, ahead: bool = False) -> io.TextIOWrapper:
        """Open the text; bytes that are no text become U+FFFD, which makes their row a broken one.

        A look `ahead` asks whether to stop but does not count as reading.
        """
        encoding = self.encoding
        raw = _Counted(self.open(), (lambda _done: self.told(0)) if ahead else self.told)
        return io.TextIOWrapper(io.BufferedReader(raw, _BLOCK), encoding, "replace", newline)

    def lines(self, *, ahead: bool = False) -> Iterator[tuple[int, str | None]]:
        """Yield (number, line with its end); None stands for a line longer than MAX_ROW."""
        number = 0
        with self.text(newline="", ahead=ahead) as stream:
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

    def of_drive(self, error: OSError) -> Trouble:
        """The Trouble to raise when reading failed; an error without a number comes from what unpacks wrong bytes."""
        if error.errno is None:
            return self.unreadable(FileReason.DAMAGED)
        return self.unreadable(FileReason.DRIVE, text=str(error))

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


class _Counted(io.RawIOBase):
    """Bytes that tell how many of them were read, every megabyte and at their end."""

    def __init__(self, stream: BinaryIO, told: Told) -> None:
        super().__init__()
        self._stream = stream
        self._told = told
        self._done = 0
        self._next = _BLOCK

    def readable(self) -> bool:
        """It is there to be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read and tell."""
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        self._done += len(data)
        if self._done >= self._next or not data:
            self._next = self._done + _BLOCK
            self._told(self._done)
        return len(data)

    def close(self) -> None:
        """Close what is read from."""
        self._stream.close()
        super().close()


def _skip_line(stream: io.TextIOWrapper) -> None:
    while rest := stream.readline(_BLOCK):
        if rest.endswith(("\n", "\r")):
            return
