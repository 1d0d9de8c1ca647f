"""Checkpoints on disk: whole ones are sealed, old ones go, and the random state of a step can be put back."""

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.disk import KEEP
from core.events import Noted, Saved, Stage, StageName
from core.jobs.talk import Talk
from core.runs import RunFolder
from core.seals import is_sound, is_whole, seal


def write_checkpoint(trainer: Any, write: Callable[[], object]) -> None:
    """Let `write` write the checkpoint of the trainer's newest step, seal it, and let older ones go.

    Without room for it training waits, and ends without it when it is asked to.
    """
    trainer.tell(Stage(stage=StageName.SAVING))
    root, step = Path(str(trainer.args.output_dir)), trainer.state.global_step
    folder = root / f"checkpoint-{step}"
    first = trainer.is_world_process_zero()

    def whole() -> None:
        try:
            if first:
                shutil.rmtree(folder, ignore_errors=True)
            trainer.accelerator.wait_for_everyone()
            write()
            trainer.accelerator.wait_for_everyone()
            if first:
                seal(folder, step=step)
        except Exception:
            # half a checkpoint takes room, and is of no use
            shutil.rmtree(folder, ignore_errors=True)
            raise

    if trainer.pausing is None or trainer.accelerator.num_processes > 1:
        whole()
    elif not trainer.pausing.saved(step, whole):
        return
    if first:
        forget_old(root, step)
    trainer.tell(Saved(step=step, path=f"{root.name}/{folder.name}"))
    trainer.tell(Stage(stage=StageName.TRAINING))


def forget_old(root: Path, step: int, keep: int = KEEP) -> None:
    """Remove all checkpoints but the `keep` newest whole ones up to `step`: later ones belong to a life given up."""
    whole = sorted((step_of(folder), folder) for folder in root.glob("checkpoint-*") if is_whole(folder))
    kept = [folder for at, folder in whole if at <= step][-keep:]
    for folder in root.glob("checkpoint-*"):
        if folder not in kept:
            shutil.rmtree(folder, ignore_errors=True)


def newest_sound(run: RunFolder, talk: Talk) -> Path | None:
    """The newest checkpoint of which every byte is as it was written; damaged ones are told and go."""
    for folder in run.sealed():
        if is_sound(folder):
            return folder
        shutil.rmtree(folder, ignore_errors=True)
        talk.emit(Noted(code="checkpoint_damaged", facts={"step": step_of(folder), "to": run.checkpoint_step()}))
    return None


def step_of(folder: Path) -> int:
    """The step of a checkpoint's folder."""
    tail = folder.name.rpartition("-")[2]
    return int(tail) if tail.isdigit() else -1


@dataclass(frozen=True)
class Chance:
    """The state of every source of random numbers that training draws from."""

    python: Any
    numpy: Any
    cpu: Tensor
    cuda: Tensor | None

    @classmethod
    def now(cls) -> "Chance":
        """Remember this moment."""
        cuda = torch.cuda.get_rng_state() if torch.cuda.is_available() else None
        return cls(random.getstate(), np.random.get_state(), torch.get_rng_state(), cuda)

    def put_back(self) -> None:
        """Draw again what was drawn since."""
        random.setstate(self.python)
        np.random.set_state(self.numpy)
        torch.set_rng_state(self.cpu)
        if self.cuda is not None:
            torch.cuda.set_rng_state(self.cuda)


def set_rate(optimizer: Any, scheduler: Any, rate: float) -> None:
    """Give a schedule that was loaded from a checkpoint the learning rate `rate`, from its next step on.

    That is the rate of the first group; others keep their ratio to it.
    """
    before = scheduler.base_lrs[0]
    if not before or before == rate:
        return
    scheduler.base_lrs = [each * rate / before for each in scheduler.base_lrs]
    for group in optimizer.param_groups:
        group["lr"], group["initial_lr"] = group["lr"] * rate / before, group["initial_lr"] * rate / before
    # what is logged as the rate of the next step
    scheduler._last_lr = [group["lr"] for group in optimizer.param_groups]
