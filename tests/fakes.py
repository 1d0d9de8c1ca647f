"""Jobs that behave badly on purpose, and helpers to run jobs in tests; importable by spawned children."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.events import Event, Last, Noted, Paused, Saved, Stage, StageName, WentOn
from core.jobs.jobs import TrainJob
from core.jobs.process import JobProcess
from core.jobs.talk import StopAsked, Talk
from core.plan import TrainingPlan
from core.problems import Code, Trouble
from core.runs import RunFolder


@dataclass(frozen=True)
class Says:
    """Emits `count` notes and finishes."""

    count: int = 3

    def run(self, talk: Talk) -> dict[str, Any]:
        for i in range(self.count):
            talk.emit(Noted(code="n", facts={"i": i}))
        return {"said": self.count}


@dataclass(frozen=True)
class Ends:
    """Ends in a way of its own: "exit", "crash", "kill", "raise", "trouble", "memory", "silent"."""

    how: str

    def run(self, talk: Talk) -> dict[str, Any]:
        talk.emit(Stage(stage=StageName.LOADING))
        print("last words", flush=True)
        time.sleep(0.2)
        if self.how == "exit":
            os._exit(3)
        if self.how == "silent":
            os._exit(0)
        if self.how == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if self.how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.how == "trouble":
            raise Trouble(Code.DATA_EMPTY, path="x.json")
        if self.how == "memory":
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        raise ValueError("no reason at all")


@dataclass(frozen=True)
class Waits:
    """Works until asked to stop; deaf when `deaf`, and deaf to SIGTERM too when `stubborn`."""

    deaf: bool = False
    stubborn: bool = False
    mark: str = ""

    def run(self, talk: Talk) -> dict[str, Any]:
        if self.stubborn:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        talk.emit(Stage(stage=StageName.TRAINING))
        while self.deaf or not talk.stop_requested:
            time.sleep(0.02)
        if self.mark:
            Path(self.mark).write_text("saved")
            talk.emit(Saved(step=7, path="checkpoints/checkpoint-7"))
        raise StopAsked(7)


@dataclass(frozen=True)
class Obeys:
    """Takes steps until asked to stop, and waits between two of them from a Pause to the next GoOn."""

    def run(self, talk: Talk) -> dict[str, Any]:
        talk.emit(Stage(stage=StageName.TRAINING))
        waits = False
        while not talk.stop_requested:
            time.sleep(0.01)
            pause = talk.pause
            if pause is not None and not waits:
                talk.emit(Paused(step=1, reason=pause.reason))
            elif pause is None and waits:
                talk.emit(WentOn(step=1))
            waits = pause is not None
        raise StopAsked(1)


def happenings(job: object, run: RunFolder | None = None, **more: Any) -> list[Event]:
    """Run a job to its end and return all its events."""
    process = JobProcess(job, run=run, **more)
    process.start()
    return list(process.events())


def last_of(job: object, run: RunFolder | None = None, **more: Any) -> Last:
    """Run a job to its end and return its last event."""
    last = happenings(job, run, **more)[-1]
    assert isinstance(last, Last)
    return last


def new_run(root: Path, **more: Any) -> RunFolder:
    """A fresh run folder with a small plan."""
    settings = {
        "model": "tiny",
        "data": ("x.jsonl",),
        "targets": "full",
        "batch": 2,
        "accumulation": 1,
        "tokens": 128,
        "epochs": 1.0,
        "save_every": 2,
        "evaluate_every": 2,
        "patience": 0,
    }
    return RunFolder.create(root, TrainingPlan(**(settings | more)))


@dataclass(frozen=True)
class RunsOut(TrainJob):
    """A training that runs out of memory before step `at`, while a micro-batch holds more than one row.

    It waits for the file `mark` to be there before it does.
    """

    at: int = 5
    mark: str = ""

    def run(self, talk: Talk) -> dict[str, Any]:
        import torch

        from core.engine.trainer import SoloTrainer

        real, large = SoloTrainer._summed_loss, RunFolder(Path(self.run_folder)).plan().batch > 1

        def loss(trainer: Any, batch: Any) -> torch.Tensor:
            if large and trainer.model.training and trainer.state.global_step == self.at - 1:
                while self.mark and not Path(self.mark).exists():
                    time.sleep(0.02)
                raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
            return real(trainer, batch)

        SoloTrainer._summed_loss = loss  # type: ignore[method-assign]
        return super().run(talk)
