"""Obedience: training ends or waits when it is asked to, and saves when the last checkpoint is too old."""

import time
from collections.abc import Callable
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from core.disk import room_bytes
from core.engine.processes import highest
from core.events import Paused, Wait, WentOn
from core.files import free_bytes
from core.jobs.talk import Talk
from core.problems import Code, diagnose
from core.runs import RunFolder

#: Seconds between two looks at whether a pause is over.
_LOOK_EVERY = 0.1
#: Seconds between two attempts to write to a disk that said it is full: quotas cannot be asked.
_TRY_EVERY = 10.0
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
        if highest(time.monotonic() - self._saved_at > SAVE_AT_LEAST_EVERY):
            control.should_save = True
        if self._stop_requested():
            control.should_training_stop = control.should_save = True
        return control

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._saved_at = time.monotonic()


class Pausing:
    """Lets the training of `run` wait: before a step for as long as a pause lasts, and for room on the disk."""

    def __init__(self, talk: Talk, run: RunFolder) -> None:
        self._talk, self._run = talk, run

    def __call__(self, trainer: Any) -> None:
        """Wait while a pause lasts; what was learned is saved first, the card is kept.

        Returns at once without a pause, and when training is to end.
        """
        pause = self._talk.pause
        if pause is None or self._talk.stop_requested:
            return
        trainer.keep()
        waiting = _Waiting(self._talk, trainer.state.global_step)
        while pause is not None and not self._talk.stop_requested:
            waiting.on(pause.reason)
            pause = self._talk.pause
        waiting.over()

    def saved(self, step: int, write: Callable[[], object]) -> bool:
        """Let `write` write to the run's disk, when there is room; False when training was to end before there was.

        What `write` began and could not end is its own to remove.
        """
        talk, waiting = self._talk, _Waiting(self._talk, step)
        needed, due, held = room_bytes(self._run), 0.0, False
        while True:
            stop = talk.stop_requested
            # what is kept free is for others; who goes on in spite of that, or ends, may have it
            insists = held and talk.pause is None
            held = talk.pause is not None
            if stop or insists or (time.monotonic() >= due and free_bytes(self._run.path) >= needed):
                try:
                    write()
                except Exception as error:
                    if diagnose(error).code is not Code.DISK_FULL:
                        raise
                    due = time.monotonic() + _TRY_EVERY
                else:
                    waiting.over()
                    return True
            if stop:
                return False
            pause = talk.pause
            waiting.on(Wait.USER if pause is not None and pause.reason is Wait.USER else Wait.DISK)


class _Waiting:
    """One wait, which may change its reason: tells what it waits for, and that it is over."""

    def __init__(self, talk: Talk, step: int) -> None:
        self._talk, self._step = talk, step
        self._begun = time.monotonic()
        self._said: Wait | None = None

    def on(self, reason: Wait) -> None:
        """Wait a moment, for `reason`."""
        if reason is not self._said:
            self._talk.emit(Paused(step=self._step, reason=reason))
            self._said = reason
        time.sleep(_LOOK_EVERY)

    def over(self) -> None:
        """Tell that training goes on, if it waited."""
        if self._said is not None and not self._talk.stop_requested:
            self._talk.emit(WentOn(step=self._step, seconds=time.monotonic() - self._begun))
