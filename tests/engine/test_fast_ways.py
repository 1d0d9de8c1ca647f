"""The fast ways of a step compute what the plain ones do: fused LoRA, loss with its gradient, attention row by row."""

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from torch.nn.functional import cross_entropy

from core.engine import loss as losses
from core.engine.adapters import attach_new_adapter
from core.engine.device import autocast
from core.engine.documents import borders_of, row_by_row
from core.engine.fused import fuse
from core.engine.loading import load_base
from core.engine.loss import hidden_states, tiled_loss
from core.engine.masks import shared_masks
from core.engine.steps import tensors
from core.plan import Method, TrainingPlan

CPU = torch.device("cpu")
ROWS = [{"input_ids": list(range(5, 5 + n)), "labels": [-100] * (n // 2) + list(range(5 + n // 2, 5 + n))}
        for n in (9, 17, 30)]  # fmt: skip


def adapted(folder: Path, method: Method, where: torch.device = CPU, **more: Any) -> PeftModel:
    """The tiny model with an adapter that does something."""
    torch.manual_seed(0)
    plan = TrainingPlan(model="tiny", data=("x",), method=method, targets="full", rank=4, **({"dropout": 0.0} | more))
    model = attach_new_adapter(load_base(folder, method, where), plan)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.05)
    return model.train()


def learned(model: PeftModel, batch: dict[str, torch.Tensor], *, apart: bool = False) -> tuple[float, torch.Tensor]:
    """Loss and all gradients of a step."""
    base = model.get_base_model()
    batch = {name: tensor.to(base.device) for name, tensor in batch.items()}
    given = {name: tensor for name, tensor in batch.items() if name != "labels"}
    model.zero_grad()
    with autocast(base.device), shared_masks(), row_by_row(given.get("position_ids") if apart else None) as is_apart:
        assert is_apart == apart
        loss = tiled_loss(hidden_states(base, **given), batch["labels"], base.get_output_embeddings())
        loss.backward()
    return loss.item(), torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])


def assert_like(one: tuple[float, torch.Tensor], other: tuple[float, torch.Tensor], close: float) -> None:
    assert one[0] == pytest.approx(other[0], rel=close)
    assert (one[1] - other[1]).norm() <= 3 * close * other[1].norm()


@pytest.mark.parametrize("method", [Method.LORA, Method.QLORA])
def test_fused_modules_learn_the_same(tiny_base: Path, method: Method) -> None:
    model, batch = adapted(tiny_base, method), tensors([[row] for row in ROWS], pad=2)
    plain = learned(model, batch)
    assert fuse(model) == 14
    assert_like(learned(model, batch), plain, 0.01)
    # peft's own way is there again where the base alone is asked
    with model.disable_adapter(), torch.no_grad(), autocast(CPU):
        base = model(batch["input_ids"]).logits
    with torch.no_grad(), autocast(CPU):
        assert not torch.allclose(model.eval()(batch["input_ids"]).logits, base)


def test_a_fused_product_is_exact_in_full_precision() -> None:
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(0)
    settings = LoraConfig(r=3, lora_alpha=5, target_modules=["0"], lora_dropout=0.0, init_lora_weights=False)
    model = get_peft_model(torch.nn.Sequential(torch.nn.Linear(8, 6)), settings).double()
    x = torch.randn(2, 5, 8, dtype=torch.double, requires_grad=True)
    plain = torch.autograd.grad(model(x).square().sum(), [x, *[p for p in model.parameters() if p.requires_grad]])
    assert fuse(model) == 1
    # Llama 4 and others add to what a module put out, in its place
    y = model(x)
    y[:, :2] += 0.0
    fused = torch.autograd.grad(y.square().sum(), [x, *[p for p in model.parameters() if p.requires_grad]])
    for one, other in zip(fused, plain, strict=True):
        torch.testing.assert_close(one, other)


def test_dropout_of_a_fused_module_drops_alike_in_both_passes() -> None:
    """Where nothing reaches the base, the gradient of the input is zero exactly where the input was dropped."""
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(0)
    settings = LoraConfig(r=64, lora_alpha=64, target_modules=["0"], lora_dropout=0.25, init_lora_weights=False)
    model = get_peft_model(torch.nn.Sequential(torch.nn.Linear(400, 400)), settings)
    torch.nn.init.zeros_(model.base_model.model[0].base_layer.weight)
    fuse(model)
    x = torch.ones(50, 400, requires_grad=True)
    y = model(x)
    (gradient,) = torch.autograd.grad(y.sum(), x)
    kept = gradient != 0
    assert 0.73 < kept.float().mean() < 0.77
    adapter = model.base_model.model[0]
    low, high = adapter.lora_A["default"].weight, adapter.lora_B["default"].weight
    bias = adapter.base_layer.bias
    torch.testing.assert_close(y, (x * kept / 0.75) @ low.t() @ high.t() + bias, rtol=1e-3, atol=1e-3)
    model.eval()
    torch.testing.assert_close(model(x), x @ low.t() @ high.t() + bias, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(("bias", "learned"), [(True, False), (False, False), (True, True)])
def test_the_loss_head_is_plain_cross_entropy_gradient_and_all(
    bias: bool, learned: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(losses, "TILE", 7)
    torch.manual_seed(0)
    head = torch.nn.Linear(16, 50, bias=bias).requires_grad_(False)
    wanted = [head.bias.requires_grad_()] if learned else []
    hidden = torch.randn(3, 20, 16, requires_grad=True)
    labels = torch.randint(0, 50, (3, 20))
    labels[:, :8] = -100
    summed = 2.5 * tiled_loss(hidden, labels, head)
    plain = 2.5 * cross_entropy(head(hidden[:, :-1]).flatten(0, 1), labels[:, 1:].flatten(), reduction="sum")
    torch.testing.assert_close(summed, plain)
    for one, other in zip(*(torch.autograd.grad(each, [hidden, *wanted]) for each in (summed, plain)), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("checkpointing", ["none", "full"])
def test_attention_row_by_row_learns_the_same(tiny_base: Path, checkpointing: str) -> None:
    from core.engine.loading import recompute

    model = adapted(tiny_base, Method.LORA)
    recompute(model.get_base_model(), TrainingPlan(model="tiny", data=("x",), checkpointing=checkpointing))
    batch = tensors([[ROWS[0], ROWS[2]], [ROWS[1]]], pad=2)
    assert borders_of(batch["position_ids"]) == [[(0, 9), (9, 40)], [(0, 40)]]
    assert_like(learned(model, batch, apart=True), learned(model, batch), 0.005)


def test_rows_longer_than_a_layer_looks_back_keep_their_mask() -> None:
    positions = torch.tensor([[0, 1, 2, 3, 0, 1]])
    for window, apart in ((0, True), (4, True), (3, False)):
        with row_by_row(positions, window) as is_apart:
            assert is_apart is apart
    with row_by_row(None) as is_apart:
        assert not is_apart
