"""What cleaning did: counts before and after every step, and every row that a step touched."""

from dataclasses import dataclass
from enum import StrEnum

from core.data.clean.cleaning import Mode, StepName

#: So many touched rows a step are in the report; Cleaned.touches has all.
LISTED = 200


class Effect(StrEnum):
    """What a step did to a row."""

    CHANGED = "changed"
    DROPPED = "dropped"
    REPORTED = "reported"


class SetKind(StrEnum):
    """What the answers of a data set look like: it decides what a short answer means."""

    TALK = "talk"
    SHORT_ANSWERS = "short_answers"
    LABELS = "labels"


@dataclass(frozen=True)
class RowRef:
    """A row: its file, its line or row number there, and its key (core.data.clean.row_key)."""

    file: str
    line: int
    key: str


@dataclass(frozen=True)
class Touch:
    """A row that a step touched.

    `found` is a piece of the row or a number; `before` and `after` show the first change with what stands around
    it, or the beginning of a row and of the one that it repeats, which is `like`.
    """

    step: StepName
    effect: Effect
    row: RowRef
    found: str = ""
    before: str = ""
    after: str = ""
    like: RowRef | None = None


@dataclass(frozen=True)
class StepReport:
    """What one step did: rows that reached it and rows that left it. `touches` is cut after LISTED entries."""

    step: StepName
    mode: Mode
    before: int
    after: int
    changed: int = 0
    dropped: int = 0
    reported: int = 0
    touches: tuple[Touch, ...] = ()

    @property
    def touched(self) -> int:
        """Rows in which the step found something."""
        return self.changed + self.dropped + self.reported


@dataclass(frozen=True)
class CleanReport:
    """What a cleaning did. `steps` has every step that was not off, in the order in which they ran.

    `short_kept` counts answers below the limit that stay because they mean something. `translation` says that so
    many rows answer in another script than they ask in that this must be what the set teaches; `mixed` is their
    share. `short` is the share of answers of at most 30 Latin or 10 Chinese letters.
    """

    rows: int
    kept: int
    changed: int
    steps: tuple[StepReport, ...] = ()
    kind: SetKind = SetKind.TALK
    short: float = 0.0
    short_kept: int = 0
    mixed: float = 0.0
    translation: bool = False
    excepted: int = 0
    complete: bool = True

    @property
    def findings(self) -> tuple[StepReport, ...]:
        """The steps that found something, worst first: private data, then what touches most rows."""
        found = (report for report in self.steps if report.touched)
        return tuple(sorted(found, key=lambda report: (report.step is not StepName.PRIVATE, -report.touched)))

    def step(self, name: StepName) -> StepReport | None:
        """The report on one step, None when it was off."""
        return next((report for report in self.steps if report.step is name), None)
