"""What stands for a card on the meta device: CUDA's attention and dropout kernels, bitsandbytes' linear modules.

The meta device computes shapes only. Left to itself it takes attention and dropout apart into other operations than a
card does, cannot tell whether a row is padded, and has no 8-bit and 4-bit weights.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import bitsandbytes
import torch
from torch.nn import functional
from transformers import PreTrainedModel, masking_utils
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, sdpa_mask

from core.plan import Method

#: Settings that torch builds when it is imported, unknown to type checkers.
_SHAPES: Any = import_module("torch.fx.experimental._config")


@contextmanager
def like_a_card(*, padded: bool, packed: bool = False, autocast: bool = False) -> Iterator[None]:
    """Make meta tensors take the ways of CUDA tensors; `padded` says whether rows are of different lengths.

    `packed` rows hold several documents, seen by where their positions start again; under `autocast` linear modules
    work on fp16 copies of what they are given.

    Every choice that depends on values is made for the worst: whatever can be selected is selected.
    """

    def mask(*args: Any, local_size: int | None = None, **facts: Any) -> torch.Tensor | None:
        if not padded and facts.get("allow_is_causal_skip", True) and not _cut(local_size, facts):
            return None
        return sdpa_mask(*args, local_size=local_size, **facts | {"allow_is_causal_skip": False})

    # a function mode would be off inside backward(), where checkpointed layers run again
    kept = functional.scaled_dot_product_attention, functional.dropout, functional.linear
    functional.scaled_dot_product_attention, functional.dropout = _attention, _dropout
    if autocast:
        functional.linear = _half(kept[2])
    documents = masking_utils.find_packed_sequence_indices
    # which documents there are is read off values; several on every row is the worst
    masking_utils.find_packed_sequence_indices = lambda position_ids: position_ids if packed else None
    # code that asks whether a mask masks anything is told so where rows are padded; a meta tensor cannot tell
    setattr(torch.Tensor, "__bool__", lambda _tensor: not padded)  # noqa: B010 - mypy knows no other way
    # set on the instance: it hides the entry of the class until it is deleted
    ALL_MASK_ATTENTION_FUNCTIONS["sdpa"] = mask
    try:
        with _SHAPES.patch(meta_nonzero_assume_all_nonzero=True), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        del ALL_MASK_ATTENTION_FUNCTIONS["sdpa"]
        delattr(torch.Tensor, "__bool__")
        functional.scaled_dot_product_attention, functional.dropout, functional.linear = kept
        masking_utils.find_packed_sequence_indices = documents


def hold(model: PreTrainedModel, method: Method) -> dict[str, torch.nn.Linear]:
    """Turn the linear modules that bitsandbytes would shrink into stand-ins; return them by name.

    As in transformers that is every nn.Linear but the head. Their weights stay 16-bit meta tensors, which peft and
    this program take for shrunk ones.
    """
    if method is Method.LORA:
        return {}
    head = model.get_output_embeddings()
    shrunk = {n: m for n, m in model.named_modules() if isinstance(m, torch.nn.Linear) and m is not head}
    for module in shrunk.values():
        _stand_in(module, method)
    model.is_loaded_in_8bit = method is Method.LORA8
    model.is_loaded_in_4bit = method is Method.QLORA
    return shrunk


def _stand_in(module: Any, method: Method) -> None:
    """Make a linear module one of bitsandbytes', with the settings that peft asks for."""
    if method is Method.LORA8:
        module.__class__ = _Linear8
        module.index, module.state = None, bitsandbytes.MatmulLtState()
        module.state.threshold, module.state.has_fp16_weights = 6.0, False
    else:
        module.__class__ = _Linear4
        module.compute_dtype = torch.bfloat16
        module.weight.compress_statistics, module.weight.quant_type = True, "nf4"


class _Linear4(bitsandbytes.nn.Linear4bit):
    """4-bit weights keep no input of theirs; unpacking is counted apart."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.linear(x, self.weight, self.bias)


class _Linear8(bitsandbytes.nn.Linear8bitLt):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return _Product8.apply(x, self.weight, self.bias)


class _Product8(torch.autograd.Function):
    """The tensors that bitsandbytes' MatMul8bitLt makes and keeps: unlike other linear modules, its input."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        flat = x.reshape(-1, x.shape[-1])
        rows = flat.to(torch.float16).to(torch.int8)
        sums = rows.new_empty((len(rows), len(weight)), dtype=torch.int32)
        # an attribute, as there: checkpointing does not see what is not saved by torch's own means
        ctx.kept, ctx.weight = (flat if any(ctx.needs_input_grad[:2]) else None), weight
        return sums.to(x.dtype).reshape(*x.shape[:-1], len(weight))

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, None, None]:
        return torch.matmul(gradient, ctx.weight), None, None


def _attention(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, attn_mask: torch.Tensor | None = None,
    dropout_p: float = 0.0, is_causal: bool = False, scale: float | None = None, enable_gqa: bool = False,
) -> torch.Tensor:  # fmt: skip
    """Flash attention; with a mask, which flash cannot take, memory-efficient attention."""
    if attn_mask is None and query.shape[-1] <= 256:
        flash = torch.ops.aten._scaled_dot_product_flash_attention
        return flash(query, key, value, dropout_p, is_causal, scale=scale)[0]
    if enable_gqa:
        groups = query.shape[1] // key.shape[1]
        key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
    bias = None
    if attn_mask is not None:
        # torch turns true and false into 0 and -inf of the queries' format
        added = torch.zeros_like(attn_mask, dtype=query.dtype) if attn_mask.dtype is torch.bool else attn_mask
        bias = added.expand(query.shape[0], query.shape[1], query.shape[2], key.shape[2])
    efficient = torch.ops.aten._scaled_dot_product_efficient_attention
    return efficient(query, key, value, bias, query.requires_grad, dropout_p, is_causal, scale=scale)[0]


def _half(linear: Any) -> Any:
    """torch.nn.functional.linear under fp16 autocast, which the meta device does not have."""

    def cast(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> Any:
        return linear(*(each if each is None else each.to(torch.float16) for each in (x, weight, bias)))

    return cast


def _dropout(input: torch.Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> torch.Tensor:
    """CUDA's fused dropout keeps a mask of one byte per number."""
    return torch.native_dropout(input, p, True)[0] if training and p > 0 else input


def _cut(window: int | None, facts: dict[str, Any]) -> bool:
    """Whether rows are longer than a layer looks back."""
    return window is not None and facts["kv_length"] >= window
