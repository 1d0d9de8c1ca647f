"""What a plan trains and checks with: rows in stages, rows to check with, and the reports on the files."""

from dataclasses import dataclass

from core.data.clean.report import CleanReport
from core.data.rows import Conversation, DataReport


@dataclass(frozen=True)
class Stage:
    """Rows that are learned together, `epochs` times."""

    rows: list[Conversation]
    epochs: float


@dataclass(frozen=True)
class Prepared:
    """What a plan trains and checks with, and the reports on the files of its `data`.

    `mixed` counts the rows that came from mixes, `mixed_wanted` those that were asked for. `shared` counts the rows
    of a validation file that training has too, word for word, nearly, or as pieces of one conversation: they are not
    in `validation`. A row that an epoch or several stages see more than once is one object. `kept` says that a copy of
    all rows lies in a folder (core.data.kept).
    """

    stages: tuple[Stage, ...]
    validation: list[Conversation]
    report: DataReport
    clean_report: CleanReport | None = None
    mixed: int = 0
    mixed_wanted: int = 0
    shared: int = 0
    kept: bool = False

    @property
    def train(self) -> list[Conversation]:
        """The rows of all stages, one stage after the other."""
        return [row for stage in self.stages for row in stage.rows]
