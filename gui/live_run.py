"""One run as the window sees it: its history, whether it lives, and the thread that trains it."""

import contextlib
import os

from PySide6.QtCore import QObject, QTimer, Signal

from core.codec import CodecError, from_plain
from core.events import Event, Failed, Last, Noted, Saved, Stage
from core.history import RunHistory
from core.jobs.jobs import TrainJob
from core.plan import TrainingPlan
from core.problems import Problem
from core.runs import RunFolder, RunState
from gui.background import Errand, failed
from gui.jobs import JobRunner, JobThread

#: Milliseconds between two looks at a run that another program trains.
LOOK_EVERY = 2000


class LiveRun(QObject):
    """A new run, a living one or an old one; `version` counts what happened, for those who draw."""

    changed = Signal()
    ended = Signal(object)

    def __init__(self, folder: RunFolder, runner: JobRunner, parent: QObject) -> None:
        super().__init__(parent)
        self.folder = folder
        self.history = RunHistory()
        self.state: RunState | None = None
        self.has_adapter = False
        self.problem: Problem | None = None
        self.version = 0
        self.checkpoint_step = 0
        self.loaded = False
        self._plan: TrainingPlan | None = None
        self._runner = runner
        self._thread: JobThread | None = None
        self._resume: bool | None = None
        self._size = -1
        self._look = QTimer(self)
        self._look.timeout.connect(self._look_again)

    @property
    def training(self) -> bool:
        """Whether this window trains the run now."""
        return self._thread is not None or self._resume is not None

    @property
    def stopping(self) -> bool:
        return self._thread is not None and self._thread.stopping

    @property
    def plan(self) -> TrainingPlan | None:
        """The run's plan, None until it is read."""
        return self._plan

    def load(self) -> None:
        """Read plan, history and state off the window's thread; `changed` tells when it is done."""
        Errand(self._read, self, self._take)

    def start(self, *, resume: bool) -> None:
        """Train, from the newest checkpoint when `resume`; what happened before is read first."""
        if self.training:
            return
        self._resume, self.state = resume, RunState.RUNNING
        self.history.last = None
        self.load()
        self.changed.emit()

    def stop(self) -> None:
        """Ask the run to save and end."""
        self._runner.cancel(self._thread)
        self.changed.emit()

    def _read(self) -> tuple[TrainingPlan, RunHistory, RunState, bool, int, int]:
        folder = self.folder
        history = folder.history()
        size = folder.events_file.stat().st_size if folder.events_file.exists() else 0
        state, adapter, step = folder.state(history), folder.has_adapter(), folder.checkpoint_step()
        return folder.plan(), history, state, adapter, step, size

    def _take(self, found: object) -> None:
        self.problem = failed(found)
        if self._thread is None and isinstance(found, tuple):
            self._plan, self.history, self.state, self.has_adapter, self.checkpoint_step, self._size = found
            last = self.history.last
            self.problem = last.problem if isinstance(last, Failed) and self._resume is None else None
        self.loaded = True
        self.version += 1
        if self._resume is not None:
            self._begin(self._resume)
        elif self.state is RunState.RUNNING:
            self._look.start(LOOK_EVERY)
        else:
            self._look.stop()
        self.changed.emit()

    def _begin(self, resume: bool) -> None:
        self._resume, self.state = None, RunState.RUNNING
        self.has_adapter = False if not resume else self.has_adapter
        job = TrainJob(str(self.folder.path), resume=resume)
        self._thread = self._runner.start(job, self._heard, folder=self.folder)

    def _heard(self, event: Event) -> None:
        self.history.apply(event)
        self.version += 1
        if isinstance(event, Noted) and event.code == "probe_stepped":
            # the child puts it into the folder when it has said so
            with contextlib.suppress(CodecError, KeyError):
                self._plan = from_plain(TrainingPlan, event.facts["plan"])
        if isinstance(event, Last):
            self._end(event)
        elif isinstance(event, (Stage, Noted, Saved)):
            self.changed.emit()

    def _end(self, event: Last) -> None:
        self._thread = None
        self.problem = event.problem if isinstance(event, Failed) else None
        self.state = self.folder.state(self.history)
        self.has_adapter = self.folder.has_adapter()
        self.checkpoint_step = self.folder.checkpoint_step()
        self.changed.emit()
        self.ended.emit(event)

    def _look_again(self) -> None:
        """Another program trains this run: read what it wrote since."""
        try:
            size = os.stat(self.folder.events_file).st_size  # noqa: PTH116 - once a timer tick, no Path needed
        except OSError:
            size = -1
        if self._thread is None and (size != self._size or not self.folder.is_busy()):
            self.load()
