"""Are the settings sane: rank, alpha, dropout and learning rate."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from core.advice import adapter_parameters, signals
from core.learnable.checks import Check, CheckCode, Fix, Level
from core.learnable.known import Known
from core.plan import Method, TrainingPlan
from core.reasons import OURS, Reason, ReasonCode
from core.tiers import rules


def dangers(known: Known) -> Iterator[Check]:
    """The documents' danger signals, each with what ends it."""
    for reason in signals(known.plan):
        name, changes = _ENDS[ReasonCode(reason.code)](known.plan)
        yield Check(Level.WARNING, reason, name, Fix(f"fix_{name}", replace(known.plan, **changes), changes))


def rate(known: Known) -> Iterator[Check]:
    """A learning rate outside of what has been seen to work; QLoRA's upper limit is a danger signal."""
    plan, rule = known.plan, known.rule
    high = rule["rate_tiny"] if known.tiny else rule["rate_high"]
    usual = rules()["practice"]["learning_rate"] if known.tiny else TrainingPlan.learning_rate
    if known.tiny and plan.method is Method.QLORA:
        usual = TrainingPlan.learning_rate
    fix = Fix("fix_learning_rate", replace(plan, learning_rate=usual), {"learning_rate": usual})
    signalled = plan.method is Method.QLORA and plan.learning_rate > rules()["danger"]["learning_rate_qlora"]
    if plan.learning_rate > high and not signalled:
        source = OURS if known.tiny else rule["source_rate_high"]
        level = Level.WARNING if plan.learning_rate > 2 * high else Level.NOTE
        reason = Reason(CheckCode.RATE_HIGH, {"learning_rate": plan.learning_rate, "limit": float(high)}, source)
        yield Check(level, reason, "learning_rate", fix)
    if plan.learning_rate < rule["rate_low"]:
        level = Level.WARNING if plan.learning_rate < rule["rate_low"] / 5 else Level.NOTE
        facts = {"learning_rate": plan.learning_rate, "limit": float(rule["rate_low"])}
        yield Check(level, Reason(CheckCode.RATE_LOW, facts, rule["source_rate_low"]), "learning_rate", fix)


def rank(known: Known) -> Iterator[Check]:
    """An adapter that is too small for the data, or much too large."""
    plan, rule = known.plan, known.rule
    if plan.rank > rule["rank_high"] and known.rows < rule["rows"]:
        usual = TrainingPlan.rank
        changes: dict[str, Any] = {"rank": usual, "alpha": 2 * usual}
        reason = Reason(CheckCode.RANK_LARGE, {"rank": plan.rank, "rows": known.rows}, OURS)
        yield Check(Level.NOTE, reason, "rank", Fix("fix_rank", replace(plan, **changes), changes))
    if known.model is None or known.trained is None or not known.model.architecture.known:
        return
    parameters = adapter_parameters(known.model.architecture, plan)
    if parameters and known.trained > rule["tokens_a_parameter"] * parameters:
        facts = {"rank": plan.rank, "trained": known.trained, "parameters": parameters}
        yield Check(Level.NOTE, Reason(CheckCode.RANK_SMALL, facts, OURS), "rank", _higher_rank(known, parameters))


def dropout(known: Known) -> Iterator[Check]:
    """Little data is learned by heart without dropout."""
    plan, rule = known.plan, known.rule
    if plan.dropout or known.rows >= rule["rows"] or known.practice or known.epochs <= 1:
        return
    fix = Fix("fix_dropout", replace(plan, dropout=rule["dropout"]), {"dropout": rule["dropout"]})
    reason = Reason(CheckCode.DROPOUT_NONE, {"rows": known.rows}, rule["source_dropout"])
    yield Check(Level.NOTE, reason, "dropout", fix)


def _higher_rank(known: Known, parameters: int) -> Fix | None:
    """The least usual rank that holds as much; None beyond the largest usual one."""
    plan, each = known.plan, parameters / known.plan.rank
    wanted = (known.trained or 0) / known.rule["tokens_a_parameter"] / each
    rank = next((rank for rank in rules()["budget"]["ranks"] if rank > plan.rank and rank >= wanted), None)
    if rank is None:
        return None
    changes: dict[str, Any] = {"rank": rank, "alpha": 2 * rank}
    return Fix("fix_rank", replace(plan, **changes), changes)


def _less_dropout(_plan: TrainingPlan) -> tuple[str, dict[str, Any]]:
    return "dropout", {"dropout": 0.1}


def _more_alpha(plan: TrainingPlan) -> tuple[str, dict[str, Any]]:
    return "alpha", {"alpha": 2 * plan.rank}


def _more_rank(_plan: TrainingPlan) -> tuple[str, dict[str, Any]]:
    least = rules()["danger"]["rank_low"]
    return "rank", {"rank": least, "alpha": 2 * least}


def _usual_rate(_plan: TrainingPlan) -> tuple[str, dict[str, Any]]:
    return "learning_rate", {"learning_rate": TrainingPlan.learning_rate}


_ENDS: dict[ReasonCode, Callable[[TrainingPlan], tuple[str, dict[str, Any]]]] = {
    ReasonCode.DANGER_OVER_REGULARISED: _less_dropout,
    ReasonCode.DANGER_ALPHA_BELOW_RANK: _more_alpha,
    ReasonCode.DANGER_SPREAD_THIN: _more_rank,
    ReasonCode.DANGER_LEARNING_RATE: _usual_rate,
}
