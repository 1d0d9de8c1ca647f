"""The adapter on its base: what peft is told of a plan, what of it learns how fast, and what it needs to be saved."""

import json
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peft.tuners.lora import LoraLayer
from safetensors.torch import load_file, save_file
from transformers import PreTrainedModel, Trainer, TrainingArguments

from core.choices import Bias, Schedule, ranks_of
from core.engine.device import autocast, device
from core.engine.halves import without_copies
from core.engine.processes import shares
from core.engine.targets import find_targets, layers_path
from core.plan import TrainingPlan

#: The plan's schedules as transformers calls them; all of them warm up.
SCHEDULES = {Schedule.COSINE: "cosine", Schedule.LINEAR: "linear", Schedule.CONSTANT: "constant_with_warmup"}
#: A and B that an adapter starts with, as (rank, in) and (out, rank).
Start = tuple[torch.Tensor, torch.Tensor]


def attach_new_adapter(model: PreTrainedModel, plan: TrainingPlan) -> PeftModel:
    """Put an untrained adapter on the base: B is zero, so training starts from the base model exactly.

    Other ways to start come after it (core.engine.initial). Raises Trouble(PLAN_INVALID) when the base has none of the
    plan's target modules.
    """
    found = find_targets(model, plan)
    ranks, alphas = layer_patterns(model, plan)
    config = LoraConfig(
        r=plan.rank,
        lora_alpha=plan.alpha,
        lora_dropout=plan.dropout,
        target_modules=list(found.names),
        fan_in_fan_out=found.transposed,
        use_rslora=plan.rslora,
        use_dora=plan.dora,
        rank_pattern=ranks,
        alpha_pattern=alphas,
        bias=plan.bias.value,
        task_type="CAUSAL_LM",
    )
    adapted = get_peft_model(model, config)
    if plan.bias is not Bias.NONE:
        learning = dict(learning_biases(adapted))
        for name, parameter in learning.items():
            # 16 bits would round away most steps of a learning rate
            parameter.data = parameter.data.float()
            weight = getattr(adapted.get_base_model().get_submodule(name.removesuffix(".bias")), "weight", None)
            if weight is not None and weight.dim() == 1:
                # norms want one format
                weight.data = weight.data.float()
        adapted.own_biases = {name: parameter.data.clone() for name, parameter in learning.items()}
        if model.device.type != "meta":
            for part in {model, getattr(model, model.base_model_prefix)}:
                # 16-bit weights take 32-bit biases under autocast only, wherever the model is asked
                part.forward = autocast(device() if shares() else model.device)(part.forward)
    return without_copies(adapted)


def layer_patterns(model: PreTrainedModel, plan: TrainingPlan) -> tuple[dict[str, int], dict[str, float]]:
    """peft's rank_pattern and alpha_pattern of the plan's shallow rank: empty where all layers are alike.

    The strength stays what it is in the other layers: alpha goes down with the rank, but for rsLoRA, which scales by
    the root of the rank itself.
    """
    path = layers_path(model)
    shallow, _ranks = ranks_of(plan, len(list(model.get_submodule(path).children())))
    if not shallow or plan.shallow_rank == plan.rank:
        return {}, {}
    key = rf"{re.escape(path)}\.({'|'.join(str(layer) for layer in range(shallow))})\..*"
    return {key: plan.shallow_rank}, ({} if plan.rslora else {key: plan.alpha * plan.shallow_rank / plan.rank})


def optimizer(model: PeftModel, plan: TrainingPlan, args: TrainingArguments) -> tuple[type, dict[str, Any]]:
    """The optimizer that transformers would choose for `args`, and what it is made with: the plan's own groups."""
    kind, settings = Trainer.get_optimizer_cls_and_kwargs(args, model)
    return kind, settings | {"params": optimizer_groups(model, plan, args.learning_rate, args.weight_decay)}


def optimizer_groups(
    model: torch.nn.Module, plan: TrainingPlan, rate: float | None = None, decay: float | None = None
) -> list[dict[str, Any]]:
    """What learns, in groups for AdamW (8-bit too): with LoRA+, B learns `lora_plus` times faster than A.

    `rate` and `decay` are the plan's where nothing is said. Sizes (DoRA) and biases are not pulled towards zero by
    weight decay. Groups are in a fixed order, A's first, as checkpoints and the shown rate need; each has params, lr
    and weight_decay.
    """
    rate, decay = plan.learning_rate if rate is None else rate, plan.weight_decay if decay is None else decay
    groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            decays = not name.endswith(".bias") and "lora_magnitude_vector" not in name
            faster = plan.lora_plus != 1.0 and ".lora_B." in name
            groups.setdefault((faster, not decays), []).append(parameter)
    return [
        {
            "params": params,
            "lr": rate * (plan.lora_plus if faster else 1.0),
            "weight_decay": 0.0 if exempt else decay,
        }
        for (faster, exempt), params in sorted(groups.items(), key=lambda item: item[0])
    ]


def lora_layers(model: PeftModel) -> Iterator[tuple[str, LoraLayer]]:
    """Path in the base and layer of every module with an adapter."""
    for name, module in model.get_base_model().named_modules():
        if isinstance(module, LoraLayer):
            yield name, module


def biases(model: torch.nn.Module) -> Iterator[tuple[str, torch.nn.Parameter]]:
    """Name in the base and bias of every module that has one, with or without an adapter around it."""
    base = model.get_base_model() if isinstance(model, PeftModel) else model
    for name, parameter in base.named_parameters():
        if name.endswith(".bias") and ".lora_" not in name:
            yield name.replace(".base_layer.bias", ".bias"), parameter


def learning_biases(model: PeftModel) -> Iterator[tuple[str, torch.nn.Parameter]]:
    """The biases of the base that learn with the adapter; see `biases`."""
    yield from ((name, parameter) for name, parameter in biases(model) if parameter.requires_grad)


def learns_no_bias(model: PeftModel, plan: TrainingPlan) -> bool:
    """Whether the plan lets biases learn of which the model has none."""
    return plan.bias is not Bias.NONE and not any(learning_biases(model))


def put(layer: LoraLayer, a: torch.Tensor, b: torch.Tensor) -> None:
    """Give a layer these A and B."""
    for part, value in ((layer.lora_A, a), (layer.lora_B, b)):
        weight = part["default"].weight
        weight.data.copy_(value.to(weight.device, weight.dtype))


def remember_start(model: PeftModel, start: dict[str, Start]) -> None:
    """Say what the adapter of `model` started with, where that was not nothing."""
    model.start = start


def write_adapter(model: PeftModel, folder: Path) -> None:
    """Save the adapter into `folder` as a plain one of the original base, whatever it started from.

    What was learned beyond a start of B0 A0 is B A − B0 A0: an adapter of twice the rank.
    """
    model.save_pretrained(folder)
    start: dict[str, Start] = getattr(model, "start", {})
    if not start:
        return
    file = folder / "adapter_model.safetensors"
    tensors = load_file(file)
    for name, (a, b) in start.items():
        for key, part in (
            (f"base_model.model.{name}.lora_A.weight", a),
            (f"base_model.model.{name}.lora_B.weight", -b),
        ):
            now = tensors[key]
            tensors[key] = torch.cat(
                [now, part.to(now.device, now.dtype)], dim=0 if ".lora_A." in key else 1
            ).contiguous()
    save_file(tensors, file, metadata={"format": "pt"})
    path = folder / "adapter_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    # scaling is alpha over the rank, or over its root
    more = 2**0.5 if config["use_rslora"] else 2
    config |= {"r": 2 * config["r"], "lora_alpha": more * config["lora_alpha"]}
    config["rank_pattern"] = {key: 2 * rank for key, rank in config["rank_pattern"].items()}
    config["alpha_pattern"] = {key: more * alpha for key, alpha in config["alpha_pattern"].items()}
    path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


@contextmanager
def as_base(model: PeftModel) -> Iterator[None]:
    """Let `model` answer as its base does: without the adapter, with the base's own biases.

    Where training began with parts of the weights in the adapter (PiSSA), they are put back for the while.
    """
    own: dict[str, torch.Tensor] = getattr(model, "own_biases", {})
    start: dict[str, Start] = getattr(model, "start", {})
    parameters = dict(biases(model)) if own else {}
    learned = {name: parameters[name].data for name in own}
    layers = dict(lora_layers(model)) if start else {}
    now = {
        name: (each.lora_A["default"].weight.data.clone(), each.lora_B["default"].weight.data.clone())
        for name, each in layers.items()
    }
    try:
        for name, bias in own.items():
            parameters[name].data = bias
        for name, layer in layers.items():
            put(layer, *start[name])
        if start:
            yield
        else:
            with warnings.catch_warnings():
                # peft warns of biases, which are put back here
                warnings.filterwarnings("ignore", "Careful, disabling adapter layers")
                with model.disable_adapter():
                    yield
    finally:
        for name, bias in learned.items():
            parameters[name].data = bias
        for name, layer in layers.items():
            put(layer, *now[name])
