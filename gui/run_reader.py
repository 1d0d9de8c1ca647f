"""Reads the histories of many runs in one daemon thread, one after the other, newest first."""

import threading
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from core.plan import TrainingPlan
from core.problems import Trouble
from core.runs import RunFolder, RunState, list_runs
from gui.widgets.sparkline import thinned


@dataclass(frozen=True)
class Summary:
    """What a card shows of a run; `losses` are few enough to draw."""

    path: Path
    plan: TrainingPlan | None
    state: RunState
    first: float | None = None
    last: float | None = None
    losses: tuple[float, ...] = ()
    started: float | None = None
    merged: bool = False
    checkpoint_step: int = 0
    #: Why a run that goes on waits (core.events.Wait), "" while it does not.
    waits: str = ""

    @property
    def resumable(self) -> bool:
        return self.state in (RunState.INTERRUPTED, RunState.STOPPED, RunState.FAILED)


def summarise(run: RunFolder) -> Summary:
    """Read one run. Nothing in its folder can make this fail but a disk that is gone."""
    try:
        plan = run.plan()
    except Trouble:
        plan = None
    history = run.history()
    losses = tuple(thinned([step.loss for step in history.steps if step.loss is not None]))
    merged = (run.path / "merged" / "config.json").is_file()
    return Summary(
        run.path,
        plan,
        run.state(history),
        history.first_loss,
        history.last_loss,
        losses,
        history.started,
        merged,
        run.checkpoint_step(),
        str(history.waiting.reason) if history.waiting else "",
    )


class RunReader(QObject):
    """`found` carries one Summary at a time, `done` the number of runs."""

    found = Signal(object)
    done = Signal(int)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._known: dict[Path, tuple[tuple[float, int], Summary]] = {}
        self._turn = 0

    def read(self, root: Path) -> None:
        """Read every run under `root`; an earlier reading that is still on its way is dropped."""
        self._turn += 1
        threading.Thread(target=self._run, args=(root, self._turn), name="run-reader", daemon=True).start()

    def drop(self) -> None:
        """Stop reading."""
        self._turn += 1

    def _run(self, root: Path, turn: int) -> None:
        try:
            runs = list_runs(root)
            for run in runs:
                if turn != self._turn:
                    return
                self.found.emit(self._summary(run))
            self.done.emit(len(runs))
        except (RuntimeError, OSError):
            return  # the page, or the disk, is gone

    def _summary(self, run: RunFolder) -> Summary:
        stamp = _stamp(run.events_file)
        known = self._known.get(run.path)
        if known and known[0] == stamp and not run.is_busy() and known[1].state is not RunState.RUNNING:
            return known[1]
        made = summarise(run)
        self._known[run.path] = (stamp, made)
        return made


def _stamp(path: Path) -> tuple[float, int]:
    try:
        found = path.stat()
    except OSError:
        return (0.0, 0)
    return (found.st_mtime, found.st_size)
