"""The seven steps as a value: their order, what each one answered, what blocks the next one."""

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from core.catalog import ModelSpec
from core.data.rows import DataReport
from core.gpu import Card
from core.plan import Method, TrainingPlan
from core.recommend import Recommendation
from core.runs import RunState


class Step(StrEnum):
    """The pages of the wizard, in order."""

    GPU = "gpu"
    MODEL = "model"
    DATA = "data"
    PLAN = "plan"
    TRAIN = "train"
    TEST = "test"
    EXPORT = "export"


STEPS = tuple(Step)


class Blocker(StrEnum):
    """Why the step after a page is not open yet; wording.py has the sentences."""

    CARDS_UNREAD = "cards_unread"
    NO_MODEL = "no_model"
    MODEL_NOT_HERE = "model_not_here"
    NO_DATA = "no_data"
    DATA_NOT_USABLE = "data_not_usable"
    NO_PLAN = "no_plan"
    NOT_TRAINED = "not_trained"
    TRAINING = "training"


@dataclass(frozen=True)
class WizardState:
    """Everything the wizard knows; pages propose the next value, nothing else changes it.

    `probed` says that the cards were read; `card` stays None on a computer without one (practice mode).
    `model_folder` is where the chosen model's files lie, None until they are on this computer.
    """

    step: Step = Step.GPU
    probed: bool = False
    card: Card | None = None
    goal: str = "medium"
    recommendation: Recommendation | None = None
    method: Method | None = None
    model: ModelSpec | None = None
    model_folder: Path | None = None
    report: DataReport | None = None
    plan: TrainingPlan | None = None
    run: Path | None = None
    run_state: RunState | None = None
    has_adapter: bool = False
    merged: Path | None = None

    @property
    def practice(self) -> bool:
        """Whether the computer has no card to train on."""
        return self.probed and self.card is None

    @property
    def training(self) -> bool:
        return self.run_state is RunState.RUNNING


def blocker(state: WizardState, step: Step) -> Blocker | None:
    """What keeps the user from leaving `step` forwards, None when the way is free."""
    match step:
        case Step.GPU:
            return None if state.probed else Blocker.CARDS_UNREAD
        case Step.MODEL:
            if state.model is None:
                return Blocker.NO_MODEL
            return None if state.model_folder else Blocker.MODEL_NOT_HERE
        case Step.DATA:
            if state.report is None:
                return Blocker.NO_DATA
            return None if state.report.usable else Blocker.DATA_NOT_USABLE
        case Step.PLAN:
            return None if state.plan else Blocker.NO_PLAN
        case Step.TRAIN:
            if state.training:
                return Blocker.TRAINING
            return None if state.has_adapter else Blocker.NOT_TRAINED
    return None


def reachable(state: WizardState, step: Step) -> bool:
    """Whether every step before `step` is answered."""
    return all(blocker(state, earlier) is None for earlier in STEPS[: STEPS.index(step)])


def go(state: WizardState, step: Step) -> WizardState:
    """Move to `step` when it is reachable, else stay."""
    return replace(state, step=step) if reachable(state, step) else state


def forward(state: WizardState) -> WizardState:
    """Move one step on when nothing blocks it."""
    position = STEPS.index(state.step)
    return go(state, STEPS[min(position + 1, len(STEPS) - 1)])


def back(state: WizardState) -> WizardState:
    """Move one step back; nothing that was answered is lost."""
    return replace(state, step=STEPS[max(STEPS.index(state.step) - 1, 0)])


def choose_card(state: WizardState, card: Card | None, advice: Recommendation) -> WizardState:
    """Take the card reading in, with what is recommended for it; a model already chosen stays."""
    return replace(state, probed=True, card=card, recommendation=advice, method=state.method or advice.method)


def choose_model(state: WizardState, model: ModelSpec, folder: Path | None) -> WizardState:
    """Choose a base model; a plan made for another model is dropped, a finished run as well."""
    if model == state.model:
        return replace(state, model_folder=folder or state.model_folder)
    return _replan(replace(state, model=model, model_folder=folder))


def choose_data(state: WizardState, report: DataReport) -> WizardState:
    """Choose the data; the plan is made again because steps depend on the rows."""
    return _replan(replace(state, report=report))


def choose_plan(state: WizardState, plan: TrainingPlan) -> WizardState:
    """Take a plan; its method becomes the wizard's."""
    return replace(state, plan=plan, method=plan.method)


def open_run(state: WizardState, run: Path, run_state: RunState, has_adapter: bool) -> WizardState:
    """Attach a run: a new one, a living one or an old one."""
    same = state.run == run
    return replace(state, run=run, run_state=run_state, has_adapter=has_adapter, merged=state.merged if same else None)


def _replan(state: WizardState) -> WizardState:
    return replace(state, plan=None, run=None, run_state=None, has_adapter=False, merged=None)
