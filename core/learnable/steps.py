"""Is it long enough, and not too long: optimizer steps, epochs and warm-up."""

import math
from collections.abc import Iterator
from dataclasses import replace

from core.learnable.checks import Check, CheckCode, Fix, Level
from core.learnable.known import Known
from core.plan import TrainingPlan
from core.planning import with_intervals
from core.reasons import OURS, Reason


def steps(known: Known) -> Iterator[Check]:
    """Optimizer steps of the run and of an epoch."""
    low, rule = known.rule["steps"], known.rule
    few = known.steps < low
    if few:
        reason = Reason(CheckCode.STEPS_FEW, {"steps": known.steps, "low": low}, OURS)
        yield Check(Level.WARNING, reason, "epochs", _more_steps(known))
    elif known.steps_an_epoch > 1:
        reason = Reason(CheckCode.STEPS_GOOD, {"steps": known.steps, "each": known.steps_an_epoch}, OURS)
        yield Check(Level.GOOD, reason, "epochs")
    if known.steps_an_epoch == 1 and known.training_rows > 1 and known.plan.effective_batch > rule["batch_least"]:
        facts = {"rows": known.training_rows, "effective": known.plan.effective_batch}
        yield Check(Level.WARNING, Reason(CheckCode.ONE_STEP, facts, OURS), "accumulation", _smaller_batch(known))


def epochs(known: Known) -> Iterator[Check]:
    """Rows that are seen too often, or not at all."""
    most = known.rule["epochs"]
    if known.epochs > most:
        facts = {"epochs": round(known.epochs, 1), "most": most}
        yield Check(
            Level.WARNING,
            Reason(CheckCode.EPOCHS_MANY, facts, known.rule["source_epochs"]),
            "steps" if known.plan.steps else "epochs",
            _fewer_epochs(known),
        )
    elif (unseen := 1 - known.epochs) > known.rule["unseen"]:
        fix = None
        if not known.plan.stages:
            whole = known.with_plan(steps=0, epochs=max(1.0, known.plan.epochs))
            fix = Fix("fix_epochs", rescheduled(whole), {"epochs": whole.plan.epochs})
        about = "steps" if known.plan.steps else "epochs"
        yield Check(Level.NOTE, Reason(CheckCode.ROWS_UNSEEN, {"share": unseen}, OURS), about, fix)


def warmup(known: Known) -> Iterator[Check]:
    """The rate begins at zero and grows during warm-up: a run that is all warm-up learns little or nothing."""
    plan, rule = known.plan, known.rule
    if known.steps == 1 and plan.warmup:
        # the first step of a warm-up has a rate of exactly zero
        fix = Fix("fix_warmup", replace(plan, warmup=0.0), {"share": 0.0})
        yield Check(Level.BLOCKER, Reason(CheckCode.WARMUP_ONLY, {"steps": known.steps}, OURS), "warmup", fix)
    elif plan.warmup > rule["warmup"]:
        usual = TrainingPlan.warmup
        fix = Fix("fix_warmup", replace(plan, warmup=usual), {"share": usual})
        yield Check(Level.NOTE, Reason(CheckCode.WARMUP_LONG, {"share": plan.warmup}, OURS), "warmup", fix)


def rescheduled(known: Known) -> TrainingPlan:
    """The plan with save and evaluation intervals that suit its steps."""
    plan = with_intervals(known.plan, known.by_file)
    # a single step must not be a warm-up step
    return replace(plan, warmup=0.0) if known.steps == 1 else plan


def _smaller(known: Known) -> Iterator[Known]:
    """Smaller and smaller batches, down to the least that is still steady; accumulation first, it costs nothing."""
    batch, accumulation = known.plan.batch, known.plan.accumulation
    while batch * accumulation > known.rule["batch_least"]:
        if accumulation > 1:
            accumulation //= 2
        else:
            batch //= 2
        if batch * accumulation < known.rule["batch_least"]:
            return
        yield known.with_plan(batch=batch, accumulation=accumulation)


def _more_steps(known: Known) -> Fix | None:
    """Smaller batches, then more epochs; None where only more rows help."""
    low, most = known.rule["steps"], known.rule["epochs"]
    smallest = known
    for smaller in () if known.plan.steps else _smaller(known):
        smallest = smaller
        if smaller.steps >= low:
            return _batch_fix(smaller)
    if known.plan.steps:
        more = known.with_plan(steps=low)
        return Fix("fix_steps", rescheduled(more), {"steps": low}) if more.epochs <= most else None
    if known.plan.stages:
        return None
    for often in range(math.ceil(known.plan.epochs), most + 1):
        more = smallest.with_plan(epochs=float(often))
        if more.steps >= low:
            facts = {"epochs": often, "effective": more.plan.effective_batch}
            return Fix("fix_epochs_and_batch" if smallest is not known else "fix_epochs", rescheduled(more), facts)
    return None


def _smaller_batch(known: Known) -> Fix | None:
    smaller = next((one for one in _smaller(known) if one.steps_an_epoch > 1), None)
    return _batch_fix(smaller) if smaller else None


def _batch_fix(known: Known) -> Fix:
    return Fix("fix_batch", rescheduled(known), {"effective": known.plan.effective_batch})


def _fewer_epochs(known: Known) -> Fix:
    most, usual = known.rule["epochs"], TrainingPlan.epochs
    if known.plan.stages:
        stages = tuple(replace(stage, epochs=min(stage.epochs, float(most))) for stage in known.plan.stages)
        return Fix("fix_epochs", rescheduled(known.with_plan(stages=stages)), {"epochs": most})
    fewer = known.with_plan(steps=0, epochs=usual)
    if fewer.steps < known.rule["steps"]:
        fewer = known.with_plan(steps=0, epochs=float(most))
    return Fix("fix_epochs", rescheduled(fewer), {"epochs": fewer.plan.epochs})
