"""The memory dry run: one step of the real transformers and peft modules on the meta device, counting live tensors.

It needs config.json alone, any computer, and a second or two; core.vram's formulae are its quick stand-in. Nothing is
computed or downloaded: the meta device knows shapes only. Every sequence counts as full and every token as trained; a
sequence is one row, or several that a mask keeps apart.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedConfig, PreTrainedModel
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from core.engine.adapters import attach_new_adapter
from core.engine.fused import fuse
from core.engine.livepeak import LivePeak
from core.engine.loading import recompute
from core.engine.loss import Ending, ending_of, hidden_states, plain_loss, tiled_loss
from core.engine.standins import Card, hold, like_a_card
from core.fit import UNFITTED, Constants
from core.modelconfig import WHOLE, architecture_of, refuse
from core.plan import Loss, Method, Optimizer, TrainingPlan
from core.problems import Code, Trouble
from core.vram import NF4_BYTES, PLAIN_BYTES, WHOLE_BYTES, Estimate, packs

_META = torch.device("meta")


@dataclass(frozen=True)
class DryRun:
    """Predicted peak of a training run.

    In `estimate`, activations, logits and gradients are what lives at the worst moment; `phases` has the bytes that
    live then and at the worst moments of the other phases: forward, head (loss and its backward), backward, evaluation.
    """

    estimate: Estimate
    seconds: float
    trained_parameters: int
    phases: dict[str, int]


def dry_run(
    facts: dict[str, Any],
    plan: TrainingPlan,
    *,
    adapter_bytes: int = 4,
    autocast: bool = True,
    packed: bool | None = None,
    constants: Constants = UNFITTED,
) -> DryRun:
    """Predict the peak of `plan` for the model whose config.json has these `facts` (core.modelconfig.read_config).

    `adapter_bytes` per adapter parameter: 4 (fp32, as the engine does) or 2 (bf16); `autocast` as the engine does, else
    fp32 adapters work on fp32 copies of their inputs. `packed` says whether sequences hold several rows; None is as the
    plan says and the model can. `constants` are those of the card. Raises Trouble: what
    core.modelconfig.refuse raises, MODEL_CORRUPT for impossible numbers, MODEL_UNSUPPORTED for models that do not run
    on the meta device, PLAN_INVALID when the model has none of the plan's targets.
    """
    started = time.perf_counter()
    refuse(facts)
    packed = packs(architecture_of(facts), plan) if packed is None else packed
    try:
        base, held = _base(config_from(facts), plan)
        weights = _weight_bytes(base, held, plan.method)
        model = _adapted(base, plan, adapter_bytes, fused=autocast or adapter_bytes < 4)
        meter = _count(model, plan, packed=packed, autocast=autocast)
    except Trouble:
        raise
    except Exception as error:
        # models that nobody tried yet fail in any way they like
        text = f"{type(error).__name__}: {error}"[:300]
        raise Trouble(Code.MODEL_UNSUPPORTED, path=facts.get("_name_or_path", ""), text=text) from error
    learned = sum(p.numel() for p in model.parameters() if p.requires_grad)
    states = 2 * learned * (1 if plan.optimizer is Optimizer.ADAMW8BIT else adapter_bytes)
    kept = (PLAIN_BYTES - WHOLE_BYTES) * base.config.get_text_config().vocab_size * plan.batch * plan.tokens
    standing = learned * adapter_bytes if plan.accumulation > 1 else 0
    worst = _worst(meter, standing, kept if plan.loss is Loss.PLAIN else 0)
    found = Estimate(
        weights=weights,
        adapter=learned * adapter_bytes,
        optimizer=states,
        workspace=_workspace(held),
        overhead=constants.overhead_bytes,
        gradients=worst["gradients"],
        activations=round(constants.live * worst["activations"]),
        logits=round(constants.live * worst["logits"]),
    )
    phases = {name: moment.live for name, moment in meter.worst.items()}
    return DryRun(found, time.perf_counter() - started, learned, phases)


def config_from(facts: dict[str, Any]) -> PreTrainedConfig:
    """The config of the model that core.engine.loading would load: with its other parts where it has some.

    Facts are untrusted: names with an underscore and implementations choose code, some of it on a hub.
    """
    safe = {
        k: v for k, v in facts.items() if not (k.startswith("_") or k.endswith("_implementation")) and k != "model_type"
    }
    whole = str(facts.get(WHOLE) or "")
    if whole in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES and whole != facts.get("model_type"):
        return AutoConfig.for_model(
            whole, **{k: v for k, v in safe.items() if k.endswith("_config") or k.startswith("tie_")}
        )
    return AutoConfig.for_model(str(facts.get("model_type")), **safe)


def _base(config: PreTrainedConfig, plan: TrainingPlan) -> tuple[PreTrainedModel, dict[str, torch.nn.Linear]]:
    """The frozen base, and which of its modules are held in fewer than 16 bits."""
    with _META:
        base = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16, trust_remote_code=False)
    base.requires_grad_(False)
    return base, hold(base, plan.method)


def _adapted(base: PreTrainedModel, plan: TrainingPlan, adapter_bytes: int, *, fused: bool) -> PeftModel:
    """Adapter and recomputation as core.engine.train sets them up; not `fused` as peft alone computes."""
    with _META:
        model = attach_new_adapter(base, plan)
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.to(torch.float32 if adapter_bytes == 4 else torch.bfloat16)
    if fused:
        fuse(model)
    recompute(base, plan)
    return model


def _count(model: PeftModel, plan: TrainingPlan, *, packed: bool = False, autocast: bool = True) -> LivePeak:
    """Run a training step and an evaluation step and return the meter that followed them."""
    ids = torch.zeros((plan.batch, plan.tokens), dtype=torch.long, device=_META)
    fed = {"input_ids": ids} | ({"position_ids": torch.zeros_like(ids)} if packed else {})
    base = model.get_base_model()
    with like_a_card(packed=packed, autocast=autocast) as card:
        tiled = plan.loss is Loss.CHUNKED and _ends_as_known(base)
        if plan.accumulation > 1:
            for parameter in _trainable(model):
                parameter.grad = torch.empty_like(parameter)
        standing = [
            *fed.values(),
            *model.parameters(),
            *model.buffers(),
            *(p.grad for p in _trainable(model) if p.grad is not None),
        ]
        with LivePeak(standing) as meter:
            count_step(model, meter, lambda: _loss(base, fed, ids, tiled=tiled), card)
    return meter


def count_step(model: PeftModel, meter: LivePeak, loss: Callable[[], torch.Tensor], card: Card) -> None:
    """Train and evaluate one micro-batch as core.engine.trainer does, under a running meter."""
    base = model.get_base_model()
    inner = getattr(base, base.base_model_prefix)
    hooks = [p.register_post_accumulate_grad_hook(meter.adopt_gradient) for p in _trainable(model)]
    hooks.append(inner.register_forward_hook(lambda _m, _args, out: _head_begins(out, meter)))
    model.train()
    meter.begin("forward")
    with card.autocast():
        total = loss()
    total.backward()
    del total
    for hook in hooks:
        hook.remove()
    model.zero_grad()
    meter.forget_gradients()
    model.eval()
    meter.begin("evaluation")
    with torch.no_grad(), card.autocast():
        loss()


def _loss(base: PreTrainedModel, fed: dict[str, torch.Tensor], labels: torch.Tensor, *, tiled: bool) -> torch.Tensor:
    if tiled:
        return tiled_loss(hidden_states(base, **fed), labels, ending_of(base))
    return plain_loss(base(**fed, use_cache=False).logits, labels)


def _head_begins(out: Any, meter: LivePeak) -> None:
    """The body's forward pass is over; when the gradient of its output arrives, its backward pass begins."""
    out.last_hidden_state.register_hook(lambda _gradient: meter.begin("backward"))
    meter.begin("head")


def _ends_as_known(base: PreTrainedModel) -> bool:
    """Whether the logits are the head's output, or what the config says is done to it (core.engine.loss.ending_of).

    Nothing has values here, so it is seen from where the tensors lie: whatever is done to them makes new ones.
    """
    ending = ending_of(base)
    head = ending.head
    if head is None or not hasattr(base, base.base_model_prefix):
        return False
    if ending != Ending(head):
        return True
    seen: list[torch.Tensor] = []
    inner = getattr(base, base.base_model_prefix)
    hooks = [
        inner.register_forward_hook(lambda _m, _args, out: seen.append(out.last_hidden_state)),
        head.register_forward_hook(lambda _m, args, out: seen.extend((args[0], out))),
    ]
    ids = torch.zeros((1, 8), dtype=torch.long, device=_META)
    with torch.no_grad():
        logits = base(input_ids=ids, use_cache=False).logits
    for hook in hooks:
        hook.remove()
    places = [tensor.untyped_storage()._cdata for tensor in (*seen, logits)]
    return len(places) == 4 and places[0] == places[1] and places[2] == places[3]


def _worst(meter: LivePeak, standing: int, kept_logits: int) -> dict[str, int]:
    """Gradients, activations and logits at the worst moment.

    `standing` are gradients that accumulate over batches, `kept_logits` what plain cross entropy holds beyond ours
    (see core.vram.PLAIN_BYTES).
    """
    more = {name: 0 if name == "evaluation" else standing for name in meter.worst}
    more["head"] += kept_logits
    phase = max(more, key=lambda name: meter.worst[name].live + more[name])
    worst = meter.worst[phase]
    logits = worst.live - meter.at_start[phase].live if phase == "head" else 0
    return {
        "gradients": worst.gradients + more[phase] - (kept_logits if phase == "head" else 0),
        "activations": worst.live - worst.gradients - logits,
        "logits": logits + (kept_logits if phase == "head" else 0),
    }


def _weight_bytes(base: PreTrainedModel, held: dict[str, torch.nn.Linear], method: Method) -> int:
    """Bytes of the frozen base, tied weights once: 16-bit but for what is held."""
    shrunk = {id(module.weight) for module in held.values()}
    rest = 2 * sum(p.numel() for p in base.parameters() if id(p) not in shrunk)
    numbers = sum(module.weight.numel() for module in held.values())
    if method is Method.LORA8:
        return rest + numbers + 4 * sum(module.out_features for module in held.values())
    return rest + ceil(NF4_BYTES * numbers)


def _workspace(held: dict[str, torch.nn.Linear]) -> int:
    """bitsandbytes unpacks one whole weight per product."""
    return 2 * max((module.weight.numel() for module in held.values()), default=0)


def _trainable(model: torch.nn.Module) -> list[torch.nn.Parameter]:
    return [p for p in model.parameters() if p.requires_grad]
