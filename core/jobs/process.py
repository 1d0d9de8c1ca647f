"""The parent's side of a job: start it in a process of its own, read its events, end it in good order.

Two one-way pipes carry JSON lines. Only the parent can record how a child died, so the parent writes a run's
events.jsonl and guarantees exactly one last event, also when the child was killed.
"""

import contextlib
import multiprocessing
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO

from core.codec import CodecError
from core.commands import Command, Stop
from core.events import Event, Failed, Last, Noted, Stage, StageName, Stopped
from core.jobs.measure import Meter
from core.jobs.worker import Request, child_main
from core.problems import Code, Problem, Trouble, diagnose_exit
from core.runs import RunFolder
from core.wire import decode_event, encode

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
    """One job in one child process.

    `run` is the folder whose events.jsonl and log.txt the job writes; a job without a run may name a `log`.
    """

    def __init__(
        self, job: object, *, run: RunFolder | None = None, log: Path | None = None, grace: float = GRACE
    ) -> None:
        self._run = run
        self._log = log or (run.log_file if run else None)
        self._grace = grace
        self._asked_at: float | None = None
        self._meter: Meter | None = None
        self._lost_at: float | None = None
        self._hung_up = False
        self._lock = threading.Lock()
        context = multiprocessing.get_context("spawn")
        self._reader, self._child_out = context.Pipe(duplex=False)
        self._child_in, self._writer = context.Pipe(duplex=False)
        events = str(run.events_file) if run else ""
        request = Request(job=job, log=str(self._log or ""), events=events)
        # not daemonic: when the window goes away the child must live long enough to save
        self._process = context.Process(target=child_main, args=(request, self._child_in, self._child_out))

    @property
    def pid(self) -> int | None:
        """The child's process id, None before start."""
        return self._process.pid

    def start(self) -> None:
        """Start the child. Raises Trouble(RUN_BUSY) when the run is already held, OSError without memory."""
        if self._run and self._run.is_busy():
            raise Trouble(Code.RUN_BUSY, path=self._run.path)
        self._process.start()
        if self._run and self._process.pid:
            # the child holds the run, not the window: it may live on for a while to save
            self._run.hold(self._process.pid)
        # our copies must go, or neither side would ever see the other one end
        self._child_in.close()
        self._child_out.close()

    def send(self, command: Command) -> None:
        """Send a command; a child that is already gone is no error."""
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._writer.send_bytes(encode(command).encode(errors="replace"))

    def stop(self) -> None:
        """Ask the child to stop; `events` terminates it after the grace, then kills it."""
        if self._asked_at is None:
            self._asked_at = time.monotonic()
        self.send(Stop())

    def kill(self) -> None:
        """End the child at once; `events` still closes with a last event. A child that is gone is no error."""
        with contextlib.suppress(ValueError):
            self._process.kill()

    def events(self) -> Iterator[Event]:
        """Yield every event as it comes; the last one is a Finished, Stopped or Failed, always."""
        with contextlib.ExitStack() as stack:
            file = self._open_events(stack)
            for event in self._until_last():
                if file is not None and not isinstance(event, Last):
                    _append(file, event)
                if isinstance(event, Last):
                    event = self._settle(event)
                    self._close()
                    if file is not None:
                        _append(file, event)
                    if self._run:
                        self._run.release()
                yield event

    def _open_events(self, stack: contextlib.ExitStack) -> IO[str] | None:
        if self._run is None:
            return None
        return stack.enter_context(self._run.events_file.open("a", encoding="utf-8", errors="replace"))

    def _until_last(self) -> Iterator[Event]:
        self._meter = Meter(self._process.pid, self._run.plan().card) if self._run else None
        due = 0.0
        last: Last | None = None
        yield Stage(stage=StageName.STARTING)
        while last is None and not self._is_over():
            if self._meter is not None and time.monotonic() >= due:
                due = time.monotonic() + MEASURE_EVERY
                yield from self._measured(self._meter)
            for event in self._received(MEASURE_EVERY):
                if isinstance(event, Last):
                    last = event
                    break
                yield event
            self._escalate()
            if last is None and self._lost_at is not None and time.monotonic() - self._lost_at > LOST_GRACE:
                # it hangs in a driver that waits for the card
                self.kill()
                last = Failed(problem=Problem(Code.GPU_LOST))
        yield self._blamed(last or self._obituary())

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

    def _received(self, seconds: float) -> Iterator[Event]:
        """Yield events that arrive within `seconds`; ends early when the child's end of the pipe closes."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            try:
                if not self._reader.poll(left):
                    return
                line = self._reader.recv_bytes()
            except (EOFError, OSError):
                self._hung_up = True
                return
            with contextlib.suppress(CodecError, UnicodeDecodeError):
                yield decode_event(line.decode())

    def _is_over(self) -> bool:
        # a grandchild can keep the pipe open after the child died
        return self._hung_up or (not self._process.is_alive() and not self._reader.poll())

    def _escalate(self) -> None:
        if self._asked_at is None:
            return
        waited = time.monotonic() - self._asked_at
        if waited > self._grace + TERMINATE_GRACE:
            self._process.kill()
        elif waited > self._grace:
            self._process.terminate()

    def _obituary(self) -> Last:
        self._process.join(TERMINATE_GRACE)
        words = _tail(self._log) if self._log else ""
        return Failed(problem=diagnose_exit(self._process.exitcode, last_words=words))

    def _settle(self, event: Last) -> Last:
        """Let the child end, then say whether the run can go on."""
        self._process.join(TERMINATE_GRACE)
        if self._process.is_alive():
            self._process.kill()
            # not for ever: a process that waits for a lost card cannot be killed
            self._process.join(TERMINATE_GRACE)
        if self._run and isinstance(event, Failed):
            return replace(event, resumable=True)
        if self._run and isinstance(event, Stopped):
            return replace(event, resumable=self._run.checkpoint() is not None)
        return event

    def _close(self) -> None:
        for end in (self._reader, self._writer):
            _close_quietly(end)
        with contextlib.suppress(ValueError):
            self._process.close()


def _close_quietly(end: "Connection[bytes, bytes]") -> None:
    with contextlib.suppress(OSError):
        end.close()


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
