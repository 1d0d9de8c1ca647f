"""Alone: a training whose window is gone keeps its record, measures, stands guard and hears orders by itself."""

import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from core.commands import Command
from core.events import Event, Failed, Last, Stopped
from core.jobs.comeback import Again, Comeback
from core.jobs.guard import Guards
from core.jobs.jobs import TrainJob
from core.jobs.measure import Meter, Readings
from core.problems import Code, Problem
from core.record import Record, Spoken
from core.runs import RunFolder
from core.wire import encode

#: Seconds between two looks for orders, and between two readings of the card.
LOOK_EVERY = 0.5
MEASURE_EVERY = 1.0
#: Seconds that a job gets to notice by itself that its card is gone.
LOST_GRACE = 15.0


class Alone:
    """Stands beside the training of `run` in its own process; `hear` takes commands, `asked` says if it shall end."""

    def __init__(self, run: RunFolder, job: object, hear: Callable[[Command], None], asked: Callable[[], bool]) -> None:
        self._run, self._hear, self._asked = run, hear, asked
        self._guards = Guards(run, hear)
        self._comeback = Comeback(run, job) if isinstance(job, TrainJob) else None
        self._spoken = Spoken()
        self._record: Record | None = None

    def passed_on(self, event: Event, line: str) -> None:
        """Take in what was handed to the parent, which writes it down for as long as it lives."""
        self._spoken.add(line)
        self._heard(event)

    def write(self, event: Event) -> None:
        """Write down what happened; first of all what the parent was told and did not write any more."""
        if self._record is None:
            self._record = Record(self._run.events_file)
            for line in self._spoken.missing(self._run.events_file):
                self._record.add(line)
        if isinstance(event, Last):
            self._end(event, self._record)
        else:
            self._record.add(encode(event))
            self._heard(event)

    def live(self, emit: Callable[[Event], None]) -> None:
        """Do what the window did, until the process ends."""
        readings = Readings(Meter(os.getpid(), self._run.plan().card), MEASURE_EVERY)
        while readings.lost_for <= LOST_GRACE:
            try:
                for command in self._run.orders():
                    self._guards.said(command)
                    self._hear(command)
                for event in readings.new():
                    emit(event)
            except Exception:  # a disk that fails, a driver: whatever comes, the next order must be heard
                traceback.print_exc()
            time.sleep(LOOK_EVERY)
        # it hangs in a driver that waits for the card
        emit(Failed(problem=Problem(Code.GPU_LOST)))
        time.sleep(LOOK_EVERY)
        os._exit(1)

    def _heard(self, event: Event) -> None:
        self._guards.heard(event)
        if self._comeback is not None:
            self._comeback.heard(event)

    def _end(self, last: Last, record: Record) -> None:
        """Write down the end, or begin again where that mends it."""
        again = self._comeback.after(last) if self._comeback is not None and not self._asked() else None
        if again is not None:
            for note in again.notes:
                record.add(encode(note))
            record.close()
            self._succeeded(again)
            return
        if isinstance(last, Failed):
            last = replace(last, resumable=True)
        elif isinstance(last, Stopped):
            last = replace(last, resumable=self._run.checkpoint() is not None)
        record.add(encode(last))
        record.close()
        self._run.release()

    def _succeeded(self, again: Again) -> None:
        """Start a process that goes on as soon as this one has ended, and holds the run from now on."""
        command = [sys.executable, "-P", "-m", "core.jobs.supervise", again.job.run_folder, str(os.getpid())]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        apart: dict[str, int | bool] = {"start_new_session": True}
        if sys.platform == "win32":
            apart = {"creationflags": subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP}
        with Path(os.devnull).open("rb+") as nowhere:
            started = subprocess.Popen(
                command, stdin=nowhere, stdout=nowhere, stderr=nowhere, env=environment, **apart  # type: ignore[call-overload]
            )  # fmt: skip
        self._run.hold(started.pid)
