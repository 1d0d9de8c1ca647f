"""What the documents say about a plan: rank by task, danger signals, amount of data, size of the adapter.

The codes of a Reason with the facts they carry are listed in core/reasons.py (ReasonCode).
"""

from core.plan import TARGETS, Method, TrainingPlan
from core.reasons import Reason, ReasonCode
from core.tiers import goal_of, rules
from core.vram import adapter_parameters as adapter_parameters


def rank_for_goal(goal: str) -> int:
    """The rank that suits a task: simple 8, medium 16, complex 32 (D1, D4). Raises ValueError for others."""
    return goal_of(goal).rank


def signals(plan: TrainingPlan, rows: int | None = None) -> tuple[Reason, ...]:
    """Danger signals in `plan` (D4), then what is said of `rows` rows of data (D3). Warns, never blocks."""
    found = (_over_regularised(plan), _alpha_below_rank(plan), _spread_thin(plan), _learning_rate(plan))
    amount = None if rows is None else _amount(rows)
    return tuple(reason for reason in (*found, amount) if reason)


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
