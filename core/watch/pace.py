"""How fast it goes: a card whose memory spilled over, one that is too hot, or a computer that is busy elsewhere."""

import math
from collections.abc import Iterator
from statistics import median, quantiles

from core.events import Measured, StepDone
from core.history import RunHistory, read_tokens
from core.plan import TrainingPlan
from core.watch.observation import Observation, Severity, WatchCode
from core.watch.series import every_nth, rounded, spread

#: Steps that say how fast it is now, the longer look for smaller changes, and how many say what is usual.
_NOW, _LONGER, _USUAL = 7, 20, 200
#: The first steps compile, allocate and warm up.
_WARM_UP = 3
#: Speed below this share of the usual one is a collapse; below the other one heat slows the card.
_COLLAPSED, _HOT_SHARE = 1 / 3, 0.75
#: Degrees Celsius from which GeForce cards slow down, and the share of its memory from which a card is full.
_HOT, _FULL = 83, 0.97
_READINGS = 60


def pace(history: RunHistory, _plan: TrainingPlan) -> Observation | None:
    """Whether tokens come much slower than before, and why, as far as the card's readings tell.

    Windows lends a full card the computer's memory instead of failing, which is 10 to 100 times slower.
    """
    steps = history.steps
    now = _speeds(steps[-_NOW:])
    usual = _speeds([steps[at] for at in every_nth(_WARM_UP, len(steps) - _LONGER, _USUAL)])
    if len(now) < _NOW or len(usual) < _NOW:
        return None
    newest = median(now)
    # not the median: a collapse that lasts must not become what is usual
    normal = quantiles(usual, n=4)[-1]
    facts: dict[str, object] = {"usual": rounded(normal), "now": rounded(newest)}
    readings = list(_readings(history, steps[-_NOW]))
    if newest < _COLLAPSED * normal:
        full = readings and median(each.used_bytes / each.total_bytes for each in readings) >= _FULL
        if full:
            facts |= {"used_bytes": readings[0].used_bytes, "total_bytes": readings[0].total_bytes}
            return _seen(WatchCode.MEMORY_SPILL, Severity.TROUBLE, steps, facts, _COLLAPSED * normal)
        if not _is_hot(readings):
            return _seen(WatchCode.SLOWER, Severity.CAUTION, steps, facts, _COLLAPSED * normal)
    if _is_hot(readings) and _slowed(steps, usual):
        facts["usual"] = rounded(median(usual))
        facts["temperature"] = max(each.temperature or 0 for each in readings)
        return _seen(WatchCode.THROTTLED, Severity.CAUTION, steps, facts, _HOT_SHARE * median(usual))
    return None


def _speeds(steps: list[StepDone]) -> list[float]:
    return [read_tokens(step) / step.seconds for step in steps if step.seconds > 0 and read_tokens(step)]


def _readings(history: RunHistory, since: StepDone) -> Iterator[Measured]:
    """The card's readings since a step began, newest first."""
    for count, each in enumerate(reversed(history.memory)):
        if each.time < since.time - since.seconds or count == _READINGS:
            return
        if each.on_card and each.total_bytes:
            yield each


def _is_hot(readings: list[Measured]) -> bool:
    known = [each.temperature for each in readings if each.temperature is not None]
    return bool(known and median(known) >= _HOT)


def _slowed(steps: list[StepDone], usual: list[float]) -> bool:
    """Whether the longer look shows a speed that steps of different lengths do not explain."""
    normal = median(usual)
    logs = [math.log(speed / normal) for speed in _speeds(steps[-_LONGER:])]
    limit = max(-math.log(_HOT_SHARE), 4 * spread([math.log(speed) for speed in usual]) / len(logs) ** 0.5)
    return bool(median(logs) < -limit)


def _seen(
    code: WatchCode, severity: Severity, steps: list[StepDone], facts: dict[str, object], limit: float
) -> Observation:
    since, first = len(steps) - 1, max(1, len(steps) - _USUAL)
    while since > first and 0 < read_tokens(steps[since - 1]) < limit * steps[since - 1].seconds:
        since -= 1
    return Observation(code, severity, steps[-1].step, steps[since].step, facts)
