"""What stands for a card on the meta device: CUDA's attention and dropout kernels, bitsandbytes' linear modules.

The meta device computes shapes only. Left to itself it takes attention and dropout apart into other operations than a
card does, cannot tell where documents begin, and has neither autocast nor 8-bit and 4-bit weights.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib import import_module
from typing import Any

import bitsandbytes
import torch
from torch.nn import functional
from transformers import PreTrainedModel, masking_utils

from core.engine.masks import shared_masks
from core.plan import Method

#: Settings that torch builds when it is imported, unknown to type checkers.
_SHAPES: Any = import_module("torch.fx.experimental._config")
#: What autocast does in 16 bits and in 32 on a card, of the operations in a decoder.
_IN_16_BITS: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (functional, ("linear", "conv1d")),
    (torch, ("matmul", "bmm", "baddbmm")),
)
_IN_32_BITS = ("softmax", "layer_norm", "softplus")
#: How code asks for autocast on a card: as torch did when there were no other devices, and by the device.
_META = ((), ("meta",))


class Card:
    """What stands for a card while it does; `autocast` is its context manager for forward passes."""

    def __init__(self) -> None:
        self._copies: dict[int, torch.Tensor] | None = None

    @contextmanager
    def autocast(self) -> Iterator[None]:
        """Keep the 16-bit copies of fp32 weights until the end, as torch.autocast does."""
        self._copies = {}
        try:
            yield
        finally:
            self._copies = None

    def drop_copies(self) -> None:
        """Let go of the copies made so far, as torch.clear_autocast_cache does."""
        if self._copies is not None:
            self._copies = {}

    def half(self, value: Any) -> Any:
        """The value in bf16 if it is made of numbers with a fraction."""
        kept = self._copies if isinstance(value, torch.nn.Parameter) and value.requires_grad else None
        if kept is None or value.dtype is not torch.float32:
            return _floats(value, torch.bfloat16)
        if id(value) not in kept:
            kept[id(value)] = value.bfloat16()
        return kept[id(value)]


@contextmanager
def like_a_card(*, packed: bool = False, autocast: bool = True) -> Iterator[Card]:
    """Make meta tensors take the ways of CUDA tensors.

    `packed` rows hold several documents, seen by where their positions start again; under `autocast` operations work in
    bf16, or in fp32, as they do on a card, in backward passes too.

    Every choice that depends on values is made for the worst: whatever can be selected is selected.
    """
    card, context = Card(), torch.autocast
    asked, format_of = torch.is_autocast_enabled, torch.get_autocast_dtype
    # a function mode would be off inside backward(), where checkpointed layers run again
    replaced: list[tuple[Any, str, Any]] = [
        (functional, "scaled_dot_product_attention", _attention),
        (functional, "dropout", _dropout),
        # which documents there are is read off values; several on every row is the worst
        (masking_utils, "find_packed_sequence_indices", lambda position_ids: position_ids if packed else None),
        (torch, "is_autocast_enabled", lambda *of: autocast if of in _META else asked(*of)),
        (torch, "get_autocast_dtype", lambda of: torch.bfloat16 if (of,) in _META else format_of(of)),
        (torch, "clear_autocast_cache", card.drop_copies),
        # what is put into another format inside such a context is in it already
        (torch, "autocast", lambda of, *how, **more: nullcontext() if (of,) in _META else context(of, *how, **more)),
    ]
    if autocast:
        for place, names in _IN_16_BITS:
            replaced += [(place, name, _cast(getattr(place, name), card.half)) for name in names]
        replaced += [(functional, name, _cast(getattr(functional, name), _precise, "dtype")) for name in _IN_32_BITS]
    kept = [(place, name, getattr(place, name)) for place, name, _other in replaced]
    for place, name, other in replaced:
        setattr(place, name, other)
    # code that asks whether a mask masks anything is told that it does not: nothing is padded
    setattr(torch.Tensor, "__bool__", lambda _tensor: True)  # noqa: B010 - mypy knows no other way
    try:
        with shared_masks(), _SHAPES.patch(meta_nonzero_assume_all_nonzero=True), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield card
    finally:
        delattr(torch.Tensor, "__bool__")
        for place, name, own in kept:
            setattr(place, name, own)


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


def _cast(operation: Any, cast: Any, unless: str = "") -> Any:
    """An operation on what `cast` makes of its arguments; as it is when it is told `unless`."""

    def other(*args: Any, **facts: Any) -> Any:
        if facts.get(unless) is not None:
            return operation(*args, **facts)
        return operation(*map(cast, args), **{name: cast(value) for name, value in facts.items()})

    return other


def _precise(value: Any) -> Any:
    return _floats(value, torch.float32)


def _floats(value: Any, dtype: torch.dtype) -> Any:
    return value.to(dtype) if isinstance(value, torch.Tensor) and value.is_floating_point() else value


def _dropout(input: torch.Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> torch.Tensor:
    """CUDA's fused dropout keeps a mask of one byte per number."""
    return torch.native_dropout(input, p, True)[0] if training and p > 0 else input
