"""Will it learn? A plan and what is known of its data and model, judged before the start, worst first."""

from core.catalog import ModelSpec
from core.data.clean.report import CleanReport
from core.data.rows import DataReport
from core.learnable import amount, asides, settings, steps, texts
from core.learnable.checks import Check, CheckCode, Fix, Level
from core.learnable.known import Known
from core.learnable.template import TemplateFacts, template_facts
from core.plan import TrainingPlan
from core.tokens import TokenTotals

__all__ = [
    "Check", "CheckCode", "Fix", "Known", "Level", "TemplateFacts", "blocked", "template_facts",
    "will_it_learn",
]  # fmt: skip

#: What is looked at; within a level what comes first here matters most.
_LOOKS = (
    amount.trained, steps.warmup, amount.unread, steps.steps, amount.lengths, amount.context, texts.answers,
    texts.language, settings.dangers, settings.rate, asides.asides, texts.findings, steps.epochs, amount.rows,
    texts.template, amount.forms, settings.rank, settings.dropout, amount.mixture,
)  # fmt: skip
_LEVELS = tuple(Level)


def will_it_learn(
    plan: TrainingPlan,
    report: DataReport,
    model: ModelSpec | None = None,
    cleaned: CleanReport | None = None,
    *,
    checked: int | None = None,
    shared: int | None = None,
    counted: TokenTotals | None = None,
    template: TemplateFacts | None = None,
) -> tuple[Check, ...]:
    """Judge a plan by what is known now, worst first; at once, without reading a file.

    `report` is on the plan's data and `cleaned` on its cleaning; what nobody found out is not judged. `checked` are
    the rows of the plan's validation file, `shared` those of them that stand in training too (core.data.prepare),
    `counted` what the engine counted, `template` what the model's template does.

    A fix is a plan in which the check is gone, or at least less grave. Fixes that clean count on the rows being
    cleaned anew; fixes that make rows longer need more memory, which the estimate has to look at.
    """
    known = Known(plan, report, model, cleaned, checked, shared, counted, template)
    if not known.rows:
        return tuple(amount.nothing(known))
    found = [check for look in _LOOKS for check in look(known)]
    return tuple(sorted(found, key=lambda check: _LEVELS.index(check.level)))


def blocked(checks: tuple[Check, ...]) -> bool:
    """Whether nothing would be learned: only then a run must not start."""
    return any(check.level is Level.BLOCKER for check in checks)
