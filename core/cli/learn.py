"""Will it learn? The checks before a run on the command line: worst first, each with its reason and its fix."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.catalog import spec_of
from core.cli.cards import first_card
from core.cli.output import follow
from core.codec import to_plain
from core.commands import CountTokens
from core.data.clean import Cleaning, CleanReport, Mode, StepName, Switch
from core.data.prepare import prepare
from core.data.rows import DataReport
from core.events import Event, Failed, Finished, Noted
from core.fit import UNFITTED, constants_of
from core.hub import local_folder
from core.hub.folder import check_model_folder
from core.i18n import _
from core.jobs.jobs import TokensJob
from core.jobs.process import JobProcess
from core.learnable import Check, Fix, Level, blocked, template_facts, will_it_learn
from core.plan import Method, TrainingPlan
from core.planning import make_plan
from core.problems import Trouble
from core.settings import load, measured_file, models_root
from core.tokens import TokenTotals
from core.wording import sourced_words
from core.wording.cleaning import clean_step_words
from core.wording.learnable import fix_words, level_words

#: Every step looks and none acts: for a plan that does not clean, what cleaning would find.
LOOKING = Cleaning(tuple(Switch(step, Mode.REPORT) for step in StepName))


def plan_of(model: str, report: DataReport, method: Method | None = None, goal: str = "medium") -> TrainingPlan:
    """A recommended plan for this computer's first card, or for its processor. Raises Trouble for a bad folder."""
    spec = spec_of(model)
    if spec.source == "folder":
        # a catalogue model can still be fetched; a folder is whole and safe now or it is of no use
        check_model_folder(Path(spec.id))
    folder = local_folder(spec, models_root(load()))
    card = first_card()
    learned = constants_of(card.name, measured_file()) if card else UNFITTED
    return make_plan(spec, folder, report, card, method, goal, constants=learned)


def judged(plan: TrainingPlan, report: DataReport, cleaned: CleanReport | None) -> tuple[Check, ...]:
    """Judge a plan. Where its model is on this computer every row is written as training writes it, and counted.

    Raises Trouble for files of the plan that cannot be read and for a model that cannot write a row.
    """
    spec = spec_of(plan.model)
    folder = local_folder(spec, models_root(load()))
    counted, checked, shared = None, None, None
    if report.learned and folder is not None:
        counted, checked, shared = _counted(plan)
    elif report.learned and plan.validation:
        found = prepare(plan)
        checked, shared = len(found.validation) + found.shared, found.shared
    if not plan.validation:
        checked, shared = None, None
    template = template_facts(folder) if folder is not None else None
    return will_it_learn(
        plan, report, spec, cleaned, checked=checked, shared=shared, counted=counted, template=template
    )


def learn_lines(plan: TrainingPlan, checks: tuple[Check, ...]) -> Iterator[str]:
    """What a person reads: a line for each check, and under it what would put it right, as values of a plan."""
    yield _("Will it learn?")
    if not any(check.level in (Level.BLOCKER, Level.WARNING) for check in checks):
        yield f"  {_('Nothing speaks against it.')}"
    for check in checks:
        yield f"  {level_words(check.level)}: {sourced_words(check.reason)}"
        if check.fix is not None:
            yield _fix_line(plan, check.fix)


def learn_facts(plan: TrainingPlan, checks: tuple[Check, ...]) -> dict[str, Any]:
    """The same for scripts; `plan` of a fix holds the values of the plan that it changes."""
    return {"blocked": blocked(checks), "plan": to_plain(plan), "checks": [_told(plan, check) for check in checks]}


def _fix_line(plan: TrainingPlan, fix: Fix) -> str:
    """What puts a check right, with the step of the cleaning or the values of the plan that change."""
    values = {name: value for name, value in _changes(plan, fix.plan).items() if not isinstance(value, dict | list)}
    said = [f"{name}: {json.dumps(value)}" for name, value in values.items()]
    if fix.facts.get("step") in set(StepName):
        said.insert(0, clean_step_words(StepName(fix.facts["step"]))[0])
    return f"    → {fix_words(fix.name, fix.facts)}" + (f"  ({', '.join(said)})" if said else "")


def _told(plan: TrainingPlan, check: Check) -> dict[str, Any]:
    fix = check.fix and {
        "name": check.fix.name,
        "text": fix_words(check.fix.name, check.fix.facts),
        "plan": _changes(plan, check.fix.plan),
    }
    told = {"level": check.level, "text": sourced_words(check.reason), "about": check.about, "fix": fix}
    return {**to_plain(check.reason), **told}


def _changes(before: TrainingPlan, after: TrainingPlan) -> dict[str, Any]:
    old, new = to_plain(before), to_plain(after)
    return {name: value for name, value in new.items() if value != old[name]}


def _counted(plan: TrainingPlan) -> tuple[TokenTotals, int, int]:
    """What training makes of the rows, rows to check with, and those of them that training has too."""
    process = JobProcess(TokensJob(plan))
    found: list[TokenTotals] = []
    shared = 0

    def hear(event: Event) -> None:
        nonlocal shared
        if isinstance(event, TokenTotals):
            found.append(event)
            process.stop()
        elif isinstance(event, Noted) and event.code == "validation_shared":
            shared = event.facts["rows"]

    # it waits in the pipe until the job is ready
    process.send(CountTokens(number=0))
    last = follow(process, hear=hear)
    if isinstance(last, Failed):
        raise Trouble(last.problem.code, **last.problem.facts)
    if not isinstance(last, Finished) or not found:
        raise KeyboardInterrupt
    return found[0], last.result["validation"] + shared, shared
