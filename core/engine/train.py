"""A training run, top to bottom: read, encode, load, prove, train, save the adapter."""

import contextlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from transformers import set_seed

from core.capsule import keep_capsule
from core.commands import Command, Pause
from core.engine.best import Best
from core.engine.broken import Break, StepBroken
from core.engine.checkpoints import newest_sound
from core.engine.device import device
from core.engine.encoding import ChatFormat
from core.engine.gauge import Gauge, gauge_of
from core.engine.loading import load_tokenizer
from core.engine.obedience import Pausing
from core.engine.parts import Parts
from core.engine.probe import proven
from core.engine.processes import count, from_first, is_first, join, shared, written_once
from core.engine.saving import save_adapter
from core.engine.settle import settle, settles
from core.engine.sharing import all_or_none, expect_shareable
from core.engine.trainer import SoloTrainer
from core.engine.workshop import Workshop
from core.events import Event, Noted, Saved, Stage, StageName, StepDone
from core.fit import remember
from core.history import RunHistory
from core.hub import find_folder
from core.jobs.talk import StopAsked, Talk
from core.problems import Code, Trouble
from core.runs import RunFolder
from core.settings import load, measured_file, models_root
from core.watch import spike


def train(path: Path, talk: Talk, *, resume: bool, gauge: Gauge | None = None) -> dict[str, Any]:
    """Train the run in `path`; asked to stop, it keeps a checkpoint and the adapter so far and raises StopAsked.

    On a card, or with a `gauge`, the plan is proven first: a smaller one takes its place in the run's folder when it
    does not fit.
    """
    run = RunFolder.open(path)
    join()
    expect_shareable(run.plan())
    talk = Remembering(shared(talk), run)
    with all_or_none(talk):
        return _from_start_to_end(run, talk, gauge, resume=resume)


def _from_start_to_end(run: RunFolder, talk: "Remembering", gauge: Gauge | None, *, resume: bool) -> dict[str, Any]:
    plan = run.plan()
    checkpoint = from_first(partial(newest_sound, run, talk)) if resume else None
    set_seed(plan.seed)
    folder = find_folder(plan.model, models_root(load()))
    chat = ChatFormat(load_tokenizer(folder), plan.system)
    # none of several processes can say for the others what fits
    gauge = gauge or (gauge_of(device(), plan.card) if count() == 1 else None)
    shop = Workshop(run, folder, chat, talk)
    parts = shop.make(plan) if gauge is None else proven(shop, plan, gauge, talk)
    shop.let_go()
    if parts.plan != plan:
        run.step_down(parts.plan)
    if is_first():
        keep_capsule(run, folder)
    parts.announce(talk)
    saved = written_once(Pausing(talk, run).saved)
    best = Best(run.best, plan.patience, talk.history, saved)
    trainer = parts.trainer(talk, best, parts.samples(talk, talk.history))
    if checkpoint is not None:
        talk.emit(Noted(code="resumed", facts={"step": run.checkpoint_step()}))
    talk.emit(Stage(stage=StageName.TRAINING))
    talk.after_step = partial(_note_spike, trainer, parts, talk)
    _train(trainer, parts, checkpoint)
    talk.after_step = None
    step, total = trainer.state.global_step, trainer.state.max_steps
    stopped = talk.stop_requested and step < total
    if step:
        if not stopped:
            _judge(trainer, parts, best, talk)
        talk.emit(Stage(stage=StageName.SAVING))
        if saved(step, partial(save_adapter, parts.model, chat, folder, run)):
            talk.emit(Saved(step=step, path="adapter"))
        else:
            stopped = True
    if stopped:
        raise StopAsked(run.checkpoint_step())
    memory = _learned(shop, parts, gauge)
    rows, plan, layout = parts.rows, parts.plan, parts.layout()
    del trainer, parts
    if settles(plan, folder):
        # the adapter is saved already: a card that runs out of memory here costs nothing but this
        with contextlib.suppress(torch.cuda.OutOfMemoryError):
            settled = settle(plan, folder, run.adapter, rows, layout, step, talk)
            saved(step, partial(save_adapter, settled, chat, folder, run))
    return _result(run, step, talk.history) | memory


def _train(trainer: SoloTrainer, parts: Parts, checkpoint: Path | None) -> None:
    """Train to the end, or to where it was asked to stop; what was learned until a step broke is kept."""
    try:
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    except StepBroken as broken:
        if broken.what in (Break.LOSS, Break.GRADIENT):
            # what was learned so far may be on its way there already: the checkpoints behind are what counts
            rows = [list(place) for place in dict.fromkeys(parts.origins(broken.places))]
            raise Trouble(Code.NOT_A_NUMBER, step=broken.step + 1, what=broken.what, rows=rows) from None
        trainer.keep()
        if broken.what is Break.MEMORY:
            raise broken.__cause__ or broken from None


def _judge(trainer: SoloTrainer, parts: Parts, best: Best, talk: "Remembering") -> None:
    """At the end the best adapter by validation is the one that counts, not the last one (D3)."""
    history, step = talk.history, trainer.state.global_step
    if parts.validation and (not history.evaluations or history.evaluations[-1].step < step):
        trainer.evaluate()
    if step < trainer.state.max_steps:
        talk.emit(Noted(code="stopped_early", facts={"step": step, "waited": best.waited}))
    newest = history.evaluations[-1] if history.evaluations else None
    found = best.put_back(parts.model)
    if found is not None and newest is not None:
        facts = {"step": found.step, "loss": found.loss, "last_step": newest.step, "last_loss": newest.loss}
        talk.emit(Noted(code="best_kept", facts=facts))


def _learned(shop: Workshop, parts: Parts, gauge: Gauge | None) -> dict[str, Any]:
    """Predicted and measured peak of the run, remembered for the next predictions; nothing without a gauge."""
    if gauge is None:
        return {}
    with contextlib.suppress(OSError):
        remember(shop.sample(parts, gauge), measured_file())
    return {
        "predicted_bytes": shop.predicted_bytes(parts.plan),
        "proven_bytes": gauge.need.total_bytes,
        "peak_bytes": gauge.so_far().total_bytes,
    }


def _note_spike(trainer: SoloTrainer, parts: Parts, talk: "Remembering") -> None:
    """Tell when the newest step pulled much harder than usual, and of which rows it was made."""
    found = spike(talk.history)
    if found is not None:
        rows = [list(place) for place in dict.fromkeys(parts.origins(trainer.places))]
        talk.emit(Noted(code="gradient_spike", facts={"step": found.step, **found.facts, "rows": rows}))


class Remembering:
    """A Talk that keeps the history of what was said, earlier sessions of the run included."""

    def __init__(self, talk: Talk, run: RunFolder) -> None:
        self._talk = talk
        self.history = run.history()
        self.after_step: Callable[[], None] | None = None

    def emit(self, event: Event) -> None:
        self.history.apply(event)
        self._talk.emit(event)
        if isinstance(event, StepDone) and self.after_step is not None:
            self.after_step()

    @property
    def stop_requested(self) -> bool:
        return self._talk.stop_requested

    @property
    def pause(self) -> Pause | None:
        return self._talk.pause

    def next_command(self) -> Command:
        return self._talk.next_command()


def _result(run: RunFolder, step: int, history: RunHistory) -> dict[str, Any]:
    return {
        "run": str(run.path),
        "adapter": str(run.adapter),
        "steps": step,
        "first_loss": history.first_loss,
        "last_loss": history.last_loss,
        "evaluation_loss": history.evaluations[-1].loss if history.evaluations else None,
    }
