"""Bases held in 16, 8 and 4 bits: gradients flow, and evaluation does not spoil them."""

from pathlib import Path

import pytest
import torch

from core.engine.adapters import attach_new_adapter
from core.engine.loading import keep_trainable, load_base
from core.plan import Method, TrainingPlan

CPU = torch.device("cpu")


def gradients(model: torch.nn.Module, ids: torch.Tensor) -> list[torch.Tensor]:
    model.zero_grad()
    model(input_ids=ids, labels=ids).loss.backward()
    return [p.grad.clone() for p in model.parameters() if p.grad is not None]


@pytest.mark.parametrize("method", list(Method))
def test_gradients_are_the_same_before_and_after_an_evaluation(tiny_base: Path, method: Method) -> None:
    base = load_base(tiny_base, method, CPU)
    keep_trainable(base)
    model = attach_new_adapter(base, TrainingPlan(model="x", data=("x",), targets="full", dropout=0.0))
    torch.nn.init.ones_(next(p for n, p in model.named_parameters() if "lora_B" in n))
    ids = torch.randint(3, 250, (1, 12))
    model.train()
    before = gradients(model, ids)
    model.eval()
    with torch.no_grad():
        model(input_ids=ids)
    model.train()
    after = gradients(model, ids)
    assert before and len(before) == len(after)
    for one, other in zip(before, after, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("method", list(Method))
def test_only_the_adapter_is_trained(tiny_base: Path, method: Method) -> None:
    model = attach_new_adapter(load_base(tiny_base, method, CPU), TrainingPlan(model="x", data=("x",)))
    trained = {name for name, p in model.named_parameters() if p.requires_grad}
    assert trained and all("lora_" in name for name in trained)
    assert all(p.dtype == torch.float32 for p in model.parameters() if p.requires_grad)


def test_methods_hold_the_base_as_they_say(tiny_base: Path) -> None:
    sizes = {}
    for method in Method:
        model = load_base(tiny_base, method, CPU)
        weight = model.model.layers[0].mlp.down_proj.weight
        sizes[method] = weight.numel() * weight.element_size()
    assert sizes[Method.LORA] == 2 * sizes[Method.LORA8] == 4 * sizes[Method.QLORA]
