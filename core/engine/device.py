"""Where the work runs and in which number format: the first CUDA card, else the processor."""

import os
from pathlib import Path
from typing import Any

import psutil
import torch

from core.files import tree_bytes


def device() -> torch.device:
    """The card when torch can use one, else the processor; each of several processes (accelerate) has its own card."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())


def compute_dtype(where: torch.device) -> torch.dtype:
    """bf16 where it is real arithmetic (capability 8.0 and up, and on processors), else fp16."""
    if where.type == "cpu" or torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.bfloat16
    return torch.float16


def autocast(where: torch.device) -> Any:
    """Compute in 16 bits: fp32 adapters then keep 16-bit copies of their inputs, not 32-bit ones.

    The context manager of training and of evaluation on `where`.
    """
    return torch.autocast(where.type, compute_dtype(where))


def replay_place(folder: Path) -> tuple[torch.device, torch.dtype]:
    """Where and in which format exports are replayed: fp32 wherever twice the 16-bit weights of `folder` fit.

    Between two words that are equally likely the rounding of 16-bit arithmetic decides, differently on every device
    (measured on the starter model: logits are 0.1 off in bf16 for adapter and merged model alike, while what merging
    itself changes is 0.03). In fp32 the weights are compared, not the arithmetic.
    """
    needed = 2.5 * tree_bytes(folder)
    where = device()
    if where.type == "cuda" and torch.cuda.mem_get_info(where)[0] > needed:
        return where, torch.float32
    if psutil.virtual_memory().available > needed:
        return torch.device("cpu"), torch.float32
    where = device_for_weights(folder)
    return where, compute_dtype(where)


def device_for_weights(folder: Path) -> torch.device:
    """The card when the 16-bit weights of `folder` fit into what is free on it, with a quarter to spare."""
    where = device()
    if where.type == "cuda":
        free, _total = torch.cuda.mem_get_info(where)
        if tree_bytes(folder) * 1.25 > free:
            return torch.device("cpu")
    return where
