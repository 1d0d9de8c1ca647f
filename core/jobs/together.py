"""Together: a training in this very process, one of several that `accelerate launch` started with the same command."""

import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import IO

from core.codec import to_plain
from core.commands import Command, Stop
from core.events import Event, Failed, Finished, Last, Noted, Stage, StageName, StepDone, Stopped
from core.jobs.jobs import TrainJob, of_first
from core.jobs.measure import Meter, Readings
from core.jobs.talk import StopAsked
from core.jobs.worker import prepare_libraries
from core.ladder import gentler
from core.launcher import is_first
from core.problems import Code, diagnose
from core.record import Record
from core.runs import RunFolder
from core.wire import encode

#: Seconds between two looks for orders, and between two readings of the card.
LOOK_EVERY = 1.0


def train_here(make: Callable[[], RunFolder], hear: Callable[[RunFolder, Event], None], *, resume: bool) -> Last:
    """Train the run that the first process makes; that one also keeps its record, and `hear` gets its events.

    Ctrl-C, SIGTERM and orders in the run's folder end it in good order on all processes. What `make` raises is raised
    on the first process; whoever started the others ends them.
    """
    prepare_libraries()
    run = RunFolder.open(Path(of_first(lambda: str(make().path))))
    talk = _Here(run, hear)
    if is_first():
        with run.beginning():
            run.hold(os.getpid())
    with _asked_to_stop(talk), _log(run) as log, redirect_stdout(log), redirect_stderr(log):
        talk.emit(Stage(stage=StageName.STARTING))
        last = _last_word(TrainJob(str(run.path), resume=resume), run, talk)
        talk.emit(last)
    if is_first():
        run.release()
    return last


def _last_word(job: TrainJob, run: RunFolder, talk: "_Here") -> Last:
    try:
        return Finished(result=job.run(talk))
    except StopAsked as asked:
        return Stopped(step=asked.step, resumable=run.checkpoint() is not None)
    except Exception as error:
        traceback.print_exc()
        return Failed(problem=diagnose(error), resumable=True)


def _log(run: RunFolder) -> IO[str]:
    """Where what libraries print goes: into the run's log on the first process, nowhere on the others."""
    path = run.log_file if is_first() else Path(os.devnull)
    return path.open("a", buffering=1, encoding="utf-8", errors="replace")


@contextmanager
def _asked_to_stop(talk: "_Here") -> Iterator[None]:
    """A signal asks for the end while the block lasts; it comes after the step that is being taken."""
    kinds = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(kind, lambda _signal, _frame: talk.stop()) for kind in kinds]
    try:
        yield
    finally:
        for kind, handler in zip(kinds, before, strict=True):
            signal.signal(kind, handler)


class _Here:
    """A Talk in this process: on the first one events go into the record of `run` and to `hear`."""

    def __init__(self, run: RunFolder, hear: Callable[[RunFolder, Event], None]) -> None:
        self._run, self._hear = run, hear
        self._record = Record(run.events_file)
        self._readings = Readings(Meter(os.getpid(), _card()), LOOK_EVERY)
        self._stop = self._trained = False
        self._due = 0.0
        self._lock = threading.Lock()

    def emit(self, event: Event) -> None:
        if not is_first():
            return
        # other threads have a word too
        with self._lock:
            self._take_down(event)

    def _take_down(self, event: Event) -> None:
        self._trained = self._trained or isinstance(event, StepDone)
        readings = self._readings.new() if isinstance(event, StepDone) else ()
        for each in (*self._with_less_memory(event), event, *readings):
            self._record.add(encode(each))
            self._hear(self._run, each)
        if isinstance(event, Last):
            self._record.close()

    def _with_less_memory(self, event: Event) -> Iterator[Noted]:
        """Change the plan of a training whose memory ran out for whoever resumes it, and say so.

        A fresh process cannot take the place of one that `accelerate launch` watches (core.jobs.comeback).
        """
        if not (self._trained and isinstance(event, Failed) and event.problem.code is Code.GPU_MEMORY):
            return
        below = gentler(self._run.plan())
        if below is not None:
            self._run.step_down(below)
            yield Noted(code="memory_smaller", facts={"step": self._run.checkpoint_step(), "plan": to_plain(below)})

    def stop(self) -> None:
        """Ask for the end."""
        self._stop = True

    @property
    def stop_requested(self) -> bool:
        if is_first() and time.monotonic() > self._due:
            self._due = time.monotonic() + LOOK_EVERY
            self._stop = self._stop or any(isinstance(order, Stop) for order in self._run.orders())
        return self._stop

    @property
    def pause(self) -> None:
        return None

    def next_command(self) -> Command:
        return Stop()


def _card() -> int:
    """The card of this process, counted as NVML does."""
    visible = [part for part in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if part.strip().isdigit()]
    local = int(os.environ.get("LOCAL_RANK", "0"))
    return int(visible[local]) if local < len(visible) else local
