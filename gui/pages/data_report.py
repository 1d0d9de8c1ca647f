"""What a data file holds: numbers, findings on the left, rows as chat bubbles on the right."""

from pathlib import Path

from PySide6.QtWidgets import QVBoxLayout, QWidget

from core.data.rows import Conversation, DataReport, RowProblem
from core.i18n import _, ngettext
from core.wording import count, row_problem_words, shape_words
from gui.widgets.badge import Badge
from gui.widgets.bubble import Bubble
from gui.widgets.text import Elided, column, label, line, panel, row

#: More rows than this nobody reads; the numbers above count all of them.
FINDINGS, PREVIEWS = 100, 8


class ReportView(QWidget):
    """Draws a DataReport."""

    def __init__(self, report: DataReport) -> None:
        super().__init__()
        self.setObjectName("data_report")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(16)
        outer.addWidget(_summary(report))
        body = row(spacing=24)
        body.addLayout(_findings(report), 2)
        body.addLayout(_previews(report.preview[:PREVIEWS]), 3)
        outer.addLayout(body)


def _summary(report: DataReport) -> QWidget:
    frame, inner = panel(margin=20)
    rows = ngettext("row to learn from", "rows to learn from", report.usable)
    number = label(count(report.usable), "number", wrap=False, name="usable_rows")
    inner.addLayout(row(number, label(rows, "muted", wrap=False), None, spacing=10))
    files = ", ".join(Path(file).name for file in report.files)
    facts = [shape_words(report.shape), _("{n} rows in the file").format(n=count(report.rows))]
    middle, longest = report.characters.get("median"), report.characters.get("longest")
    if middle and longest:
        words = _("half of them below {n} characters, the longest {most}")
        facts.append(words.format(n=count(middle), most=count(longest)))
    inner.addWidget(label(" · ".join(facts), "body"))
    inner.addWidget(Elided(files))
    return frame


def _findings(report: DataReport) -> QVBoxLayout:
    found = column(label(_("Findings"), "strong"), spacing=8)
    rejected = report.rejected or len(report.problems)
    if report.duplicates:
        found.addWidget(Badge("caution", _("{n} rows are repeats").format(n=count(report.duplicates))))
    for words in _remarks(report):
        found.addWidget(Badge("muted", words, wrap=True))
    if not rejected:
        found.addWidget(Badge("good", _("Every row can be used")))
    else:
        words = ngettext("{n} row cannot be used", "{n} rows cannot be used", rejected)
        found.addWidget(Badge("caution", words.format(n=count(rejected))))
        found.addWidget(line())
    for problem in report.problems[:FINDINGS]:
        found.addWidget(_finding(problem))
    if rejected > FINDINGS:
        found.addWidget(label(_("… and {n} more").format(n=count(rejected - FINDINGS)), "muted"))
    found.addStretch(1)
    return found


def _remarks(report: DataReport) -> list[str]:
    """How the files were read, where it is not a matter of course."""
    read = _("{file} is not UTF-8; it was read as {encoding}")
    said = [read.format(file=Path(file).name, encoding=name.upper()) for file, name in report.encodings.items()]
    if report.preferred:
        words = ngettext(
            "{n} row holds two answers; the preferred one is used",
            "{n} rows hold two answers; the preferred one is used",
            report.preferred,
        )
        said.append(words.format(n=count(report.preferred)))
    return said


def _finding(problem: RowProblem) -> QWidget:
    box = QWidget()
    place = f"{Path(problem.file).name}:{problem.line}" if problem.line else Path(problem.file).name
    box.setLayout(column(Elided(place), label(row_problem_words(problem), "body"), spacing=0))
    return box


def _previews(rows: tuple[Conversation, ...]) -> QVBoxLayout:
    found = column(label(_("How the model will see it"), "strong"), spacing=8)
    for index, conversation in enumerate(rows):
        if index:
            found.addWidget(line())
        for message in conversation.messages:
            found.addWidget(Bubble(message.role, message.content))
    if not rows:
        found.addWidget(label(_("There is no row to show."), "muted"))
    found.addStretch(1)
    return found
