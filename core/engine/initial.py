"""Other ways for an adapter to start than with B = 0: from the base's weights, from the data, from what 4 bits lost.

PiSSA (arXiv 2404.02948): A and B are a weight's strongest directions, and the frozen weight is what is left of it.
EVA (2410.07170): A are the strongest directions of what a module reads of the data. LoftQ (2310.08659): A and B make up
for what rounding to 4 bits took. What an adapter started from is kept beside the run: going on needs it, and the
finished adapter is told relative to the original base.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import torch
from peft import PeftModel
from peft.tuners.lora import LoraLayer
from peft.utils.integrations import dequantize_module_weight
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from core.choices import Initialisation
from core.engine.activations import strongest_inputs
from core.engine.adapters import Start, lora_layers, put, remember_start
from core.engine.encoding import Encoded
from core.engine.processes import is_first
from core.engine.weights import original_weights, transposed_in
from core.plan import TrainingPlan
from core.problems import Code, Trouble

#: Subspace iterations of the randomized SVD, as peft's "pissa_niter_16": within rounding of an exact one.
_ITERATIONS = 16


def start_from(model: PeftModel, plan: TrainingPlan, folder: Path, kept: Path, rows: list[Encoded]) -> None:
    """Give the untrained adapter of `model` the start that the plan asks for.

    `folder` is the base's, `kept` the file that remembers the start: it is written the first time and read whenever the
    run goes on. `rows` are what is trained. Raises Trouble(PLAN_INVALID) when there are too few trained tokens for EVA,
    (MODEL_UNSUPPORTED) when the folder's weights have other names than the modules.
    """
    if plan.initialisation is Initialisation.DEFAULT:
        return
    start = _read(kept, model, plan)
    if start is None:
        start = dict(_made(model, plan, folder, rows))
        if is_first():
            _write(kept, start, plan)
    for name, layer in lora_layers(model):
        a, b = start[name]
        put(layer, a, b)
        if plan.initialisation is Initialisation.PISSA:
            _take_away(layer, a, b)
    if plan.initialisation is not Initialisation.EVA:
        remember_start(model, start)


def _made(model: PeftModel, plan: TrainingPlan, folder: Path, rows: list[Encoded]) -> Iterator[tuple[str, Start]]:
    if plan.initialisation is Initialisation.EVA:
        yield from strongest_inputs(model, plan, rows)
        return
    with torch.random.fork_rng(devices=[torch.cuda.current_device()] if torch.cuda.is_available() else []):
        torch.manual_seed(plan.seed)
        if plan.initialisation is Initialisation.PISSA:
            for name, layer in lora_layers(model):
                yield name, _strongest(layer, layer.get_base_layer().weight.data)
            return
        layers = dict(lora_layers(model))
        found = set()
        turned = transposed_in(folder)
        for name, weight in original_weights(folder, set(layers)):
            base = layers[name].get_base_layer()
            lost = (weight.T if turned else weight).to(base.weight.device, torch.float32) - dequantize_module_weight(
                base
            ).float()
            yield name, _strongest(layers[name], lost)
            found.add(name)
        if missing := layers.keys() - found:
            raise Trouble(Code.MODEL_UNSUPPORTED, path=folder, text=f"no weight named {min(missing)}")


def _strongest(layer: LoraLayer, matrix: torch.Tensor) -> Start:
    """A and B whose scaled product is the best approximation of `matrix` at the layer's rank, shared evenly.

    Where the matrix has fewer directions than that, the rest of A stays as it was, beside zeros in B.
    """
    a, b = layer.lora_A["default"].weight.data.float(), layer.lora_B["default"].weight.data.float()
    oriented = matrix.float().T if getattr(layer, "fan_in_fan_out", False) else matrix.float()
    rank = min(len(a), *oriented.shape)
    left, sizes, right = torch.svd_lowrank(oriented, rank, niter=_ITERATIONS)
    roots = (sizes / layer.scaling["default"]).sqrt()
    a, b = a.clone(), torch.zeros_like(b)
    a[:rank], b[:, :rank] = roots[:, None] * right.T, left * roots
    return a, b


def _take_away(layer: LoraLayer, a: torch.Tensor, b: torch.Tensor) -> None:
    """Leave in the frozen weight what the adapter does not start with."""
    weight = layer.get_base_layer().weight
    part = layer.scaling["default"] * (b.to(weight.device) @ a.to(weight.device))
    part = part.T if getattr(layer, "fan_in_fan_out", False) else part
    weight.data = (weight.data.float() - part).to(weight.dtype)


def _read(kept: Path, model: PeftModel, plan: TrainingPlan) -> dict[str, Start] | None:
    """The start that was written for this plan, None when there is none."""
    if not kept.is_file():
        return None
    with safe_open(kept, framework="pt") as file:
        if json.loads(file.metadata()["plan"]) != _asked(plan):
            return None
    tensors = load_file(kept)
    found = {
        name: (tensors[f"{name}.A"], tensors[f"{name}.B"]) for name, _ in lora_layers(model) if f"{name}.A" in tensors
    }
    return found if 2 * len(found) == len(tensors) and len(found) == len(list(lora_layers(model))) else None


def _write(kept: Path, start: dict[str, Start], plan: TrainingPlan) -> None:
    tensors = {f"{name}.A": a.cpu().contiguous() for name, (a, _) in start.items()}
    tensors |= {f"{name}.B": b.cpu().contiguous() for name, (_, b) in start.items()}
    beside = kept.with_name(f"{kept.name}.part")
    save_file(tensors, beside, metadata={"plan": json.dumps(_asked(plan))})
    beside.replace(kept)


def _asked(plan: TrainingPlan) -> dict[str, object]:
    """What a start depends on."""
    names = ["model", "method", "initialisation", "rank", "alpha", "targets", "rslora", "shallow_rank", "seed"]
    names += ["data"] if plan.initialisation is Initialisation.EVA else []
    return json.loads(json.dumps({name: getattr(plan, name) for name in names}))
