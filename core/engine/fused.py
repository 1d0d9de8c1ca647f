"""LoRA's linear modules as one operation each: 16-bit products beside fp32 adapters, and nothing kept twice.

peft computes an adapted module step by step, with fp32 copies of its input and a sum of its own. Here input and inner
values are kept once, in 16 bits, and the adapter's part is added by the product itself: the same result, but for the
rounding of 16 bits. Modules that do more than plain LoRA (DoRA, several adapters) are left to peft.
"""

from contextlib import AbstractContextManager, nullcontext
from types import MethodType
from typing import Any

import torch
from bitsandbytes.functional import dequantize_4bit
from peft import PeftModel
from peft.tuners.lora.bnb import Linear4bit
from peft.tuners.lora.layer import Linear

#: The name that peft gives the only adapter.
_NAME = "default"


def fuse(model: PeftModel) -> int:
    """Make training of every plain LoRA module one operation; returns how many there are. 8-bit bases stay peft's."""
    fused = 0
    for module in model.modules():
        if _is_plain(module):
            module.forward = MethodType(_forward, module)
            fused += 1
    return fused


def _is_plain(module: torch.nn.Module) -> bool:
    if type(module) not in (Linear, Linear4bit):
        return False
    adapted: Any = module
    base = adapted.get_base_layer()
    return (
        isinstance(base, torch.nn.Linear)
        and list(adapted.lora_A) == [_NAME]
        and not adapted.lora_variant
        and not adapted.fan_in_fan_out
        and not adapted.lora_bias[_NAME]
        and not base.weight.requires_grad
        and (base.bias is None or not base.bias.requires_grad)
    )


def _forward(self: Any, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
    """The module's output; peft's own way whenever something but plain training or evaluation is asked."""
    if args or kwargs or self.disable_adapters or self.merged or self.active_adapters != [_NAME]:
        return type(self).forward(self, x, *args, **kwargs)
    dropout = self.lora_dropout[_NAME]
    share = float(getattr(dropout, "p", 0.0)) if self.training else 0.0
    low, high = self.lora_A[_NAME].weight, self.lora_B[_NAME].weight
    flat: torch.Tensor = _Lora.apply(x, self.get_base_layer(), low, high, float(self.scaling[_NAME]), share)
    # shaped out here: models add to what comes out, in its place, which views made inside of the operation do not bear
    return flat.view(*x.shape[:-1], flat.shape[-1])


class _Lora(torch.autograd.Function):
    """y = base(x) + scaling * dropout(x) A^T B^T, the base frozen.

    x: (..., in); A: (rank, in); B: (out, rank); y: (tokens, out).
    """

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, base: torch.nn.Linear, low: torch.Tensor, high: torch.Tensor, scaling: float,
        dropout: float,
    ) -> torch.Tensor:  # fmt: skip
        dtype = _computed(x)
        with _as_it_is(x):
            flat = x.reshape(-1, x.shape[-1]).to(dtype)
            kept = torch.empty_like(flat, dtype=torch.bool).bernoulli_(1 - dropout) if dropout else None
            inner = _dropped(flat, kept, dropout) @ low.to(dtype).t()
            y: torch.Tensor = base(flat)
            y = y.to(dtype).addmm_(inner, high.to(dtype).t(), alpha=scaling)
        ctx.save_for_backward(flat, inner, low, high, kept)
        ctx.base, ctx.scaling, ctx.dropout, ctx.shape, ctx.given = base, scaling, dropout, x.shape, x.dtype
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        flat, inner, low, high, kept = ctx.saved_tensors
        dtype = flat.dtype
        with _as_it_is(flat):
            gradient = gradients[0].reshape(-1, gradients[0].shape[-1]).to(dtype)
            back = (gradient @ high.to(dtype)).mul_(ctx.scaling)
            for_high = (gradient.t() @ inner).to(high.dtype).mul_(ctx.scaling)
            for_low = (back.t() @ _dropped(flat, kept, ctx.dropout)).to(low.dtype)
            for_x = None
            if ctx.needs_input_grad[0]:
                through = back @ low.to(dtype)
                for_x = _dropped(through, kept, ctx.dropout).addmm_(gradient, _weight(ctx.base, dtype))
                for_x = for_x.view(ctx.shape).to(ctx.given)
        return for_x, None, for_low, for_high, None, None


def _computed(x: torch.Tensor) -> torch.dtype:
    """The format that is computed in: that of autocast, or that of the input."""
    where = x.device.type
    return torch.get_autocast_dtype(where) if not x.is_meta and torch.is_autocast_enabled(where) else x.dtype


def _as_it_is(x: torch.Tensor) -> AbstractContextManager[Any]:
    """Autocast off; the meta device of the dry run has none."""
    return nullcontext() if x.is_meta else torch.autocast(x.device.type, enabled=False)


def _dropped(values: torch.Tensor, kept: torch.Tensor | None, dropout: float) -> torch.Tensor:
    return values if kept is None else (values * kept).mul_(1 / (1 - dropout))


def _weight(base: Any, dtype: torch.dtype) -> torch.Tensor:
    """The frozen weight (out, in) in the format that is computed in, unpacked where it is held in 4 bits."""
    state = getattr(base.weight, "quant_state", None)
    return base.weight.to(dtype) if state is None else dequantize_4bit(base.weight.data, state).to(dtype)
