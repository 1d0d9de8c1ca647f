"""Text of .docx documents: every paragraph and table in order, read as a stream.

Not by python-docx: it holds the whole document and its pictures in memory, and leaves out what was inserted with
changes being tracked and what stands in content controls, without a word.
"""

from collections.abc import Iterator

from core.data.chunks import Line
from core.data.codes import FileReason
from core.data.fields import KNOWN, field_name
from core.data.marks import text_rows
from core.data.markup import attribute, events, local
from core.data.source import MAX_ROW, Record, Source

_BODY = "word/document.xml"
#: Held in memory to tell conversations from running text. Characters; a thousand-page book has three million.
_MOST = 100_000_000
_BREAKS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
#: Not text that is read: deleted text, instructions of fields, what older programs show instead.
_PASSED = frozenset(("del", "moveFrom", "instrText", "Fallback", "delText"))

Rows = list[list[str]]


def docx_records(source: Source) -> Iterator[Record]:
    """Yield the rows of a document: of its tables that have column names, its conversations, or its passages.

    Lines are numbered by paragraph; a row of a table counts as one. Raises Trouble(DATA_UNREADABLE).
    """
    lines: list[Line] = []
    size = 0
    for number, block in _blocks(source):
        if isinstance(block, str):
            lines.append((number, block + "\n"))
        elif has_names(block):
            names = [cell.strip() for cell in block[0]]
            for at, cells in enumerate(block[1:], 1):
                yield Record(number + at, dict(zip(names, cells, strict=False)))
        else:
            lines += [(number + at, "\t".join(cells) + "\n") for at, cells in enumerate(block)]
        size += len(lines[-1][1] or "") if lines else 0
        if size > _MOST:
            raise source.unreadable(FileReason.TOO_BIG, size_bytes=source.size)
    yield from text_rows(source, lines)


def has_names(table: Rows) -> bool:
    """Whether the first row of a table names a question and an answer, or other things that are known."""
    return len(table) > 1 and sum(field_name(cell) in KNOWN for cell in table[0]) > 1


def _blocks(source: Source) -> Iterator[tuple[int, str | Rows]]:
    """Yield every paragraph outside of tables, and every table, with the number of its first line."""
    headings = _headings(source)
    number = 0
    text: list[str] = []
    style = ""
    table: Rows = []
    depth = passed = size = 0
    for begins, element in events(source, _BODY):
        name = local(element)
        if name in _PASSED:
            passed += 1 if begins else -1
        elif passed:
            continue
        elif name == "tbl":
            depth += 1 if begins else -1
            if depth == 0:
                yield number + 1, table
                number += len(table)
                table = []
            elif depth == 1 and begins:
                size = 0
        elif begins and depth == 1 and name == "tr":
            table.append([])
        elif begins and depth == 1 and name == "tc" and table:
            table[-1].append("")
        elif begins and name in _BREAKS:
            text.append(_BREAKS[name])
        elif begins and name == "pStyle":
            style = attribute(element, "val")
        elif not begins and name == "t":
            text.append(element.text or "")
        elif not begins and name == "p":
            said, text = "".join(text), []
            size += len(said)
            if size > _MOST if depth else len(said) > MAX_ROW:
                raise source.unreadable(FileReason.TOO_LONG, line=number + 1)
            if depth and table and table[-1]:
                table[-1][-1] = f"{table[-1][-1]}\n{said}".strip()
            else:
                number += 1
                yield number, f"# {said}" if style in headings and said.strip() else said
            style = ""


def _headings(source: Source) -> frozenset[str]:
    """The styles of headings by their ids, which programs name in their own language."""
    found: set[str] = set()
    style = ""
    for begins, element in events(source, "word/styles.xml"):
        name = local(element)
        if begins and name == "style":
            style = attribute(element, "styleId")
        elif begins and name == "name" and attribute(element, "val").lower().startswith(("heading", "title", "标题")):
            found.add(style)
        elif not begins and name == "style":
            style = ""
    return frozenset(found - {""})
