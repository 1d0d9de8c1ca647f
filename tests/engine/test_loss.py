"""The tiled head gives the loss and the gradients of plain cross entropy."""

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from core.engine import loss
from core.engine.encoding import IGNORED


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


def test_models_that_change_logits_behind_the_head_are_noticed(tiny_base: Path) -> None:
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
    assert not loss.tiling_is_exact(capped, ids)
