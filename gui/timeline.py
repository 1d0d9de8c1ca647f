"""Growing series of numbers for the charts, on one clock that leaves out the time between two sittings."""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from core.history import RunHistory

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Events that one call takes over: a frame must not wait for a run of 100,000 steps.
MOST = 6000
#: Seconds without any event after which nobody was working: memory is measured every second.
IDLE = 30.0


class Growing:
    """A float array with room to grow; appending costs nothing, reading copies nothing."""

    def __init__(self) -> None:
        import numpy

        self._numpy = numpy
        self._room = numpy.empty(1024)
        self.size = 0

    def append(self, value: float | None) -> None:
        """Add one value; None becomes a gap."""
        if self.size == len(self._room):
            self._room = self._numpy.resize(self._room, 2 * self.size)
        self._room[self.size] = math.nan if value is None else value
        self.size += 1

    def view(self) -> "NDArray[np.float64]":
        """What is in it so far."""
        return self._room[: self.size]

    def last(self) -> float:
        return float(self._room[self.size - 1])


class Curve:
    """Points of one series, taken over from a list of events as the list grows."""

    def __init__(self, value: Callable[[Any], float | None]) -> None:
        self.x, self.y = Growing(), Growing()
        self._value = value

    def extend(self, events: Sequence[Any], clock: "Clock") -> bool:
        """Take over what is new in `events`; True when there was something."""
        fresh = events[self.x.size : self.x.size + MOST]
        for event in fresh:
            self.x.append(clock.at(event.time))
            self.y.append(self._value(event))
        return bool(fresh)


class Smooth(Curve):
    """An exponential average of another curve, with bias correction, as TensorBoard draws it."""

    def __init__(self, weight: float = 0.6) -> None:
        super().__init__(_loss)
        self._weight, self._average, self._seen = weight, 0.0, 0
        self._value = self._next

    def _next(self, event: Any) -> float | None:
        if event.loss is None:
            return None
        self._seen += 1
        self._average = self._weight * self._average + (1 - self._weight) * event.loss
        return self._average / (1 - self._weight**self._seen)


class Clock:
    """Working seconds since a run began; nights between an interruption and Resume do not count."""

    def __init__(self, history: RunHistory) -> None:
        times = [e.time for e in history.memory] + [e.time for e in history.steps]
        if history.started is not None:
            times.append(history.started)
        self._breaks = _breaks(sorted(times))

    def at(self, moment: float) -> float:
        """Working seconds at `moment`."""
        lost = self._breaks[0][1] if self._breaks else 0.0
        for begins, idle in self._breaks:
            if moment >= begins:
                lost = idle
        return moment - lost


def _breaks(times: list[float]) -> list[tuple[float, float]]:
    """(moment, what to take off from then on); the first entry takes off the start itself."""
    if not times:
        return []
    found = [(times[0], times[0])]
    for before, after in itertools.pairwise(times):
        if after - before > IDLE:
            found.append((after, found[-1][1] + after - before - 1.0))
    return found


class Timeline:
    """Every curve of a run; `follow` brings them up to date with its history."""

    def __init__(self) -> None:
        self._key: tuple[int, int] | None = None
        self._seen = 0.0
        self._clock = Clock(RunHistory())
        self.loss, self.smooth = Curve(_loss), Smooth()
        self.validation, self.memory = Curve(_loss), Curve(_gigabytes)

    def follow(self, history: RunHistory) -> bool:
        """Take over what is new; True when a curve changed. A resumed run is read again from its start."""
        key = (id(history), history.sessions)
        rewound = self.loss.x.size > len(history.steps) or self.validation.x.size > len(history.evaluations)
        late = bool(history.memory) and history.memory[-1].time - self._seen > IDLE
        if key != self._key or rewound or late:
            self._key = key
            self._reset(history)
        self._seen = history.memory[-1].time if history.memory else self._seen
        changes = [
            self.loss.extend(history.steps, self._clock),
            self.smooth.extend(history.steps, self._clock),
            self.validation.extend(history.evaluations, self._clock),
            self.memory.extend(history.memory, self._clock),
        ]
        return any(changes)

    def caught_up(self, history: RunHistory) -> bool:
        """Whether everything that happened is in the curves."""
        return self.smooth.x.size >= len(history.steps) and self.memory.x.size >= len(history.memory)

    def _reset(self, history: RunHistory) -> None:
        self._clock = Clock(history)
        self._seen = history.memory[-1].time if history.memory else 0.0
        self.loss, self.smooth = Curve(_loss), Smooth()
        self.validation, self.memory = Curve(_loss), Curve(_gigabytes)


def _loss(event: Any) -> float | None:
    return event.loss  # type: ignore[no-any-return]


def _gigabytes(event: Any) -> float:
    return float(event.used_bytes) / 1e9
