"""The self-test: torch and bitsandbytes compute small things on every device, and how far off they are is told.

Every result is compared with the same thing computed in 32 bits on the processor, so that a wrong number shows, not
only an error. What is right and wrong is judged elsewhere (core.doctor.judge_card).
"""

import importlib
import importlib.util
import math
import os
import time
from collections.abc import Callable, Collection, Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from core.findings import Probed

#: Rows of the input, its width and that of the result: whole tiles for tensor cores, a few blocks for quantization.
ROWS, WIDTH, RESULT = 64, 512, 256
STEPS = 5
#: Devices that are tried.
MOST_DEVICES = 8

Tell = Callable[[Probed], None]


def self_test(names: Collection[str], tell: Tell, stopped: Callable[[], bool] = lambda: False) -> None:
    """Tell what torch is ("torch"), then every trial in `names` on every device: first that it begins, then its end."""
    built = _tried("torch", "", _build, tell)
    if built.outcome == "failed":
        return
    places = [device["device"] for device in built.facts["devices"]][:MOST_DEVICES] or ["cpu"]
    for name, trial in _TRIALS.items():
        for place in places if name in names else ():
            if stopped():
                return
            _tried(name, place, trial, tell)
    if "triton" in names:
        _tried("triton", "", _triton, tell)


def _tried(name: str, place: str, trial: Callable[[str], dict[str, Any]], tell: Tell) -> Probed:
    begun = time.monotonic()
    shown = _name_of(place)
    tell(Probed(name=name, device=shown, outcome="begun"))
    try:
        told = Probed(name=name, device=shown, facts=trial(place), seconds=time.monotonic() - begun)
    except Exception as error:  # libraries and drivers of every kind: each way to fail is what is looked for
        facts = {"error": type(error).__name__, "text": " ".join(str(error).split())[:300]}
        told = Probed(name=name, device=shown, outcome="failed", facts=facts, seconds=time.monotonic() - begun)
    tell(told)
    return told


def _name_of(place: str) -> str:
    if not place.startswith("cuda"):
        return place
    import torch

    return torch.cuda.get_device_name(place)


def _build(_place: str) -> dict[str, Any]:
    """What torch was built for, and which cards it sees."""
    import torch

    available = torch.cuda.is_available()
    devices = [
        {
            "device": f"cuda:{n}",
            "name": torch.cuda.get_device_name(n),
            "capability": list(torch.cuda.get_device_capability(n)),
        }
        for n in (range(torch.cuda.device_count()) if available else ())
    ]
    return {
        "version": torch.__version__,
        "cuda": torch.version.cuda or "",
        "architectures": list(torch.cuda.get_arch_list()) if available else _compiled_for(),
        "available": available,
        "devices": devices,
        "bitsandbytes": _version("bitsandbytes"),
        "visible": os.environ.get("CUDA_VISIBLE_DEVICES"),
    }


def _compiled_for() -> list[str]:
    """The architectures of a build that sees no card: torch keeps the list from its users then."""
    import torch

    flags = getattr(torch._C, "_cuda_getArchFlags", lambda: "")()
    return str(flags or "").split()


def _product(place: str) -> dict[str, Any]:
    import torch

    from core.engine.device import compute_dtype

    format_ = compute_dtype(torch.device(place))
    first, second = _numbers(ROWS, WIDTH), _numbers(WIDTH, RESULT)
    made = first.to(place, format_) @ second.to(place, format_)
    return {"format": str(format_).removeprefix("torch."), "error": _off(made, first @ second)}


def _four_bit(place: str) -> dict[str, Any]:
    import bitsandbytes
    import torch

    from core.engine.device import compute_dtype
    from core.engine.loading import keep_trainable

    weight, format_ = _numbers(RESULT, WIDTH), compute_dtype(torch.device(place))
    layer = bitsandbytes.nn.Linear4bit(WIDTH, RESULT, bias=False, compute_dtype=format_, quant_type="nf4")
    layer.weight = bitsandbytes.nn.Params4bit(weight.clone(), requires_grad=False, quant_type="nf4")
    layer = layer.to(place)
    keep_trainable(layer)
    held = bitsandbytes.functional.dequantize_4bit(layer.weight.data, layer.weight.quant_state).float().cpu()
    return {**_both_ways(layer, held, place), "held": _off(held, weight)}


def _eight_bit(place: str) -> dict[str, Any]:
    import bitsandbytes

    weight = _numbers(RESULT, WIDTH)
    layer = bitsandbytes.nn.Linear8bitLt(WIDTH, RESULT, bias=False, has_fp16_weights=False, threshold=6.0)
    layer.weight = bitsandbytes.nn.Int8Params(weight.clone(), requires_grad=False, has_fp16_weights=False)
    return _both_ways(layer.to(place), weight, place)


def _optimizer(place: str) -> dict[str, Any]:
    """Five steps of the optimizers that training uses, beside those of plain AdamW on the processor."""
    import bitsandbytes
    import torch

    fused = _walked(lambda weights: torch.optim.AdamW(weights, lr=1e-2, fused=True), place)
    small = _walked(lambda weights: bitsandbytes.optim.AdamW8bit(weights, lr=1e-2, weight_decay=0.01), place)
    exact = _walked(lambda weights: torch.optim.AdamW(weights, lr=1e-2, foreach=False), "cpu")
    return {"fused": _off(fused, exact), "eight_bit": _off(small, exact)}


def _triton(_place: str) -> dict[str, Any]:
    if importlib.util.find_spec("triton") is None:
        return {"version": ""}
    importlib.import_module("triton")
    return {"version": _version("triton") or _version("triton-windows") or "?"}


_TRIALS: dict[str, Callable[[str], dict[str, Any]]] = {
    "product": _product,
    "four_bit": _four_bit,
    "eight_bit": _eight_bit,
    "optimizer": _optimizer,
}


def _both_ways(layer: Any, weight: Any, place: str) -> dict[str, float | None]:
    """How far a layer's result, and the gradient of its input, are from the products with `weight` in 32 bits."""
    import torch

    from core.engine.device import compute_dtype

    given, back = _numbers(ROWS, WIDTH), _numbers(ROWS, RESULT)
    asked = given.to(place, compute_dtype(torch.device(place))).requires_grad_()
    made = layer(asked)
    made.backward(back.to(place, made.dtype))
    return {"forward": _off(made, given @ weight.T), "backward": _off(asked.grad, back @ weight)}


def _walked(optimizer: Callable[[list[Any]], Any], place: str) -> Any:
    """Where weights that begin at zero are after five steps along the same gradients."""
    import torch

    weight = torch.nn.Parameter(torch.zeros(RESULT, WIDTH, device=place))
    steps = optimizer([weight])
    for gradient in _gradients():
        weight.grad = gradient.to(place)
        steps.step()
    return weight.detach()


def _gradients() -> Iterator[Any]:
    for number in range(STEPS):
        yield _numbers(RESULT, WIDTH, seed=number)


def _numbers(rows: int, columns: int, seed: int = 42) -> Any:
    """The same normal numbers in 32 bits every time."""
    import torch

    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed + rows + columns))


def _off(made: Any, exact: Any) -> float | None:
    """The relative error in the Frobenius norm; None when it is no number."""
    made, exact = made.detach().float().cpu(), exact.detach().float().cpu()
    error = float((made - exact).norm() / exact.norm())
    return error if math.isfinite(error) else None


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
