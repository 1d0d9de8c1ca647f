"""Rows from JSON: an array, an object that holds one list, an object a line, or objects one after the other.

The name of a file does not decide which: JSON lines are often called .json and arrays .jsonl. Arrays are read
value by value, so that a file larger than the memory passes.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from core.data.codes import FileReason, Found, RowCode
from core.data.shapes import recognise
from core.data.source import MAX_ROW, Record, Source
from core.data.turns import is_turns
from core.problems import Code, Trouble

#: Files above this are not held whole in memory. Bytes.
MAX_WHOLE = 2_000_000_000
_BLOCK = 1 << 20


class _Twice(dict[str, Any]):
    """An object with the same name twice, of which JSON keeps the last value without a word."""

    name = ""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) == len(pairs):
        return row
    twice = _Twice(row)
    seen: set[str] = set()
    twice.name = next(name for name, _value in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
    return twice


_DECODER = json.JSONDecoder(object_pairs_hook=_object)
_SPACE = re.compile(r"[ \t\r\n]*")


def json_records(source: Source) -> Iterator[Record]:
    """Yield the rows of a .json file. Raises Trouble(DATA_UNREADABLE, DATA_SHAPE)."""
    first, more = source.opening()
    if more and _is_json(first):
        return _by_line(source)
    if not first:
        return iter(())
    return _array(source) if first.startswith("[") else _objects(source)


def jsonl_records(source: Source) -> Iterator[Record]:
    """Yield the rows of a .jsonl file. Raises Trouble(DATA_UNREADABLE, DATA_SHAPE)."""
    first, more = source.opening()
    if first.startswith("[") and not (_is_json(first) and (more or is_turns(json.loads(first)))):
        return _array(source)
    return _objects(source) if first == "{" else _by_line(source)


def _by_line(source: Source) -> Iterator[Record]:
    for number, line in source.lines():
        if line is None:
            yield Record(number, code=RowCode.TOO_LONG_LINE)
        elif line.strip():
            yield _line(number, line)


def _line(number: int, line: str) -> Record:
    try:
        return _record(number, _DECODER.decode(line))
    except json.JSONDecodeError as error:
        return Record(number, code=RowCode.BAD_JSON, detail=str(error.pos + 1))
    except ValueError:
        # a number of more than 4,300 digits
        return Record(number, code=RowCode.BAD_JSON)
    except RecursionError:
        return Record(number, code=RowCode.TOO_DEEP)


def _array(source: Source) -> Iterator[Record]:
    with _Values(source) as values:
        values.peek()
        values.take()
        number = 0
        while values.peek() != "]":
            number += 1
            yield _record(number, values.next(MAX_ROW))
            if values.peek() == ",":
                values.take()
            elif values.peek() != "]":
                raise values.wrong()
        values.take()
        if values.peek():
            raise values.wrong()


def _objects(source: Source) -> Iterator[Record]:
    with _Values(source) as values:
        first = values.next(source.size if source.size <= MAX_WHOLE else MAX_ROW)
        if not values.peek():
            yield from _rows_of(first, source)
            return
        yield _record(1, first)
        number = 1
        while values.peek():
            number += 1
            yield _record(number, values.next(MAX_ROW))


def _record(number: int, value: Any) -> Record:
    """A row; one in which a name stands twice, at its top or in its turns, is at fault."""
    twice = value if isinstance(value, _Twice) else None
    if twice is None and isinstance(value, dict):
        lists = (item for item in value.values() if isinstance(item, list))
        twice = next((turn for turns in lists for turn in turns if isinstance(turn, _Twice)), None)
    if twice is None:
        return Record(number, value)
    name = twice.name[:40].encode("utf-8", "replace").decode()
    return Record(number, code=RowCode.DOUBLE_FIELD, detail=name)


def _rows_of(value: Any, source: Source) -> Iterator[Record]:
    """Yield the rows of the one value of a file: the value itself, or the one list of rows that it holds."""
    lists = {}
    if isinstance(value, dict) and recognise(value) is None:
        lists = {key: rows for key, rows in value.items() if isinstance(rows, list) and _holds_rows(rows)}
    if len(lists) > 1:
        raise Trouble(Code.DATA_SHAPE, path=source.name, found=str(Found.MANY_LISTS), columns=", ".join(lists))
    rows = next(iter(lists.values())) if lists else [value]
    yield from (_record(number, row) for number, row in enumerate(rows, 1))


def _holds_rows(rows: list[Any]) -> bool:
    return bool(rows) and isinstance(rows[0], (dict, list))


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


class _Values:
    """JSON values one after the other, holding no more text than the one being read."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._stream = source.text()
        self._text = ""
        self._at = 0
        self._ended = False
        self._line, self._column = 1, 1

    def __enter__(self) -> "_Values":
        return self

    def __exit__(self, *_error: object) -> None:
        self._stream.close()

    def peek(self) -> str:
        """The next character that is not a space, "" at the end of the file."""
        while True:
            self._at = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._text):
                return self._text[self._at]
            if self._ended:
                return ""
            self._fill(_BLOCK)

    def take(self) -> None:
        """Pass over the character that `peek` showed."""
        self._at += 1

    def next(self, limit: int) -> Any:
        """Read one value of at most `limit` characters. Raises Trouble(DATA_UNREADABLE)."""
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if self._ended or self._is_wrong(error):
                    raise self.wrong(error) from None
            except ValueError:
                raise self.wrong() from None
            except RecursionError:
                raise self._source.unreadable(FileReason.TOO_DEEP, line=self._place(self._at)[0]) from None
            else:
                # a number at the end of what is here may go on
                if end < len(self._text) or self._ended:
                    self._at = end
                    return value
            if len(self._text) - self._at > limit:
                raise self._too_long()
            self._fill(max(_BLOCK, len(self._text) - self._at))

    def wrong(self, error: json.JSONDecodeError | None = None) -> Trouble:
        """The Trouble to raise where the JSON is wrong or ends."""
        at = error.pos if error else self._at
        cut = self._ended and (at >= len(self._text.rstrip()) or _is_open(error))
        line, column = self._place(len(self._text) if cut else at)
        reason = FileReason.ENDS_EARLY if cut else FileReason.BAD_JSON
        return self._source.unreadable(reason, line=line, column=column)

    def _is_wrong(self, error: json.JSONDecodeError) -> bool:
        """Whether reading on cannot help: the mistake is not at the end of what is here."""
        return not _is_open(error) and error.pos < len(self._text) - 16

    def _too_long(self) -> Trouble:
        if self._source.size > MAX_WHOLE:
            return self._source.unreadable(FileReason.TOO_BIG, size_bytes=self._source.size)
        return self._source.unreadable(FileReason.TOO_LONG, line=self._place(self._at)[0])

    def _fill(self, size: int) -> None:
        """Drop what was read and read on."""
        self._line, self._column = self._place(self._at)
        more = self._stream.read(size)
        self._ended = not more
        self._text = self._text[self._at :] + more
        self._at = 0

    def _place(self, at: int) -> tuple[int, int]:
        """Line and column of a position in the text at hand, 1-based."""
        lines = self._text.count("\n", 0, at)
        if not lines:
            return self._line, self._column + at
        return self._line + lines, at - self._text.rfind("\n", 0, at)


def _is_open(error: json.JSONDecodeError | None) -> bool:
    return error is not None and error.msg.startswith("Unterminated string")
