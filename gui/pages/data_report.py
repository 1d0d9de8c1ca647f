"""What a data file holds: numbers, findings on the left, rows as chat bubbles on the right."""

from pathlib import Path

from PySide6.QtWidgets import QVBoxLayout, QWidget

from core.data.rows import Conversation, DataReport, RowProblem, Shape
from core.i18n import _, ngettext
from core.wording import count, row_problem_words
from gui.widgets.badge import Badge
from gui.widgets.bubble import Bubble
from gui.widgets.text import Elided, column, label, line, panel, row

#: More rows than this nobody reads; the numbers above count all of them.
FINDINGS, PREVIEWS = 100, 8


def shape_words(shape: Shape) -> str:
    """The shape of the rows in words."""
    return {
        Shape.ALPACA: _("Instruction and output"),
        Shape.SHAREGPT: _("Conversations (ShareGPT)"),
        Shape.MESSAGES: _("Conversations (messages)"),
        Shape.PROMPT_COMPLETION: _("Prompt and completion"),
        Shape.QUESTION_ANSWER: _("Question and answer"),
        Shape.TEXT: _("Running text"),
    }.get(shape, _("Not recognised"))


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
