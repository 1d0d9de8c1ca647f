"""Obedience: training ends when it is asked to, and saves when the last checkpoint is too old."""

import time
from collections.abc import Callable
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

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
