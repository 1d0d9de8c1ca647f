"""Text of web pages: what a reader sees, a line for every block; tables with column names become rows."""

from collections.abc import Iterator
from html.parser import HTMLParser

from core.data.chunks import Line
from core.data.codes import FileReason
from core.data.documents import Rows, has_names
from core.data.marks import text_rows
from core.data.source import Record, Source

_BLOCK = 1 << 18
_MOST = 100_000_000
_UNSEEN = frozenset(("script", "style", "template", "noscript", "svg", "head"))
_BLOCKS = frozenset((
    "p", "div", "br", "li", "ul", "ol", "dl", "dt", "dd", "section", "article", "header", "footer", "main", "nav",
    "blockquote", "pre", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "figure", "figcaption", "form", "address", "body",
))  # fmt: skip
_CELLS = frozenset(("td", "th"))


def html_records(source: Source) -> Iterator[Record]:
    """Yield the rows of a page's tables, its conversations, or its passages. Raises Trouble(DATA_UNREADABLE)."""
    page = _Page()
    size = 0
    with source.text() as stream:
        while text := stream.read(_BLOCK):
            size += len(text)
            if size > _MOST:
                raise source.unreadable(FileReason.TOO_BIG, size_bytes=source.size)
            page.feed(text)
    page.close()
    page.end_block()
    for number, table in page.tables:
        names = [cell.strip() for cell in table[0]]
        for at, cells in enumerate(table[1:], 1):
            yield Record(number + at, dict(zip(names, cells, strict=False)))
    yield from text_rows(source, page.lines)


class _Page(HTMLParser):
    """Collects lines of text, numbered as in the file, and tables that have column names."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[Line] = []
        self.tables: list[tuple[int, Rows]] = []
        self._said: list[str] = []
        self._hidden = 0
        self._depth = 0
        self._table: Rows = []
        self._start = 1

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin what the tag begins."""
        if tag in _UNSEEN:
            self._hidden += 1
        elif tag == "table":
            self._depth += 1
            if self._depth == 1:
                self.end_block()
                self._table, self._start = [], self.getpos()[0]
        elif tag == "tr" and self._depth == 1:
            self._end_cell()
            self._table.append([])
        elif tag in _CELLS and self._depth == 1 and self._table:
            self._end_cell()
            self._table[-1].append("")
        elif tag in _BLOCKS:
            self.end_block()
            if tag[0] == "h" and tag[1:].isdigit():
                self._said.append("# ")

    def handle_endtag(self, tag: str) -> None:
        """End what the tag ends."""
        if tag in _UNSEEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag == "table" and self._depth:
            self._depth -= 1
            if not self._depth:
                self._end_table()
        elif tag in _CELLS and self._depth == 1:
            self._end_cell()
        elif tag in _BLOCKS:
            self.end_block()

    def handle_data(self, data: str) -> None:
        """Note text that is seen."""
        if not self._hidden:
            self._said.append(data)

    def end_block(self) -> None:
        """Note a line; inside a table the lines of a cell stay together."""
        if self._depth:
            self._said.append("\n")
            return
        text = " ".join("".join(self._said).split())
        self._said = []
        if text not in ("", "#"):
            self.lines.append((self.getpos()[0], text + "\n"))

    def _end_cell(self) -> None:
        lines = (" ".join(line.split()) for line in "".join(self._said).split("\n"))
        text = "\n".join(line for line in lines if line)
        self._said = []
        if self._table and self._table[-1] and text:
            self._table[-1][-1] = f"{self._table[-1][-1]}\n{text}".strip()

    def _end_table(self) -> None:
        self._end_cell()
        table = [row for row in self._table if row]
        if has_names(table):
            self.tables.append((self._start, table))
        else:
            self.lines += [(self._start + at, "\t".join(row) + "\n") for at, row in enumerate(table)]
