"""Where the Train page leads: to the plan of another run, with the data and the model of this one."""

import sys
from dataclasses import replace

from core.plan import TrainingPlan
from core.wizard import Step, WizardState, choose_plan, choose_smaller, go
from gui.desk import Desk
from gui.smaller import until_it_fits


def smaller(state: WizardState, desk: Desk) -> WizardState:
    """The next smaller plan that fits, shown before it is started; the model's page where none does."""
    plan, model, card = state.plan, state.model, state.card
    free = card.free_bytes if card else sys.maxsize
    found = until_it_fits(plan, model, free, desk.constants(card)) if plan and model else None
    if found is None:
        return go(state, Step.MODEL)
    return go(choose_smaller(_without_run(state), found.plan), Step.PLAN)


def planned(state: WizardState, plan: TrainingPlan) -> WizardState:
    """A plan for the next run; a run that goes on is left alone."""
    return go(choose_plan(_without_run(state), plan), Step.PLAN)


def _without_run(state: WizardState) -> WizardState:
    return replace(state, run=None, run_state=None, has_adapter=False, merged=None)
