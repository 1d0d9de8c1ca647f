"""Jobs of the window: a QThread owns one child process and turns what it says into one Qt signal."""

import threading
from collections.abc import Callable
from enum import Enum, auto
from typing import Any

from PySide6.QtCore import QObject, QThread, QTimer, Signal

from core.commands import Command
from core.events import Contacted, Event, Failed, Last, Stopped
from core.problems import diagnose
from core.runs import RunFolder

#: Seconds that a job without a run gets to end by itself.
SHORT_GRACE = 5.0


class Lane(Enum):
    """Where a job runs: alone on the card, or beside everything else."""

    CARD = auto()
    BESIDE = auto()


class JobThread(QThread):
    """Owns one JobProcess. `happened` carries every event; the last one is always a Last.

    `contacted` carries each host on the network that the job speaks to.
    """

    happened = Signal(object)
    contacted = Signal(str)

    def __init__(
        self, job: Any, folder: RunFolder | None = None, lane: Lane = Lane.CARD, grace: float = SHORT_GRACE
    ) -> None:
        super().__init__()
        self.job, self.folder, self.lane, self._grace = job, folder, lane, grace
        self.last: Last | None = None
        self._process: Any = None
        self._lock = threading.Lock()
        self._stopping = self._left = False

    def run(self) -> None:
        """Start the child and pass on what it says until its last word."""
        try:
            self._listen()
        except Exception as error:  # the parent's own trouble ends the job like any other
            self._tell(Failed(problem=diagnose(error)))
        if self.last is None and not self._left:
            self._tell(Stopped())

    def _listen(self) -> None:
        from core.jobs.process import GRACE, JobProcess

        with self._lock:
            if self._stopping:
                return
            # a run needs time to save; nothing else has anything to lose
            grace = GRACE if self.folder else self._grace
            self._process = JobProcess(self.job, run=self.folder, grace=grace)
            self._process.start()
            if self._left:
                self._process.leave()
        for event in self._process.events():
            self._tell(event)

    def _tell(self, event: Event) -> None:
        if self.last is not None:
            return
        if isinstance(event, Last):
            self.last = event
        if isinstance(event, Contacted):
            self.contacted.emit(event.host)
        self.happened.emit(event)

    def send(self, command: Command) -> None:
        """Send a command to the job; before it runs and after it ended nobody hears it."""
        with self._lock:
            if self._process is not None and self.last is None:
                self._process.send(command)

    def stop(self) -> None:
        """Ask the job to end in good order."""
        with self._lock:
            self._stopping = True
            if self._process is not None and self.last is None:
                self._process.stop()

    def leave(self) -> None:
        """Let a training go on without this program; it ends here without a last word."""
        with self._lock:
            self._left = True
            if self._process is not None and self.last is None:
                self._process.leave()

    @property
    def stopping(self) -> bool:
        return self._stopping


class JobRunner(QObject):
    """One job on the card at a time, the next one waits for it; small jobs run beside."""

    changed = Signal()
    contacted = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._running: list[JobThread] = []
        self._waiting: list[JobThread] = []
        #: Every host that jobs spoke to since the window opened, in that order.
        self.hosts: list[str] = []

    def start(
        self,
        job: Any,
        heard: Callable[[Any], None],
        *,
        folder: RunFolder | None = None,
        lane: Lane = Lane.CARD,
        grace: float = SHORT_GRACE,
    ) -> JobThread:
        """Run `job`; `heard` (a method of a QObject) gets its events in the window's thread.

        `grace` is the number of seconds that a job without a run gets to end by itself.
        """
        thread = JobThread(job, folder, lane, grace)
        thread.contacted.connect(self._take_down)
        thread.happened.connect(heard)
        thread.finished.connect(self._ended)
        if lane is Lane.CARD and self.card_job is not None:
            self._waiting.append(thread)
        else:
            self._begin(thread)
        # later: who starts a job has to hold it before anybody looks
        QTimer.singleShot(0, self.changed.emit)
        return thread

    def _begin(self, thread: JobThread) -> None:
        self._running.append(thread)
        thread.start()

    def _take_down(self, host: str) -> None:
        if host not in self.hosts:
            self.hosts.append(host)
            self.contacted.emit()

    @property
    def card_job(self) -> Any:
        """The job that has the card, None when it is free."""
        return next((t.job for t in self._running if t.lane is Lane.CARD), None)

    @property
    def idle(self) -> bool:
        """Whether nothing runs and nothing waits."""
        return not self._running and not self._waiting

    @property
    def saves(self) -> bool:
        """Whether a job runs, or waits, that has something to save."""
        return any(t.lane is Lane.CARD for t in (*self._running, *self._waiting))

    def busy_with(self, kind: type) -> bool:
        """Whether a job of this kind runs or waits."""
        return any(isinstance(t.job, kind) for t in (*self._running, *self._waiting))

    @property
    def jobs(self) -> tuple[Any, ...]:
        """Every job that runs or waits."""
        return tuple(t.job for t in (*self._running, *self._waiting))

    def cancel(self, thread: JobThread | None) -> None:
        """Stop a job; one that still waits ends at once."""
        if thread is None:
            return
        thread.stop()
        if thread in self._waiting:
            self._waiting.remove(thread)
            self._begin(thread)  # it ends by itself without starting a child

    def stop_all(self) -> None:
        """Ask every job to end."""
        for thread in (*self._waiting, *self._running):
            self.cancel(thread)

    def leave(self) -> None:
        """Let the run that is being trained go on alone; ask every other job to end."""
        for thread in (*self._waiting, *self._running):
            if thread.folder is not None and thread in self._running:
                thread.leave()
            else:
                self.cancel(thread)

    def wait(self, milliseconds: int = 10_000) -> bool:
        """Wait for every thread without an event loop; True when all ended."""
        return all(thread.wait(milliseconds) for thread in self._running)

    def _ended(self) -> None:
        for thread in [t for t in self._running if t.isFinished()]:
            thread.wait()
            self._running.remove(thread)
            thread.deleteLater()
        if self._waiting and self.card_job is None:
            self._begin(self._waiting.pop(0))
        self.changed.emit()
