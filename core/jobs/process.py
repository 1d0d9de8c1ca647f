"""The parent's side of a job: start it in a process of its own, read its events, end it in good order.

Two one-way pipes carry JSON lines. Only the parent can record how a child died, so the parent writes a run's
events.jsonl and guarantees exactly one last event, also when the child was killed. A training that can be mended goes
on in another child (core.jobs.comeback), and so does one whose user wanted the card for a while. A training that stays
when its window closes keeps its record itself (core.jobs.alone).
"""

import contextlib
import threading
import time
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path

from core.commands import Command, GoOn, Pause, Stay, Stop
from core.events import Event, Failed, Last, Paused, Stage, StageName, Stopped, WentOn
from core.jobs.child import Child
from core.jobs.comeback import Comeback
from core.jobs.guard import Guards
from core.jobs.jobs import TrainJob
from core.jobs.measure import Meter, Readings
from core.jobs.worker import Request
from core.problems import Code, Problem, diagnose_exit
from core.record import Record
from core.runs import RunFolder
from core.wire import encode

#: Seconds that a child gets between "please stop" and SIGTERM, and between SIGTERM and SIGKILL.
GRACE = 60.0
TERMINATE_GRACE = 5.0
#: Seconds between two memory readings.
MEASURE_EVERY = 1.0
#: Seconds that a child gets to notice by itself that its card is gone.
LOST_GRACE = 15.0
#: What a child says, or leaves unsaid, when its card is gone: CUDA has no clear words for that.
_VAGUE = (Code.UNKNOWN, Code.WORKER_KILLED, Code.WORKER_CRASHED, Code.WORKER_SILENT)


class JobProcess:
    """One job in a child process, or in one after another.

    `run` is the folder whose events.jsonl and log.txt the job writes; a job without a run may name a `log`.
    """

    def __init__(
        self, job: object, *, run: RunFolder | None = None, log: Path | None = None, grace: float = GRACE
    ) -> None:
        self._run = run
        self._log = log or (run.log_file if run else None)
        self._grace = grace
        self._record = Record(run.events_file) if run else None
        self._guards = Guards(run, self._tell) if run else None
        self._comeback = Comeback(run, job) if run and isinstance(job, TrainJob) else None
        self._asked_at: float | None = None
        self._released: Pause | None = None
        self._go_on = threading.Event()
        self._readings: Readings | None = None
        self._left = False
        self._child = self._made(job)

    def _made(self, job: object) -> Child:
        run = str(self._run.path) if self._run else ""
        return Child(Request(job=job, log=str(self._log or ""), run=run))

    @property
    def pid(self) -> int | None:
        """The child's process id, None before start."""
        return self._child.pid

    def start(self) -> None:
        """Start the child. Raises Trouble(RUN_BUSY) when the run is already held, OSError without memory."""
        if self._run and not self._run.is_busy():
            for _meant_for_another in self._run.orders():
                pass
        self._begin()

    def _begin(self) -> None:
        # core.jobs.supervise holds the run itself until its child is there
        with self._run.beginning() if self._run else contextlib.nullcontext():
            self._child.start()
            if self._run and self._child.pid:
                # the child holds the run, not the window: it may live on for a while to save
                self._run.hold(self._child.pid)

    def send(self, command: Command) -> None:
        """Send a command of the user's; a child that is already gone is no error."""
        if self._guards:
            self._guards.said(command)
        if isinstance(command, Pause) and command.release and self._comeback:
            self._released = command
            self._go_on.clear()
            command = Stop()
        elif isinstance(command, GoOn):
            self._go_on.set()
        self._tell(command)

    def _tell(self, command: Command) -> None:
        self._child.tell(command)

    def stop(self) -> None:
        """Ask the child to stop; `events` terminates it after the grace, then kills it."""
        if self._asked_at is None:
            self._asked_at = time.monotonic()
        self.send(Stop())
        self._go_on.set()

    def leave(self) -> None:
        """Let a training go on alone: `events` ends within a second or so, without a last event where it goes on.

        One that waits with its card freed has no process, and ends.
        """
        self._left = True
        self._go_on.set()

    def kill(self) -> None:
        """End the child at once; `events` still closes with a last event. A child that is gone is no error."""
        self._released, self._asked_at = None, self._asked_at or time.monotonic()
        self._child.kill()
        self._go_on.set()

    def events(self) -> Iterator[Event]:
        """Yield every event as it comes; the last one is a Finished, Stopped or Failed, unless the child was left."""
        with contextlib.ExitStack() as stack:
            if self._record is not None:
                stack.callback(self._record.close)
            for event in self._lives():
                if self._guards:
                    self._guards.heard(event)
                if self._comeback:
                    self._comeback.heard(event)
                if self._record is not None:
                    self._record.add(encode(event))
                if isinstance(event, Last) and self._run:
                    self._run.release()
                yield event
        if self._left:
            # what the child writes itself comes after all that was written here
            self._child.leave()

    def _lives(self) -> Iterator[Event]:
        """The events of one child after another; only the last one's last event counts."""
        while True:
            last = yield from self._until_last()
            if last is None:
                return
            last = self._settle(last)
            self._child.close()
            job = yield from self._next(last)
            if job is None:
                yield last
                return
            self._child = self._made(job)
            self._begin()

    def _next(self, last: Last) -> Generator[Event, None, object]:
        """Tell how it goes on after `last`. Returns the job of the next child, None when it does not."""
        if self._run is None or self._comeback is None:
            return None
        if isinstance(last, Stopped) and self._released is not None and not self._ending():
            begun, reason, self._released = time.monotonic(), self._released.reason, None
            yield Paused(step=last.step, reason=reason, released=True)
            self._run.release()
            while not self._go_on.wait(MEASURE_EVERY):
                self._hear_orders()
            if self._ending() or self._left:
                return None
            yield WentOn(step=last.step, seconds=time.monotonic() - begun)
            return self._comeback.resumed()
        again = None if self._ending() else self._comeback.after(last)
        if again is None:
            return None
        yield from again.notes
        return again.job

    def _until_last(self) -> Generator[Event, None, Last | None]:
        """The events of one child. Returns its last one, None when it was left."""
        self._readings = Readings(Meter(self._child.pid, self._run.plan().card), MEASURE_EVERY) if self._run else None
        last: Last | None = None
        yield Stage(stage=StageName.STARTING)
        while last is None and not self._child.is_over():
            self._hear_orders()
            if self._readings is not None:
                yield from self._readings.new()
            for event in self._child.received(MEASURE_EVERY):
                if isinstance(event, Last):
                    last = event
                    break
                yield event
            if self._left and last is None:
                self._tell(Stay())
                return None
            self._escalate()
            if last is None and self._readings is not None and self._readings.lost_for > LOST_GRACE:
                # it hangs in a driver that waits for the card
                self._child.kill()
                last = Failed(problem=Problem(Code.GPU_LOST))
        return self._blamed(last or self._obituary())

    def _hear_orders(self) -> None:
        """Do what was asked for from elsewhere."""
        for command in self._run.orders() if self._run else ():
            self.stop() if isinstance(command, Stop) else self.send(command)

    def _ending(self) -> bool:
        return self._asked_at is not None

    def _blamed(self, last: Last) -> Last:
        """Name the lost card as what a child died of that could not say it."""
        if isinstance(last, Failed) and last.problem.code in _VAGUE and self._readings and self._readings.silent():
            return replace(last, problem=Problem(Code.GPU_LOST, last.problem.facts))
        return last

    def _escalate(self) -> None:
        if self._asked_at is None:
            return
        waited = time.monotonic() - self._asked_at
        if waited > self._grace + TERMINATE_GRACE:
            self._child.kill()
        elif waited > self._grace:
            self._child.terminate()

    def _obituary(self) -> Last:
        self._child.join(TERMINATE_GRACE)
        words = _tail(self._log) if self._log else ""
        return Failed(problem=diagnose_exit(self._child.exitcode, last_words=words))

    def _settle(self, event: Last) -> Last:
        """Let the child end, then say whether the run can go on."""
        if not self._child.join(TERMINATE_GRACE):
            self._child.kill()
            # not for ever: a process that waits for a lost card cannot be killed
            self._child.join(TERMINATE_GRACE)
        if self._run and isinstance(event, Failed):
            return replace(event, resumable=True)
        if self._run and isinstance(event, Stopped):
            return replace(event, resumable=self._run.checkpoint() is not None)
        return event


def _tail(log: Path, size: int = 400) -> str:
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return text[-size:].strip()
