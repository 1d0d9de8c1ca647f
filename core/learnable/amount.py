"""Is it enough to learn from: rows, tokens that are trained, and whether they are cut."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from core.advice import signals
from core.data.clean.cleaning import Mode, StepName
from core.data.letters import SLACK
from core.data.rows import Shape
from core.learnable.checks import Check, CheckCode, Fix, Level
from core.learnable.known import Known
from core.learnable.steps import rescheduled
from core.learnable.texts import switched_on
from core.plan import Mix
from core.planning import KEPT_WHOLE, LENGTH_STEP, length_reason
from core.reasons import OURS, Reason, ReasonCode


def nothing(known: Known) -> Iterator[Check]:
    """No row at all: nothing else needs to be said then."""
    if known.rows:
        return
    report, cleaned = known.report, known.cleaned
    if not report.usable or known.plan.cleaning is None:
        yield Check(Level.BLOCKER, Reason(CheckCode.NO_ROWS, {"rejected": report.rejected}, OURS), "data")
        return
    fix = None
    if cleaned is not None and cleaned.steps:
        worst = max(cleaned.steps, key=lambda step: step.dropped).step
        # a plan without this step keeps its rows; the set has to be cleaned anew to know how many
        left = replace(known.plan.cleaning, steps=tuple(s for s in known.plan.cleaning.steps if s.step is not worst))
        fix = Fix("fix_cleaning_off", replace(known.plan, cleaning=left), {"step": worst.value})
    yield Check(Level.BLOCKER, Reason(CheckCode.CLEANED_AWAY, {"rows": report.usable}, OURS), "cleaning", fix)


def rows(known: Known) -> Iterator[Check]:
    """The documents' amounts of rows."""
    for reason in signals(known.plan, known.rows):
        if reason.code == ReasonCode.ROWS_FEW:
            yield Check(Level.WARNING if known.rows < known.rule["rows"] else Level.NOTE, reason, "data")
        elif not reason.warns:
            yield Check(Level.GOOD, reason, "data")


def unread(known: Known) -> Iterator[Check]:
    """Rows and files that cannot be used."""
    report, rule = known.report, known.rule
    for name in known.empty_files:
        yield Check(
            Level.WARNING,
            Reason(CheckCode.FILE_EMPTY, {"file": PurePath(name).name}, OURS),
            "data",
            _without(known, name),
        )
    if report.rejected:
        share = report.rejected / max(report.rows, 1)
        level = Level.WARNING if share > rule["rejected"] else Level.NOTE
        yield Check(level, Reason(CheckCode.REJECTED, {"rejected": report.rejected, "share": share}, OURS), "data")
    if not report.complete:
        yield Check(Level.WARNING, Reason(CheckCode.INCOMPLETE, {"rows": report.rows}, OURS), "data")


def forms(known: Known) -> Iterator[Check]:
    """Rows of several forms, and text that is no question and answer."""
    shapes = known.report.shapes
    if len(shapes) > 1:
        yield Check(Level.NOTE, Reason(CheckCode.MIXED_SHAPES, {"shapes": len(shapes)}, "D3"), "data")
    if running := shapes.get(Shape.DOCUMENT.value, 0):
        yield Check(Level.NOTE, Reason(CheckCode.RUNNING_TEXT, {"rows": running}, "D3"), "data")


def mixture(known: Known) -> Iterator[Check]:
    """General dialogue against forgetting."""
    plan, rule = known.plan, known.rule
    share = sum(mix.share for mix in plan.mix)
    if share > rule["mix_most"]:
        fewer = tuple(Mix(mix.file, max(mix.share / share * rule["mix"], 0.001)) for mix in plan.mix)
        fix = Fix("fix_mix", rescheduled(known.with_plan(mix=fewer)), {"share": float(rule["mix"])})
        yield Check(Level.WARNING, Reason(CheckCode.MIX_LARGE, {"share": float(share)}, OURS), "mix", fix)
    elif not plan.mix and not plan.stages:
        yield Check(Level.NOTE, Reason(CheckCode.NO_GENERAL, {"share": float(rule["mix"])}, rule["source_mix"]), "mix")


def trained(known: Known) -> Iterator[Check]:
    """Tokens that are trained, in all and a row."""
    counted, plan = known.counted, known.plan
    if counted is not None and counted.failed:
        yield Check(Level.BLOCKER, Reason(CheckCode.FAILED, {"rows": counted.failed}, OURS), "model")
    if counted is not None and counted.endless:
        yield Check(Level.BLOCKER, Reason(CheckCode.ENDLESS, {"rows": counted.endless}, OURS), "model")
    if counted is not None and counted.skipped and counted.skipped >= counted.rows:
        facts: dict[str, Any] = {"rows": counted.skipped, "tokens": plan.tokens}
        yield Check(Level.BLOCKER, Reason(CheckCode.NOTHING_TRAINED, facts, OURS), "tokens", longer(known))
        return
    if counted is not None and counted.skipped:
        facts = {"rows": counted.skipped, "share": counted.skipped / counted.rows}
        yield Check(Level.WARNING, Reason(CheckCode.SKIPPED, facts, OURS), "tokens", longer(known))
    if known.trained is None or known.trained_share is None:
        return
    each = max(1, round(known.trained / max(counted.rows if counted else known.rows, 1)))
    few = known.trained < known.rule["trained"]
    code, level = (CheckCode.TRAINED_FEW, Level.NOTE) if few else (CheckCode.TRAINED, Level.GOOD)
    yield Check(level, Reason(code, {"trained": known.trained, "each": each}, OURS), "data")
    if known.trained_share < known.rule["trained_share"]:
        yield Check(Level.NOTE, Reason(CheckCode.PROMPTS_LONG, {"share": known.trained_share}, OURS), "data")


def lengths(known: Known) -> Iterator[Check]:
    """Rows longer than the plan's longest sequence lose the end of their answer."""
    report, plan = known.report, known.plan
    cut = known.counted.truncated if known.counted else report.rows_longer_than(plan.tokens)
    total = (known.counted.rows if known.counted else sum(rows for _bound, rows in report.lengths)) or 1
    if cut and known.counted is None and _leaves_out(known) and not _left_out_already(known):
        return
    if cut:
        share = min(cut / total, 1.0)
        facts = {"rows": cut, "share": share, "tokens": plan.tokens, "longest": known.longest[0] or None}
        level = Level.WARNING if share > known.rule["cut"] else Level.NOTE
        fix = longer(known)
        # a handful of very long rows is not worth the memory
        if fix is None or (level is Level.NOTE and not known.longest[0] <= fix.plan.tokens <= 2 * plan.tokens):
            fix = None if _leaves_out(known) else _left_out(known)
        yield Check(level, Reason(CheckCode.CUT, facts, OURS), "tokens", fix)
    elif report.tokens and not report.rows_longer_than(plan.tokens) and (reason := length_reason(plan, report)):
        yield Check(Level.GOOD, reason, "tokens")


def context(known: Known) -> Iterator[Check]:
    """Rows longer than the model can read."""
    plan, report = known.plan, known.report
    most = known.model.context if known.model else 0
    if not most or plan.tokens <= most:
        return
    fix = Fix("fix_tokens", replace(plan, tokens=most), {"tokens": most}) if most >= 16 else None
    facts = {"tokens": plan.tokens, "context": most}
    if not report.tokens:
        yield Check(Level.NOTE, Reason(CheckCode.CONTEXT_UNCOUNTED, facts, OURS), "tokens", fix)
    elif beyond := report.rows_longer_than(most):
        facts = {"rows": beyond} | facts
        yield Check(Level.WARNING, Reason(CheckCode.BEYOND_CONTEXT, facts, OURS), "tokens", fix)


def longer(known: Known) -> Fix | None:
    """Room for the longest row, or for all but a few where those are far longer; None beyond what the model reads.

    Whether the card holds it is the estimate's business.
    """
    plan, (longest, exact) = known.plan, known.longest
    if not longest:
        return None
    most = (known.model.context if known.model else 0) or known.rule["tokens_most"]
    whole, nearly = _room(longest, most, exact=exact), _room(_keeping(known), most, exact=exact)
    wanted = nearly if plan.tokens < 2 * nearly < whole or whole > most else whole
    if not plan.tokens < wanted <= most:
        return None
    return Fix("fix_tokens", replace(plan, tokens=wanted), {"tokens": wanted})


def _room(tokens: int, most: int, *, exact: bool) -> int:
    """A longest sequence that holds so many tokens, and some more where they are estimated."""
    wanted = -(-math.ceil(tokens * (1.0 if exact else SLACK)) // LENGTH_STEP) * LENGTH_STEP
    return min(wanted, most) if tokens <= most else wanted


def _keeping(known: Known) -> int:
    """The least length that keeps all but a few rows whole."""
    lengths = known.counted.lengths if known.counted and known.counted.lengths else known.report.lengths
    allowed, above = (1 - KEPT_WHOLE) * sum(rows for _bound, rows in lengths), 0
    for bound, rows in reversed(lengths):
        above += rows
        if above > allowed:
            return min(bound, known.longest[0])
    return known.longest[0]


def _leaves_out(known: Known) -> bool:
    """Whether the plan's cleaning leaves out what would be cut; it estimates tokens, so a few such rows may stay."""
    cleaning = known.plan.cleaning
    return cleaning is not None and known.handled(StepName.LONG) and cleaning.longest <= known.plan.tokens


def _left_out_already(known: Known) -> bool:
    """Whether the lengths that are known are those after that step."""
    done = known.cleaned.step(StepName.LONG) if known.cleaned else None
    return done is not None and done.mode is Mode.ACT


def _left_out(known: Known) -> Fix:
    """Cleaning that leaves out what would be cut."""
    cleaning = replace(switched_on(known, StepName.LONG), longest=known.plan.tokens)
    return Fix("fix_leave_out_long", replace(known.plan, cleaning=cleaning), {"tokens": known.plan.tokens})


def _without(known: Known, name: str) -> Fix | None:
    """The plan without a file; None where nothing would be left, or where a stage would be empty."""
    plan = known.plan
    data = tuple(file for file in plan.data if file != name)
    stages = tuple(replace(s, files=tuple(f for f in s.files if f != name)) for s in plan.stages if s.files != (name,))
    weights = tuple(w for file, w in zip(plan.data, plan.weights, strict=True) if file != name) if plan.weights else ()
    if not data:
        return None
    return Fix(
        "fix_remove_file", replace(plan, data=data, stages=stages, weights=weights), {"file": PurePath(name).name}
    )
