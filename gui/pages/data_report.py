"""What a data set holds: files and numbers on top, findings on the left, rows as chat bubbles on the right."""

from dataclasses import dataclass, field
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from core.data.browse import RowsFile
from core.data.clean import CleanReport
from core.data.rows import DataReport
from core.i18n import _, ngettext
from core.learnable import Check
from core.plan import TrainingPlan
from core.wording import count, shape_words
from gui.jobs import JobRunner
from gui.pages.data_files import FileList
from gui.pages.data_finding_list import FindingList
from gui.pages.data_findings import Finding, findings, nothing_found
from gui.pages.data_learn import LearnList
from gui.pages.data_lengths import LengthsView
from gui.pages.data_rows import RowsView
from gui.pages.data_tokens import TokensView
from gui.pages.data_touched import TouchedView
from gui.widgets.buttons import button
from gui.widgets.text import label, line, panel, row


@dataclass(frozen=True)
class Known:
    """What is known beside the report. `plan` is the one that these rows lead to; tokens need it and a model here."""

    cleaned: CleanReport | None = None
    private: dict[str, int] = field(default_factory=dict)
    plan: TrainingPlan | None = None
    checks: tuple[Check, ...] | None = None
    steps: str = ""
    runner: JobRunner | None = None


class ReportView(QWidget):
    """Draws a DataReport. Signals carry what the user wants to be otherwise."""

    switched = Signal(object, object)
    excepted = Signal(str, bool)
    files_asked = Signal(str)
    file_removed = Signal(str)
    fixed = Signal(object)

    def __init__(self, report: DataReport, known: Known | None = None) -> None:
        super().__init__()
        self.setObjectName("data_report")
        self._report, self._known = report, known or Known()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(12)
        outer.addWidget(self._summary())
        self._stack = QStackedWidget()
        self._tabs: dict[str, QWidget] = {}
        self._buttons: dict[str, object] = {}
        self._bar = row(spacing=4)
        self._add("rows", _("Rows and findings"), self._findings())
        self.tokens: TokensView | None = None
        if self._known.plan is not None and self._known.runner is not None:
            self.tokens = TokensView(self._known.runner, self._known.plan, self._known.steps)
            self._add("tokens", _("Tokens"), self.tokens)
        self._add("lengths", _("Lengths"), LengthsView(report, self._known.plan))
        self._bar.addStretch(1)
        for what, words, icon in (
            ("files", _("Add files…"), "plus"), ("folder", _("Add a folder…"), "folder"),
            ("other", _("Choose other data"), "refresh"),
        ):  # fmt: skip
            name = "other_data" if what == "other" else f"add_{what}"
            made = button("", name, partial(self.files_asked.emit, what), kind="quiet", icon=icon, tip=words)
            made.setAccessibleName(words)
            self._bar.addWidget(made)
        outer.addLayout(self._bar)
        outer.addWidget(self._stack, 1)
        self.open("rows")

    def _summary(self) -> QWidget:
        frame, inner = panel(margin=12, spacing=6)
        learned = self._report.learned
        rows = ngettext("row to learn from", "rows to learn from", learned)
        number = label(count(learned), "number", wrap=False, name="usable_rows")
        facts = label(_facts(self._report), "body")
        top = row(number, label(rows, "muted", wrap=False), 12, spacing=10)
        top.addWidget(facts, 1)
        inner.addLayout(top)
        inner.addWidget(line())
        files = FileList(self._report)
        files.removed.connect(self.file_removed)
        inner.addWidget(files)
        return frame

    def _findings(self) -> QWidget:
        """Findings beside rows; a click on a finding shows its rows in the place of all."""
        known, report = self._known, self._report
        found = findings(report, known.cleaned, known.private)
        learn = LearnList(known.checks) if known.checks is not None else None
        if learn is not None:
            learn.fixed.connect(self.fixed)
        self.findings = FindingList(found, nothing_found(known.cleaned), learn)
        self.findings.chosen.connect(self._show_finding)
        self.findings.switched.connect(self.switched)
        here = known.plan is not None and known.runner is not None
        self.rows = RowsView(report.preview, report.learned, tokens=here)
        self.rows.tokens_asked.connect(self._show_tokens)
        self.touched = TouchedView()
        self.touched.excepted.connect(self.excepted)
        self.touched.closed.connect(self._show_rows)
        self._right = QStackedWidget()
        self._right.addWidget(self.rows)
        self._right.addWidget(self.touched)
        first = next((finding for finding in found if finding.details), None)
        if first is not None:
            self.touched.show_finding(first)
        sides = QWidget()
        self._sides = QBoxLayout(QBoxLayout.Direction.LeftToRight, sides)
        self._sides.setContentsMargins(0, 0, 0, 0)
        self._sides.setSpacing(24)
        self._sides.addWidget(self.findings, 2)
        self._sides.addWidget(self._right, 3)
        return sides

    def _add(self, name: str, title: str, shown: QWidget) -> None:
        made = button(title, f"tab_{name}", lambda: self.open(name), kind="quiet")
        made.setCheckable(True)
        self._bar.addWidget(made)
        self._buttons[name] = made
        self._tabs[name] = shown
        self._stack.addWidget(shown)

    def open(self, name: str) -> None:
        """Show a tab: "rows", "tokens" or "lengths"."""
        name = name if name in self._tabs else "rows"
        for other, made in self._buttons.items():
            made.setChecked(other == name)  # type: ignore[attr-defined]
        self._stack.setCurrentWidget(self._tabs[name])
        if name == "tokens" and self.tokens is not None:
            self.tokens.open()

    @property
    def tab(self) -> str:
        """The tab that is shown."""
        return next(name for name, shown in self._tabs.items() if shown is self._stack.currentWidget())

    def let_go(self) -> None:
        """End what runs for this view; tokens are read again when they are wanted again."""
        if self.tokens is not None:
            self.tokens.close_rows()

    def show_file(self, rows: RowsFile) -> None:
        """Show every row instead of the preview."""
        self._file = rows
        self.rows.show_file(rows)

    def show_finding(self, key: str) -> None:
        """Show the rows of a finding by its key."""
        self.findings.press(key)

    def _show_finding(self, finding: Finding) -> None:
        self.touched.show_finding(finding)
        self._right.setCurrentWidget(self.touched)

    def _show_rows(self) -> None:
        self.findings.mark(None)
        self._right.setCurrentWidget(self.rows)

    def _show_tokens(self, number: int) -> None:
        if self.tokens is not None:
            self.tokens.show_conversation(self.rows.row(number))
            self.open("tokens")


def _facts(report: DataReport) -> str:
    facts = [_("{n} rows in the file").format(n=count(report.rows))]
    if len(report.files) > 1:
        words = ngettext("{n} rows in {files} file", "{n} rows in {files} files", len(report.files))
        facts = [words.format(n=count(report.rows), files=count(len(report.files)))]
    if report.learned < report.usable:
        facts.append(_("{n} cleaned away").format(n=count(report.usable - report.learned)))
    if report.rejected:
        facts.append(_("{n} cannot be used").format(n=count(report.rejected)))
    facts.append(shape_words(report.shape))
    middle, longest = report.characters.get("median"), report.characters.get("longest")
    if middle and longest:
        words = _("half of them below {n} characters, the longest {most}")
        facts.append(words.format(n=count(middle), most=count(longest)))
    return " · ".join(facts)
