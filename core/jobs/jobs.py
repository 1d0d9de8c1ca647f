"""The jobs: small frozen requests that cross into a process of their own and run there.

Only here does the way lead to core.engine, and only when a job runs: importing this module loads no torch.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.events import Side, Stage, StageName
from core.jobs.talk import StopAsked, Talk
from core.plan import TrainingPlan
from core.runs import RunFolder


@dataclass(frozen=True)
class InspectJob:
    """Read data files and report on them. Result: a DataReport as plain values."""

    files: tuple[str, ...]

    def run(self, talk: Talk) -> dict[str, Any]:
        from core.codec import to_plain
        from core.data.inspect import inspect_files

        report = inspect_files(self.files, _progress(talk, StageName.READING), lambda: talk.stop_requested)
        if talk.stop_requested:
            raise StopAsked
        return dict(to_plain(report))


@dataclass(frozen=True)
class FetchJob:
    """Bring a model onto this computer. Result: `folder`."""

    model: str

    def run(self, talk: Talk) -> dict[str, Any]:
        from core.engine.convert import convert_gguf
        from core.hub import fetch
        from core.settings import load, models_root

        return {"folder": str(fetch(self.model, models_root(load()), _teller(talk), convert_gguf))}


@dataclass(frozen=True)
class TrainJob:
    """Train the run in folder `run`, from its newest checkpoint when `resume`. Result: `adapter`, losses, steps."""

    run_folder: str
    resume: bool = False

    def run(self, talk: Talk) -> dict[str, Any]:
        _choose_card(self.run_folder)
        from core.engine.train import train

        return train(Path(self.run_folder), talk, resume=self.resume)


@dataclass(frozen=True)
class ChatJob:
    """Load a run's base and adapter once and answer `Say` commands until stopped.

    `questions` are answered first, by the weights in `sides`; with `keep_open` False the job ends after them.
    `base` is "original" (the 16-bit weights), "trained" (held as during training), or "auto": original when it
    fits the card. Result: `answers` (question, before, after), `base`.
    """

    run_folder: str
    questions: tuple[str, ...] = ()
    keep_open: bool = True
    base: str = "auto"
    sides: tuple[Side, ...] = (Side.BASE, Side.TUNED)

    def run(self, talk: Talk) -> dict[str, Any]:
        _choose_card(self.run_folder)
        from core.engine.chat import chat

        return chat(Path(self.run_folder), talk, self.questions, self.sides, keep_open=self.keep_open, base=self.base)


@dataclass(frozen=True)
class MergeJob:
    """Merge a run's adapter into the original 16-bit base and replay `questions` on the result.

    Result: `folder`, `verified`, `agreement`, `replayed`, `bytes`.
    """

    run_folder: str
    target: str
    questions: tuple[str, ...] = ()

    def run(self, talk: Talk) -> dict[str, Any]:
        _choose_card(self.run_folder)
        from core.engine.merge import merge

        return merge(Path(self.run_folder), Path(self.target), talk, self.questions)


@dataclass(frozen=True)
class DryRunJob:
    """Predict the memory of `plan` for the model of the config.json at `config` with the real modules, without a card.

    Result: `total_bytes`, `items`, `seconds`, `trained_parameters`, `source`.
    """

    plan: TrainingPlan
    config: str
    adapter_bytes: int = 4

    def run(self, _talk: Talk) -> dict[str, Any]:
        from core.engine.dryrun import dry_run

        found = dry_run(Path(self.config), self.plan, adapter_bytes=self.adapter_bytes)
        return {
            "total_bytes": found.estimate.total_bytes,
            "items": found.estimate.items(),
            "seconds": found.seconds,
            "trained_parameters": found.trained_parameters,
            "source": "dry run",
        }


Job = InspectJob | FetchJob | TrainJob | ChatJob | MergeJob | DryRunJob


def _progress(talk: Talk, stage: StageName) -> Callable[[int, int], None]:
    return lambda done, total: talk.emit(Stage(stage=stage, done=done, total=total, unit="bytes"))


def _teller(talk: Talk) -> Callable[[StageName, int, int], None]:
    """Progress of a download as events; raises StopAsked when the user cancelled."""

    def tell(stage: StageName, done: int, total: int) -> None:
        talk.emit(Stage(stage=stage, done=done, total=total, unit="bytes"))
        if talk.stop_requested:
            raise StopAsked

    return tell


def _choose_card(run_folder: str) -> None:
    """Show torch the plan's card only; must come before torch starts CUDA. An own choice in the environment wins."""
    card = RunFolder.open(Path(run_folder)).plan().card
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", str(card))
