"""What the data leads to: the plan that would be made of it, its steps, and whether it will learn."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from core.data.clean import Touch
from core.i18n import _, ngettext
from core.learnable import TemplateFacts, template_facts, will_it_learn
from core.plan import TrainingPlan
from core.planning import plan_for, rows_in, total_steps, training_rows
from core.tokens import TokenTotals
from core.wizard import WizardState
from core.wording import count
from gui.desk import Desk
from gui.pages.data_known import Known
from gui.pages.data_look import Look, counting
from gui.pages.data_totals import steps_in_all


def known_of(state: WizardState, look: Look | None, desk: Desk, left: Iterable[Touch] = ()) -> Known:
    """What is known of the state's data beside its report; `left` are rows that were taken out of all cleaning."""
    report, plan = state.report, state.plan
    if report is None:
        return Known()
    extras = look.extras if look else None
    known = Known(
        look.cleaned if look else None,
        dict(look.private) if look else {},
        cleaning=state.cleaning,
        arrangement=state.arrangement,
        extras=extras,
        left=tuple(left),
        locked=state.training,
    )
    if plan is None and state.model is not None and report.rows:
        plan = plan_for(state, desk.constants(state.card))
    if plan is None or not report.learned:
        return known
    counted = counted_of(look, plan)
    shared = extras.shared if extras and extras.validation == plan.validation else None
    folder = state.model_folder
    checks = will_it_learn(
        plan, report, state.model, known.cleaned, checked=shared.checked if shared else None,
        shared=shared.rows if shared else None, counted=counted, template=_template(folder),
    )  # fmt: skip
    # tokens need the model's own tokenizer
    runner = desk.runner if folder is not None and (folder / "tokenizer.json").is_file() else None
    steps = steps_words(state, plan, extras.rows if extras else {}, counted)
    return known.planned(plan, checks, steps, runner, counted)


def counted_of(look: Look | None, plan: TrainingPlan) -> TokenTotals | None:
    """What was counted of the rows, when it was counted for such a plan."""
    if look is None or look.counted is None or look.counted[0] != counting(plan):
        return None
    return look.counted[1]


def _template(folder: Path | None) -> TemplateFacts | None:
    return _template_facts(folder) if folder is not None else None


@lru_cache(maxsize=4)
def _template_facts(folder: Path) -> TemplateFacts | None:
    return template_facts(folder)


def steps_words(
    state: WizardState, plan: TrainingPlan, mixes: Mapping[str, int], counted: TokenTotals | None = None
) -> str:
    """How many tokens and steps the rows come to; `mixes` says how many rows the files hold that are mixed in."""
    report = state.report
    if report is None:
        return ""
    rows = rows_in(report)
    in_all = steps_in_all(counted, plan) if counted and not plan.stages else total_steps(plan, rows, mixes)
    said = [_("{n} steps in all").format(n=count(in_all))]
    if plan.stages:
        words = ngettext("{n} stage", "{n} stages", len(plan.stages))
        said.insert(0, words.format(n=count(len(plan.stages))))
    else:
        steps = counted.steps if counted else -(-training_rows(plan, rows, mixes) // plan.effective_batch)
        said.insert(0, ngettext("{n} step an epoch", "{n} steps an epoch", steps).format(n=count(steps)))
    if report.tokens and counted is None:
        words = _("{n} tokens in all rows") if report.tokens_exact else _("about {n} tokens in all rows")
        said.insert(0, words.format(n=count(report.tokens.get("total", 0))))
    return " · ".join(said)
