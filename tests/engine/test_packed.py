"""Which models keep rows apart that share a sequence: measured, and as config.json says it."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from core.engine import packed
from core.engine.packed import packing_is_exact
from core.modelconfig import architecture_of
from tests.engine.test_masks import SMALL, WINDOWS

LINEAR = {
    "layer_types": ["linear_attention", "full_attention"] * 2, "linear_num_key_heads": 4, "linear_num_value_heads": 4,
    "linear_key_head_dim": 16, "linear_value_head_dim": 16,
}  # fmt: skip
MAMBA = {"mamba_n_heads": 8, "mamba_d_head": 16, "mamba_d_state": 16}
#: Apart on the processor alone, where attention goes row by row: its masks do not look at positions.
ROW_BY_ROW = {"opt"}
FAMILIES: dict[str, tuple[dict[str, Any], bool]] = {
    "llama": ({}, True),
    "qwen3": ({}, True),
    "gemma2": ({"sliding_window": 8}, True),
    "gemma3_text": (WINDOWS, True),
    "gpt2": ({}, True),
    "mixtral": ({"num_local_experts": 4}, True),
    "gpt_oss": ({"num_local_experts": 4, "num_experts_per_tok": 2, "sliding_window": 8}, False),
    "bloom": ({}, False),
    "opt": ({"ffn_dim": 128, "word_embed_proj_dim": 64}, False),
    "mamba": ({}, False),
    "lfm2": ({"layer_types": ["conv", "conv", "full_attention", "conv"], "block_ff_dim": 128}, False),
    "falcon_h1": (MAMBA | {"mamba_d_ssm": 128, "mamba_n_groups": 1}, False),
    "granitemoehybrid": (MAMBA | {"layer_types": ["mamba", "attention"] * 2, "num_local_experts": 0}, False),
    "qwen3_5_text": (LINEAR, False),
}
IDS = torch.arange(3, 60)[None] * 7 % 290 + 3


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("family", FAMILIES)
def test_measured_and_known(family: str) -> None:
    """In fp32 and in 16 bits; what is predicted from config.json is what is measured."""
    facts, known = FAMILIES[family]
    kept = known or family in ROW_BY_ROW
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(family, **SMALL | facts), dtype=torch.float32).train()
    for dtype in (torch.float32, torch.bfloat16):
        assert packing_is_exact(model.to(dtype), IDS) is kept
    assert packing_is_exact(model, IDS[:, :3]) is kept and model.training
    assert architecture_of({"model_type": family} | SMALL | facts).packs is known


def test_eight_bits_are_judged_by_their_rows_alone() -> None:
    """Columns that bitsandbytes keeps apart are chosen over the whole batch: one row would change another."""
    layer = torch.nn.Linear(2, 2)
    layer.state = SimpleNamespace(threshold=6.0)  # type: ignore[assignment]
    model = torch.nn.Sequential(layer)
    with pytest.raises(ZeroDivisionError), packed._each_row_for_itself(model):
        assert layer.state.threshold == 0.0
        1 / 0  # noqa: B018
    assert layer.state.threshold == 6.0
