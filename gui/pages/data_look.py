"""A look at data files: how they are read and cleaned, and what a job found beside the report."""

import contextlib
import shutil
import tempfile
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from core.codec import from_plain
from core.data.clean import Cleaning, CleanReport
from core.data.columns import Columns
from core.data.rows import DataReport
from core.data.shared import Shared
from core.plan import TrainingPlan
from core.problems import Problem
from core.tokens import TokenTotals
from core.wizard import WizardState


@dataclass(frozen=True)
class Wish:
    """Which files are looked at, and how."""

    files: tuple[str, ...]
    cleaning: Cleaning | None = field(default_factory=Cleaning)
    columns: Columns | None = None
    passage: int = 0


class Shelf:
    """A folder of its own for the rows of the last looks; it goes with the page."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._number = 0

    def next(self) -> Path:
        """A new file's path."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="solotune-rows-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._number += 1
        return self._folder / f"{self._number}.jsonl"


@dataclass(frozen=True)
class Extras:
    """What the files beside the data hold: `rows` of each, and which rows of the `validation` file training has too."""

    mixes: tuple[str, ...] = ()
    validation: str = ""
    rows: Mapping[str, int] = field(default_factory=dict)
    problems: Mapping[str, Problem] = field(default_factory=dict)
    shared: Shared | None = None


@dataclass(frozen=True)
class Look:
    """What was found: the report, what cleaning did, pieces of private data by kind, and where the kept rows lie.

    `extras` are the files beside them, `counted` what training makes of the rows under a plan (see `counting`).
    """

    wish: Wish
    report: DataReport
    cleaned: CleanReport | None = None
    private: Mapping[str, int] = field(default_factory=dict)
    rows: Path | None = None
    extras: Extras | None = None
    counted: tuple[tuple[object, ...], TokenTotals] | None = None

    def forget_rows(self) -> None:
        """Delete the kept rows; what cannot be deleted now goes with the page."""
        if self.rows is not None:
            with contextlib.suppress(OSError):
                self.rows.unlink()


def look_of(wish: Wish, result: dict[str, Any], keep: Path) -> Look:
    """The result of an InspectJob. Raises CodecError."""
    found = dict(result)
    clean, private = found.pop("clean", None), found.pop("private", None) or {}
    report = from_plain(DataReport, found, strict=False)
    cleaned = from_plain(CleanReport, clean, strict=False) if clean else None
    return Look(wish, report, cleaned, private, keep if keep.is_file() else None)


def extras_of(mixes: tuple[str, ...], validation: str, result: dict[str, Any]) -> Extras:
    """The result of an ExtrasJob. Raises CodecError."""
    problems = {file: from_plain(Problem, told) for file, told in result["problems"].items()}
    shared = from_plain(Shared, result["shared"]) if result["shared"] else None
    return Extras(mixes, validation, result["rows"], problems, shared)


#: What of a plan has no influence on the tokens of its rows.
_ELSEWHERE = frozenset({
    "method", "rank", "alpha", "targets", "dropout", "learning_rate", "epochs", "steps", "warmup", "weight_decay",
    "evaluate_every", "save_every", "checkpointing", "optimizer", "loss", "questions", "card", "note", "patience",
    "sample_every",
})  # fmt: skip


def counting(plan: TrainingPlan) -> tuple[object, ...]:
    """What the tokens of a plan's rows depend on: two plans with the same are counted alike."""
    return tuple(getattr(plan, part.name) for part in fields(plan) if part.name not in _ELSEWHERE)


def wish_of(state: WizardState) -> Wish:
    """How the state's report came about."""
    files = state.report.files if state.report else ()
    plan = state.plan if state.run is not None else None
    if plan is not None:
        # a run's data is shown as the run took it
        return Wish(plan.data, plan.cleaning, plan.columns, plan.passage)
    return Wish(files, state.cleaning, state.columns, state.passage)


def mixes_of(look: object) -> Mapping[str, int]:
    """How many rows the files beside the data hold, as far as that is known."""
    return look.extras.rows if isinstance(look, Look) and look.extras else {}


def tokenizer_of(state: WizardState) -> str:
    """The folder of the model that will read the rows; its tokenizer counts them."""
    return str(state.model_folder) if state.model_folder else ""


def unread(state: WizardState, counted_for: str) -> bool:
    """Whether the data must be read: its rows are not known, or another model than `counted_for` will read them."""
    report, now = state.report, tokenizer_of(state)
    if report is None or not report.rows:
        return report is not None
    # a run's own data is left alone
    counted = bool(report.tokens) and state.run is None
    return counted and now not in ("", report.tokens_model, counted_for)
