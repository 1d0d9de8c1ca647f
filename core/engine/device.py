"""Where the work runs and in which number format: the first CUDA card, else the processor."""

from pathlib import Path

import torch

from core.files import tree_bytes


def device() -> torch.device:
    """The card when torch can use one, else the processor."""
    return torch.device("cuda", 0) if torch.cuda.is_available() else torch.device("cpu")


def compute_dtype(where: torch.device) -> torch.dtype:
    """bf16 where it is real arithmetic (capability 8.0 and up, and on processors), else fp16."""
    if where.type == "cpu" or torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.bfloat16
    return torch.float16


def device_for_weights(folder: Path) -> torch.device:
    """The card when the 16-bit weights of `folder` fit into what is free on it, with a quarter to spare."""
    where = device()
    if where.type == "cuda":
        free, _total = torch.cuda.mem_get_info(where)
        if tree_bytes(folder) * 1.25 > free:
            return torch.device("cpu")
    return where
