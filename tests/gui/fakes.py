"""Stand-ins for the heavy jobs: same fields, same events, a few milliseconds each."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.events import Answered, Evaluated, Fragment, Noted, Saved, Say, Stage, StageName, StepDone
from core.jobs.talk import Talk
from core.jobs.worker import StopAsked
from core.problems import Code, Trouble

STEPS = 6


@dataclass(frozen=True)
class QuickTrain:
    """Six steps, an evaluation and an adapter."""

    run_folder: str
    resume: bool = False

    def run(self, talk: Talk) -> dict[str, Any]:
        talk.emit(Stage(stage=StageName.LOADING))
        talk.emit(Stage(stage=StageName.TRAINING))
        for step in range(1, STEPS + 1):
            talk.emit(step_done(step))
        talk.emit(Evaluated(step=STEPS, loss=1.1, perplexity=3.0))
        write_adapter(Path(self.run_folder))
        return {"adapter": str(Path(self.run_folder) / "adapter")}


@dataclass(frozen=True)
class LongTrain:
    """Trains until it is asked to stop, then saves."""

    run_folder: str
    resume: bool = False

    def run(self, talk: Talk) -> dict[str, Any]:
        talk.emit(Stage(stage=StageName.TRAINING))
        step = 0
        while not talk.stop_requested:
            step += 1
            talk.emit(step_done(step, total=100_000))
            time.sleep(0.01)
        talk.emit(Saved(step=step, path="checkpoints/checkpoint-1"))
        Path(self.run_folder, "saved.txt").write_text(str(step))
        raise StopAsked(step)


@dataclass(frozen=True)
class DyingTrain:
    """Its process is killed after three steps."""

    run_folder: str
    resume: bool = False

    def run(self, talk: Talk) -> dict[str, Any]:
        talk.emit(Stage(stage=StageName.TRAINING))
        for step in range(1, 4):
            talk.emit(step_done(step))
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGKILL)
        return {}


@dataclass(frozen=True)
class HungryTrain:
    """Runs out of the card's memory."""

    run_folder: str
    resume: bool = False

    def run(self, talk: Talk) -> dict[str, Any]:
        talk.emit(Stage(stage=StageName.TRAINING))
        raise Trouble(Code.GPU_MEMORY, step=1)


@dataclass(frozen=True)
class Chat:
    """Answers every question with the name of the side that was asked."""

    run_folder: str
    questions: tuple[str, ...] = ()
    keep_open: bool = True
    base: str = "original"

    def run(self, talk: Talk) -> dict[str, Any]:
        talk.emit(Stage(stage=StageName.LOADING))
        talk.emit(Stage(stage=StageName.ANSWERING))
        while isinstance(said := talk.next_command(), Say):
            question = said.messages[-1]["content"]
            for side in said.sides:
                for piece in (f"{side} ", f"says {len(said.messages)}"):
                    talk.emit(Fragment(side=side, text=piece))
                talk.emit(Answered(side=side, question=question, answer=f"{side} says {len(said.messages)}"))
        return {"answers": []}


@dataclass(frozen=True)
class Merge:
    """Writes a folder and says that every answer agreed."""

    run_folder: str
    target: str
    questions: tuple[str, ...] = ()

    def run(self, talk: Talk) -> dict[str, Any]:
        talk.emit(Stage(stage=StageName.MERGING))
        target = Path(self.target)
        target.mkdir(parents=True)
        (target / "config.json").write_text("{}")
        talk.emit(Stage(stage=StageName.REPLAYING, done=3, total=10, unit="answers"))
        return {"folder": self.target, "verified": True, "agreement": 1.0, "replayed": 10, "bytes": 2}


@dataclass(frozen=True)
class Fetch:
    """Counts some bytes and finishes with a folder; "broken" in the model's name fails."""

    model: str

    def run(self, talk: Talk) -> dict[str, Any]:
        for done in range(0, 100, 10):
            talk.emit(Stage(stage=StageName.DOWNLOADING, done=done * 10**6, total=100 * 10**6, unit="bytes"))
        return {"folder": str(Path.cwd())}


@dataclass(frozen=True)
class NoNetwork:
    """A download without a network."""

    model: str

    def run(self, talk: Talk) -> dict[str, Any]:
        raise Trouble(Code.NO_NETWORK, what=self.model)


@dataclass(frozen=True)
class Flood:
    """Says more than anybody wants to hear."""

    count: int

    def run(self, talk: Talk) -> dict[str, Any]:
        for number in range(self.count):
            talk.emit(Noted(code="flood", facts={"number": number}))
        return {"said": self.count}


@dataclass(frozen=True)
class Idle:
    """Waits to be stopped."""

    def run(self, talk: Talk) -> dict[str, Any]:
        while not talk.stop_requested:
            time.sleep(0.01)
        raise StopAsked(0)


@dataclass(frozen=True)
class Killed:
    """Dies without a word."""

    def run(self, talk: Talk) -> dict[str, Any]:
        os.kill(os.getpid(), signal.SIGKILL)
        return {}


def step_done(step: int, total: int = STEPS) -> StepDone:
    return StepDone(
        step=step,
        total_steps=total,
        epoch=step / total,
        loss=3.0 / step,
        learning_rate=2e-4,
        trained_tokens=100,
        seconds=0.5,
    )


def write_adapter(run: Path) -> None:
    folder = run / "adapter"
    folder.mkdir(exist_ok=True)
    (folder / "adapter_model.safetensors").write_bytes(b"0" * 1000)
