"""Shared masks: the same results to the bit, one tensor for all layers, and nothing where no mask is needed."""

from contextlib import nullcontext
from typing import Any

import pytest
import torch
from torch.nn import functional
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, sdpa_mask

from core.engine.masks import added, shared_masks

SMALL: dict[str, Any] = {
    "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 4, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 16, "vocab_size": 300, "pad_token_id": 0, "eos_token_id": 1,
    "bos_token_id": 1,
}  # fmt: skip
WINDOWS = {"sliding_window": 8, "layer_types": ["sliding_attention", "full_attention"] * 2}
FAMILIES: dict[str, dict[str, Any]] = {"llama": {}, "gemma3_text": WINDOWS, "mistral": {"sliding_window": 6}}
#: Two sequences of two rows each, of 21 tokens together.
PACKED = torch.stack([torch.cat([torch.arange(n), torch.arange(21 - n)]) for n in (9, 15)])


def tiny(family: str) -> Any:
    torch.manual_seed(0)
    return AutoModelForCausalLM.from_config(AutoConfig.for_model(family, **SMALL | FAMILIES[family]))


def learned(model: Any, positions: torch.Tensor | None, half: bool, masks: Any) -> list[torch.Tensor]:
    """Logits and gradients of a batch of two."""
    model.zero_grad()
    ids = torch.arange(2, 44).reshape(2, 21)
    with masks(), torch.autocast("cpu", torch.bfloat16, enabled=half):
        logits = model(input_ids=ids, position_ids=positions, use_cache=False).logits
    logits.float().logsumexp(-1).sum().backward()
    return [logits.detach(), *(p.grad.clone() for p in model.parameters())]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("half", [False, True], ids=["fp32", "autocast"])
def test_results_are_the_same_to_the_bit(family: str, half: bool) -> None:
    """Grouped keys, windows and full attention, packed and alone: against masks of true and false."""
    model = tiny(family)
    for positions in (PACKED, None):
        usual, ours = (learned(model, positions, half, masks) for masks in (nullcontext, shared_masks))
        assert all(torch.equal(a, b) for a, b in zip(usual, ours, strict=True))


@pytest.mark.parametrize(
    ("family", "packed", "masks"),
    [("llama", True, 1), ("llama", False, 0), ("gemma3_text", True, 2), ("mistral", False, 1)],
)
def test_layers_share_a_mask(monkeypatch: pytest.MonkeyPatch, family: str, packed: bool, masks: int) -> None:
    """One for each kind of layer, in the format of autocast; the batch shares what no document cuts; none where plain
    causal attention does.
    """
    seen: list[Any] = []
    plain = functional.scaled_dot_product_attention

    def watched(*args: Any, attn_mask: Any = None, **facts: Any) -> Any:
        seen.append(attn_mask)
        return plain(*args, attn_mask=attn_mask, **facts)

    monkeypatch.setattr(functional, "scaled_dot_product_attention", watched)
    learned(tiny(family), PACKED if packed else None, True, shared_masks)
    kept = {mask.data_ptr(): mask for mask in seen if mask is not None}
    assert (len(seen), len(kept)) == (4, masks)
    for mask in kept.values():
        assert (mask.dtype, mask.shape, mask.stride(0) == 0) == (torch.bfloat16, (2, 1, 21, 21), not packed)
        assert all(step % 8 == 0 for step in mask.stride()[:-1])


def test_a_processor_keeps_its_flash_attention() -> None:
    """Numbers to add take the same kernel as true and false, without a step that turns one into the other."""
    query = torch.randn(1, 2, 24, 16)
    bits = torch.ones(1, 1, 24, 24, dtype=torch.bool).tril()
    names = []
    for mask in (bits, added(bits, torch.float32)):
        with torch.profiler.profile() as profile:
            functional.scaled_dot_product_attention(query, query, query, attn_mask=mask)
        names.append({event.key for event in profile.key_averages()})
    assert all("aten::_scaled_dot_product_flash_attention_for_cpu" in each for each in names)
    assert "aten::where" in names[0] - names[1]


def test_everything_is_put_back() -> None:
    with shared_masks():
        outer = ALL_MASK_ATTENTION_FUNCTIONS["sdpa"]
        with pytest.raises(ZeroDivisionError), shared_masks():
            1 / 0  # noqa: B018
        assert ALL_MASK_ATTENTION_FUNCTIONS["sdpa"] is outer is not sdpa_mask
    assert ALL_MASK_ATTENTION_FUNCTIONS["sdpa"] is sdpa_mask
