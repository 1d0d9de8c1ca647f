"""Comebacks with real processes: out of memory and NaN go on in a fresh child, a pause may free the card."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.commands import GoOn, Pause
from core.engine.train import train
from core.events import Event, Failed, Finished, Noted, Paused, StepDone, Stopped, WentOn
from core.jobs.jobs import TrainJob
from core.jobs.process import JobProcess
from core.problems import Code
from core.runs import RunFolder, RunState
from tests.engine.conftest import Listener

MakeRun = Callable[..., RunFolder]
#: Nine steps of four rows.
PLAN = {"batch": 2, "accumulation": 2, "epochs": 2.0, "validation_share": 0.25, "save_every": 3, "evaluate_every": 99,
        "dropout": 0.0}  # fmt: skip


@dataclass(frozen=True)
class Faulty(TrainJob):
    """A training with a fault before step `at`: "memory" while the micro-batch is larger than one row, or "loss".

    "waits" is no fault: after steps 1 and 5 it waits until it hears that it shall pause or end.
    """

    fault: str = ""
    at: int = 5

    def run(self, talk: Any) -> dict[str, Any]:
        import torch

        from core.engine.trainer import SoloTrainer

        real = SoloTrainer._summed_loss
        large = RunFolder(Path(self.run_folder)).plan().batch > 1

        def loss(trainer: Any, batch: Any) -> torch.Tensor:
            if trainer.model.training and trainer.state.global_step == self.at - 1:
                if self.fault == "memory" and large:
                    raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
                if self.fault == "loss":
                    return real(trainer, batch) * float("nan")
            return real(trainer, batch)

        SoloTrainer._summed_loss = loss
        return super().run(Patient(talk) if self.fault == "waits" else talk)


class Patient:
    """A Talk that gives its parent the time to say something after steps 1 and 5."""

    def __init__(self, talk: Any) -> None:
        self._talk = talk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._talk, name)

    def emit(self, event: Event) -> None:
        self._talk.emit(event)
        while isinstance(event, StepDone) and event.step in (1, 5):
            if self._talk.pause is not None or self._talk.stop_requested:
                break
            time.sleep(0.01)


def told(job: TrainJob, run: RunFolder) -> list[Event]:
    process = JobProcess(job, run=run)
    process.start()
    return list(process.events())


def undisturbed(make_run: MakeRun) -> list[float]:
    talk = Listener()
    train(make_run(**PLAN).path, talk, resume=False)
    return [step.loss for step in talk.of(StepDone)]


def test_out_of_memory_goes_on_with_smaller_micro_batches_and_learns_the_same(make_run: MakeRun) -> None:
    whole = undisturbed(make_run)
    run = make_run(**PLAN)
    events = told(Faulty(str(run.path), fault="memory"), run)
    (note,) = [event for event in events if isinstance(event, Noted) and event.code == "memory_stepped"]
    assert note.facts["step"] == 4 and (run.plan().batch, run.plan().accumulation) == (1, 4)
    steps = [event for event in events if isinstance(event, StepDone)]
    # not one step is done twice
    assert [step.step for step in steps] == list(range(1, len(whole) + 1))
    assert [step.loss for step in steps] == pytest.approx(whole, rel=0.01)
    assert isinstance(events[-1], Finished) and run.state() is RunState.FINISHED
    assert run.history().steps == steps


def test_numbers_lost_again_and_again_end_it_with_the_last_good_checkpoint(make_run: MakeRun) -> None:
    run = make_run(**PLAN, learning_rate=1e-2)
    events = told(Faulty(str(run.path), fault="loss", at=8), run)
    notes = [event.facts for event in events if isinstance(event, Noted) and event.code == "rolled_back"]
    assert [(facts["step"], facts["to"], facts["rate"]) for facts in notes] == [(8, 6, 5e-3), (8, 3, 2.5e-3)]
    assert all(len(facts["rows"]) == 4 and facts["what"] == "loss" for facts in notes)
    last = events[-1]
    assert isinstance(last, Failed) and last.problem.code is Code.NOT_A_NUMBER and last.resumable
    # what Resume goes on from, with the lower rate; schedule and all
    assert run.checkpoint_step() == 6 and run.plan().learning_rate == 2.5e-3
    rates = {step.step: step.learning_rate for step in run.history().steps}
    assert max(rates[step] for step in (4, 5, 6, 7)) <= 2.5e-3


def test_a_pause_keeps_the_process_or_frees_the_card(make_run: MakeRun) -> None:
    whole = undisturbed(make_run)
    run = make_run(**PLAN)
    process = JobProcess(Faulty(str(run.path), fault="waits"), run=run)
    process.start()
    pids, events, pauses = {process.pid}, [], iter((Pause(), Pause(release=True)))
    for event in process.events():
        events.append(event)
        if isinstance(event, StepDone) and event.step in (1, 5):
            process.send(next(pauses))
        elif isinstance(event, Paused):
            assert run.checkpoint_step() == event.step
            if event.released:
                assert not run.is_busy()
            threading.Timer(0.3, process.send, (GoOn(),)).start()
        elif isinstance(event, WentOn):
            pids.add(process.pid)
    assert [event.released for event in events if isinstance(event, Paused)] == [False, True]
    assert all(event.seconds >= 0.2 for event in events if isinstance(event, WentOn))
    losses = [event.loss for event in events if isinstance(event, StepDone)]
    assert losses == whole and isinstance(events[-1], Finished)


def test_stopped_while_the_card_is_free_it_can_be_resumed_later(make_run: MakeRun) -> None:
    run = make_run(**PLAN)
    process = JobProcess(Faulty(str(run.path), fault="waits"), run=run)
    process.start()
    for event in process.events():
        if isinstance(event, StepDone) and event.step == 1:
            process.send(Pause(release=True))
        elif isinstance(event, Paused):
            threading.Timer(0.2, process.stop).start()
    assert isinstance(event, Stopped) and event.resumable
    assert run.state() is RunState.STOPPED and run.checkpoint_step() == event.step >= 1
