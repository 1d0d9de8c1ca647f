"""Gradient spikes: a step whose gradient is many times the usual one, most often because of odd rows in it."""

import math
from dataclasses import replace
from statistics import median

from core.history import RunHistory
from core.watch.observation import Observation, Severity, WatchCode
from core.watch.series import rounded, spread

#: Norms before a step that say what is usual, and how many of them it takes.
_BEFORE = 100
_ENOUGH = 10
#: A spike is so many times the usual norm, and so many standard deviations (of logarithms) away from it.
_TIMES = 5.0
_SIGMAS = 6.5
#: Steps for which a spike is told.
_TOLD = 25


def spike(history: RunHistory) -> Observation | None:
    """Whether the newest step was a gradient spike: facts are norm, usual and loss. At once, for every step."""
    return _spike_at(history, len(history.steps) - 1)


def recent_spike(history: RunHistory) -> Observation | None:
    """The newest spike of the last steps, with its rows where the training noted them."""
    steps = history.steps
    norms = [step.gradient_norm for step in steps[-_TOLD - _BEFORE :] if step.gradient_norm]
    # most of the time nothing stands out, and one look at all of them is enough
    if len(norms) <= _ENOUGH or max(norms[-_TOLD:]) < 0.5 * _TIMES * median(norms):
        return None
    for place in range(len(steps) - 1, max(len(steps) - 1 - _TOLD, -1), -1):
        found = _spike_at(history, place)
        if found is not None:
            return replace(found, facts=found.facts | _rows(history, found))
    return None


def _spike_at(history: RunHistory, place: int) -> Observation | None:
    steps = history.steps
    norm = steps[place].gradient_norm if place >= _ENOUGH else None
    if not norm or not math.isfinite(norm):
        return None
    before = [math.log(step.gradient_norm) for step in steps[max(0, place - _BEFORE) : place] if step.gradient_norm]
    if len(before) < _ENOUGH:
        return None
    usual = median(before)
    if math.log(norm) - usual < max(math.log(_TIMES), _SIGMAS * spread(before)):
        return None
    step = steps[place]
    facts = {"norm": rounded(norm), "usual": rounded(math.exp(usual)), "loss": step.loss and rounded(step.loss)}
    return Observation(WatchCode.GRADIENT_SPIKE, Severity.CAUTION, step.step, step.step, facts)


def _rows(history: RunHistory, found: Observation) -> dict[str, object]:
    for note in reversed(history.notes):
        if note.code == found.code and note.facts.get("step") == found.step:
            return {"rows": note.facts.get("rows", [])}
    return {}
