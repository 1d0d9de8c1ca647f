"""Archives opened with care: limits on what they unpack to, whatever their own tables say."""

import bz2
import gzip
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO, cast

from core.data.codes import FileReason
from core.data.source import Source
from core.problems import Code, Trouble

#: What unpacks to less than this is no trap, whatever it was packed from. Bytes.
HARMLESS = 100_000_000
#: Deflate packs to 1/1032 at most, rows of text to about 1/10; beyond this it was made to be large.
RATIO = 200
MOST_FILES = 50_000
#: The table of contents takes at least 46 bytes a file and about ten times as much in memory.
_MOST_CONTENTS = 10_000_000
_TAIL = 66_000

#: What the readers of packed bytes raise when these are damaged, and OSError without a number.
FAULTS = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, gzip.BadGzipFile, NotImplementedError, RuntimeError,
    IndexError, ValueError, struct.error,
)  # fmt: skip

OPENERS: dict[str, Callable[[BinaryIO], Any]] = {
    ".gz": lambda stream: gzip.GzipFile(fileobj=stream),
    ".bz2": bz2.BZ2File,
    ".xz": lzma.LZMAFile,
}


def most_bytes(packed: int) -> int:
    """How much so many packed bytes may unpack to."""
    return max(HARMLESS, RATIO * packed)


def open_zip(source: Source, stream: BinaryIO) -> zipfile.ZipFile:
    """Open a zip archive. Raises Trouble(DATA_UNREADABLE) for damaged ones and for traps."""
    if _contents_bytes(stream) > _MOST_CONTENTS:
        raise source.unreadable(FileReason.MANY_FILES, most=MOST_FILES)
    try:
        archive = zipfile.ZipFile(stream)
    except (*FAULTS, OSError):
        raise source.unreadable(FileReason.DAMAGED) from None
    members = archive.infolist()
    if len(members) > MOST_FILES:
        raise source.unreadable(FileReason.MANY_FILES, most=MOST_FILES)
    # the tables of a trap may say less, but no more than they say is ever unpacked
    if sum(member.file_size for member in members) > most_bytes(source.size):
        raise source.unreadable(FileReason.OVERPACKED)
    return archive


def opened(source: Source, suffix: str) -> BinaryIO:
    """Open a file packed by itself (.gz, .bz2, .xz); reading raises Trouble(DATA_UNREADABLE) where it is a trap."""
    packed = source.open()
    return cast(BinaryIO, io.BufferedReader(_Bounded(source, OPENERS[suffix](packed), below=packed)))


def whole(source: Source, name: str, opened: Callable[[], Any]) -> BinaryIO:
    """Open the file `name` inside an archive; reading raises Trouble(DATA_UNREADABLE) where it is damaged."""
    try:
        return cast(BinaryIO, io.BufferedReader(_Bounded(source, opened(), name)))
    except FAULTS:
        raise _trouble(name, FileReason.DAMAGED) from None


class _Bounded(io.RawIOBase):
    """Unpacked bytes, up to what the packed ones may unpack to."""

    def __init__(self, source: Source, stream: Any, name: str = "", below: Any = None) -> None:
        super().__init__()
        self._name = name or source.name
        self._stream = stream
        self._below = below
        self._left = most_bytes(source.size)

    def readable(self) -> bool:
        """It is there to be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Unpack some more."""
        try:
            data = self._stream.read(len(buffer))
        except FAULTS:
            raise _trouble(self._name, FileReason.DAMAGED) from None
        self._left -= len(data)
        if self._left < 0:
            raise _trouble(self._name, FileReason.OVERPACKED)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close what is read from."""
        self._stream.close()
        if self._below is not None:
            # those who unpack leave it open
            self._below.close()
        super().close()


def _trouble(name: str, reason: FileReason) -> Trouble:
    return Trouble(Code.DATA_UNREADABLE, path=name, reason=str(reason))


def _contents_bytes(stream: BinaryIO) -> int:
    """The size of a zip archive's table of contents as its end says, 0 where there is no end."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, size - _TAIL))
    tail = stream.read()
    stream.seek(0)
    at = tail.rfind(b"PK\5\6")
    said = int.from_bytes(tail[at + 12 : at + 16], "little") if at >= 0 else 0
    large = tail.rfind(b"PK\6\6")
    return max(said, int.from_bytes(tail[large + 40 : large + 48], "little")) if said == 0xFFFFFFFF else said
