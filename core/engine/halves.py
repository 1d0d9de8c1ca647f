"""Adapters in 32 bits take their inputs in 16, where autocast computes in 16 bits anyway.

peft turns every input into 32 bits first, and autocast turns it back: a copy each for q, k, v, gate and up of what they
could share, 8 bytes a token, layer and number of the hidden state, for the same numbers.
"""

import torch
from peft import PeftModel
from peft.tuners.lora import LoraLayer


def without_copies(model: PeftModel) -> PeftModel:
    """Let the adapters of `model` take inputs as they are under autocast; elsewhere all is as peft has it.

    DoRA is left alone: it measures weights in the format of the input. But what it puts out is put into that format
    too: on 8 and 4 bits peft leaves it in fp32 under autocast, and everything behind it with it.
    """
    for module in model.modules():
        if isinstance(module, LoraLayer) and module.lora_variant:
            module.register_forward_hook(lambda _module, given, out: out.to(given[0].dtype))
        elif isinstance(module, LoraLayer):
            # on the instance, in front of the method of the class
            setattr(module, "_cast_input_dtype", _cast)  # noqa: B010 - mypy knows no other way
    return model


def _cast(x: torch.Tensor | None, dtype: torch.dtype) -> torch.Tensor | None:
    if x is None or x.dtype is dtype or torch.is_autocast_enabled(x.device.type):
        return x
    return x.to(dtype)
