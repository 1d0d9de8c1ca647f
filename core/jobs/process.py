"""The parent's side of a job: start it in a process of its own, read its events, end it in good order.

Two one-way pipes carry JSON lines. Only the parent can record how a child died, so the parent writes a run's
events.jsonl and guarantees exactly one last event, also when the child was killed. A training that can be mended goes
on in another child (core.jobs.comeback), and so does one whose user wanted the card for a while.
"""

import contextlib
import threading
import time
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

from core.commands import Command, GoOn, Pause, Stop
from core.events import Event, Failed, Last, Noted, Paused, Stage, StageName, Stopped, WentOn
from core.jobs.child import Child
from core.jobs.comeback import Comeback
from core.jobs.guard import Guards
from core.jobs.jobs import TrainJob
from core.jobs.measure import Meter
from core.jobs.worker import Request
from core.problems import Code, Problem, Trouble, diagnose_exit
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
        self._guards = Guards(run, self._tell) if run else None
        self._comeback = Comeback(run, job) if run and isinstance(job, TrainJob) else None
        self._asked_at: float | None = None
        self._released: Pause | None = None
        self._go_on = threading.Event()
        self._meter: Meter | None = None
        self._lost_at: float | None = None
        self._child = self._made(job)

    def _made(self, job: object) -> Child:
        events = str(self._run.events_file) if self._run else ""
        return Child(Request(job=job, log=str(self._log or ""), events=events))

    @property
    def pid(self) -> int | None:
        """The child's process id, None before start."""
        return self._child.pid

    def start(self) -> None:
        """Start the child. Raises Trouble(RUN_BUSY) when the run is already held, OSError without memory."""
        if self._run and self._run.is_busy():
            raise Trouble(Code.RUN_BUSY, path=self._run.path)
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

    def kill(self) -> None:
        """End the child at once; `events` still closes with a last event. A child that is gone is no error."""
        self._released, self._asked_at = None, self._asked_at or time.monotonic()
        self._child.kill()
        self._go_on.set()

    def events(self) -> Iterator[Event]:
        """Yield every event as it comes; the last one is a Finished, Stopped or Failed, always."""
        with contextlib.ExitStack() as stack:
            file = self._open_events(stack)
            for event in self._lives():
                if self._guards:
                    self._guards.heard(event)
                if self._comeback:
                    self._comeback.heard(event)
                if file is not None:
                    _append(file, event)
                if isinstance(event, Last) and self._run:
                    self._run.release()
                yield event

    def _open_events(self, stack: contextlib.ExitStack) -> IO[str] | None:
        if self._run is None:
            return None
        return stack.enter_context(self._run.events_file.open("a", encoding="utf-8", errors="replace"))

    def _lives(self) -> Iterator[Event]:
        """The events of one child after another; only the last one's last event counts."""
        while True:
            last = yield from self._until_last()
            last = self._settle(last)
            self._child.close()
            job = yield from self._next(last)
            if job is None:
                yield last
                return
            self._child = self._made(job)
            self.start()

    def _next(self, last: Last) -> Generator[Event, None, object]:
        """Tell how it goes on after `last`. Returns the job of the next child, None when it does not."""
        if self._run is None or self._comeback is None:
            return None
        if isinstance(last, Stopped) and self._released is not None and not self._ending():
            begun, reason, self._released = time.monotonic(), self._released.reason, None
            yield Paused(step=last.step, reason=reason, released=True)
            self._run.release()
            self._go_on.wait()
            if self._ending():
                return None
            yield WentOn(step=last.step, seconds=time.monotonic() - begun)
            return self._comeback.resumed()
        again = None if self._ending() else self._comeback.after(last)
        if again is None:
            return None
        yield from again.notes
        return again.job

    def _until_last(self) -> Generator[Event, None, Last]:
        self._meet_child()
        due = 0.0
        last: Last | None = None
        yield Stage(stage=StageName.STARTING)
        while last is None and not self._child.is_over():
            if self._meter is not None and time.monotonic() >= due:
                due = time.monotonic() + MEASURE_EVERY
                yield from self._measured(self._meter)
            for event in self._child.received(MEASURE_EVERY):
                if isinstance(event, Last):
                    last = event
                    break
                yield event
            self._escalate()
            if last is None and self._lost_at is not None and time.monotonic() - self._lost_at > LOST_GRACE:
                # it hangs in a driver that waits for the card
                self._child.kill()
                last = Failed(problem=Problem(Code.GPU_LOST))
        return self._blamed(last or self._obituary())

    def _meet_child(self) -> None:
        self._meter = Meter(self._child.pid, self._run.plan().card) if self._run else None
        self._lost_at = None

    def _ending(self) -> bool:
        return self._asked_at is not None

    def _measured(self, meter: Meter) -> Iterator[Event]:
        """Yield one reading, and a note when the card is lost; a card that comes back in time is forgiven."""
        measured = meter.read()
        if measured is not None:
            yield measured
        if not meter.lost:
            self._lost_at = None
        elif self._lost_at is None:
            self._lost_at = time.monotonic()
            yield Noted(code="card_lost")

    def _blamed(self, last: Last) -> Last:
        """Name the lost card as what a child died of that could not say it."""
        if isinstance(last, Failed) and last.problem.code in _VAGUE and self._meter and self._meter.silent():
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


def _append(file: IO[str], event: Event) -> None:
    # a full disk must not take the window down: the run goes on, its record has a gap
    with contextlib.suppress(OSError):
        file.write(encode(event) + "\n")
        file.flush()


def _tail(log: Path, size: int = 400) -> str:
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return text[-size:].strip()
