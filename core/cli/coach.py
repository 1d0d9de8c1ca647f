"""What is observed in a training that the terminal follows: a sentence for each new observation, and the time left."""

import contextlib
import time
from typing import IO

from core.events import Evaluated, Event, Sampled, StepDone
from core.plan import TrainingPlan
from core.runs import RunFolder
from core.watch import Severity, WatchCode, observe, seconds_left
from core.wording import joined
from core.wording.watch import observation_words

#: Seconds between two looks at the steps.
LOOK_EVERY = 2.0


class Coach:
    """Hears what a run tells and writes to `out` what stands out in it, each kind once while it lasts."""

    def __init__(self, run: RunFolder, out: IO[str]) -> None:
        self._run, self._out = run, out
        self._history = run.history()
        self._plan: TrainingPlan | None = None
        self._told: set[WatchCode] = set()
        self._looked_at = 0.0

    def hear(self, event: Event) -> None:
        """Take an event in, and say what is new."""
        self._history.apply(event)
        if isinstance(event, StepDone) and self._plan is None:
            # not before: the rehearsal may have put a smaller plan into its place
            self._plan = self._run.plan()
        due = time.monotonic() - self._looked_at > LOOK_EVERY and isinstance(event, StepDone)
        if self._plan is not None and (due or isinstance(event, Evaluated | Sampled)):
            self._looked_at = time.monotonic()
            self._look(self._plan)

    def left(self) -> float | None:
        """Seconds to the end of the training, None while nobody can tell."""
        return seconds_left(self._history, self._plan) if self._plan else None

    def _look(self, plan: TrainingPlan) -> None:
        seen = {each.code: each for each in observe(self._history, plan) if each.severity is not Severity.GOOD}
        # the training notes its gradient spikes itself, with their rows
        seen.pop(WatchCode.GRADIENT_SPIKE, None)
        for code in seen.keys() - self._told:
            words = observation_words(seen[code])
            with contextlib.suppress(BrokenPipeError):
                self._out.write(("\r\x1b[K" if self._out.isatty() else "") + joined(words.title, words.advice) + "\n")
                self._out.flush()
        self._told = set(seen)
