"""Shapes of a plan: the micro-batches, recomputation and lengths it can take with one model and one method."""

from dataclasses import replace
from functools import lru_cache

from core.architecture import Architecture
from core.plan import TrainingPlan
from core.speed import recomputing, shrunk

#: Least recomputation first; each step needs less memory and more time.
RECOMPUTATION = ("none", "4", "2", "full")
#: Rows are never cut shorter than this, in tokens.
FEWEST_TOKENS = 256
#: Tokens in a micro-batch beyond which larger ones gain nothing (published: 2-8k for NF4).
MOST_TOKENS = 8192
#: Speeds closer than this are the same: the figures behind them are no better.
_SAME = 0.02


@lru_cache(maxsize=512)
def shapes(architecture: Architecture, plan: TrainingPlan) -> tuple[TrainingPlan, ...]:
    """Every shape of `plan` at its length, fastest first; among equals that with the plan's own micro-batch, then
    the smaller ones.

    All learn from as many rows per step as `plan` does; the micro-batch halves from there, or doubles.
    """
    own = _time(architecture, plan)
    found = [
        replace(plan, batch=batch, accumulation=plan.effective_batch // batch, checkpointing=recomputed)
        for batch in _batches(plan)
        for recomputed in RECOMPUTATION
    ]

    def slowness(shape: TrainingPlan) -> tuple[int, bool, int]:
        gain = own / _time(architecture, shape)
        return -round(gain / _SAME), shape.batch > plan.batch, abs(plan.batch - shape.batch)

    return tuple(sorted(found, key=slowness))


def _time(architecture: Architecture, plan: TrainingPlan) -> float:
    """core.speed.cost without the operations, which are the same for every shape."""
    return recomputing(plan) * shrunk(architecture, plan)


def least(plan: TrainingPlan) -> TrainingPlan:
    """The shape of `plan` at its length that needs the least memory."""
    return replace(plan, batch=1, accumulation=plan.effective_batch, checkpointing="full")


def shortened(plan: TrainingPlan) -> tuple[TrainingPlan, ...]:
    """`plan` with rows cut to half, a quarter … of its length, down to 256 tokens."""
    found = []
    while shorter := shorter_than(plan):
        plan = shorter
        found.append(plan)
    return tuple(found)


def shorter_than(plan: TrainingPlan) -> TrainingPlan | None:
    """`plan` with rows half as long, but not below 256 tokens; None when they are that short."""
    return replace(plan, tokens=max(FEWEST_TOKENS, plan.tokens // 2)) if plan.tokens > FEWEST_TOKENS else None


def _batches(plan: TrainingPlan) -> list[int]:
    """Micro-batches that make up the rows of a step without a rest, with at most 8,192 tokens above the plan's own."""
    rows = plan.effective_batch
    halves = [size for size in _halves(plan.batch) if rows % size == 0]
    larger = [size for size in _halves(rows) if size > plan.batch and size * plan.tokens <= MOST_TOKENS]
    return [*larger, *halves]


def _halves(size: int) -> list[int]:
    found = [size]
    while size % 2 == 0:
        size //= 2
        found.append(size)
    return found if size == 1 else [*found, 1]
