"""RunHistory: fold a run's events into the series that plots, summaries and watchers read."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from core.energy import Energy
from core.events import (
    Answered,
    Evaluated,
    Event,
    Failed,
    Finished,
    Last,
    Measured,
    Noted,
    Paused,
    Sampled,
    Saved,
    Stage,
    StageName,
    StepDone,
    Stopped,
    WentOn,
)  # fmt: skip

#: What a training does between two steps; its time is no step's.
ASIDES = (StageName.EVALUATING, StageName.ANSWERING, StageName.SAVING)
#: Steps whose speed is the speed of now.
_RECENT = 30


@dataclass
class RunHistory:
    """What is known of a run so far; live runs, interrupted runs and old runs are read the same way."""

    steps: list[StepDone] = field(default_factory=list)
    evaluations: list[Evaluated] = field(default_factory=list)
    memory: list[Measured] = field(default_factory=list)
    energy: Energy = field(default_factory=Energy)
    notes: list[Noted] = field(default_factory=list)
    answers: list[Answered] = field(default_factory=list)
    sampled: list[Sampled] = field(default_factory=list)
    paused: list[Paused] = field(default_factory=list)
    went_on: list[WentOn] = field(default_factory=list)
    #: The pause that lasts, None while training goes on. By order, not by time: clocks jump.
    waiting: Paused | None = None
    saved: list[Saved] = field(default_factory=list)
    #: Seconds of every evaluation, round of samples and saving, pauses left out.
    asides: dict[StageName, list[float]] = field(default_factory=lambda: {name: [] for name in ASIDES})
    #: Tokens that the steps have read, and those that all steps of the run will read, 0 while nobody said so.
    tokens: int = 0
    planned_tokens: int = 0
    #: Plans with stages: the steps that were done when each stage began.
    stage_starts: dict[int, int] = field(default_factory=dict)
    stage: Stage | None = None
    last: Last | None = None
    started: float | None = None
    sessions: int = 0
    _entered: float = 0.0

    def apply(self, event: Event) -> None:
        """Take one event in; steps done again after a resume replace the old ones."""
        if self.started is None:
            self.started = event.time
        if isinstance(event, (WentOn, StepDone, Last)):
            self.waiting = None
        if self.last is not None and isinstance(event, Stage):
            self.last = None  # the run was resumed
            self.sessions += 1
        match event:
            case StepDone():
                self._forget_from(event.step)
                self.steps.append(event)
                self.tokens += read_tokens(event)
            case Evaluated():
                _forget_from(self.evaluations, event.step)
                self.evaluations.append(event)
            case Sampled():
                self._take_sample(event)
            case Paused():
                self.paused.append(event)
                self.waiting = event
            case WentOn():
                self.went_on.append(event)
                # a pause is no part of what it interrupted
                self._entered += event.seconds
            case Measured():
                self.memory.append(event)
                self.energy.add(event)
            case Noted():
                self._take_note(event)
            case Answered():
                self.answers.append(event)
            case Saved():
                self.saved.append(event)
            case Stage():
                self._enter(event)
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
    def tokens_per_second(self) -> float | None:
        """Tokens that recent steps read in a second, None before the first."""
        return self._per_second(read_tokens)

    @property
    def samples_per_second(self) -> float | None:
        """Rows that recent steps read in a second, None before the first and for runs that did not count them."""
        return self._per_second(lambda step: step.rows)

    @property
    def best_evaluation(self) -> Evaluated | None:
        """The evaluation with the lowest loss, and so the lowest perplexity; the earliest of equal ones."""
        known = [each for each in self.evaluations if each.loss is not None and math.isfinite(each.loss)]
        return min(known, key=lambda each: (each.loss, each.step), default=None)

    @property
    def waited(self) -> int:
        """Evaluations since the best one."""
        best = self.best_evaluation
        return 0 if best is None else sum(each.step > best.step for each in self.evaluations)

    @property
    def peak_bytes(self) -> int:
        """Highest memory seen: measured from outside, or by the allocator. Bytes."""
        seen = [m.used_bytes for m in self.memory] + [s.peak_bytes or 0 for s in self.steps]
        return max(seen, default=0)

    def _window(self) -> int:
        return max(1, min(5, len(self.steps) // 10))

    def _per_second(self, amount: Callable[[StepDone], int]) -> float | None:
        recent = self.steps[-_RECENT:]
        seconds = sum(step.seconds for step in recent)
        return sum(map(amount, recent)) / seconds or None if seconds > 0 else None

    def _enter(self, stage: Stage) -> None:
        before = self.stage
        if before is not None and before.stage is stage.stage:
            self.stage = stage
            return
        # a run that starts anew did not spend the time between in what it was busy with when it died
        if before is not None and before.stage in ASIDES and stage.stage is not StageName.STARTING:
            self.asides[before.stage].append(max(stage.time - self._entered, 0.0))
        self.stage, self._entered = stage, stage.time

    def _take_note(self, note: Noted) -> None:
        self.notes.append(note)
        if note.code == "tokens_planned":
            self.planned_tokens = _whole(note.facts.get("tokens"))
        elif note.code == "stage_begins":
            # a resumed run says again in which stage it is
            self.stage_starts.setdefault(_whole(note.facts.get("stage")), self.step)

    def _take_sample(self, sample: Sampled) -> None:
        place = len(self.sampled)
        while place and self.sampled[place - 1].step >= sample.step:
            place -= 1
            old = self.sampled[place]
            if (old.step, old.side, old.question) == (sample.step, sample.side, sample.question):
                self.sampled[place] = sample
                return
        self.sampled.append(sample)

    def _forget_from(self, step: int) -> None:
        while self.steps and self.steps[-1].step >= step:
            self.tokens -= read_tokens(self.steps.pop())
        _forget_from(self.evaluations, step)
        _forget_from(self.sampled, step)
        if any(start >= step for start in self.stage_starts.values()):
            self.stage_starts = {stage: start for stage, start in self.stage_starts.items() if start < step}


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


def read_tokens(step: StepDone) -> int:
    """Tokens that a step read; runs of older versions counted the trained ones only."""
    return step.tokens or step.trained_tokens


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


def _forget_from(series: list[Evaluated] | list[Sampled], step: int) -> None:
    while series and series[-1].step >= step:
        series.pop()


def _mean(values: list[float | None]) -> float | None:
    known = [v for v in values if v is not None and math.isfinite(v)]
    return sum(known) / len(known) if known else None
