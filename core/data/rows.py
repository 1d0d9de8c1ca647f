"""The types of the data path: a row to learn from, a rejected row, a report on a file."""

from dataclasses import dataclass, field
from enum import StrEnum


class Shape(StrEnum):
    """What the rows of a file look like."""

    ALPACA = "alpaca"
    SHAREGPT = "sharegpt"
    MESSAGES = "messages"
    PROMPT_COMPLETION = "prompt_completion"
    QUESTION_ANSWER = "question_answer"
    TEXT = "text"
    DOCUMENT = "document"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Message:
    """One turn; `role` is "system", "user" or "assistant", or "text" for running text that is learned as it stands."""

    role: str
    content: str


@dataclass(frozen=True)
class Conversation:
    """A row to learn from, and where it came from (1-based line or row number in `file`)."""

    messages: tuple[Message, ...]
    file: str = ""
    line: int = 0

    @property
    def is_running(self) -> bool:
        """Whether it is a passage of running text: one message of the role "text", all of it to learn."""
        return self.messages[0].role == "text"

    def plain(self) -> list[dict[str, str]]:
        """The form that chat templates take."""
        return [{"role": m.role, "content": m.content} for m in self.messages]


@dataclass(frozen=True)
class RowProblem:
    """A row that is not used, and why (`code` is known to wording.py); line 0 stands for the whole file."""

    file: str
    line: int
    code: str
    detail: str = ""


@dataclass(frozen=True)
class DataReport:
    """What data files hold. `problems` is cut after 1,000 entries; `rejected` counts them all.

    `characters` holds total, mean, shortest, median, p95 and longest of the rows; `preview` cuts long texts.
    `encodings` names the files that are not UTF-8; `preferred` counts pairs of which the chosen side is used;
    `shapes` counts the rows of each shape; `complete` is False when the reading was stopped before the end.

    `tokens` describes the rows' lengths as training sees them, in tokens: total, mean, shortest, median, p95,
    p99, longest; empty when nobody counted. They are `tokens_exact` when the tokenizer in the folder
    `tokens_model` counted every row, else estimated from letters. `lengths` holds (upper bound, rows) in
    growing order: multiples of 64 tokens, wider apart where rows are long.

    `kept` is how many usable rows cleaning keeps, None when nothing was cleaned: `tokens`, `lengths` and `by_file`
    (rows to learn from, for each of `files`) are those of the kept rows then, all else is as the files hold it.
    """

    files: tuple[str, ...]
    rows: int
    usable: int
    shape: Shape
    columns: tuple[str, ...] = ()
    problems: tuple[RowProblem, ...] = ()
    rejected: int = 0
    duplicates: int = 0
    characters: dict[str, int] = field(default_factory=dict)
    preview: tuple[Conversation, ...] = ()
    encodings: dict[str, str] = field(default_factory=dict)
    preferred: int = 0
    complete: bool = True
    tokens: dict[str, int] = field(default_factory=dict)
    tokens_exact: bool = False
    tokens_model: str = ""
    lengths: tuple[tuple[int, int], ...] = ()
    shapes: dict[str, int] = field(default_factory=dict)
    by_file: tuple[int, ...] = ()
    kept: int | None = None

    @property
    def learned(self) -> int:
        """Rows to learn from: those that cleaning kept, or all that are usable when nothing was cleaned."""
        return self.usable if self.kept is None else self.kept

    def rows_longer_than(self, tokens: float) -> int:
        """How many rows are longer than so many tokens; never too few, and exact at the bounds of `lengths`."""
        if tokens >= self.tokens.get("longest", 0):
            return 0
        return sum(rows for bound, rows in self.lengths if bound > tokens)
