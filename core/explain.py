"""Reasons for a recommendation: tier, memory, steps down and settings, as codes with facts."""

from typing import Any

from core.catalog import ModelSpec
from core.plan import Method, TrainingPlan
from core.reasons import OURS, Reason, ReasonCode
from core.tiers import Tier, card_gb, goal_of, reserve_bytes, rules
from core.vram import Estimate

_METHODS = {
    Method.LORA: ReasonCode.METHOD_LORA,
    Method.LORA8: ReasonCode.METHOD_LORA8,
    Method.QLORA: ReasonCode.METHOD_QLORA,
}
#: Which way a base is held ends with which result, best first.
_PRECISION = (Method.LORA, Method.LORA8, Method.QLORA)


def why_tier(tier: Tier, total_bytes: int = 0) -> Reason:
    """A row of the VRAM table: the one that a card's total memory falls into.

    The documents' last tier is open upwards, as they say it; that tiers of ours follow is another matter.
    """
    last = tier.source != OURS and tier.from_gb == rules()["documents_gb"]
    facts: dict[str, Any] = {
        "low_gb": tier.from_gb,
        "high_gb": 0 if last else tier.to_gb,
        "size_class": tier.size_class,
        "method": tier.method.value,
    }
    if total_bytes:
        facts |= {"card_gb": card_gb(total_bytes), "total_bytes": total_bytes}
    if tier.code == ReasonCode.TIER_BEYOND:
        facts["documents_gb"] = rules()["documents_gb"]
    return Reason(ReasonCode(tier.code), facts, tier.source)


def why_model(model: ModelSpec, *, chosen: bool = False) -> tuple[Reason, ...]:
    """Which model stands for the class (ruling e), or that it was chosen; and whether its memory is known at all."""
    code = ReasonCode.MODEL_CHOSEN if chosen else ReasonCode.MODEL_OF_CLASS
    said = Reason(code, titled(model) | {"size_class": model.size_class}, OURS)
    return (said,) if model.architecture.known else (said, Reason(ReasonCode.ROUGH_ESTIMATE, titled(model), OURS))


def why_method(model: ModelSpec, method: Method) -> tuple[Reason, ...]:
    """The documents' word on the method; they say nothing about an 8-bit base above 7B."""
    if method is Method.LORA8 and model.size_class in ("13B", "large"):
        return ()
    facts = {"size_class": model.size_class, "method": method.value}
    return (Reason(_METHODS[method], facts, rules()["method"][method.value]["source"]),)


def why_not_method(method: Method, capability: tuple[int, int]) -> Reason:
    """What the card lacks for a method that would have come first."""
    needed = tuple(rules()["capability"][method.value])
    facts = {"method": method.value, "needed": dotted(needed), "capability": dotted(capability)}
    return Reason(ReasonCode.METHOD_NOT_ON_CARD, facts, OURS)


def why_half_precision(capability: tuple[int, int]) -> Reason:
    """Why a card computes in fp16: bf16 begins at capability 8.0."""
    needed = tuple(rules()["capability"]["bf16"])
    return Reason(ReasonCode.FP16_COMPUTE, {"needed": dotted(needed), "capability": dotted(capability)}, OURS)


def why_memory(predicted: Estimate, free_bytes: int, total_bytes: int) -> tuple[Reason, ...]:
    """How the estimate stands against the free memory, and that others take some when they do."""
    reserve, needed = reserve_bytes(), predicted.total_bytes
    facts = {"needed_bytes": needed, "free_bytes": free_bytes, "reserve_bytes": reserve}
    used = total_bytes - free_bytes
    taken = Reason(
        ReasonCode.FREE_LESS_THAN_TOTAL,
        {"free_bytes": free_bytes, "total_bytes": total_bytes, "used_bytes": used},
    )
    if needed + reserve <= free_bytes:
        verdict = Reason(ReasonCode.FITS, facts | {"left_bytes": free_bytes - needed}, OURS)
    else:
        verdict = Reason(ReasonCode.NOT_FITTING, facts | {"short_bytes": needed + reserve - free_bytes}, OURS)
    return (taken, verdict) if used > rules()["reserve_bytes"] else (verdict,)


def titled_change(before: tuple[str, int], after: tuple[str, int]) -> Reason:
    """Another model, each as title and parameters."""
    sizes = {"before_parameters": before[1], "after_parameters": after[1]}
    return _step(ReasonCode.STEPPED_MODEL, before[0], after[0], **sizes)


def changes(start: TrainingPlan, plan: TrainingPlan) -> tuple[Reason, ...]:
    """What differs between two plans of one model: method, micro-batch, recomputation, length, 8-bit optimizer."""
    found: list[Reason] = []
    if plan.method is not start.method:
        found.append(_step(ReasonCode.STEPPED_METHOD, start.method.value, plan.method.value))
    if plan.batch != start.batch:
        code = ReasonCode.STEPPED_BATCH if plan.batch < start.batch else ReasonCode.LARGER_BATCH
        found.append(_step(code, start.batch, plan.batch, accumulation=plan.accumulation))
    if plan.checkpointing != start.checkpointing:
        found.append(_step(ReasonCode.STEPPED_CHECKPOINTING, start.checkpointing, plan.checkpointing))
    if plan.tokens != start.tokens:
        found.append(_step(ReasonCode.STEPPED_TOKENS, start.tokens, plan.tokens))
    return tuple(found)


def step_cost(slower: int) -> Reason:
    """What a change costs in time, in per cent; published figures, not measured on this card."""
    code = ReasonCode.STEP_COST if slower > 0 else ReasonCode.STEP_FREE if slower == 0 else ReasonCode.STEP_FASTER
    return Reason(code, {"percent": abs(slower)}, OURS)


def quality_of_change(before: TrainingPlan, after: TrainingPlan) -> tuple[Reason, ...]:
    """What a change does to the result: a smaller model, a shorter row, a base in fewer bits; or nothing."""
    found: list[Reason] = []
    if before.model != after.model:
        found.append(Reason(ReasonCode.QUALITY_SMALLER, {}, OURS))
    elif _PRECISION.index(after.method) != _PRECISION.index(before.method):
        found.append(quality_of_method(after.method))
    if after.tokens < before.tokens:
        found.append(Reason(ReasonCode.QUALITY_CUT, {"tokens": after.tokens}, OURS))
    return tuple(found) or (Reason(ReasonCode.QUALITY_SAME, {}, OURS),)


def quality_of_method(method: Method) -> Reason:
    """How exact a way of holding the base is."""
    if method is Method.QLORA:
        behind = rules()["quality"]
        facts = {"low": behind["qlora_behind_low"], "high": behind["qlora_behind_high"]}
        return Reason(ReasonCode.QUALITY_QLORA, facts, behind["source"])
    return Reason(ReasonCode.QUALITY_LORA8 if method is Method.LORA8 else ReasonCode.QUALITY_LORA, {}, OURS)


def why_settings(plan: TrainingPlan, goal: str) -> tuple[Reason, ...]:
    """Rank, alpha, modules, learning rate and recomputation of a plan that follows the documents."""
    rule = goal_of(goal)
    full = plan.targets == "full"
    rank = {"goal": goal, "rank": plan.rank, "low": rule.low, "high": rule.high}
    recompute = ReasonCode.NO_RECOMPUTATION if plan.checkpointing == "none" else ReasonCode.SOME_RECOMPUTATION
    return (
        Reason(ReasonCode.RANK_BY_GOAL, rank, rule.source),
        Reason(ReasonCode.ALPHA_TWICE_RANK, {"rank": plan.rank, "alpha": plan.alpha}, "D3, D4"),
        Reason(
            ReasonCode.TARGETS_FULL if full else ReasonCode.TARGETS_ATTENTION,
            {"targets": plan.targets},
            "D4" if full else "D1, D4",
        ),
        Reason(ReasonCode.LEARNING_RATE, {"learning_rate": plan.learning_rate}, "D3"),
        Reason(recompute, {"checkpointing": plan.checkpointing}, OURS),
    )


def why_practice(model: ModelSpec, plan: TrainingPlan, goal: str) -> tuple[Reason, ...]:
    """Why the starter model, and which of its settings are ours."""
    names = ("learning_rate", "epochs", "tokens", "batch", "accumulation")
    return (
        Reason(ReasonCode.PRACTICE, titled(model), OURS),
        Reason(ReasonCode.PRACTICE_SETTINGS, {name: getattr(plan, name) for name in names}, OURS),
        *why_settings(plan, goal)[:2],
    )


def why_instead(
    code: ReasonCode, before: tuple[ModelSpec, Estimate], after: tuple[ModelSpec, Estimate], method: Method
) -> Reason:
    """What an alternative (`after`, with its method) has over the recommendation (`before`)."""
    facts: dict[str, Any] = titled(after[0]) | {
        "method": method.value,
        "needed_bytes": after[1].total_bytes,
        "before_parameters": before[0].parameters,
        "after_parameters": after[0].parameters,
    }
    if code is ReasonCode.ALTERNATIVE_SAFER:
        facts["saved_bytes"] = before[1].total_bytes - after[1].total_bytes
    return Reason(code, facts, OURS)


def expected_speed(speed: float) -> Reason:
    """The speed of an alternative against the recommendation; published figures, not measured on this card."""
    return Reason(ReasonCode.EXPECTED_SPEED, {"percent": round(100 * speed)}, OURS)


def quality(before: tuple[ModelSpec, TrainingPlan], after: tuple[ModelSpec, TrainingPlan]) -> Reason:
    """What an alternative does to the result against the recommendation."""
    (first, plan), (second, other) = before, after
    if first.parameters != second.parameters:
        larger = second.parameters > first.parameters
        return Reason(ReasonCode.QUALITY_LARGER if larger else ReasonCode.QUALITY_SMALLER, {}, OURS)
    return quality_of_change(plan, other)[0]


def titled(model: ModelSpec) -> dict[str, str | int]:
    """A model as facts."""
    return {"model": model.id, "title": model.title, "parameters": model.parameters}


def dotted(capability: tuple[int, ...]) -> str:
    """A compute capability as NVIDIA writes it, "8.6"."""
    return ".".join(map(str, capability))


def _step(code: ReasonCode, before: str | int, after: str | int, **more: int) -> Reason:
    return Reason(code, {"before": before, "after": after} | more, OURS)
