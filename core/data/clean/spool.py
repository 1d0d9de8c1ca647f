"""Rows in a temporary file, so that a large data set is read once and never held in memory."""

import marshal
import tempfile
from array import array
from collections.abc import Iterator
from itertools import starmap
from pathlib import Path
from typing import IO, Any

from core.data.rows import Call, Conversation, Message

_BUFFER = 1 << 20

#: What goes along with a row: plain values.
Notes = tuple[Any, ...]


class Spool:
    """Rows in the order in which they were added, each with notes. The file is the process's own and goes with it."""

    def __init__(self, folder: Path | None = None) -> None:
        # unbuffered: single rows are read here and there
        self._file: IO[bytes] = tempfile.TemporaryFile(buffering=0, dir=folder)  # noqa: SIM115 - see close
        self._offsets = array("Q", [0])
        self._waiting = bytearray()

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def add(self, row: Conversation, notes: Notes = ()) -> None:
        """Append a row. Raises OSError when the disk is full."""
        # marshal takes no kinds of str of its own, such as passages of running text
        messages = tuple(map(_packed, row.messages))
        # marshal is the fastest way through the disk; nobody else can write to this file
        data = marshal.dumps((row.file, row.line, messages, notes, row.tools))
        self._waiting += data
        self._offsets.append(self._offsets[-1] + len(data))
        if len(self._waiting) >= _BUFFER:
            self._write()

    def __getitem__(self, number: int) -> tuple[Conversation, Notes]:
        start, end = self._offsets[number], self._offsets[number + 1]
        return _loaded(self._read(start, end))

    def __iter__(self) -> Iterator[tuple[Conversation, Notes]]:
        """Yield every row in order; other reads in between do no harm."""
        number = 0
        while number < len(self):
            last = number
            while last < len(self) and self._offsets[last] - self._offsets[number] < _BUFFER:
                last += 1
            start = self._offsets[number]
            block = self._read(start, self._offsets[last])
            for one in range(number, last):
                yield _loaded(block[self._offsets[one] - start : self._offsets[one + 1] - start])
            number = last

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def _write(self) -> None:
        self._file.seek(0, 2)
        waiting = memoryview(self._waiting)
        while waiting:
            waiting = waiting[self._file.write(waiting) :]
        self._waiting = bytearray()

    def _read(self, start: int, end: int) -> bytes:
        if self._waiting:
            self._write()
        self._file.seek(start)
        data = self._file.read(end - start)
        while len(data) < end - start:
            data += self._file.read(end - start - len(data))
        return data


def _loaded(data: bytes) -> tuple[Conversation, Notes]:
    file, line, messages, notes, tools = marshal.loads(data)
    read = tuple([Message(*one) if len(one) == 2 else _unpacked(*one) for one in messages])
    return Conversation(read, file, line, tools), notes


def _packed(message: Message) -> tuple[Any, ...]:
    said = (str(message.role), str(message.content))
    if not (message.thought or message.calls or message.role == "tool"):
        return said
    calls = tuple((call.name, call.arguments, call.id) for call in message.calls)
    return (*said, message.thought, calls, message.name, message.call_id)


def _unpacked(role: str, content: str, thought: str, calls: Notes, *more: str) -> Message:
    return Message(role, content, thought, tuple(starmap(Call, calls)), *more)
