"""Stand-ins for the heavy jobs: same fields, same events, a few milliseconds each."""

import os
import signal
import time
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from core.catalog import config_of, spec_of
from core.codec import to_plain
from core.commands import Predict, Say
from core.data.rows import DataReport, Shape
from core.events import (
    Answered,
    Evaluated,
    Fragment,
    Noted,
    Paused,
    Predicted,
    Saved,
    Stage,
    StageName,
    StepDone,
    WentOn,
)
from core.fit import UNFITTED, Constants
from core.hub.source import Listing, RemoteFile
from core.jobs.talk import Talk
from core.jobs.worker import StopAsked
from core.plan import TrainingPlan
from core.problems import Code, Trouble
from core.vram import Estimate

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
    """Counts some bytes and finishes with a folder."""

    model: str
    token: str = ""
    source: str = ""

    def run(self, talk: Talk) -> dict[str, Any]:
        for done in range(0, 100, 10):
            talk.emit(Stage(stage=StageName.DOWNLOADING, done=done * 10**6, total=100 * 10**6, unit="bytes"))
        return {"folder": str(Path.cwd())}


@dataclass(frozen=True)
class NoNetwork:
    """A download without a network."""

    model: str
    token: str = ""
    source: str = ""

    def run(self, talk: Talk) -> dict[str, Any]:
        raise Trouble(Code.NO_NETWORK, what=self.model)


@dataclass(frozen=True)
class Offered:
    """What a source says of a model; one called "gated" opens with the token "hf_right" only, "coded" is refused."""

    model: str
    token: str = ""
    source: str = ""

    def run(self, talk: Talk) -> dict[str, Any]:
        if "coded" in self.model:
            raise Trouble(Code.MODEL_CUSTOM_CODE)
        gated = "gated" in self.model
        if gated and self.token and self.token != "hf_right":
            raise Trouble(Code.TOKEN_REFUSED, model=self.model, source=self.source)
        files = (RemoteFile("config.json", 700), RemoteFile("model.safetensors", 4_000_000_300, "0" * 64))
        page = f"https://huggingface.co/{self.model}"
        listing = Listing(self.model, "huggingface", files, "main", page, gated, "apache-2.0")
        shut = gated and not self.token
        facts = {} if shut else config_of(spec_of("Qwen/Qwen2.5-0.5B-Instruct"))
        return {"listing": to_plain(listing), "bytes": listing.bytes, "waiting_bytes": 1_000_000_000, "facts": facts}


@dataclass(frozen=True)
class SlowFetch:
    """Brings half a model and then waits, hearing Pause and GoOn, until it is stopped."""

    model: str
    token: str = ""
    source: str = ""

    def run(self, talk: Talk) -> dict[str, Any]:
        held = False
        while not talk.stop_requested:
            if (talk.pause is not None) is not held:
                held = not held
                talk.emit(Paused(step=0) if held else WentOn(step=0))
            talk.emit(
                Stage(
                    stage=StageName.DOWNLOADING, done=2 * 10**9, total=4 * 10**9, unit="bytes",
                    pace=0.0 if held else 11.2e6, seconds=None if held else 180.0, files_done=5, files=12,
                )
            )  # fmt: skip
            time.sleep(0.02)
        raise StopAsked


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


@dataclass(frozen=True)
class DryRun:
    """Says that a plan needs as many gigabytes as its rank; rank 13 is no plan, and rank 666 ends it."""

    plan: TrainingPlan
    facts: dict[str, Any]
    keep_open: bool = False
    constants: Constants = UNFITTED

    def run(self, talk: Talk) -> dict[str, Any]:
        said: object = Predict(number=0, plan=dict(to_plain(self.plan)))
        while isinstance(said, Predict):
            rank = said.plan["rank"]
            if rank == 666:
                raise Trouble(Code.SYSTEM_MEMORY)
            problem = Trouble(Code.MODEL_UNSUPPORTED).problem if rank == 13 else None
            names = [part.name for part in fields(Estimate)]
            items = dict.fromkeys(names, 0) | {"weights": rank * 10**9}
            talk.emit(Predicted(number=said.number, total_bytes=rank * 10**9, items=items, problem=problem))
            said = talk.next_command()
        return {}


@dataclass(frozen=True)
class Inspect:
    """Finds 40 rows, counted with the tokenizer in the model's folder."""

    files: tuple[str, ...]
    model_folder: str = ""
    cleaning: Any = None
    columns: Any = None
    passage: int = 0
    keep: str = ""

    def run(self, talk: Talk) -> dict[str, Any]:
        report = DataReport(
            self.files, 40, 40, Shape.ALPACA, tokens={"longest": 300}, tokens_exact=True,
            tokens_model=self.model_folder, lengths=((320, 40),),
        )  # fmt: skip
        return dict(to_plain(report))


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
