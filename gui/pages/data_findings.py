"""What was found in the data, worst first: how many rows, one sentence, and which cleaning step answers it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.data.clean import CleanReport, Mode, StepName, StepReport, Touch
from core.data.private import Kind
from core.data.private.kinds import NAMES
from core.data.rows import DataReport, RowProblem, Shape
from core.data.shared import Shared
from core.i18n import _, ngettext
from core.wording import count, joined, shape_words
from core.wording.cleaning import clean_step_words

#: What does most harm comes first; rows of the same rank by their number.
RANKS: dict[str, int] = {
    "rejected": 0, "overlap": 0, StepName.GARBLED: 1, StepName.PRIVATE: 1, StepName.LOOP: 2, StepName.TEMPLATE: 2,
    StepName.EXACT: 3, StepName.NEAR: 3, "shapes": 3, StepName.SHORT: 4, StepName.REFUSAL: 4, StepName.LANGUAGE: 5,
    StepName.HTML: 5, StepName.SAME_ANSWER: 5, StepName.LONG: 6, StepName.INVISIBLE: 7, "incomplete": 7, "left": 8,
    "read": 9,
}  # fmt: skip
#: The steps that only the whole set shows: their rows come in pairs.
PAIRS = (StepName.EXACT, StepName.NEAR, StepName.SAME_ANSWER)


@dataclass(frozen=True)
class Finding:
    """One line of the list. `step` is what can be switched, None where there is nothing to switch.

    `details` are the touched or rejected rows that are known, of `count` in all; 0 stands for a note.
    """

    key: str
    tone: str
    title: str
    sentence: str
    count: int = 0
    step: StepName | None = None
    report: StepReport | None = None
    details: tuple[Touch | RowProblem, ...] = ()

    @property
    def rank(self) -> tuple[int, int]:
        """The place in the list, the least first."""
        return RANKS.get(self.key, 8), -self.count


def findings(
    report: DataReport,
    cleaned: CleanReport | None = None,
    private: Mapping[str, int] | None = None,
    shared: Shared | None = None,
    left: Sequence[Touch] = (),
) -> tuple[Finding, ...]:
    """Return what was found, worst first; `left` are rows that the user took out of all cleaning."""
    found = [*_rejected(report), *_shapes(report), *_notes(report), *_overlap(shared), *_left(cleaned, left)]
    if cleaned is None:
        found += _repeats(report)
    else:
        found += [_of_step(step, private or {}) for step in cleaned.steps if step.touched]
    return tuple(sorted(found, key=lambda one: one.rank))


def nothing_found(cleaned: CleanReport | None) -> tuple[StepName, ...]:
    """The steps that looked and found nothing."""
    return tuple(step.step for step in cleaned.steps if not step.touched) if cleaned else ()


def _of_step(step: StepReport, private: Mapping[str, int]) -> Finding:
    title, sentence, _does = clean_step_words(step.step)
    if step.step is StepName.PRIVATE and private:
        sentence = kinds_words(private)
    acts = step.mode is Mode.ACT and step.reported < step.touched
    # what was dealt with is told; what stays is a caution
    tone = "good" if acts and not step.reported else "caution"
    return Finding(step.step.value, tone, title, sentence, step.touched, step.step, step, step.touches)


def kinds_words(private: Mapping[str, int]) -> str:
    """How many pieces of private data there are of each kind."""
    known = {kind.value: _(NAMES[kind]) for kind in Kind}
    most = sorted(private.items(), key=lambda one: -one[1])
    return _(", ").join(_counted(known.get(kind, kind), number) for kind, number in most)


def _counted(name: str, number: int) -> str:
    return _("{name}: {n}").format(name=name, n=count(number))


def _rejected(report: DataReport) -> list[Finding]:
    rejected = report.rejected or len(report.problems)
    if not rejected:
        return []
    words = ngettext("{n} row cannot be used", "{n} rows cannot be used", rejected).format(n=count(rejected))
    tone = "trouble" if rejected * 10 >= report.rows else "caution"
    why = _("Broken or without an answer. They are left out; each is listed with its file, line and reason.")
    return [Finding("rejected", tone, words, why, rejected, details=report.problems)]


def _overlap(shared: Shared | None) -> list[Finding]:
    if shared is None or not shared.rows:
        return []
    title = ngettext(
        "{n} row to check with is learned too", "{n} rows to check with are learned too", shared.rows
    ).format(n=count(shared.rows))
    words = _("{exact} word for word, the others nearly, of {checked} in all. They are left out of the check.")
    said = words.format(exact=count(shared.exact), checked=count(shared.checked))
    return [Finding("overlap", "caution", title, said, shared.rows, details=shared.touches)]


def _left(cleaned: CleanReport | None, left: Sequence[Touch]) -> list[Finding]:
    if cleaned is None or not cleaned.excepted:
        return []
    rows = cleaned.excepted
    title = ngettext("{n} row is left as it is", "{n} rows are left as they are", rows).format(n=count(rows))
    why = _("Taken out of all cleaning: no step touches such a row.")
    return [Finding("left", "muted", title, why, rows, details=tuple(left))]


def _repeats(report: DataReport) -> list[Finding]:
    if not report.duplicates:
        return []
    _title, why, _does = clean_step_words(StepName.EXACT)
    words = _("{n} rows are repeats").format(n=count(report.duplicates))
    return [Finding("exact", "caution", words, why, report.duplicates)]


def _shapes(report: DataReport) -> list[Finding]:
    if len(report.shapes) < 2:
        return []
    each = [_counted(shape_words(shape), rows) for shape, rows in _known(report.shapes)]
    words = ngettext("{n} shape of rows in one set", "{n} shapes of rows in one set", len(each))
    why = _("All are read alike, but sources that differ in form often differ in style too.")
    said = joined(_("{list}.").format(list=_(", ").join(each)), why)
    return [Finding("shapes", "caution", words.format(n=len(each)), said)]


def _known(shapes: Mapping[str, int]) -> list[tuple[Shape, int]]:
    return [(Shape(name), rows) for name, rows in shapes.items() if name in Shape._value2member_map_]


def _notes(report: DataReport) -> list[Finding]:
    """How the files were read, where it is not a matter of course."""
    notes = []
    if not report.complete:
        notes.append(Finding("incomplete", "caution", _("Not read to the end"), _("The reading was stopped.")))
    for file, name in report.encodings.items():
        words = _("{file} is not UTF-8; it was read as {encoding}")
        said = words.format(file=Path(file).name, encoding=name.upper())
        notes.append(Finding("read", "muted", said, _("Look at a few rows: their letters should be right.")))
    if report.preferred:
        words = ngettext(
            "{n} row holds two answers; the preferred one is used",
            "{n} rows hold two answers; the preferred one is used",
            report.preferred,
        )
        why = _("Such pairs are made for another way of training; the better answer is learned here.")
        notes.append(Finding("read", "muted", words.format(n=count(report.preferred)), why))
    return notes
