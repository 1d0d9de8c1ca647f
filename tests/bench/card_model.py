"""Models of real shapes with random weights, made on the card itself in the format in which a method holds them.

The 16-bit model is never on the card as a whole when it is held in 8 or 4 bits: modules are filled and shrunk one by
one, by bitsandbytes, after transformers has prepared the model as it does for loading.
"""

from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel
from transformers.quantizers import AutoHfQuantizer

from core.engine.device import compute_dtype
from core.engine.loading import _quantization
from core.plan import Method
from tests.tiny import make_tiny_tokenizer

#: Spread of the random weights of shrunk modules; what transformers takes for most models.
SPREAD = 0.02


def random_base(facts: dict[str, Any], method: Method, where: torch.device) -> PreTrainedModel:
    """A frozen base with random weights on `where`, held as `method` says and as core.engine.loading loads one."""
    dtype = compute_dtype(where)
    with torch.device("meta"):
        base = AutoModelForCausalLM.from_config(config_from(facts), dtype=dtype, trust_remote_code=False)
    keeper = None
    if method is not Method.LORA:
        keeper = AutoHfQuantizer.from_config(_quantization(method, dtype), pre_quantized=False)
        keeper.preprocess_model(model=base, device_map={"": where})
        base.hf_quantizer = keeper
    shrunk = _shrink(base, dtype, where) if keeper else set()
    _fill(base, shrunk, where)
    base.tie_weights()
    if keeper:
        keeper.postprocess_model(base)
    left = [name for name, tensor in (*base.named_parameters(), *base.named_buffers()) if tensor.is_meta]
    if left:
        raise RuntimeError(f"without weights: {left[:5]}")
    base.requires_grad_(False)
    return base.eval()


def write_base(facts: dict[str, Any], folder: Path) -> None:
    """Write random 16-bit weights and a tokenizer as a model folder, without touching a card."""
    random_base(facts, Method.LORA, torch.device("cpu")).save_pretrained(folder)
    make_tiny_tokenizer().save_pretrained(folder)


def config_from(facts: dict[str, Any]) -> Any:
    """transformers' config made of the facts."""
    return AutoConfig.for_model(str(facts["model_type"]), **{k: v for k, v in facts.items() if k != "model_type"})


def _shrink(base: PreTrainedModel, dtype: torch.dtype, where: torch.device) -> set[str]:
    """Fill and shrink every module of bitsandbytes; return the names of their weights."""
    import bitsandbytes

    done = set()
    for name, module in base.named_modules():
        if not isinstance(module, bitsandbytes.nn.Linear4bit | bitsandbytes.nn.Linear8bitLt):
            continue
        whole = torch.empty(module.weight.shape, dtype=dtype, device=where).normal_(std=SPREAD)
        settings = dict(module.weight.__dict__)
        if isinstance(module, bitsandbytes.nn.Linear4bit):
            module.weight = bitsandbytes.nn.Params4bit(whole, requires_grad=False, **settings).to(where)
        else:
            # Int8Params shrinks on its way from the processor to the card only; this is what it does then
            held, scales, _ = bitsandbytes.functional.int8_vectorwise_quant(whole.to(torch.float16))
            settings |= {"CB": held, "SCB": scales}
            module.weight = bitsandbytes.nn.Int8Params(held, requires_grad=False, **settings)
        done.add(f"{name}.weight")
    return done


def _fill(base: PreTrainedModel, shrunk: set[str], where: torch.device) -> None:
    """Put every other parameter and buffer on `where`, with the values that the model starts with."""
    made: dict[int, torch.nn.Parameter] = {}
    for place, module in base.named_modules():
        prefix = f"{place}." if place else ""
        for name, parameter in list(module._parameters.items()):
            if parameter is None or prefix + name in shrunk:
                continue
            # tied parameters are one
            known = made.get(id(parameter))
            if known is None:
                known = torch.nn.Parameter(torch.empty_like(parameter, device=where), requires_grad=False)
                made[id(parameter)] = known
            module._parameters[name] = known
        for name, buffer in list(module._buffers.items()):
            if buffer is not None:
                module._buffers[name] = torch.empty_like(buffer, device=where)
    with torch.no_grad():
        for place, module in base.named_modules():
            if f"{place}.weight" not in shrunk:
                base._init_weights(module)
            elif module.bias is not None:
                module.bias.zero_()
