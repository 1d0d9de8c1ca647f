"""The tiled head gives the loss and the gradients of plain cross entropy."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from core.choices import Bias
from core.engine import loss
from core.engine.adapters import attach_new_adapter
from core.engine.device import autocast
from core.engine.encoding import IGNORED
from core.engine.livepeak import LivePeak
from core.plan import TrainingPlan


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    ids = torch.randint(3, 250, (3, 40))
    labels = ids.clone()
    labels[:, :15] = IGNORED
    labels[1, 30:] = IGNORED
    return ids, labels


@pytest.mark.parametrize("tile", [7, 1024])
def test_tiles_equal_plain_loss_and_gradients(
    tiny_base: Path, batch: tuple[torch.Tensor, torch.Tensor], tile: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loss, "TILE", tile)
    model = AutoModelForCausalLM.from_pretrained(tiny_base, dtype=torch.float32)
    ids, labels = batch
    plain = loss.plain_loss(model(input_ids=ids).logits, labels)
    plain.backward()
    expected = model.model.layers[0].self_attn.q_proj.weight.grad.clone()
    model.zero_grad()
    tiled = loss.tiled_loss(loss.hidden_states(model, input_ids=ids), labels, model.get_output_embeddings())
    tiled.backward()
    assert tiled.item() == pytest.approx(plain.item(), rel=1e-5)
    torch.testing.assert_close(model.model.layers[0].self_attn.q_proj.weight.grad, expected, rtol=1e-4, atol=1e-5)
    reference = model(input_ids=ids, labels=labels).loss * (labels[:, 1:] != IGNORED).sum()
    assert tiled.item() == pytest.approx(reference.item(), rel=1e-5)


def test_no_trained_token_is_a_zero_that_can_be_walked_back(tiny_base: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_base, dtype=torch.float32)
    ids = torch.randint(3, 250, (1, 8))
    none = torch.full_like(ids, IGNORED)
    total = loss.tiled_loss(loss.hidden_states(model, input_ids=ids), none, model.get_output_embeddings())
    total.backward()
    assert total.item() == 0.0


#: What families do behind the head.
ENDINGS = [("gemma2", {"final_logit_softcapping": 0.5, "head_dim": 16}), ("granite", {"logits_scaling": 6.0}),
           ("cohere", {"logit_scale": 0.25}), ("phi", {})]  # fmt: skip


@pytest.mark.parametrize(("family", "more"), ENDINGS)
def test_tiles_of_scaled_and_capped_logits_equal_the_plain_loss(
    family: str, more: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loss, "TILE", 7)
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = AutoConfig.for_model(family, vocab_size=259, num_key_value_heads=1, pad_token_id=0, **shape, **more)
    model = AutoModelForCausalLM.from_config(config).eval().requires_grad_(False)
    model.get_output_embeddings().weight.mul_(20)
    if (bias := model.get_output_embeddings().bias) is not None:
        bias.normal_()
    weight = model.model.layers[0].self_attn.v_proj.weight.requires_grad_()
    ids, ending = torch.randint(3, 250, (2, 20)), loss.ending_of(model)
    labels = ids.masked_fill(torch.arange(20) < 6, IGNORED)
    assert loss.tiling_is_exact(model, ids)
    plain = loss.plain_loss(model(input_ids=ids).logits, labels)
    tiled = loss.tiled_loss(loss.hidden_states(model, input_ids=ids), labels, ending)
    torch.testing.assert_close(tiled, plain)
    torch.testing.assert_close(*(torch.autograd.grad(each, weight)[0] for each in (tiled, plain)), rtol=1e-4, atol=1e-5)
    with torch.no_grad():
        torch.testing.assert_close(
            loss.tiled_loss(loss.hidden_states(model, input_ids=ids), labels, ending), plain.detach()
        )
    assert loss.tiling_is_exact(model.to(torch.bfloat16), ids)


def test_a_head_whose_bias_learns_is_tiled() -> None:
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = AutoConfig.for_model("phi", vocab_size=259, pad_token_id=0, **shape)
    base = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16).requires_grad_(False)
    attach_new_adapter(base, TrainingPlan(model="x", data=("x",), bias=Bias.ALL))
    ids, head = torch.randint(3, 250, (1, 20)), base.get_output_embeddings()
    assert head.bias.requires_grad and loss.tiling_is_exact(base, ids)
    with autocast(ids.device):
        loss.tiled_loss(loss.hidden_states(base, input_ids=ids), ids, loss.ending_of(base)).backward()
    assert head.bias.grad.abs().sum() > 0


def test_models_that_change_logits_in_another_way_are_noticed(tiny_base: Path) -> None:
    from transformers import Gemma2Config, Gemma2ForCausalLM

    ids = torch.randint(3, 250, (1, 8))
    plain = AutoModelForCausalLM.from_pretrained(tiny_base, dtype=torch.float32)
    assert loss.tiling_is_exact(plain, ids)
    capped = Gemma2ForCausalLM(
        Gemma2Config(
            vocab_size=259,
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=1,
            num_attention_heads=2,
            num_key_value_heads=1,
            head_dim=16,
            final_logit_softcapping=0.5,
        )
    )
    assert loss.tiling_is_exact(capped, ids)
    capped.forward = lambda **given: SimpleNamespace(logits=2 * Gemma2ForCausalLM.forward(capped, **given).logits)
    assert not loss.tiling_is_exact(capped, ids)


@pytest.mark.parametrize("learns", [False, True], ids=["evaluation", "training"])
@pytest.mark.parametrize("cap", [0.0, 30.0], ids=["plain", "capped"])
def test_one_tile_of_logits_is_there_at_a_time(learns: bool, cap: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five tiles take what one takes, and their hidden states."""
    monkeypatch.setattr(loss, "TILE", 8)
    head = torch.nn.Linear(4, 5000, bias=False, dtype=torch.bfloat16).requires_grad_(False)
    worst = {}
    for tiles in (1, 5):
        hidden = torch.randn(1, 8 * tiles + 1, 4, dtype=torch.bfloat16, requires_grad=learns)
        labels = torch.randint(0, 5000, (1, 8 * tiles + 1))
        with LivePeak([head.weight, hidden, labels]) as meter, torch.set_grad_enabled(learns):
            meter.begin("all")
            loss.tiled_loss(hidden, labels, loss.Ending(head, cap=cap))
        worst[tiles] = meter.worst["all"].live
    assert worst[1] >= 8 * 5000 * 6
    assert worst[5] < worst[1] + 8 * 5000
