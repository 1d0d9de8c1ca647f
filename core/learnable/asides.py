"""Will anybody see whether it learns: rows to check with, that training has not seen."""

import math
from collections.abc import Iterator

from core.learnable.checks import Check, CheckCode, Fix, Level
from core.learnable.known import Known
from core.learnable.steps import rescheduled
from core.plan import TrainingPlan
from core.planning import ROWS_TO_VALIDATE
from core.reasons import OURS, Reason


def asides(known: Known) -> Iterator[Check]:
    """Rows that are set aside, how many, and whether they are ever looked at."""
    plan, rule = known.plan, known.rule
    if plan.validation and plan.validation in (*plan.data, *(mix.file for mix in plan.mix)):
        reason = Reason(CheckCode.VALIDATION_SAME, {}, OURS)
        yield Check(Level.WARNING, reason, "validation", _own_share(known))
        return
    if not plan.validation and not plan.validation_share:
        yield _missing(known)
        return
    rows = known.validation_rows
    if plan.validation and known.shared and known.checked:
        share = min(known.shared / known.checked, 1.0)
        level = Level.WARNING if share > rule["shared"] else Level.NOTE
        reason = Reason(CheckCode.OVERLAP, {"rows": known.shared, "share": share}, OURS)
        yield Check(level, reason, "validation", _own_share(known))
    every = plan.evaluate_every or plan.save_every
    if every >= known.steps > 1:
        # the trainer evaluates at the end in any case
        reason = Reason(CheckCode.VALIDATION_ONCE, {"every": every, "steps": known.steps}, OURS)
        fix = Fix("fix_evaluate", rescheduled(known), {"every": rescheduled(known).evaluate_every})
        yield Check(Level.NOTE, reason, "evaluate_every", fix)
    if rows is not None and rows < rule["asides"]:
        reason = Reason(CheckCode.VALIDATION_SMALL, {"rows": rows}, OURS)
        yield Check(Level.NOTE, reason, "validation", _larger_share(known))
    elif rows is not None:
        yield Check(Level.GOOD, Reason(CheckCode.VALIDATION_GOOD, {"rows": rows}, OURS), "validation")


def _missing(known: Known) -> Check:
    if known.rows < ROWS_TO_VALIDATE:
        return Check(Level.NOTE, Reason(CheckCode.VALIDATION_TOO_FEW, {"rows": known.rows}, OURS), "validation_share")
    return Check(Level.WARNING, Reason(CheckCode.NO_VALIDATION, {}, "D3"), "validation_share", _own_share(known))


def _own_share(known: Known) -> Fix:
    share = known.plan.validation_share or TrainingPlan.validation_share
    plan = rescheduled(known.with_plan(validation="", validation_share=share))
    return Fix("fix_share", plan, {"share": share})


def _larger_share(known: Known) -> Fix | None:
    """A share that sets enough rows aside; None where it would take too much away, or for a file of its own."""
    plan, rule = known.plan, known.rule
    wanted = math.ceil(1000 * (rule["asides"] + 0.5) / max(known.rows, 1)) / 1000
    if plan.validation or not plan.validation_share < wanted <= rule["asides_share"]:
        return None
    return Fix("fix_share", rescheduled(known.with_plan(validation_share=wanted)), {"share": wanted})
