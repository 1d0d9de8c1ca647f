"""What to change about a plan after what was observed: each remedy is a whole plan for the next run."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from core.plan import TrainingPlan
from core.watch.observation import Observation, WatchCode

#: D1, D4: a dropout that is usual with little data or overfitting.
_DROPOUT = 0.1
_WEIGHT_DECAY = 0.01
#: D4: above it the learning is unsteady; no remedy goes there.
_HIGHEST_RATE = 5e-4
_HIGHEST_RANK = 64


@dataclass(frozen=True)
class Remedy:
    """What a button offers: its name, the whole plan it leads to, and the facts that its words need."""

    name: str
    plan: TrainingPlan
    facts: dict[str, Any] = field(default_factory=dict)


def remedies(observation: Observation, plan: TrainingPlan, total_steps: int = 0) -> tuple[Remedy, ...]:
    """Changes that help against an observation, what helps most first; none where the plan is not the cause.

    `total_steps` of the run say how many epochs its best step is; without them epochs stay.
    """
    match observation.code:
        case WatchCode.NOT_A_NUMBER | WatchCode.DIVERGING | WatchCode.DRIFTING:
            return tuple(_rate(plan, 0.5))
        case WatchCode.NOT_LEARNING:
            return (*_rate(plan, 2.0), *_rank(plan))
        case WatchCode.PLATEAU:
            return tuple(_rank(plan))
        case WatchCode.OVERFITTING | WatchCode.NO_BETTER | WatchCode.MEMORISED | WatchCode.SAME_ANSWER:
            return (*_epochs(observation, plan, total_steps), *_dropout(plan), *_weight_decay(plan))
        case WatchCode.REPEATING:
            return (*_epochs(observation, plan, total_steps), *_rate(plan, 0.5))
    return ()


def _rate(plan: TrainingPlan, times: float) -> Iterator[Remedy]:
    rate = float(f"{plan.learning_rate * times:.1e}")
    if times < 1 or rate <= _HIGHEST_RATE:
        yield Remedy("fix_learning_rate", replace(plan, learning_rate=rate), {"learning_rate": rate})


def _rank(plan: TrainingPlan) -> Iterator[Remedy]:
    rank = 2 * plan.rank
    if rank <= _HIGHEST_RANK:
        # alpha goes along: its ratio to the rank is how strongly the adapter counts
        yield Remedy("fix_rank", replace(plan, rank=rank, alpha=2 * plan.alpha), {"rank": rank})


def _epochs(observation: Observation, plan: TrainingPlan, total_steps: int) -> Iterator[Remedy]:
    """As many epochs as the best step had seen, in halves; stages and plans that count steps are left as they are."""
    best = observation.facts.get("best_step", observation.since_step)
    if plan.stages or plan.steps or not 0 < best < total_steps:
        return
    epochs = max(round(2 * plan.epochs * best / total_steps) / 2, 0.5)
    if epochs < plan.epochs:
        yield Remedy("fix_epochs", replace(plan, epochs=epochs), {"epochs": epochs})


def _dropout(plan: TrainingPlan) -> Iterator[Remedy]:
    if plan.dropout < _DROPOUT:
        yield Remedy("fix_dropout", replace(plan, dropout=_DROPOUT), {"dropout": _DROPOUT})


def _weight_decay(plan: TrainingPlan) -> Iterator[Remedy]:
    if plan.weight_decay < _WEIGHT_DECAY:
        yield Remedy("fix_weight_decay", replace(plan, weight_decay=_WEIGHT_DECAY), {"weight_decay": _WEIGHT_DECAY})
