"""What an adapter changes in its base, read from its files: each weight's factors, and the biases that learned too."""

import json
from pathlib import Path
from typing import NamedTuple

import torch
from peft.utils.other import get_pattern_key
from safetensors.torch import load_file

_STEM = "base_model.model."


class Change(NamedTuple):
    """What becomes of one weight: W' = W + scale · B A (D1, D3, D4); with DoRA its rows then get the learned `size`."""

    a: torch.Tensor
    b: torch.Tensor
    scale: float
    size: torch.Tensor | None = None

    def merged(self, weight: torch.Tensor, *, transposed: bool = False) -> torch.Tensor:
        """The changed weight in fp32, in the layout that it came in: (out, in), or `transposed`."""
        rows = weight.float().T if transposed else weight.float()
        rows = rows + self.scale * (self.b @ self.a)
        if self.size is not None:
            rows = (self.size / torch.linalg.norm(rows, dim=1))[:, None] * rows
        return rows.T if transposed else rows


def read_factors(adapter: Path) -> dict[str, Change]:
    """Return module → its change. The scale is alpha/r, or alpha/sqrt(r) for rsLoRA; alpha may differ by layer."""
    config = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    weights = load_file(adapter / "adapter_model.safetensors")
    found: dict[str, Change] = {}
    for name, a in weights.items():
        if not name.endswith(".lora_A.weight"):
            continue
        module = name.removeprefix(_STEM).removesuffix(".lora_A.weight")
        b = weights[name.replace(".lora_A.", ".lora_B.")]
        patterns = config.get("alpha_pattern") or {}
        alpha, rank = patterns.get(get_pattern_key(patterns, module), config["lora_alpha"]), a.shape[0]
        scale = alpha / (rank**0.5 if config.get("use_rslora") else rank)
        size = weights.get(name.replace(".lora_A.weight", ".lora_magnitude_vector"))
        found[module] = Change(a.float(), b.float(), scale, None if size is None else size.float())
    return found


def read_biases(adapter: Path) -> dict[str, torch.Tensor]:
    """Return module → its learned bias; empty for most adapters."""
    weights = load_file(adapter / "adapter_model.safetensors")
    return {
        name.removeprefix(_STEM).removesuffix(".bias").removesuffix(".base_layer"): weight
        for name, weight in weights.items()
        if name.endswith(".bias") and ".lora_" not in name
    }
