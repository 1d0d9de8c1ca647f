"""Rounds of sample answers: after which steps of a training the questions are answered again."""

from math import ceil
from statistics import fmean, median

from core.events import StageName
from core.history import RunHistory
from core.plan import TrainingPlan

#: Rounds of a run that has many evaluations, and of one that has none.
MOST, WITHOUT_EVALUATIONS = 20, 10
#: Longest answer in tokens.
ANSWER_TOKENS = 64
#: Share of a run's time that rounds may take, the one before training and the one after it left out.
SHARE = 0.02
#: The newest rounds and steps whose times are those of now.
_ROUNDS, _STEPS = 3, 200


def rounds_every(history: RunHistory, plan: TrainingPlan, total: int, *, validates: bool) -> int:
    """Steps between two rounds in a run of `total` steps; as many as `total` when there is time for none in between.

    What the plan asks for is done. Else rounds come with evaluations, where there are any, and twice as rarely, or
    four times, … when they would take more than their share of the time.
    """
    if plan.sample_every:
        return plan.sample_every
    every = planned_every(plan, total, validates=validates)
    a_round, a_step = median(history.asides[StageName.ANSWERING][-_ROUNDS:] or [0.0]), _a_step(history)
    if not a_step:
        return every
    while every < total and (total - 1) // every * a_round > SHARE * total * a_step:
        every *= 2
    return min(every, total)


def planned_every(plan: TrainingPlan, total: int, *, validates: bool) -> int:
    """Steps between two rounds before anybody knows how long they take."""
    if plan.sample_every:
        return plan.sample_every
    if not validates:
        return max(1, ceil(total / WITHOUT_EVALUATIONS))
    every = plan.evaluate_every or plan.save_every
    return every * max(1, ceil(total / (every * MOST)))


def _a_step(history: RunHistory) -> float:
    """Seconds, 0 while nobody knows."""
    newest = history.steps[-_STEPS:]
    return fmean(step.seconds for step in newest) if newest else 0.0
