"""What the data leads to: the plan that would be made of it, its steps, and whether it will learn."""

from core.i18n import _, ngettext
from core.learnable import will_it_learn
from core.plan import TrainingPlan
from core.planning import plan_for, rows_in, total_steps, training_rows
from core.wizard import WizardState
from core.wording import count
from gui.desk import Desk
from gui.pages.data_look import Look
from gui.pages.data_report import Known


def known_of(state: WizardState, look: Look | None, desk: Desk) -> Known:
    """What is known of the state's data beside its report."""
    report = state.report
    if report is None:
        return Known()
    cleaned, private = (look.cleaned, dict(look.private)) if look else (None, {})
    plan = state.plan
    if plan is None and state.model is not None and report.rows:
        plan = plan_for(state, desk.constants(state.card))
    if plan is None or not report.learned:
        return Known(cleaned, private)
    checks = will_it_learn(plan, report, state.model, cleaned)
    # tokens need the model's own tokenizer
    runner = (
        desk.runner if state.model_folder is not None and (state.model_folder / "tokenizer.json").is_file() else None
    )
    return Known(cleaned, private, plan, checks, steps_words(state, plan), runner)


def steps_words(state: WizardState, plan: TrainingPlan) -> str:
    """How many tokens and steps the rows come to."""
    report = state.report
    if report is None:
        return ""
    rows = rows_in(report)
    each = training_rows(plan, rows)
    steps = -(-each // plan.effective_batch)
    said = [
        ngettext("{n} step an epoch", "{n} steps an epoch", steps).format(n=count(steps)),
        _("{n} steps in all").format(n=count(total_steps(plan, rows))),
    ]
    if report.tokens:
        words = _("{n} tokens in all rows") if report.tokens_exact else _("about {n} tokens in all rows")
        said.insert(0, words.format(n=count(report.tokens.get("total", 0))))
    return " · ".join(said)
