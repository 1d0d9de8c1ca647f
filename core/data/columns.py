"""Which column holds the question and which the answer: chosen by hand, or guessed from names and examples."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.data import fields
from core.data.fields import Names, field_name

#: So sure that a reader may go ahead when the guess is shown.
SURE = 0.8
_EXAMPLES = 50
#: Parts of names, in both languages, that say what a column holds.
_ASKING = (
    "question", "query", "prompt", "instruction", "ask", "user", "problem",
    "问", "指令", "用户", "客户", "题目", "咨询",
)  # fmt: skip
_ANSWERING = (
    "answer", "response", "reply", "output", "completion", "assistant", "solution",
    "答", "回复", "输出", "助手", "客服", "解析",
)  # fmt: skip
_ASIDE = (
    "id", "time", "date", "url", "source", "score", "type", "category",
    "编号", "时间", "日期", "来源", "分类", "序号",
)  # fmt: skip
_MARKS = ("?", "？", "吗", "呢", "怎么", "什么", "如何", "请")


@dataclass(frozen=True)
class Columns:
    """The columns of a table that are learned from, by their names in the file; `extra` goes below the question."""

    question: str
    answer: str
    system: str = ""
    extra: str = ""

    def apply(self, row: Any) -> Any:
        """Return a row under the names that every reader knows; one without these columns stays as it is."""
        if not isinstance(row, dict) or self.question not in row or self.answer not in row:
            return row
        named = {"question": row[self.question], "answer": row[self.answer]}
        if self.system and self.system in row:
            named["system"] = row[self.system]
        if self.extra and self.extra in row:
            named["input"] = row[self.extra]
        return named


@dataclass(frozen=True)
class Guess:
    """The columns that are likely meant, and how sure that is: 0 to 1."""

    columns: Columns
    certainty: float


def guess(names: Sequence[str], examples: Iterable[Mapping[str, Any]] = ()) -> Guess | None:
    """Guess what columns hold, None for fewer than two that hold text.

    Names that are known make it certain; parts of names make it likely (0.8); the texts alone, where questions end in
    question marks and answers are longer, leave it open (0.5 and less).
    """
    rows = [row for row, _number in zip(examples, range(_EXAMPLES), strict=False)]
    texts = {name: _texts(name, rows) for name in names}
    held = [name for name in names if texts[name] or not rows]
    question, surely = _by_name(held, (*fields.QUESTIONS, *fields.INSTRUCTIONS, *fields.PROMPTS), _ASKING, "")
    answer, as_surely = _by_name(held, fields.ANSWERS, _ANSWERING, question)
    certainty = min(surely, as_surely)
    if not question or not answer:
        left = [name for name in held if name not in (question, answer) and not _is_aside(name, texts[name])]
        if len(left) < (not question) + (not answer):
            return None
        left.sort(key=lambda name: _asks(texts[name]))
        question = question or left.pop()
        answer = answer or max(left, key=lambda name: _length(texts[name]))
        clear = _asks(texts[question]) > _asks(texts[answer]) or bool(surely or as_surely)
        certainty = 0.5 if clear else 0.2
    system, _ = _by_name(held, fields.SYSTEMS, (), "")
    extra, _ = _by_name([name for name in held if name not in (question, answer)], fields.EXTRAS, (), "")
    return Guess(Columns(question, answer, system, extra), certainty)


def _by_name(names: Sequence[str], known: Names, parts: Names, but: str) -> tuple[str, float]:
    """The column whose name says it, and how surely."""
    left = [name for name in names if name != but]
    whole = {field_name(name): name for name in reversed(left)}
    found = next((whole[name] for name in known if name in whole), "")
    if found:
        return found, 1.0
    likely = [name for name in left if any(part in field_name(name) for part in parts)]
    return (likely[0], SURE if len(likely) == 1 else 0.6) if likely else ("", 0.0)


def _texts(name: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    said = (row.get(name) for row in rows)
    return [text.strip()[:2_000] for text in said if isinstance(text, str) and text.strip()]


def _is_aside(name: str, texts: Sequence[str]) -> bool:
    words = field_name(name).split("_")
    return any(part in words or (not part.isascii() and part in name) for part in _ASIDE) or (
        bool(texts) and _length(texts) < 3
    )


def _asks(texts: Sequence[str]) -> float:
    """The share of texts that read like questions."""
    return sum(any(mark in text for mark in _MARKS) for text in texts) / max(len(texts), 1)


def _length(texts: Sequence[str]) -> float:
    return sum(map(len, texts)) / max(len(texts), 1)
