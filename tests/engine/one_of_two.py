"""One of two processes of a test: the command line, which also writes down how much of the base it holds.

BREAKS says which process runs out of memory, in the how manyth pass of training through the last layer, and stays
there. Before that neither of them can answer.
"""

import atexit
import json
import os
import time
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from torch.distributed.tensor import DTensor

from core.cli import run
from core.engine import samples, sharing, workshop
from core.engine.processes import place
from core.engine.targets import layers_path

_share = workshop.share


def share(model: PeftModel) -> None:
    """Share out the base, and look at it when all is over."""
    base = model.get_base_model()
    layers = base.get_submodule(layers_path(base))
    _share(model)
    atexit.register(_look, layers)
    if "BREAKS" not in os.environ:
        return
    samples._until = None
    process, passes = map(int, os.environ["BREAKS"].split(":"))
    if process == place():
        left = [passes]
        layers[-1].mlp.register_forward_pre_hook(lambda *_: _passed(left))


def _look(layers: torch.nn.Module) -> None:
    frozen = [each for each in layers.parameters() if not each.requires_grad]
    held = sum((each.to_local() if isinstance(each, DTensor) else each).nbytes for each in frozen)
    found = {"held": held, "whole": sum(each.nbytes for each in frozen)}
    Path(os.environ["SOLOTUNE_HOME"], f"held-{place()}.json").write_text(json.dumps(found), encoding="utf-8")


def _passed(left: list[int]) -> Any:
    left[0] -= torch.is_grad_enabled()
    if left[0] == 0:
        # a process that hangs at its end: only a look at what it said can end those that wait for it
        atexit.register(time.sleep, 3600)
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


class _LeftBehind:
    """Aborts the process that takes it apart, as threads of libraries may that are still at work."""

    #: Held here: so late the module's own names are gone.
    end = staticmethod(os.abort)

    def __del__(self) -> None:
        self.end()


if __name__ == "__main__":
    left_behind = _LeftBehind()
    workshop.share, sharing._GRACE, samples.ANSWER_TOKENS = share, 1.0, 12
    run()
