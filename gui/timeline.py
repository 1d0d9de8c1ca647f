"""Growing series of numbers for the charts, on one clock that leaves out pauses and the time between two sittings."""

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from core.events import StepDone
from core.history import RunHistory
from gui.working_time import IDLE, Clock

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["IDLE", "MOST", "Curve", "Timeline"]

#: Notes that get a mark on the time axis.
MARKED = frozenset({"memory_stepped", "rolled_back", "resumed", "stage_begins", "checkpoint_damaged", "card_lost"})
#: Events that one call takes over: a frame must not wait for a run of 100,000 steps.
MOST = 6000


class Growing:
    """A float array with room to grow; appending costs nothing, reading copies nothing."""

    def __init__(self) -> None:
        import numpy

        self._numpy = numpy
        self._room = numpy.empty(1024)
        self.size = 0

    def add(self, values: Sequence[float | None]) -> None:
        """Add values; None becomes a gap."""
        end = self.size + len(values)
        while end > len(self._room):
            self._room = self._numpy.resize(self._room, 2 * len(self._room))
        self._room[self.size : end] = [math.nan if value is None else value for value in values]
        self.size = end

    def view(self) -> "NDArray[np.float64]":
        """What is in it so far."""
        return self._room[: self.size]

    def last(self) -> float:
        return float(self._room[self.size - 1])


class Curve:
    """Points of one series; several series of the same events share their `x`."""

    def __init__(self, x: Growing) -> None:
        self.x, self.y = x, Growing()

    @property
    def known(self) -> bool:
        """Whether any of its points has a value."""
        import numpy

        return bool(self.y.size) and not bool(numpy.isnan(self.y.view()).all())


class Lane:
    """One list of events as it grows, and the curves that are read from it."""

    def __init__(self, clock: Clock, **values: Callable[[Any], float | None]) -> None:
        self.clock, self.taken = clock, 0
        self._x, self._values = Growing(), values
        self.curves = {name: Curve(self._x) for name in values}

    def extend(self, events: Sequence[Any], *, always: bool = False) -> bool:
        """Take over what is new in `events`; True when there was something.

        What happened during a pause is left out, unless `always`.
        """
        fresh = events[self.taken : self.taken + MOST]
        self.taken += len(fresh)
        kept = fresh if always else [event for event in fresh if not self.clock.paused(event.time)]
        self._x.add([self.clock.at(event.time) for event in kept])
        for name, value in self._values.items():
            self.curves[name].y.add([value(event) for event in kept])
        return bool(fresh)


class Timeline:
    """Every curve of a run; `follow` brings them up to date with its history.

    `spikes` are places in the steps, `best` one in the evaluations; `marks` are moments with what happened then.
    """

    def __init__(self) -> None:
        self._key: tuple[int, int] | None = None
        self._seen = 0.0
        self._marked: tuple[int, ...] = ()
        self._spiked: set[int] = set()
        self.spikes: list[int] = []
        self.marks: list[tuple[float, Any]] = []
        self.best = -1
        self._reset(RunHistory())

    def follow(self, history: RunHistory) -> bool:
        """Take over what is new; True when a curve changed. A resumed run is read again from its start."""
        key = (id(history), history.sessions)
        rewound = self._steps.taken > len(history.steps) or self._evaluations.taken > len(history.evaluations)
        late = bool(history.memory) and history.memory[-1].time - self._seen > IDLE
        if key != self._key or rewound or late:
            self._key = key
            self._reset(history)
        self._seen = history.memory[-1].time if history.memory else self._seen
        marked = (len(history.notes), len(history.paused), len(history.went_on))
        if marked[1:] != self._marked[1:]:
            self._set_clock(Clock(history))
        changes = [
            self._steps.extend(history.steps, always=True),
            self._evaluations.extend(history.evaluations, always=True),
            self._memory.extend(history.memory),
        ]
        if marked != self._marked or any(changes):
            changes.append(marked != self._marked)
            self._mark(history, marked)
        return any(changes)

    def caught_up(self, history: RunHistory) -> bool:
        """Whether everything that happened is in the curves."""
        return self._steps.taken >= len(history.steps) and self._memory.taken >= len(history.memory)

    @property
    def peak_bytes(self) -> int:
        """Highest memory seen: measured from outside, or by the allocator."""
        import numpy

        measured, allocated = self.memory.y.view(), self.curves["allocated"].y.view()
        highest = 1e9 * float(numpy.fmax.reduce(measured, initial=0))
        return round(max(highest, float(numpy.fmax.reduce(allocated, initial=0))))

    def nearest_step(self, moment: float) -> int:
        """The place of the step next to a moment of the time axis, -1 when there is none."""
        times = self.loss.x.view()
        if not len(times):
            return -1
        after = min(int(times.searchsorted(moment)), len(times) - 1)
        return after - 1 if after and moment - times[after - 1] < times[after] - moment else after

    def _mark(self, history: RunHistory, marked: tuple[int, ...]) -> None:
        best = history.best_evaluation
        self.best = -1 if best is None else history.evaluations.index(best)
        if marked == self._marked and len(self.spikes) == len(self._spiked):
            return
        self._marked = marked
        told = (note.facts.get("step") for note in history.notes if note.code == "gradient_spike")
        self._spiked = {step for step in told if isinstance(step, int)}
        places = {step: bisect_right(history.steps, step, key=_number) - 1 for step in self._spiked}
        self.spikes = sorted(at for step, at in places.items() if at >= 0 and history.steps[at].step == step)
        self.spikes = [at for at in self.spikes if at < self._steps.taken]
        notes = [note for note in history.notes if note.code in MARKED]
        moments = [(self._clock.at(each.time), each) for each in (*history.paused, *notes)]
        self.marks = sorted(moments, key=lambda moment: moment[0])

    def _set_clock(self, clock: Clock) -> None:
        self._clock = clock
        for lane in (self._steps, self._evaluations, self._memory):
            lane.clock = clock

    def _reset(self, history: RunHistory) -> None:
        clock = Clock(history)
        self._seen = history.memory[-1].time if history.memory else 0.0
        self._steps = Lane(
            clock, loss=_loss, smooth=Smooth(history.total_steps), rate=lambda step: step.learning_rate,
            gradient=_gradient, speed=_speed, allocated=lambda step: step.peak_bytes,
        )  # fmt: skip
        self._evaluations = Lane(clock, validation=_loss)
        self._memory = Lane(
            clock, memory=lambda reading: reading.used_bytes / 1e9, temperature=lambda reading: reading.temperature,
            power=lambda reading: reading.power_watts, use=lambda reading: reading.utilisation,
        )  # fmt: skip
        self._set_clock(clock)
        self.curves: dict[str, Curve] = {**self._steps.curves, **self._evaluations.curves, **self._memory.curves}
        self.loss, self.smooth = self.curves["loss"], self.curves["smooth"]
        self.validation, self.memory = self.curves["validation"], self.curves["memory"]
        self.spikes, self.marks, self._spiked = [], [], set()
        self.best, self._marked = -1, ()


class Smooth:
    """An exponential average of the loss with bias correction, as TensorBoard draws it; longer for longer runs."""

    def __init__(self, total_steps: int) -> None:
        self._weight = 1 - 1 / max(2.5, min(total_steps / 40, 50.0))
        self._average, self._seen = 0.0, 0

    def __call__(self, step: StepDone) -> float | None:
        if step.loss is None:
            return None
        self._seen += 1
        self._average = self._weight * self._average + (1 - self._weight) * step.loss
        return self._average / (1 - self._weight**self._seen)


def _number(step: StepDone) -> int:
    return step.step


def _loss(event: Any) -> float | None:
    return event.loss  # type: ignore[no-any-return]


def _gradient(step: StepDone) -> float | None:
    """The norm as a power of ten: it is drawn on a logarithmic axis."""
    norm = step.gradient_norm
    return math.log10(norm) if norm and 0 < norm < math.inf else None


def _speed(step: StepDone) -> float | None:
    return step.trained_tokens / step.seconds if step.seconds > 0 and step.trained_tokens else None
