"""What the rows say: what cleaning found, answers that are all alike, and the language of the data."""

from collections.abc import Iterator
from dataclasses import replace

from core.data.clean.cleaning import Cleaning, Mode, StepName, Switch
from core.data.clean.look import weight
from core.data.clean.report import SetKind
from core.data.clean.templates import look as template_marks
from core.learnable.checks import Check, CheckCode, Fix, Level
from core.learnable.known import Known
from core.reasons import OURS, Reason

#: The languages that a script is written for, by the codes of the catalogue; Latin is the rest.
_LANGUAGES = {
    "han": {"zh"}, "kana": {"ja"}, "hangul": {"ko"}, "cyrillic": {"ru", "uk", "bg", "sr"}, "arabic": {"ar", "fa", "ur"},
    "devanagari": {"hi", "mr", "ne"}, "thai": {"th"}, "greek": {"el"}, "hebrew": {"he"},
}  # fmt: skip
#: What cleaning finds and training should not see, worst first; what is too long is told by its tokens.
_FOUND = (
    StepName.LOOP, StepName.TEMPLATE, StepName.GARBLED, StepName.EXACT, StepName.NEAR, StepName.REFUSAL,
    StepName.LANGUAGE, StepName.SHORT, StepName.HTML, StepName.INVISIBLE, StepName.PRIVATE,
)  # fmt: skip
_SOURCES = {
    StepName.EXACT: "D0, D3", StepName.NEAR: "D0, D3", StepName.SHORT: "D0, D3", StepName.PRIVATE: "D3",
    StepName.TEMPLATE: "D3",
}  # fmt: skip
#: What the button of a finding says; the others leave rows out.
_FIXES = {
    StepName.EXACT: "fix_keep_one", StepName.NEAR: "fix_keep_one", StepName.PRIVATE: "fix_mask",
    StepName.GARBLED: "fix_repair", StepName.HTML: "fix_repair", StepName.INVISIBLE: "fix_repair",
}  # fmt: skip
#: Told, whatever the share: a matter of taste or of law, not of learning.
_NEVER_WARNED = (StepName.PRIVATE, StepName.INVISIBLE, StepName.HTML)


def findings(known: Known) -> Iterator[Check]:
    """What cleaning found and the plan leaves in the rows; duplicates are known without it."""
    left = 0
    for step in _FOUND:
        rows, total = _found(known, step)
        if not rows or known.handled(step):
            continue
        left += 1
        share = min(rows / max(total, 1), 1.0)
        warns = share > known.rule["found"].get(step.value, known.rule["found_share"]) and step not in _NEVER_WARNED
        warns = warns and rows >= known.rule["found_rows"]
        plan = replace(known.plan, cleaning=switched_on(known, step))
        reason = Reason(f"learn_{step.value}", {"rows": rows, "share": share}, _SOURCES.get(step, OURS))
        fix = Fix(_FIXES.get(step, "fix_leave_out"), plan, {"step": step.value})
        yield Check(Level.WARNING if warns else Level.NOTE, reason, step.value, fix)
    cleaned = known.cleaned
    if not left and cleaned is not None and {step.step for step in cleaned.steps} >= set(_FOUND):
        yield Check(Level.GOOD, Reason(CheckCode.CLEAN, {"rows": known.rows}, OURS), "cleaning")
    if cleaned is None and known.plan.cleaning is None:
        rule = known.rule["cleaning"]
        reason = Reason(CheckCode.NOT_CLEANED, {"low": rule["low"], "high": rule["high"]}, rule["source"])
        fix = Fix("fix_cleaning", replace(known.plan, cleaning=Cleaning()))
        yield Check(Level.NOTE, reason, "cleaning", fix)


def answers(known: Known) -> Iterator[Check]:
    """Answers that are all the same, or all short."""
    share, labels = _most_given(known)
    limit = known.rule["one_label"] if labels else known.rule["one_answer"]
    repeated = known.cleaned.step(StepName.SAME_ANSWER) if known.cleaned else None
    if share > limit:
        reason = Reason(CheckCode.ONE_ANSWER, {"share": float(share)}, OURS)
        yield Check(Level.WARNING, reason, StepName.SAME_ANSWER.value)
    elif repeated and repeated.touched:
        part = min(repeated.touched / max(repeated.before, 1), 1.0)
        yield Check(
            Level.WARNING if part > known.rule["same_answer"] else Level.NOTE,
            Reason(CheckCode.SAME_ANSWER, {"rows": repeated.touched, "share": part}, OURS),
            StepName.SAME_ANSWER.value,
        )
    if not labels and _answers_shortly(known):
        yield Check(Level.NOTE, Reason(CheckCode.SHORT_ANSWERS, {"share": known.short}, OURS), "data")


def language(known: Known) -> Iterator[Check]:
    """A model that hardly knows the script of the answers learns them slowly, and needs many tokens for them."""
    model, script = known.model, known.script
    wanted = _LANGUAGES.get(script)
    if model is None or not model.languages or not wanted or wanted & set(model.languages):
        return
    # model cards name their main languages: what they leave out they may still know, except for Chinese
    warns = script == "han" and not known.practice
    reason = Reason(CheckCode.MODEL_LANGUAGE, {"script": script, "title": model.title}, OURS)
    yield Check(Level.WARNING if warns else Level.NOTE, reason, "model")


def template(known: Known) -> Iterator[Check]:
    """What the model's own template does."""
    facts = known.template
    if facts is not None and facts.fallback:
        yield Check(Level.NOTE, Reason(CheckCode.TEMPLATE_FALLBACK, {}, "D0"), "model")
    elif facts is not None and not facts.ends:
        yield Check(Level.NOTE, Reason(CheckCode.TEMPLATE_OPEN, {}, OURS), "model")


def switched_on(known: Known, step: StepName) -> Cleaning:
    """The plan's cleaning with one step doing its work."""
    cleaning = known.plan.cleaning
    return cleaning.switched(step, Mode.ACT) if cleaning else Cleaning((Switch(step, Mode.ACT),))


def _found(known: Known, step: StepName) -> tuple[int, int]:
    """Rows in which a step found something and left it, and of how many."""
    if known.cleaned is not None:
        report = known.cleaned.step(step)
        if report is not None:
            # touched, not only reported: what another cleaning mended is still in the rows of a plan that does not
            return report.touched, report.before
    if step is StepName.EXACT and known.plan.cleaning is None:
        return known.report.duplicates, known.report.usable
    if step is StepName.TEMPLATE and known.cleaned is None:
        look = template_marks()
        marked = sum(look(seen) is not None for seen in known.preview)
        # of the first rows only: the share is what matters
        return round(marked * known.rows / max(len(known.preview), 1)), known.rows
    return 0, 0


def _most_given(known: Known) -> tuple[float, bool]:
    """The share of the answer that is given most often, and whether answers are labels."""
    seen, cleaned = len(known.preview), known.cleaned
    text, often = known.answers.most_common(1)[0] if known.answers else ("", 0)
    share = often / seen if seen >= known.rule["answers_least"] else 0.0
    repeated = cleaned.step(StepName.SAME_ANSWER) if cleaned else None
    if cleaned is not None and repeated is not None and cleaned.rows:
        counts = [int(touch.found) for touch in repeated.touches if touch.found.isdecimal() and len(touch.found) < 12]
        return min(max(counts, default=0) / max(cleaned.kept, 1), 1.0) or (
            share if cleaned.kind is SetKind.LABELS else 0.0
        ), cleaned.kind is SetKind.LABELS
    few = len(known.answers) <= seen / 4 and weight(text[:100]) <= known.rule["few_letters"]
    return share, few and len(known.answers) > 1


def _answers_shortly(known: Known) -> bool:
    if known.cleaned is not None:
        return known.cleaned.kind is SetKind.SHORT_ANSWERS
    return bool(len(known.preview) >= known.rule["answers_least"] and known.short >= known.rule["short"])
