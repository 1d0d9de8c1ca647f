"""Adapters that take 16-bit inputs as they are: the same learning, with less memory."""

import copy
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

from core.engine.halves import without_copies
from core.engine.livepeak import LivePeak
from tests.engine.test_masks import SMALL

IDS = torch.arange(2, 66)[None]


@pytest.fixture(scope="module")
def adapted() -> Any:
    torch.manual_seed(0)
    base = LlamaForCausalLM(LlamaConfig(**SMALL)).to(torch.bfloat16)
    model = get_peft_model(base, LoraConfig(r=4, target_modules=["q_proj", "k_proj", "v_proj", "gate_proj", "up_proj"]))
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            parameter.data.normal_(0, 0.05)
    return model


def learned(model: Any, half: bool) -> tuple[list[torch.Tensor], int]:
    """Gradients of a step, and the bytes that live in its worst moment."""
    with LivePeak([*model.parameters(), *model.buffers(), IDS]) as meter:
        meter.begin("all")
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            loss = model(input_ids=IDS, labels=IDS).loss
        loss.backward()
    found = [p.grad for p in model.parameters() if p.grad is not None]
    model.zero_grad()
    return found, meter.worst["all"].live


def test_the_same_is_learned_with_less(adapted: Any) -> None:
    """Bit for bit under autocast, in less memory; without autocast nothing changes."""
    ours = without_copies(copy.deepcopy(adapted))
    for half in (True, False):
        (usual, before), (found, after) = learned(adapted, half), learned(ours, half)
        assert all(torch.equal(a, b) for a, b in zip(usual, found, strict=True))
        # three copies less a layer: k and v share that of q, up shares that of gate
        assert before - after >= 3 * 4 * 2 * 64 * IDS.numel() if half else after == before


def test_dora_is_left_alone() -> None:
    """It measures weights in the format of its input: in 16 bits they would be off."""
    base = LlamaForCausalLM(LlamaConfig(**SMALL | {"num_hidden_layers": 1})).to(torch.bfloat16)
    model = without_copies(get_peft_model(base, LoraConfig(r=4, target_modules=["q_proj"], use_dora=True)))
    layer = model.get_submodule("base_model.model.model.layers.0.self_attn.q_proj")
    with torch.autocast("cpu", torch.bfloat16):
        assert layer._cast_input_dtype(torch.zeros(2, dtype=torch.bfloat16), torch.float32).dtype is torch.float32
