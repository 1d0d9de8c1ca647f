"""What the documents say: rules by topic, rank by task, danger signals, amount of data, budget of the adapter.

The codes of a Reason with the facts they carry are listed in core/reasons.py (ReasonCode).
"""

from dataclasses import dataclass, replace
from typing import Any

from core.architecture import Architecture
from core.explain import why_tier
from core.plan import TARGETS, Method, TrainingPlan
from core.reasons import Reason, ReasonCode
from core.tiers import goal_of, rules, tiers
from core.vram import adapter_parameters as adapter_parameters

#: Any plan: `budget` asks only for the size of its adapter.
_ANY = TrainingPlan(model="any", data=("any",), rank=1, alpha=1)
#: The danger signals by what they are about.
_DANGERS = {
    "rank": "doc_danger_over_regularised",
    "alpha": "doc_danger_alpha_below_rank",
    "targets": "doc_danger_spread_thin",
    "dropout": "doc_danger_over_regularised",
    "learning_rate": "doc_danger_learning_rate",
}


def rank_for_goal(goal: str) -> int:
    """The rank that suits a task: simple 8, medium 16, complex 32 (D1, D4). Raises ValueError for others."""
    return goal_of(goal).rank


def signals(plan: TrainingPlan, rows: int | None = None) -> tuple[Reason, ...]:
    """Danger signals in `plan` (D4), then what is said of `rows` rows of data (D3). Warns, never blocks."""
    found = (_over_regularised(plan), _alpha_below_rank(plan), _spread_thin(plan), _learning_rate(plan))
    amount = None if rows is None else _amount(rows)
    return tuple(reason for reason in (*found, amount) if reason)


@dataclass(frozen=True)
class BudgetRow:
    """The largest usual rank of a targets preset within a budget, how many parameters it learns, and the limit.

    `ranks` are all usual ranks that fit, `most_rank` is the largest rank of all, with `most_parameters`.
    """

    targets: str
    rank: int
    parameters: int
    ranks: tuple[int, ...]
    most_rank: int
    most_parameters: int


def budget(architecture: Architecture, most_parameters: int) -> tuple[BudgetRow, ...]:
    """Which ranks and targets learn at most `most_parameters` (D4); presets of which no rank fits are left out.

    Where not even the smallest usual rank fits, the largest one that does stands in for it.
    """
    found = []
    for targets in TARGETS:
        # parameters grow in proportion to the rank
        one = adapter_parameters(architecture, replace(_ANY, targets=targets))
        most = min(most_parameters // one, rules()["budget"]["most"]) if one else 0
        if most < 1:
            continue
        ranks = tuple(rank for rank in rules()["budget"]["ranks"] if rank <= most)
        rank = ranks[-1] if ranks else most
        found.append(BudgetRow(targets, rank, rank * one, ranks or (most,), most, most * one))
    return tuple(found)


def topics() -> tuple[str, ...]:
    """What there are rules about, in the order they are told."""
    return tuple(dict.fromkeys(row["topic"] for row in rules()["document"]))


def rules_about(topic: str) -> tuple[Reason, ...]:
    """All that the documents say about a topic (see `topics`), also where they disagree; () for any other.

    The tables of tiers.toml speak first (tiers, goals, amount of data), then its [[document]] rows, then dangers.
    """
    rows = [row for row in rules()["document"] if row["topic"] == topic]
    said = (Reason(row["code"], dict(row.get("facts", {})), row["source"]) for row in rows)
    return (*_tables(topic), *said, *_warnings(topic))


def _tables(topic: str) -> tuple[Reason, ...]:
    if topic == "vram":
        return tuple(why_tier(tier) for tier in tiers())
    if topic == "rank":
        goals = ((name, goal_of(name)) for name in rules()["goal"])
        return tuple(
            Reason("doc_rank_by_goal", {"goal": name, "low": goal.low, "high": goal.high}, goal.source)
            for name, goal in goals
        )
    if topic == "data":
        rule = rules()["rows"]
        return (Reason("doc_amount", {"low": rule["low"], "high": rule["high"]}, rule["source"]),)
    return ()


def _warnings(topic: str) -> tuple[Reason, ...]:
    facts: dict[str, Any] = dict(rules()["danger"])
    source = facts.pop("source")
    return (Reason(_DANGERS[topic], facts, source),) if topic in _DANGERS else ()


def _danger(code: ReasonCode, **facts: int | float) -> Reason:
    return Reason(code, dict(facts), rules()["danger"]["source"])


def _over_regularised(plan: TrainingPlan) -> Reason | None:
    rank, dropout = rules()["danger"]["rank_high"], rules()["danger"]["dropout_high"]
    if plan.rank <= rank or plan.dropout <= dropout:
        return None
    code = ReasonCode.DANGER_OVER_REGULARISED
    return _danger(code, rank=plan.rank, dropout=plan.dropout, rank_limit=rank, dropout_limit=dropout)


def _alpha_below_rank(plan: TrainingPlan) -> Reason | None:
    if plan.alpha >= plan.rank:
        return None
    return _danger(ReasonCode.DANGER_ALPHA_BELOW_RANK, rank=plan.rank, alpha=plan.alpha)


def _spread_thin(plan: TrainingPlan) -> Reason | None:
    """All modules with a small rank; "all" are those of the full preset, whatever else is named."""
    limit, modules = rules()["danger"]["rank_low"], set(plan.target_modules)
    if plan.rank >= limit or not modules >= set(TARGETS["full"]):
        return None
    return _danger(ReasonCode.DANGER_SPREAD_THIN, rank=plan.rank, rank_limit=limit, modules=len(modules))


def _learning_rate(plan: TrainingPlan) -> Reason | None:
    limit = rules()["danger"]["learning_rate_qlora"]
    if plan.method is not Method.QLORA or plan.learning_rate <= limit:
        return None
    return _danger(ReasonCode.DANGER_LEARNING_RATE, learning_rate=plan.learning_rate, limit=limit)


def _amount(rows: int) -> Reason:
    rule = rules()["rows"]
    low, high = rule["low"], rule["high"]
    if rows < low:
        return Reason(ReasonCode.ROWS_FEW, {"rows": rows, "low": low}, rule["source"])
    if rows <= high:
        return Reason(ReasonCode.ROWS_CLEAR_GAIN, {"rows": rows, "low": low, "high": high}, rule["source"])
    return Reason(ReasonCode.ROWS_BEYOND, {"rows": rows, "high": high}, rule["source_beyond"])
