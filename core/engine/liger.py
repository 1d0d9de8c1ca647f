"""Whether Liger's Triton kernels do norms, rotations and gated MLPs of a run, decided from what there is."""

import importlib
import importlib.util
from typing import Any

import torch

#: Our own loss head is used: Liger's fused one would count other tokens (docs: the loss of a step).
KERNELS = {"rope": True, "swiglu": True, "rms_norm": True, "cross_entropy": False, "fused_linear_cross_entropy": False}


def liger_settings(model_type: str, where: torch.device, families: frozenset[str] | None = None) -> dict[str, Any]:
    """Settings of transformers' TrainingArguments that switch Liger on, {} where it cannot run.

    It takes a CUDA card, Triton, the package liger_kernel, and a family that it has kernels for (`families`, by default
    those of the installed package). Not measured by this project yet.
    """
    if where.type != "cuda" or not _there("triton") or not _there("liger_kernel"):
        return {}
    known = _families() if families is None else families
    return {"use_liger_kernel": True, "liger_kernel_config": dict(KERNELS)} if model_type in known else {}


def _there(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def _families() -> frozenset[str]:
    # no dependency of ours: it is there where somebody installed it
    patches: Any = importlib.import_module("liger_kernel.transformers.monkey_patch")
    return frozenset(patches.MODEL_TYPE_TO_APPLY_LIGER_FN)
