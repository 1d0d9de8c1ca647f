"""Running text in passages of a sensible length: cut between paragraphs, headings stay with what they announce.

Nothing is left out and nothing is there twice: passages one after the other are the text again, but for blank lines.
"""

import re
from collections.abc import Iterable, Iterator

from core.data.codes import RowCode
from core.data.source import PASSAGE, Passage, Record

_HEADING = re.compile(
    r"\s*(?:\#{1,6}\s+\S|第[0-9零〇一二三四五六七八九十百千两]{1,8}[章节節回卷编篇部条]|(?:chapter|part|section)\s+[0-9ivxlc]+\b)",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[。！？；!?;…]+[”’」』）\"')]*|\.(?=\s)[”\"')]*")

Line = tuple[int, str | None]


def is_heading(line: str) -> bool:
    """Whether a line announces what follows: "# Title", "第一章 …", "Chapter 2"."""
    return len(line) <= 120 and _HEADING.match(line) is not None


def passages(lines: Iterable[Line], most: int = PASSAGE) -> Iterator[Record]:
    """Yield Passages of at most `most` characters with the number of their first line.

    Cut, in this order: before a heading, at a blank line, at the end of a line, of a sentence, anywhere.
    """
    held = _Held(most)
    for number, line in lines:
        if line is None:
            yield from held.rest()
            yield Record(number, code=RowCode.TOO_LONG_LINE)
            continue
        yield from held.add(number, line)
    yield from held.rest()


def cut(text: str, most: int = PASSAGE) -> list[str]:
    """Return a text in passages."""
    found = passages(enumerate(text.splitlines(keepends=True), 1), most)
    return [record.value for record in found if record.code is None]


class _Held:
    """Lines that wait for the place where they are cut."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lines: list[tuple[int, str]] = []
        self._size = 0

    def add(self, number: int, line: str) -> Iterator[Record]:
        if self._size + len(line) > self._most:
            yield from self._give(self._before_heading())
        for piece in _pieces(line, self._most, self._room()):
            if not self._lines and not piece.strip():
                continue
            self._lines.append((number, piece))
            self._size += len(piece)
            while self._size > self._most:
                yield from self._give(self._border())

    def _before_heading(self) -> int:
        """How many lines stand before the heading that waits for its text; 0 where none waits."""
        at = len(self._lines)
        while at and (not self._lines[at - 1][1].strip() or is_heading(self._lines[at - 1][1])):
            at -= 1
        return at if any(is_heading(line) for _number, line in self._lines[at:]) else 0

    def _room(self) -> int:
        """How long the next piece may be: beside a heading that waits for it, what that leaves."""
        waits = all(not line.strip() or is_heading(line) for _number, line in self._lines)
        return max(self._most - self._size, self._most // 2) if waits else self._most

    def rest(self) -> Iterator[Record]:
        yield from self._give(len(self._lines))

    def _border(self) -> int:
        """How many of the lines make the next passage; never all of them, as they are too long together."""
        last = len(self._lines) - 1
        half = self._most // 2
        size, best, rank = 0, last, 0
        for at, (_number, line) in enumerate(self._lines):
            worth = self._worth(at)
            # a border in the second half is good; in the first half only the one before a heading
            if at and (size >= half or (worth == 3 and size >= half // 2)) and worth >= rank:
                best, rank = at, worth
            size += len(line)
        # a heading must not end a passage
        while best > 1 and (is_heading(self._lines[best - 1][1]) or not self._lines[best - 1][1].strip()):
            best -= 1
        return best

    def _worth(self, at: int) -> int:
        """How good a border before a line is."""
        if is_heading(self._lines[at][1]):
            return 3
        before = self._lines[at - 1][1]
        return 2 if not before.strip() else int(before.endswith(("\n", "\r")))

    def _give(self, count: int) -> Iterator[Record]:
        given, self._lines = self._lines[:count], self._lines[count:]
        self._size = sum(len(line) for _number, line in self._lines)
        text = "".join(line for _number, line in given)
        if text.strip():
            first = next(number for number, line in given if line.strip())
            yield Record(first, Passage(text.strip("\r\n").rstrip()))


def _pieces(line: str, most: int, first: int) -> Iterator[str]:
    """Cut a line that is too long for a passage, between sentences where it has some."""
    start = 0
    while len(line) - start > (room := most if start else first):
        ends = [found.end() for found in _SENTENCE.finditer(line, start, start + room)]
        end = ends[-1] if ends and ends[-1] - start > room // 4 else start + room
        yield line[start:end]
        start = end
    yield line[start:]
