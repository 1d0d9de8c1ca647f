"""Plan page: a few choices on the left, what they cost on the right; everything is recommended already."""

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QVBoxLayout

from core.advice import signals
from core.i18n import _
from core.plan import TrainingPlan
from core.planning import plan_for, with_intervals
from core.reasons import Reason
from core.recommend import practice, recommend
from core.wizard import WizardState, choose_plan
from core.wording import reason_words
from gui.desk import Desk
from gui.pages.page import Page
from gui.pages.plan_cost import CostView
from gui.pages.plan_fields import PlanFields
from gui.widgets.problem_card import ProblemCard
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
        self.fields = PlanFields()
        self.fields.changed.connect(self._change)
        self.fields.goal_changed.connect(self._change_goal)
        self.fields.reset.connect(self._reset)
        self.cost = CostView()
        self.column.addLayout(self._problems)
        self.column.addWidget(self.fields)
        self.column.addStretch(1)
        self.dock_right(self.cost, 288)

    def show_state(self, state: WizardState) -> None:
        super().show_state(state)
        self._recommend(state)
        if state.plan is None:
            if self._recommended is not None:
                QTimer.singleShot(0, self, self._reset)
            return
        rows = state.report.usable if state.report else 0
        self.fields.show_plan(state.plan, self._recommended or state.plan, state.goal, practice=state.card is None)
        self.fields.set_locked(state.training)
        self._show_signals(signals(state.plan, rows or None))
        self.cost.show_plan(state)

    def _recommend(self, state: WizardState) -> None:
        """What "recommended" means here: the plan that a fresh start would get."""
        basis = (state.model, state.report, state.card, state.goal, state.method, state.recommendation)
        if basis == self._basis or state.model is None or state.report is None:
            return
        self._basis = basis
        self._recommended = plan_for(state)

    def _reset(self) -> None:
        if self._recommended is not None:
            self.proposed.emit(_planned(self.state, self._recommended))

    def _change(self, name: str, value: Any) -> None:
        plan = self.state.plan
        if plan is None:
            return
        clear(self._problems)
        try:
            changed = replace(plan, **{name: value})
        except ValueError:
            self.fields.show_plan(plan, self._recommended or plan, self.state.goal, practice=self.state.card is None)
            return
        rows = self.state.report.usable if self.state.report else 0
        if name in ("epochs", "batch", "accumulation", "validation_share") and rows:
            share = changed.validation_share
            changed = replace(with_intervals(changed, rows), validation_share=share)
        self.proposed.emit(_planned(self.state, changed))

    def _change_goal(self, goal: str) -> None:
        card = self.state.card
        advice = recommend(card.total_bytes, card.free_bytes, goal) if card else practice(goal)
        state = replace(self.state, goal=goal, recommendation=advice)
        self.proposed.emit(_planned(state, plan_for(state)) if state.model and state.report else state)

    def _show_signals(self, found: tuple[Reason, ...]) -> None:
        notes: dict[str, list[str]] = {}
        for reason in found:
            notes.setdefault(_ABOUT.get(reason.code, "data"), []).append(reason_words(reason))
        self.fields.show_notes({field: "\n".join(texts) for field, texts in notes.items()})

    def show_problem(self, card: ProblemCard) -> None:
        """Show why the plan cannot be used as it is."""
        clear(self._problems)
        self._problems.addWidget(card)


def _planned(state: WizardState, plan: TrainingPlan) -> WizardState:
    """The state with another plan; a run that was made with the old one is let go."""
    if state.plan is not None and plan != state.plan and state.run is not None and not state.training:
        state = replace(state, run=None, run_state=None, has_adapter=False, merged=None)
    return choose_plan(state, plan)
