"""Checkpoints on disk: whole ones are marked, old ones go, and the random state of a step can be put back."""

import json
import random
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.files import sync_tree, write_text
from core.runs import COMPLETE

#: Whole checkpoints that are kept.
KEEP = 2


def seal(folder: Path, step: int) -> None:
    """Flush a checkpoint to the disk, then mark it whole; older ones go only after that."""
    sync_tree(folder)
    write_text(folder / COMPLETE, json.dumps({"step": step}))
    forget_old(folder.parent, keep=KEEP)


def forget_old(root: Path, keep: int) -> None:
    """Remove checkpoints beyond the newest `keep` whole ones; what is not whole is of no use either."""
    whole = sorted(root.glob(f"checkpoint-*/{COMPLETE}"), key=lambda p: int(p.parent.name.rpartition("-")[2]))
    kept = {p.parent for p in whole[-keep:]}
    for folder in root.glob("checkpoint-*"):
        if folder not in kept:
            shutil.rmtree(folder, ignore_errors=True)


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
