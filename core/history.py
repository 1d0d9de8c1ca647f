"""RunHistory: fold a run's events into the series that plots, summaries and watchers read."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from core.events import (
    Answered,
    Evaluated,
    Event,
    Failed,
    Finished,
    Last,
    Measured,
    Noted,
    Saved,
    Stage,
    StepDone,
    Stopped,
)  # fmt: skip


@dataclass
class RunHistory:
    """What is known of a run so far; live runs, interrupted runs and old runs are read the same way."""

    steps: list[StepDone] = field(default_factory=list)
    evaluations: list[Evaluated] = field(default_factory=list)
    memory: list[Measured] = field(default_factory=list)
    notes: list[Noted] = field(default_factory=list)
    answers: list[Answered] = field(default_factory=list)
    saved: list[Saved] = field(default_factory=list)
    stage: Stage | None = None
    last: Last | None = None
    started: float | None = None
    sessions: int = 0

    def apply(self, event: Event) -> None:
        """Take one event in; steps done again after a resume replace the old ones."""
        if self.started is None:
            self.started = event.time
        if self.last is not None and isinstance(event, Stage):
            self.last = None  # the run was resumed
            self.sessions += 1
        match event:
            case StepDone():
                _forget_from(self.steps, event.step)
                _forget_from(self.evaluations, event.step)
                self.steps.append(event)
            case Evaluated():
                _forget_from(self.evaluations, event.step)
                self.evaluations.append(event)
            case Measured():
                self.memory.append(event)
            case Noted():
                self.notes.append(event)
            case Answered():
                self.answers.append(event)
            case Saved():
                self.saved.append(event)
            case Stage():
                self.stage = event
            case Last():
                self.last = event

    @property
    def running(self) -> bool:
        """Whether the run has begun and no last event has come."""
        return self.started is not None and self.last is None

    @property
    def step(self) -> int:
        """The last step done."""
        return self.steps[-1].step if self.steps else 0

    @property
    def total_steps(self) -> int:
        """Steps the run is planned for, 0 while unknown."""
        return self.steps[-1].total_steps if self.steps else 0

    @property
    def first_loss(self) -> float | None:
        """Mean loss of the first steps (a tenth of the run, 1 to 5 steps), None before the first."""
        return _mean([s.loss for s in self.steps[: self._window()]])

    @property
    def last_loss(self) -> float | None:
        """Mean loss of the newest steps (a tenth of the run, 1 to 5 steps), None before the first."""
        return _mean([s.loss for s in self.steps[-self._window() :]])

    @property
    def seconds_left(self) -> float | None:
        """Time to the last step from the median of recent step times, None while unknown."""
        recent = sorted(s.seconds for s in self.steps[-30:] if s.seconds > 0)
        if len(recent) < 2 or self.last is not None:
            return None
        return recent[len(recent) // 2] * (self.total_steps - self.step)

    @property
    def peak_bytes(self) -> int:
        """Highest memory seen: measured from outside, or by the allocator. Bytes."""
        seen = [m.used_bytes for m in self.memory] + [s.peak_bytes or 0 for s in self.steps]
        return max(seen, default=0)

    def _window(self) -> int:
        return max(1, min(5, len(self.steps) // 10))


def fold(events: Iterable[Event]) -> RunHistory:
    """Return the history of `events`."""
    history = RunHistory()
    for event in events:
        history.apply(event)
    return history


def smoothed(values: list[float], weight: float = 0.8) -> list[float]:
    """Exponential moving average with bias correction, as TensorBoard draws it."""
    out, average = [], 0.0
    for index, value in enumerate(values):
        average = weight * average + (1 - weight) * value
        out.append(average / (1 - weight ** (index + 1)))
    return out


def outcome(history: RunHistory) -> str:
    """Return "running", "finished", "stopped", "failed" or "empty"."""
    match history.last:
        case Finished():
            return "finished"
        case Stopped():
            return "stopped"
        case Failed():
            return "failed"
    return "running" if history.running else "empty"


def _forget_from(series: list[StepDone] | list[Evaluated], step: int) -> None:
    while series and series[-1].step >= step:
        series.pop()


def _mean(values: list[float | None]) -> float | None:
    known = [v for v in values if v is not None and math.isfinite(v)]
    return sum(known) / len(known) if known else None
