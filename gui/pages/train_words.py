"""The sentences of the Train page: where a run stands."""

from core.events import Paused, StageName
from core.i18n import _
from core.planning import rows_in, total_steps, training_rows
from core.runs import RunState
from core.settings import Settings
from core.watch import seconds_left
from core.wizard import WizardState
from core.wording import count, duration, energy, gigabytes, joined, stage_words
from core.wording.waits import why_words
from gui.cards import named
from gui.live_run import LiveRun
from gui.pages.train_waits import by_user, waiting_words

#: Steps whose speed is the speed of now.
RECENT = 30
#: Stages that say nothing more than the step does.
_STEPPING = (StageName.TRAINING, StageName.STARTING)


def headline(state: RunState | None, waiting: Paused | None = None) -> str:
    """The page's title."""
    if state is RunState.RUNNING and waiting is not None:
        return _("Training is paused") if by_user(waiting) else _("Training waits")
    return {
        RunState.RUNNING: _("Training"),
        RunState.FINISHED: _("Training is finished"),
        RunState.STOPPED: _("Training was stopped"),
        RunState.FAILED: _("Training broke off"),
        RunState.INTERRUPTED: _("Training was interrupted"),
    }.get(state or RunState.NEW, _("Ready to train"))


def progress_words(live: LiveRun | None, state: WizardState, busy: LiveRun | None) -> str:
    """The one line under the title."""
    if live is None or live.state is RunState.NEW:
        return _ready(state, busy)
    if not live.loaded or live.state is None:
        return _("Reading the run…")
    if live.state is RunState.RUNNING:
        return _running(live)
    if live.state is RunState.FINISHED:
        return _finished(live)
    return _broken(live)


def _ready(state: WizardState, busy: LiveRun | None) -> str:
    if busy is not None:
        return _("Another run is training: {name}. This one can start when it ends.").format(name=busy.folder.name)
    if state.imagined and state.card is not None:
        return _("It cannot start here: the plan is for {card}.").format(card=named(state.card))
    plan, report = state.plan, state.report
    if plan is None or report is None or not report.rows:
        return ""
    steps = total_steps(plan, rows_in(report))
    return _("{steps} steps over {rows} rows. You can stop at any time; nothing learned is lost.").format(
        steps=count(steps), rows=count(training_rows(plan, rows_in(report)))
    )


def _running(live: LiveRun) -> str:
    history, waiting = live.history, live.history.waiting
    if live.stopping:
        return _("Saving what was learned so far…") if history.steps else _("Ending. Nothing was learned yet.")
    if waiting is not None:
        done = _("Step {step} of {total} is done.")
        said = done.format(step=count(history.step), total=count(history.total_steps)) if history.steps else ""
        return joined(why_words(waiting), said)
    stage, newest = history.stage, history.steps[-1].time if history.steps else 0.0
    if not history.steps or (stage is not None and stage.stage not in _STEPPING and stage.time > newest):
        return stage_words(stage.stage if stage else StageName.STARTING) + "…"
    words = _("Step {step} of {total}").format(step=count(history.step), total=count(history.total_steps))
    left = seconds_left(history, live.plan) if live.plan else None
    return words if left is None else words + " · " + _("{time} left").format(time=duration(left))


def _finished(live: LiveRun) -> str:
    history = live.history
    first, last = history.first_loss, history.last_loss
    words = _("{steps} steps done").format(steps=count(history.step))
    kept = next((note.facts for note in reversed(history.notes) if note.code == "best_kept"), None)
    if kept is not None:
        # the losses of the last steps are not those of what is kept
        return words + " · " + _("kept is the adapter of step {step}, the best").format(step=count(kept["step"]))
    if first is None or last is None:
        return words
    return words + " · " + _("loss {first} → {last}").format(first=f"{first:.2f}", last=f"{last:.2f}")


def _broken(live: LiveRun) -> str:
    history, saved = live.history, live.checkpoint_step
    said = []
    if live.state is RunState.INTERRUPTED:
        said.append(_("The computer or the program ended in the middle."))
    if history.steps:
        step, total = count(history.step), count(history.total_steps)
        said.append(_("It got to step {step} of {total}.").format(step=step, total=total))
    else:
        said.append(_("It had not begun to learn."))
    if saved:
        said.append(_("Nothing up to step {step} is lost; it goes on from there.").format(step=count(saved)))
    else:
        said.append(_("Nothing was saved yet, so it starts again from the beginning."))
    return joined(*said)


def resume_words(live: LiveRun | None) -> str:
    """The button that trains a run on, or from its beginning when nothing was saved."""
    return _("&Resume") if live is not None and live.checkpoint_step else _("&Start over")


def more_words(live: LiveRun | None, settings: Settings, peak_bytes: int) -> str:
    """What ends a pause; else speed, memory and energy, for those who watch."""
    if live is None or not live.history.steps:
        return ""
    history = live.history
    if live.state is RunState.RUNNING and history.waiting is not None:
        return waiting_words(history.waiting, history, settings)
    recent = history.steps[-RECENT:]
    seconds = sum(step.seconds for step in recent)
    parts = [_("epoch {n}").format(n=f"{recent[-1].epoch:.2f}")]
    if seconds > 0:
        tokens = sum(step.trained_tokens for step in recent) / seconds
        parts.append(_("{n} trained tokens a second").format(n=count(round(tokens))))
    if history.samples_per_second:
        parts.append(_("{n} rows a second").format(n=f"{history.samples_per_second:.2g}"))
    if peak_bytes:
        parts.append(_("peak {size}").format(size=gigabytes(peak_bytes)))
    if history.energy.kwh:
        parts.append(energy(history.energy.kwh))
    # a line may end after a fact, not inside one
    return "\u00a0· ".join(part.replace(" ", "\u00a0") for part in parts)


def asked_words(what: str) -> str:
    """What happens now that the user asked for a "pause", or for one that frees memory ("release")."""
    if what == "release":
        return _("Saving, then the memory is freed…")
    return _("Pausing after this step…") if what == "pause" else ""
