"""Obedience: training ends or waits when it is asked to, and saves when the last checkpoint is too old."""

import time
from collections.abc import Callable
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from core.events import Paused, WentOn
from core.jobs.talk import Talk

#: Seconds between two looks at whether a pause is over.
_LOOK_EVERY = 0.1
#: Seconds after which a checkpoint is written even when its step has not come.
SAVE_AT_LEAST_EVERY = 300.0


class Obedience(TrainerCallback):
    """Ends training after a step when asked, with a checkpoint. In the middle of a step SoloTrainer does."""

    def __init__(self, stop_requested: Callable[[], bool]) -> None:
        self._stop_requested = stop_requested
        self._saved_at = time.monotonic()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> TrainerControl:
        if time.monotonic() - self._saved_at > SAVE_AT_LEAST_EVERY:
            control.should_save = True
        if self._stop_requested():
            control.should_training_stop = control.should_save = True
        return control

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._saved_at = time.monotonic()


class Pausing:
    """Waits before a step for as long as a pause lasts; what was learned is saved first, the card is kept."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk

    def __call__(self, trainer: Any) -> None:
        """Wait; returns at once without a pause, and when training is to end."""
        talk, step = self._talk, trainer.state.global_step
        pause = talk.pause
        if pause is None or talk.stop_requested:
            return
        trainer.keep()
        begun = time.monotonic()
        talk.emit(Paused(step=step, reason=pause.reason))
        while talk.pause is not None and not talk.stop_requested:
            time.sleep(_LOOK_EVERY)
        if not talk.stop_requested:
            talk.emit(WentOn(step=step, seconds=time.monotonic() - begun))
