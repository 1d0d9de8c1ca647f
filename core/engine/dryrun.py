"""The memory dry run: one step of the real transformers and peft modules on the meta device, counting live tensors.

It needs config.json alone, any computer, and a second or two; core.vram's formulae are its quick stand-in. Nothing is
computed or downloaded: the meta device knows shapes only. Every row counts as full and every token as trained, rows of
one batch as padded.
"""

import time
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedConfig, PreTrainedModel

from core.engine.livepeak import LivePeak
from core.engine.loading import attach_new_adapter, recompute
from core.engine.loss import hidden_states, plain_loss, tiled_loss
from core.engine.standins import hold, like_a_card
from core.modelconfig import architecture_of, read_config
from core.plan import Loss, Method, Optimizer, TrainingPlan
from core.problems import Code, Trouble
from core.vram import ALLOCATOR_BYTES, CONTEXT_BYTES, NF4_BYTES, Estimate

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


def dry_run(config_path: Path, plan: TrainingPlan, *, adapter_bytes: int = 4) -> DryRun:
    """Predict the peak of `plan` for the model that `config_path` describes.

    `adapter_bytes` per adapter parameter: 4 (fp32, as the engine does) or 2 (bf16). Raises Trouble: what
    core.modelconfig.read_config raises, MODEL_UNSUPPORTED for models that do not run on the meta device, PLAN_INVALID
    when the model has none of the plan's targets.
    """
    started = time.perf_counter()
    architecture_of(read_config(config_path), config_path)
    try:
        base, held = _base(AutoConfig.from_pretrained(config_path, trust_remote_code=False), plan)
        weights = _weight_bytes(base, held, plan.method)
        model = _adapted(base, plan, adapter_bytes)
        meter = _count(model, plan)
    except Trouble:
        raise
    except Exception as error:
        # models that nobody tried yet fail in any way they like
        text = f"{type(error).__name__}: {error}"[:300]
        raise Trouble(Code.MODEL_UNSUPPORTED, path=config_path.parent, text=text) from error
    learned = sum(p.numel() for p in model.parameters() if p.requires_grad)
    states = 2 * learned * (1 if plan.optimizer is Optimizer.ADAMW8BIT else adapter_bytes)
    worst = _worst(meter, learned * adapter_bytes if plan.accumulation > 1 else 0)
    found = Estimate(
        weights=weights,
        adapter=learned * adapter_bytes,
        optimizer=states,
        workspace=_workspace(held),
        overhead=ALLOCATOR_BYTES + CONTEXT_BYTES,
        **worst,
    )
    phases = {name: moment.live for name, moment in meter.worst.items()}
    return DryRun(found, time.perf_counter() - started, learned, phases)


def _base(config: PreTrainedConfig, plan: TrainingPlan) -> tuple[PreTrainedModel, dict[str, torch.nn.Linear]]:
    """The frozen base, and which of its modules are held in fewer than 16 bits."""
    with _META:
        base = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16, trust_remote_code=False)
    base.requires_grad_(False)
    return base, hold(base, plan.method)


def _adapted(base: PreTrainedModel, plan: TrainingPlan, adapter_bytes: int) -> PeftModel:
    """Adapter and recomputation as core.engine.train sets them up."""
    with _META:
        model = attach_new_adapter(base, plan)
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.to(torch.float32 if adapter_bytes == 4 else torch.bfloat16)
    recompute(base, plan)
    return model


def _count(model: PeftModel, plan: TrainingPlan) -> LivePeak:
    """Run a training step and an evaluation step and return the meter that followed them."""
    ids = torch.zeros((plan.batch, plan.tokens), dtype=torch.long, device=_META)
    base = model.get_base_model()
    with like_a_card(padded=plan.batch > 1):
        tiled = plan.loss is Loss.CHUNKED and _head_comes_last(base)
        if plan.accumulation > 1:
            for parameter in _trainable(model):
                parameter.grad = torch.empty_like(parameter)
        standing = [*model.parameters(), *model.buffers(), *(p.grad for p in _trainable(model) if p.grad is not None)]
        with LivePeak(standing) as meter:
            count_step(model, {"input_ids": ids, "attention_mask": torch.ones_like(ids)}, ids, meter, tiled=tiled)
    return meter


def count_step(
    model: PeftModel, fed: dict[str, torch.Tensor], labels: torch.Tensor, meter: LivePeak, *, tiled: bool
) -> None:
    """Train and evaluate one micro-batch as core.engine.trainer does, under a running meter."""
    base = model.get_base_model()
    inner = getattr(base, base.base_model_prefix)
    hooks = [p.register_post_accumulate_grad_hook(meter.adopt_gradient) for p in _trainable(model)]
    hooks.append(inner.register_forward_hook(lambda _m, _args, out: _head_begins(out, meter)))
    model.train()
    meter.begin("forward")
    _loss(base, fed, labels, tiled=tiled).backward()
    for hook in hooks:
        hook.remove()
    model.zero_grad()
    meter.forget_gradients()
    model.eval()
    meter.begin("evaluation")
    with torch.no_grad():
        _loss(base, fed, labels, tiled=tiled)


def _loss(base: PreTrainedModel, fed: dict[str, torch.Tensor], labels: torch.Tensor, *, tiled: bool) -> torch.Tensor:
    if tiled:
        return tiled_loss(hidden_states(base, **fed), labels, base.get_output_embeddings())
    return plain_loss(base(**fed, use_cache=False).logits, labels)


def _head_begins(out: Any, meter: LivePeak) -> None:
    """The body's forward pass is over; when the gradient of its output arrives, its backward pass begins."""
    out.last_hidden_state.register_hook(lambda _gradient: meter.begin("backward"))
    meter.begin("head")


def _head_comes_last(base: PreTrainedModel) -> bool:
    """Whether the logits are the head's own output on the last hidden states; see core.engine.loss.tiling_is_exact.

    Nothing has values here, so it is seen from where the tensors lie: scaling and capping make new ones.
    """
    head = base.get_output_embeddings()
    if head is None or not hasattr(base, base.base_model_prefix):
        return False
    seen: list[torch.Tensor] = []
    inner = getattr(base, base.base_model_prefix)
    hooks = [
        inner.register_forward_hook(lambda _m, _args, out: seen.append(out.last_hidden_state)),
        head.register_forward_hook(lambda _m, args, out: seen.extend((args[0], out))),
    ]
    ids = torch.zeros((1, 8), dtype=torch.long, device=_META)
    with torch.no_grad():
        logits = base(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False).logits
    for hook in hooks:
        hook.remove()
    places = [tensor.untyped_storage()._cdata for tensor in (*seen, logits)]
    return len(places) == 4 and places[0] == places[1] and places[2] == places[3]


def _worst(meter: LivePeak, standing: int) -> dict[str, int]:
    """Gradients, activations and logits at the worst moment; `standing` are gradients that accumulate over batches."""
    kept = {name: 0 if name == "evaluation" else standing for name in meter.worst}
    phase = max(kept, key=lambda name: meter.worst[name].live + kept[name])
    worst = meter.worst[phase]
    logits = worst.live - meter.at_start[phase].live if phase == "head" else 0
    return {
        "gradients": worst.gradients + kept[phase],
        "activations": worst.live - worst.gradients - logits,
        "logits": logits,
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
