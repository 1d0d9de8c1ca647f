"""A look at data files: how they are read and cleaned, and what a job found beside the report."""

import contextlib
import shutil
import tempfile
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.codec import from_plain
from core.data.clean import Cleaning, CleanReport
from core.data.columns import Columns
from core.data.rows import DataReport
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
class Look:
    """What was found: the report, what cleaning did, pieces of private data by kind, and where the kept rows lie."""

    wish: Wish
    report: DataReport
    cleaned: CleanReport | None = None
    private: Mapping[str, int] = field(default_factory=dict)
    rows: Path | None = None

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


def wish_of(state: WizardState) -> Wish:
    """How the state's report came about."""
    files = state.report.files if state.report else ()
    plan = state.plan if state.run is not None else None
    if plan is not None:
        # a run's data is shown as the run took it
        return Wish(plan.data, plan.cleaning, plan.columns, plan.passage)
    return Wish(files, state.cleaning, state.columns, state.passage)
