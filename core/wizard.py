"""The seven steps as a value: their order, what each one answered, what blocks the next one."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from core.arrangement import Arrangement, arranged, arrangement_of, fitting
from core.catalog import ModelSpec
from core.data.clean import Cleaning
from core.data.columns import Columns
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
    CARD_NOT_HERE = "card_not_here"


@dataclass(frozen=True)
class WizardState:
    """Everything the wizard knows; pages propose the next value, nothing else changes it.

    `probed` says that the cards were read; `card` stays None on a computer without one (practice mode).
    `model_folder` is where the chosen model's files lie, None until they are on this computer. While another
    card is planned for, `card` is that one (`imagined`) and `own_card` the computer's. `larger_plan` is the plan
    that was too much, after it was made smaller. `cleaning`, `columns` and `passage` are how `report` came about;
    `arrangement` is how its files are learned.
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
    cleaning: Cleaning | None = None
    columns: Columns | None = None
    passage: int = 0
    arrangement: Arrangement = field(default_factory=Arrangement)
    plan: TrainingPlan | None = None
    run: Path | None = None
    run_state: RunState | None = None
    has_adapter: bool = False
    merged: Path | None = None
    own_card: Card | None = None
    larger_plan: TrainingPlan | None = None

    @property
    def imagined(self) -> bool:
        """Whether the plan is for a card that is not in this computer."""
        return self.card is not None and self.card.imagined

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
            # planning needs to know the model, not to have it
            return None if state.model_folder or state.imagined else Blocker.MODEL_NOT_HERE
        case Step.DATA:
            if state.report is None:
                return Blocker.NO_DATA
            return None if state.report.learned else Blocker.DATA_NOT_USABLE
        case Step.PLAN:
            return None if state.plan else Blocker.NO_PLAN
        case Step.TRAIN:
            if state.training:
                return Blocker.TRAINING
            if state.imagined and not state.has_adapter:
                return Blocker.CARD_NOT_HERE
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
    method = state.method or advice.method
    return replace(state, probed=True, card=card, recommendation=advice, method=method, own_card=None)


def imagine_card(state: WizardState, card: Card, advice: Recommendation) -> WizardState:
    """Plan for a card that is not in this computer; what was planned for another card is planned again."""
    own = state.own_card if state.imagined else state.card
    return _elsewhere(replace(state, card=card, own_card=own), advice)


def own_card_again(state: WizardState, advice: Recommendation) -> WizardState:
    """Back to this computer's card, or to practice mode, with what is recommended there."""
    return _elsewhere(replace(state, card=state.own_card, own_card=None), advice)


def choose_advice(state: WizardState, advice: Recommendation, folder: Path | None) -> WizardState:
    """Take another recommendation than the first one: its model, whose files lie in `folder`, and its method."""
    chosen = replace(state, recommendation=advice, method=advice.method, model=advice.model, model_folder=folder)
    return _replan(chosen)


def _elsewhere(state: WizardState, advice: Recommendation) -> WizardState:
    """Another card: its method, its plan; a model that was chosen stays."""
    return _replan(replace(state, probed=True, recommendation=advice, method=advice.method))


def choose_model(state: WizardState, model: ModelSpec, folder: Path | None) -> WizardState:
    """Choose a base model; a plan made for another model is dropped, a finished run as well."""
    if model == state.model:
        return replace(state, model_folder=folder or state.model_folder)
    return _replan(replace(state, model=model, model_folder=folder))


def choose_data(
    state: WizardState,
    report: DataReport,
    cleaning: Cleaning | None = None,
    columns: Columns | None = None,
    passage: int = 0,
) -> WizardState:
    """Choose the data as it was read and cleaned for `report`; the plan is made again: steps depend on the rows."""
    known = state.report is not None and set(state.report.files) & set(report.files)
    arrangement = fitting(state.arrangement, report.files) if known else Arrangement()
    chosen = replace(state, report=report, cleaning=cleaning, columns=columns, passage=passage)
    return _replan(replace(chosen, arrangement=arrangement))


def arrange(state: WizardState, arrangement: Arrangement) -> WizardState:
    """Learn the files in another way: the plan keeps all else, a run that was made is let go.

    Raises ValueError for shares that come to more than 0.9 of all rows.
    """
    plan = arranged(state.plan, arrangement) if state.plan else None
    return replace(_replan(replace(state, arrangement=arrangement)), plan=plan)


def choose_plan(state: WizardState, plan: TrainingPlan) -> WizardState:
    """Take a plan; its method and the arrangement of its files become the wizard's."""
    return replace(state, plan=plan, method=plan.method, larger_plan=None, arrangement=arrangement_of(plan))


def choose_smaller(state: WizardState, plan: TrainingPlan) -> WizardState:
    """Take a plan that needs less memory, and remember the one that it replaces."""
    return replace(choose_plan(state, plan), larger_plan=state.plan)


def open_run(state: WizardState, run: Path, run_state: RunState, has_adapter: bool) -> WizardState:
    """Attach a run: a new one, a living one or an old one."""
    same = state.run == run
    return replace(state, run=run, run_state=run_state, has_adapter=has_adapter, merged=state.merged if same else None)


def _replan(state: WizardState) -> WizardState:
    return replace(state, plan=None, larger_plan=None, run=None, run_state=None, has_adapter=False, merged=None)
