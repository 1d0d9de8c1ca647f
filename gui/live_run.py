"""One run as the window sees it: its history, whether it lives, and the thread that trains it."""

import contextlib
import time
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from core.codec import CodecError, from_plain
from core.commands import Command, GoOn, Pause, Stop
from core.events import Event, Failed, Last, Noted, Paused, Saved, Stage, WentOn
from core.history import RunHistory
from core.jobs.jobs import TrainJob
from core.plan import TrainingPlan
from core.problems import Problem, diagnose
from core.record import read_on
from core.runs import RunFolder, RunState
from gui.background import Errand, failed
from gui.jobs import JobRunner, JobThread

#: Milliseconds between two looks at a run that another program trains.
LOOK_EVERY = 1000
#: Bytes of a long record that are read before other threads have their turn.
PIECE = 64 << 10


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
        self._ordered = False
        #: Where to read on in the record of a run that another process trains; whether that is being done.
        self._offset = 0
        self._looking = False
        self._look = QTimer(self)
        self._look.timeout.connect(self._look_again)

    @property
    def training(self) -> bool:
        """Whether this window trains the run now."""
        return self._thread is not None or self._resume is not None

    @property
    def stopping(self) -> bool:
        return self._ordered or (self._thread is not None and self._thread.stopping)

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
        """Ask the run to save and end, whoever trains it."""
        if self._thread is not None:
            self._runner.cancel(self._thread)
        else:
            self._ordered = self._order(Stop())
        self.changed.emit()

    def pause(self, release: bool = False) -> None:
        """Ask the run to wait after its step; with `release` its process ends and frees the card.

        A run that another process trains is stopped then: nobody would be there to go on with it.
        """
        if self._thread is not None:
            self._thread.send(Pause(release=release))
        elif release:
            self.stop()
        else:
            self._order(Pause())

    def go_on(self) -> None:
        """Ask a run that waits to go on."""
        if self._thread is not None:
            self._thread.send(GoOn())
        else:
            self._order(GoOn())

    def _order(self, command: Command) -> bool:
        """Leave a command for the process that trains the run; whether there is one and it could be left."""
        if self.state is not RunState.RUNNING:
            return False
        try:
            self.folder.order(command)
        except OSError as error:
            self.problem = diagnose(error)
            self.changed.emit()
            return False
        return True

    def _read(self) -> tuple[TrainingPlan, RunHistory, RunState, bool, int, int]:
        folder, history = self.folder, RunHistory()
        offset = _follow(folder, 0, history.apply)
        state, adapter, step = folder.state(history), folder.has_adapter(), folder.checkpoint_step()
        return folder.plan(), history, state, adapter, step, offset

    def _take(self, found: object) -> None:
        self.problem = failed(found)
        if self._thread is None and isinstance(found, tuple):
            self._plan, self.history, self.state, self.has_adapter, self.checkpoint_step, self._offset = found
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
        self._look.stop()
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
        elif isinstance(event, (Stage, Noted, Saved, Paused, WentOn)):
            self.changed.emit()

    def _end(self, event: Last) -> None:
        self._thread, self._ordered = None, False
        self.problem = event.problem if isinstance(event, Failed) else None
        self.state = self.folder.state(self.history)
        self.has_adapter = self.folder.has_adapter()
        self.checkpoint_step = self.folder.checkpoint_step()
        self.changed.emit()
        self.ended.emit(event)

    def _look_again(self) -> None:
        """Another process trains this run: read what it wrote since, off the window's thread."""
        if self._thread is None and not self._looking:
            self._looking = True
            Errand(self._read_on, self, self._take_more)

    def _read_on(self) -> tuple[list[Event], int, bool]:
        # asked first: what an ended process wrote last is read then
        busy, events = self.folder.is_busy(), list[Event]()
        return events, _follow(self.folder, self._offset, events.append), busy

    def _take_more(self, found: object) -> None:
        self._looking = False
        if not isinstance(found, tuple) or self._thread is not None or self._resume is not None:
            return
        events, offset, busy = found
        if offset < self._offset:
            # another record in the place of the one that was read
            self.load()
            return
        self._offset = offset
        for event in events:
            self._heard(event)
        if not busy:
            self._ordered = False
            self._look.stop()
            self.load()


def _follow(folder: RunFolder, offset: int, take: Callable[[Event], object]) -> int:
    """Take the events of a run's record from `offset` on; returns where they end."""
    while True:
        try:
            events, end = read_on(folder.events_file, offset, PIECE)
        except OSError:
            return offset
        for event in events:
            take(event)
        if end <= offset:
            return end
        offset = end
        # a record of 100 MB must not stop the window
        time.sleep(0)
