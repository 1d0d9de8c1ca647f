"""How many rows a plan trains, by arithmetic alone: the shares of files, mixes and stages in rows."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.data.split import set_aside
from core.plan import TrainingPlan


@dataclass(frozen=True)
class Portion:
    """What one stage learns: rows of the plan's files (as an epoch sees them), rows mixed in, and how often."""

    own: int
    mixed: int
    epochs: float

    @property
    def rows(self) -> int:
        """Rows of an epoch."""
        return self.own + self.mixed

    @property
    def seen(self) -> int:
        """Rows of all its epochs."""
        return rows_seen(self.rows, self.epochs)


def portions(plan: TrainingPlan, rows: Sequence[int], files: Mapping[str, int] | None = None) -> tuple[Portion, ...]:
    """Return the stages of a plan (one where it names none), `rows` being the usable rows of each file of its data.

    `files` says how many rows the files hold that are mixed in, where that is known; else they hold enough.
    """
    kept = [count - gone for count, gone in zip(rows, held_back(plan, rows), strict=True)]
    weights = plan.weights or (1.0,) * len(kept)
    trained = [repeated(count, weight) for count, weight in zip(kept, weights, strict=True)]
    held = [(files or {}).get(mix.file, math.inf) for mix in plan.mix]
    found = []
    for names, epochs in stages_of(plan):
        own = sum(count for name, count in zip(plan.data, trained, strict=True) if name in names)
        mixed = sum(int(min(count, most)) for count, most in zip(mixed_in(plan, own), held, strict=True))
        found.append(Portion(own, mixed, epochs))
    return tuple(found)


def stages_of(plan: TrainingPlan) -> tuple[tuple[tuple[str, ...], float], ...]:
    """Return the files and epochs of each stage; all files are one stage where the plan names none."""
    return tuple((stage.files, stage.epochs) for stage in plan.stages) or ((plan.data, plan.epochs),)


def held_back(plan: TrainingPlan, rows: Sequence[int]) -> list[int]:
    """Return how many rows of each file are set aside to check with."""
    return set_aside(rows, 0.0 if plan.validation else plan.validation_share)


def mixed_in(plan: TrainingPlan, own: int) -> list[int]:
    """Return how many rows of each mix join `own` rows, so that they are the share of all that was asked for."""
    left = 1 - sum(mix.share for mix in plan.mix)
    return [round(own * mix.share / left) for mix in plan.mix]


def repeated(rows: int, weight: float) -> int:
    """Return how many rows an epoch sees of so many with this weight; one at least where there is one."""
    return max(round(rows * weight), int(rows > 0))


def rows_seen(rows: int, epochs: float) -> int:
    """Return how many rows so many epochs see; one at least where there is one."""
    return max(round(rows * epochs), int(rows > 0))
