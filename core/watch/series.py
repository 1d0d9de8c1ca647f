"""Numbers of a series that can be trusted in noise: medians, means over trained tokens, and how sure they are.

Windows are looked at in a bounded number of places, so that a run of 20,000 steps costs hardly more than one of 500.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

from core.events import StepDone
from core.history import RunHistory
from core.plan import TrainingPlan

#: A normal distribution's standard deviation is so many times its median absolute deviation.
_SIGMA = 1.4826
#: The most steps of a window that are looked at; from longer ones every n-th block is.
_LOOKED_AT = 600
#: Student's t for 95 % to one side, for 2, 3, 4 … blocks.
_STUDENT = (6.31, 2.92, 2.35, 2.13, 2.02, 1.94, 1.89, 1.86, 1.83, 1.81, 1.8, 1.78, 1.77, 1.76, 1.75, 1.7)


@dataclass(frozen=True)
class Level:
    """The mean of a window, and its standard error times Student's t: with 95 % certainty it is no more above."""

    mean: float
    error: float


def spread(values: Sequence[float]) -> float:
    """Standard deviation of what outliers and a few wild values do not change; 0 for fewer than two."""
    if len(values) < 2:
        return 0.0
    middle = median(values)
    return _SIGMA * median(abs(value - middle) for value in values)


def mean_loss(steps: Sequence[StepDone]) -> float | None:
    """Mean loss over trained tokens, as one evaluation of these steps would give; None when none is a number."""
    total = weight = 0.0
    for step in steps:
        if step.loss is not None:
            tokens = step.trained_tokens or 1
            total += step.loss * tokens
            weight += tokens
    return total / weight if weight else None


def level(steps: Sequence[StepDone], block: int) -> Level | None:
    """Mean loss of a window, sure as its blocks of `block` steps agree; None for fewer than two whole blocks.

    Blocks, not steps, are compared: rows that come sorted by length make neighbouring steps alike.
    """
    count = len(steps) // block
    if count < 2:
        return None
    every = max(1, -(-count * block // _LOOKED_AT))
    means = [mean_loss(steps[place : place + block]) for place in range(0, count * block, block * every)]
    known = [mean for mean in means if mean is not None]
    if len(known) < 2:
        return None
    middle = fmean(known)
    variance = sum((value - middle) ** 2 for value in known) / (len(known) - 1)
    certain = _STUDENT[min(len(known), len(_STUDENT) + 1) - 2]
    return Level(middle, certain * math.sqrt(variance / len(known)))


def stage_steps(history: RunHistory) -> int:
    """The place in `history.steps` where the stage that is learned now began: another stage has losses of its own."""
    newest = max(history.stage_starts, default=None)
    return place_after(history, history.stage_starts[newest]) if newest is not None else 0


def place_after(history: RunHistory, step: int) -> int:
    """The place in `history.steps` of the first step after `step`."""
    steps = history.steps
    # steps follow on each other: it is found without a search, unless a record has a gap
    guess = step - steps[0].step + 1 if steps else 0
    if 0 < guess <= len(steps) and steps[guess - 1].step == step:
        return guess
    return bisect_right(steps, step, key=lambda done: done.step)


def swing(history: RunHistory, plan: TrainingPlan) -> int:
    """Steps after which rows of like length come round again, 1 where they come in any order.

    Without packing rows are sorted by length in groups of up to 50 steps, and short answers have losses of their own.
    Runs that did not count the tokens they read did not pack them either.
    """
    newest = history.steps[-1]
    if plan.packing and newest.tokens:
        return 1
    each = newest.step / newest.epoch if newest.epoch > 0 else newest.total_steps
    return max(1, min(50, round(each) // 4))


def every_nth(place: int, end: int, most: int) -> range:
    """At most `most` places from `place` up to `end`, evenly spread."""
    return range(place, end, max(1, -(-(end - place) // most)))


def rounded(value: float, digits: int = 3) -> float:
    """A number for a sentence: three digits that count, more before the point."""
    if not value or not math.isfinite(value):
        return value
    return round(value, max(0, digits - 1 - math.floor(math.log10(abs(value)))))
