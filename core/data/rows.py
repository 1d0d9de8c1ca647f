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
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Message:
    """One turn; `role` is "system", "user" or "assistant"."""

    role: str
    content: str


@dataclass(frozen=True)
class Conversation:
    """A row to learn from, and where it came from (1-based line or row number in `file`)."""

    messages: tuple[Message, ...]
    file: str = ""
    line: int = 0

    def plain(self) -> list[dict[str, str]]:
        """The form that chat templates take."""
        return [{"role": m.role, "content": m.content} for m in self.messages]


@dataclass(frozen=True)
class RowProblem:
    """A row that is not used, and why (`code` is known to wording.py)."""

    file: str
    line: int
    code: str
    detail: str = ""


@dataclass(frozen=True)
class DataReport:
    """What data files hold. `problems` is cut after 1,000 entries; `rejected` counts them all.

    `characters` holds total, mean, shortest, median, p95 and longest of the rows; `preview` cuts long texts.
    `encodings` names the files that are not UTF-8; `preferred` counts pairs of which the chosen side is used;
    `complete` is False when the reading was stopped before the end.
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
