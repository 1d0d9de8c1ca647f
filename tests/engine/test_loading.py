"""Bases held in 16, 8 and 4 bits: gradients flow, and evaluation does not spoil them."""

import shutil
from pathlib import Path

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from core.engine.adapters import attach_new_adapter
from core.engine.loading import keep_trainable, load_base
from core.plan import Method, TrainingPlan
from core.problems import Trouble

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


def test_a_falcon_is_held_as_the_method_says(tiny_base: Path, tmp_path: Path) -> None:
    """transformers shrinks torch's linear modules only, and Falcon's are of a kind of their own."""
    config = AutoConfig.for_model("falcon", vocab_size=64, hidden_size=64, num_hidden_layers=1, num_attention_heads=4)
    whole = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    whole.save_pretrained(tmp_path)
    shutil.copy(tiny_base / "tokenizer.json", tmp_path)
    ids = torch.arange(3, 40)[None]
    expected, sizes = whole.eval()(ids).logits, {}
    for method in Method:
        model = load_base(tmp_path, method, CPU)
        assert (model(ids).logits - expected).abs().mean() < 0.1 * expected.std()
        weight = model.transformer.h[0].mlp.dense_h_to_4h.weight
        sizes[method] = weight.numel() * weight.element_size()
    assert sizes[Method.LORA] == 2 * sizes[Method.LORA8] == 4 * sizes[Method.QLORA]


def test_a_base_that_cannot_be_shrunk_is_refused(tiny_base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.engine.loading._quantization", lambda _method, _dtype: None)
    with pytest.raises(Trouble, match="shrinks none"):
        load_base(tiny_base, Method.QLORA, CPU)
