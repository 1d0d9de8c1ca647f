"""Reasons for a recommendation: tier, memory, steps down and settings, as codes with facts."""

from typing import Any

from core.catalog import ModelSpec
from core.plan import Method, TrainingPlan
from core.reasons import OURS, Reason, ReasonCode
from core.tiers import Tier, card_gb, goal_of, rules
from core.vram import Estimate

_METHODS = {
    Method.LORA: ReasonCode.METHOD_LORA,
    Method.LORA8: ReasonCode.METHOD_LORA8,
    Method.QLORA: ReasonCode.METHOD_QLORA,
}


def why_tier(tier: Tier, total_bytes: int) -> Reason:
    """The row of the VRAM table that the card's total memory falls into."""
    facts: dict[str, Any] = {
        "card_gb": card_gb(total_bytes),
        "low_gb": tier.from_gb,
        "high_gb": tier.to_gb,
        "size_class": tier.size_class,
        "method": tier.method.value,
        "total_bytes": total_bytes,
    }
    if tier.code == ReasonCode.TIER_BEYOND:
        facts["documents_gb"] = rules()["documents_gb"]
    return Reason(ReasonCode(tier.code), facts, tier.source)


def why_model(model: ModelSpec) -> Reason:
    """Which model stands for the class (ruling e)."""
    return Reason(ReasonCode.MODEL_OF_CLASS, titled(model) | {"size_class": model.size_class}, OURS)


def why_method(model: ModelSpec, method: Method) -> tuple[Reason, ...]:
    """The documents' word on the method; they say nothing about an 8-bit base above 7B."""
    if method is Method.LORA8 and model.size_class in ("13B", "large"):
        return ()
    facts = {"size_class": model.size_class, "method": method.value}
    return (Reason(_METHODS[method], facts, rules()["method"][method.value]["source"]),)


def why_memory(predicted: Estimate, free_bytes: int, total_bytes: int) -> tuple[Reason, ...]:
    """How the estimate stands against the free memory, and that others take some when they do."""
    reserve, needed = rules()["reserve_bytes"], predicted.total_bytes
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
    return (taken, verdict) if used > reserve else (verdict,)


def stepped(proposed: ModelSpec, model: ModelSpec, start: TrainingPlan, plan: TrainingPlan) -> tuple[Reason, ...]:
    """What differs from the proposal: the model, and what `plan` gave up against its own `start`."""
    found: list[Reason] = []
    if model != proposed:
        sizes = {"before_parameters": proposed.parameters, "after_parameters": model.parameters}
        found.append(_step(ReasonCode.STEPPED_MODEL, proposed.title, model.title, **sizes))
    if plan.method is not start.method:
        found.append(_step(ReasonCode.STEPPED_METHOD, start.method.value, plan.method.value))
    if plan.batch != start.batch:
        found.append(_step(ReasonCode.STEPPED_BATCH, start.batch, plan.batch, accumulation=plan.accumulation))
    if plan.checkpointing != start.checkpointing:
        found.append(_step(ReasonCode.STEPPED_CHECKPOINTING, start.checkpointing, plan.checkpointing))
    if plan.tokens != start.tokens:
        found.append(_step(ReasonCode.STEPPED_TOKENS, start.tokens, plan.tokens))
    return tuple(found)


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


def titled(model: ModelSpec) -> dict[str, str | int]:
    """A model as facts."""
    return {"model": model.id, "title": model.title, "parameters": model.parameters}


def _step(code: ReasonCode, before: str | int, after: str | int, **more: int) -> Reason:
    return Reason(code, {"before": before, "after": after} | more, OURS)
