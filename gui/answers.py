"""What the rail says of each step: its title, and its answer in a few words."""

from pathlib import Path

from core.i18n import _, ngettext
from core.runs import RunState
from core.wizard import STEPS, Blocker, Step, WizardState, blocker, reachable
from core.wording import count, method_words, step_words
from gui.cards import named
from gui.widgets.step_bar import Stop


def stops(state: WizardState, losses: tuple[float | None, float | None], *, aside: bool = False) -> list[Stop]:
    """The whole rail for a state."""
    furthest = max((i for i, step in enumerate(STEPS) if reachable(state, step)), default=0)
    return [
        Stop(
            step=step,
            title=step_words(step),
            answer=answer(state, step, losses),
            done=index < furthest and blocker(state, step) is None and bool(answer(state, step, losses)),
            current=step == state.step and not aside,
            open=viewable(state, step),
        )
        for index, step in enumerate(STEPS)
    ]


def viewable(state: WizardState, step: Step) -> bool:
    """Whether a page can be shown: a run that has begun shows its curves even when its model has gone."""
    begun = state.run is not None and state.run_state is not RunState.NEW
    return reachable(state, step) or (step is Step.TRAIN and begun)


def closed(state: WizardState) -> Blocker | None:
    """What keeps Next closed: this step's own answer first, then one that an earlier step lacks."""
    steps = STEPS[: STEPS.index(state.step) + 1]
    return next((found for step in reversed(steps) if (found := blocker(state, step))), None)


def answer(state: WizardState, step: Step, losses: tuple[float | None, float | None] = (None, None)) -> str:
    """What a step was answered with, empty while it is open."""
    match step:
        case Step.GPU:
            return _card(state)
        case Step.MODEL:
            return state.model.title if state.model else ""
        case Step.DATA:
            return _data(state)
        case Step.PLAN:
            return _plan(state)
        case Step.TRAIN:
            return _training(state, losses)
        case Step.EXPORT:
            return state.merged.name if state.merged else ""
    return ""


def _card(state: WizardState) -> str:
    if state.card is not None:
        return named(state.card)
    return _("Practice mode") if state.practice else ""


def _data(state: WizardState) -> str:
    report = state.report
    if report is None:
        return ""
    name = Path(report.files[0]).name if report.files else ""
    if not report.rows:
        return name
    rows = ngettext("{n} row", "{n} rows", report.learned).format(n=count(report.learned))
    return f"{rows} · {name}"


def _plan(state: WizardState) -> str:
    if state.plan is None:
        return ""
    return f"{method_words(state.plan.method)} · " + _("rank {n}").format(n=state.plan.rank)


def _training(state: WizardState, losses: tuple[float | None, float | None]) -> str:
    if state.training:
        return _("Training…")
    first, last = losses
    if state.run is None or first is None or last is None:
        return ""
    return _("Loss {first} → {last}").format(first=f"{first:.2f}", last=f"{last:.2f}")
