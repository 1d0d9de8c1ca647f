"""Working seconds of a run: pauses, and nights between an interruption and Resume, do not count."""

import itertools
import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator

from core.events import StepDone
from core.history import RunHistory

#: Seconds without any event after which nobody was working: memory is measured every second.
IDLE = 30.0

Span = tuple[float, float]


class Clock:
    """Turns moments (seconds since the epoch) into working seconds since the run began."""

    def __init__(self, history: RunHistory) -> None:
        times = [each.time for each in history.memory] + [each.time for each in history.steps]
        if history.started is not None:
            times.append(history.started)
        times.sort()
        self._start = times[0] if times else 0.0
        self._pauses = _joined(pauses(history))
        self._away = _joined([*self._pauses, *_idle(times)])
        self._ends = [end for _begin, end in self._away]
        self._lost = list(itertools.accumulate((end - begin for begin, end in self._away), initial=0.0))

    def at(self, moment: float) -> float:
        """Working seconds at `moment`; a whole pause is the moment at which it began."""
        over = bisect_right(self._ends, moment)
        if over < len(self._away):
            moment = min(moment, self._away[over][0])
        return moment - self._start - self._lost[over]

    def paused(self, moment: float) -> bool:
        """Whether the run was paused at `moment`."""
        place = bisect_right(self._pauses, moment, key=lambda span: span[0]) - 1
        return place >= 0 and moment < self._pauses[place][1]


def pauses(history: RunHistory) -> Iterator[Span]:
    """From when to when the run was paused; the last one may be without an end."""
    for pause in history.paused:
        going = next((on.time for on in history.went_on if on.time >= pause.time), math.inf)
        # who was killed while it waited says nothing when it goes on
        place = bisect_right(history.steps, pause.time, key=_time)
        begun = history.steps[place].time - history.steps[place].seconds if place < len(history.steps) else math.inf
        yield pause.time, max(pause.time, min(going, begun))


def _time(step: StepDone) -> float:
    return step.time


def _idle(times: list[float]) -> Iterator[Span]:
    for before, after in itertools.pairwise(times):
        if after - before > IDLE:
            yield before + 1.0, after


def _joined(spans: Iterable[Span]) -> list[Span]:
    """The spans in order, those that touch each other as one."""
    found: list[Span] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found
