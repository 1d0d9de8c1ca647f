"""Plan page: a few choices on the left, what they cost on the right; everything is recommended already."""

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QVBoxLayout

from core.advice import signals
from core.choices import giving_way
from core.i18n import _, ngettext
from core.plan import TrainingPlan
from core.planning import plan_for, rows_in, with_intervals
from core.reasons import Reason
from core.vram import Estimate
from core.wizard import Step, WizardState, choose_plan, choose_smaller, go
from core.wording import count, reason_words
from gui.cards import advised
from gui.desk import Desk
from gui.pages.data_look import mixes_of
from gui.pages.gpu_offers import shaped
from gui.pages.imagined import ImaginedNote
from gui.pages.page import Page
from gui.pages.plan_cost import CostView
from gui.pages.plan_fields import PlanFields
from gui.plan_check import PlanCheck, Question, question
from gui.smaller import until_it_fits
from gui.widgets.problem_card import ProblemCard
from gui.widgets.switch import LevelSwitch
from gui.widgets.text import clear

#: Where a danger signal or a remark on the data is shown: the field it is about.
_ABOUT = {
    "danger_over_regularised": "dropout",
    "danger_alpha_below_rank": "alpha",
    "danger_spread_thin": "targets",
    "danger_learning_rate": "learning_rate",
}


class PlanPage(Page):
    """Makes the recommended plan when there is none, and proposes a new one for every change."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, _("How should it learn?"), _("These values suit your card and your data."), wide=True)
        self._recommended: TrainingPlan | None = None
        self._basis: object = None
        self._problems = QVBoxLayout()
        self.level = LevelSwitch(desk.settings.advanced)
        self.level.chosen.connect(self._choose_level)
        self.put_beside_title(self.level)
        self.note = ImaginedNote()
        self.note.proposed.connect(self.proposed)
        self.fields = PlanFields()
        self.fields.changed.connect(self._change)
        self.fields.goal_changed.connect(self._change_goal)
        self.fields.reset.connect(self._reset)
        self.fields.budget.taken.connect(self._change_many)
        self.cost = CostView()
        self.cost.smaller_asked.connect(self.make_smaller)
        self.cost.steps_down.undone.connect(self._larger_again)
        self.check = PlanCheck(desk.runner, self, enabled=desk.dry_runs)
        self.check.answered.connect(self._show_cost)
        self.column.addWidget(self.note)
        self.column.addLayout(self._problems)
        self.column.addWidget(self.fields)
        self.column.addStretch(1)
        self.dock_right(self.cost, 288, narrow=244)

    def show_state(self, state: WizardState) -> None:
        super().show_state(state)
        self._recommend(state)
        advanced = self.desk.settings.advanced
        self.level.set(advanced)
        self.fields.set_advanced(advanced)
        self.note.show_state(state)
        if state.plan is None:
            self.fields.set_locked(True)
            if self._recommended is not None:
                QTimer.singleShot(0, self, self._reset)
            return
        rows = state.report.learned if state.report else 0
        self.fields.show_plan(state.plan, self._recommended or state.plan, state.goal, practice=state.card is None)
        self.fields.set_locked(state.training)
        if state.model is not None:
            self.fields.budget.show_plan(state.model.architecture, state.plan)
        self._show_signals(signals(state.plan, rows or None))
        self._ask_modules()
        self._show_cost()

    def _recommend(self, state: WizardState) -> None:
        """What "recommended" means here: the plan that a fresh start would get."""
        card = state.card, state.recommendation
        basis = (state.model, state.report, state.goal, state.method, state.arrangement, *card)
        if basis == self._basis or state.model is None or state.report is None:
            return
        self._basis = basis
        self._recommended = shaped(plan_for(state, self.desk.constants(state.card)), state.recommendation)

    def _question(self) -> Question | None:
        plan, model = self.state.plan, self.state.model
        return question(model, plan, self.desk.constants(self.state.card)) if plan and model else None

    def _ask_modules(self) -> None:
        """Have the arithmetic checked, as long as the plan can still be changed."""
        asked, model = self._question(), self.state.model
        if asked is not None and model is not None and not self.state.training:
            self.check.ask(asked, model)

    def _show_cost(self) -> None:
        asked, plan, model = self._question(), self.state.plan, self.state.model
        if asked is None or plan is None or model is None:
            return
        self.cost.show_plan(self.state, self._estimate(asked, plan), asked.constants, mixes_of(self.desk.looked))
        if self.check.known(asked) is not None:
            self.cost.show_source("good", _("Checked with the model's own modules"))
        elif not model.architecture.known:
            self.cost.show_source("caution", _("A rough guess: only the model's own modules can tell."))
        elif self.check.failed(asked):
            self.cost.show_source("caution", _("Estimated; the model's own modules could not be asked."))
        elif self.check.waiting(asked):
            self.cost.show_source("muted", _("Estimated; the model's own modules are being asked…"))
        else:
            self.cost.show_source("muted", _("Estimated"))

    def _estimate(self, asked: Question, plan: TrainingPlan) -> Estimate:
        assert self.state.model is not None
        return self.check.known(asked) or self.desk.predict(plan, self.state.model, self.state.card)

    def make_smaller(self) -> None:
        """Go down the ladder until the plan fits; at its end, to the models."""
        asked, plan, model, card = self._question(), self.state.plan, self.state.model, self.state.card
        if asked is None or plan is None or model is None or card is None:
            return
        arithmetic = self.desk.predict(plan, model, card).total_bytes
        corrected = self._estimate(asked, plan).total_bytes / max(arithmetic, 1)
        found = until_it_fits(plan, model, card.free_bytes, asked.constants, corrected)
        if found is None:
            self.proposed.emit(go(self.state, Step.MODEL))
            return
        before = self.state.larger_plan or plan
        self.proposed.emit(replace(choose_smaller(_let_go(self.state, found.plan), found.plan), larger_plan=before))

    def _larger_again(self) -> None:
        if self.state.larger_plan is not None:
            self.proposed.emit(_planned(self.state, self.state.larger_plan))

    def _choose_level(self, advanced: bool) -> None:
        self.desk.change(replace(self.desk.settings, advanced=advanced))
        self.show_state(self.state)

    def _reset(self) -> None:
        if self._recommended is not None:
            self.proposed.emit(_planned(self.state, self._recommended))

    def _change(self, name: str, value: Any) -> None:
        self._change_many({name: value})

    def _change_many(self, values: dict[str, Any]) -> None:
        plan = self.state.plan
        if plan is None:
            return
        clear(self._problems)
        try:
            changed = replace(plan, **values | giving_way(plan, **values))
        except ValueError:
            self.fields.show_plan(plan, self._recommended or plan, self.state.goal, practice=self.state.card is None)
            for name in values:
                self.fields.refuse(name)
            return
        rows = rows_in(self.state.report) if self.state.report else 0
        if values.keys() & {"epochs", "batch", "accumulation", "validation_share"} and rows:
            share = changed.validation_share
            changed = replace(with_intervals(changed, rows), validation_share=share)
        self.proposed.emit(_planned(self.state, changed))

    def _change_goal(self, goal: str) -> None:
        advice = advised(self.state.card, goal)
        state = replace(self.state, goal=goal, recommendation=advice)
        if state.model and state.report:
            state = _planned(state, plan_for(state, self.desk.constants(state.card)))
        self.proposed.emit(state)

    def _show_signals(self, found: tuple[Reason, ...]) -> None:
        notes: dict[str, list[str]] = {}
        for reason in found:
            notes.setdefault(_ABOUT.get(reason.code, "data"), []).append(reason_words(reason))
        told = {"tokens": cut_words(self.state), "targets": reach_words(self.state)}
        self.fields.show_notes({field: "\n".join(texts) for field, texts in notes.items()}, told)

    def show_problem(self, card: ProblemCard) -> None:
        """Show why the plan cannot be used as it is."""
        clear(self._problems)
        self._problems.addWidget(card)

    def left(self) -> None:
        self.check.stop()


def reach_words(state: WizardState) -> str:
    """What adapters do not reach in a mixture of experts; "" for other models."""
    mixture = state.model is not None and state.model.architecture.experts > 0
    return _("The experts of this model stay as they are: adapters reach what lies around them.") if mixture else ""


def cut_words(state: WizardState) -> str:
    """How many rows the plan cuts, "about" where no tokenizer of the model counted; empty when nothing is known."""
    report, plan = state.report, state.plan
    if report is None or plan is None or not report.tokens:
        return ""
    counted = report.tokens_exact and report.tokens_model == str(state.model_folder)
    rows, longest = report.rows_longer_than(plan.tokens), count(report.tokens["longest"])
    if rows == 0:
        rough = _("Probably no row is cut: the longest has about {longest} tokens.")
        words = _("No row is cut: the longest has {longest} tokens.") if counted else rough
        return words.format(longest=longest)
    sure = ngettext(
        "{rows} row of {all} is cut; the longest has {longest} tokens.",
        "{rows} rows of {all} are cut; the longest has {longest} tokens.",
        rows,
    )
    rough = ngettext(
        "About {rows} row of {all} is cut; the longest has about {longest} tokens.",
        "About {rows} rows of {all} are cut; the longest has about {longest} tokens.",
        rows,
    )
    words = sure if counted else rough
    return words.format(rows=count(rows), all=count(report.learned), longest=longest)


def _planned(state: WizardState, plan: TrainingPlan) -> WizardState:
    """The state with another plan; a run that was made with the old one is let go."""
    return choose_plan(_let_go(state, plan), plan)


def _let_go(state: WizardState, plan: TrainingPlan) -> WizardState:
    if state.plan is not None and plan != state.plan and state.run is not None and not state.training:
        return replace(state, run=None, run_state=None, has_adapter=False, merged=None)
    return state
