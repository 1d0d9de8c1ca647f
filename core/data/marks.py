"""Conversations in plain text: "Q: … A: …", "问：… 答：…", "用户：… 助手：…", "### Instruction: …"."""

import re
from collections.abc import Iterable, Iterator

from core.data.chunks import Line, passages
from core.data.codes import RowCode, RowFault
from core.data.rows import Message
from core.data.source import MAX_ROW, Record, Source

_PAIR_ASK = ("Q", "Question", "问", "问题", "提问")
_TALK_ASK = ("User", "Human", "Instruction", "Prompt", "用户", "人类", "指令")
_ANSWER = (
    "A",
    "Answer",
    "Assistant",
    "AI",
    "Bot",
    "Response",
    "GPT",
    "ChatGPT",
    "答",
    "回答",
    "答案",
    "回复",
    "助手",
)
_SYSTEM = ("System", "系统")
#: Follows an instruction; only as a heading, because "Input:" begins lines of many an answer.
_EXTRA = ("Input", "输入")

_KIND = {
    name.lower(): kind
    for kind, names in (
        ("pair", _PAIR_ASK), ("talk", _TALK_ASK), ("answer", _ANSWER), ("system", _SYSTEM), ("extra", _EXTRA),
    )
    for name in names
}  # fmt: skip
_ROLES = {"pair": "user", "talk": "user", "answer": "assistant", "system": "system"}

_NAMES = "|".join(sorted((name for name in _KIND if _KIND[name] != "extra"), key=len, reverse=True))
_MARK = re.compile(
    rf"""
    (?:
        ^[ \t]* (?:\#{{1,6}}[ \t]* | [-*>][ \t]+ | \d{{1,6}}[ \t]*[.、)．][ \t]*)? (?:\*\*)?
        (?P<line>{_NAMES})
      | \#\#\#[ \t]* (?P<heading>{_NAMES}|{"|".join(_EXTRA)})
    )
    [ \t]*\d{{0,6}} (?:\*\*)? [ \t]*[:：] (?:\*\*)?
    """,
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)


def has_marks(text: str) -> bool:
    """Whether a text holds marks of both a question and an answer."""
    kinds = {_kind(mark) for mark in _MARK.finditer(text)}
    return "answer" in kinds and bool(kinds & {"pair", "talk"})


def marked_turns(text: str) -> list[Message]:
    """Return the turns of a marked text; what stands before the first mark becomes the system message."""
    found = list(_MARK.finditer(text))
    if not found:
        raise RowFault(RowCode.UNKNOWN_FIELDS)
    before = text[: found[0].start()].strip()
    said: list[tuple[str, str]] = [("system", before)] if before else []
    ends = [mark.start() for mark in found[1:]] + [len(text)]
    for mark, end in zip(found, ends, strict=True):
        words = _without_bold(mark[0], text[mark.end() : end]).strip()
        if _kind(mark) == "extra" and said:
            role, earlier = said.pop()
            said.append((role, f"{earlier}\n{words}".strip()))
        else:
            said.append((_ROLES.get(_kind(mark), "user"), words))
    return [Message(role, words) for role, words in said]


def _without_bold(mark: str, words: str) -> str:
    """Words without the end of the bold type that began before their mark: "**Q: What is it?**"."""
    if mark.count("**") % 2 == 0:
        return words
    first, more, rest = words.partition("\n")
    return first.rstrip().removesuffix("**") + more + rest


def text_records(source: Source) -> Iterator[Record]:
    """Yield one text per conversation of a plain text file, or its passages where it has no conversations."""
    if are_marked(source.lines(ahead=True)):
        return marked_records(source.lines())
    return passages(source.lines(), source.passage)


def text_rows(source: Source, lines: list[Line]) -> Iterator[Record]:
    """Yield the conversations in lines of text, or its passages where there are none."""
    return marked_records(lines) if are_marked(lines) else passages(lines, source.passage)


def are_marked(lines: Iterable[Line]) -> bool:
    """Whether lines hold conversations: one that begins a row, and later an answer."""
    asked, blank = False, True
    for _number, line in lines:
        text = line or ""
        asked = asked or _begins_row(text, blank)
        if asked and any(_kind(mark) == "answer" for mark in _MARK.finditer(text)):
            return True
        blank = not text.strip()
    return False


def marked_records(lines: Iterable[Line]) -> Iterator[Record]:
    """Yield one text per conversation.

    "Q:" and "问：" always begin a row. "User:" and "用户：" do so after a blank line, as talk has turns.
    """
    start, block, size, blank = 1, list[str](), 0, True
    asked = False
    for number, line in lines:
        if _begins_row(line or "", blank):
            yield from _record(start, block, size, asked)
            start, block, size, asked = number, [], 0, True
        size += MAX_ROW + 1 if line is None else len(line)
        if line is not None and size <= MAX_ROW and (block or line.strip()):
            start = start if block else number
            block.append(line)
        blank = not (line or "").strip()
    yield from _record(start, block, size, asked)


def _record(start: int, block: list[str], size: int, asked: bool) -> Iterator[Record]:
    text = "".join(block).strip()
    if not asked and (text or size > MAX_ROW):
        yield Record(start, code=RowCode.OUTSIDE_PAIR)
    elif size > MAX_ROW:
        yield Record(start, code=RowCode.TOO_LONG_LINE)
    elif text:
        yield Record(start, text)


def _begins_row(line: str, after_blank: bool) -> bool:
    mark = _MARK.match(line)
    if mark is None:
        return False
    return _kind(mark) == "pair" or (after_blank and _kind(mark) in ("talk", "system"))


def _kind(mark: re.Match[str]) -> str:
    return _KIND[(mark["line"] or mark["heading"]).lower()]
