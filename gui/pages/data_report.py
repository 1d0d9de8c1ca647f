"""What a data set holds: files and numbers on top, findings on the left, rows as chat bubbles on the right."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from core.data.browse import RowsFile
from core.data.rows import DataReport
from core.i18n import _, ngettext
from core.wording import count, shape_words
from gui import theme
from gui.pages.data_finding_list import FindingList
from gui.pages.data_findings import Finding, findings, nothing_found
from gui.pages.data_known import Known
from gui.pages.data_learn import LearnList
from gui.pages.data_lengths import LengthsView
from gui.pages.data_look import counting
from gui.pages.data_mix import FilesView
from gui.pages.data_rows import RowsView
from gui.pages.data_tokens import TokensView
from gui.pages.data_touched import TouchedView
from gui.widgets.buttons import button
from gui.widgets.text import label, row

#: Pixels below which findings and rows get the same room.
NARROW = 700
#: Pixels that the report never goes below; more than the window has are reached by scrolling.
LEAST = 480
#: The page's margins above and below, and the two gaps between title, report and guide.
AROUND = 2 * theme.MARGIN - theme.GRID + 4 * theme.GRID


class ReportView(QWidget):
    """Draws a DataReport. Signals carry what the user wants to be otherwise, and `counted` what was counted."""

    switched = Signal(object, object)
    excepted = Signal(object, bool)
    included = Signal()
    files_asked = Signal(str)
    file_removed = Signal(str)
    fixed = Signal(object)
    arranged = Signal(object)
    extra_asked = Signal(str)
    counted = Signal(object)

    def __init__(self, report: DataReport, known: Known | None = None) -> None:
        super().__init__()
        self.setObjectName("data_report")
        self._report, self._known = report, known or Known()
        self._found: tuple[Finding, ...] | None = None
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(12)
        outer.addLayout(self._summary())
        self._stack = QStackedWidget()
        self._tabs: dict[str, QWidget] = {}
        self._buttons: dict[str, QPushButton] = {}
        self._bar = row(spacing=4)
        self._add("rows", _("Rows and findings"), self._findings())
        self.tokens: TokensView | None = None
        self._add("tokens", _("Tokens"), QWidget())
        self._add("lengths", _("Lengths"), QWidget())
        self.files = FilesView(report)
        self.files.changed.connect(self.arranged)
        self.files.asked.connect(self.extra_asked)
        self.files.removed.connect(self.file_removed)
        self.files.shared_asked.connect(lambda: self.show_finding("overlap"))
        self._add("files", _("Files"), self.files)
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
        self.show_known(self._known)

    def _summary(self) -> QHBoxLayout:
        learned = self._report.learned
        rows = ngettext("row to learn from", "rows to learn from", learned)
        number = label(count(learned), "number", wrap=False, name="usable_rows")
        found = row(number, label(rows, "muted", wrap=False), 12, spacing=10)
        found.addWidget(label(_facts(self._report), "body"), 1)
        return found

    def _findings(self) -> QWidget:
        """Findings beside rows; a click on a finding shows its rows in the place of all."""
        self.learn = LearnList()
        self.learn.fixed.connect(self.fixed)
        self.findings = FindingList(self.learn)
        self.findings.chosen.connect(self._show_finding)
        self.findings.switched.connect(self.switched)
        self.findings.included.connect(self.included)
        here = self._known.plan is not None and self._known.runner is not None
        self.rows = RowsView(self._report.preview, self._report.learned, tokens=here)
        self.rows.tokens_asked.connect(self._show_tokens)
        self.touched = TouchedView()
        self.touched.excepted.connect(self.excepted)
        self.touched.closed.connect(self._show_rows)
        self._right = QStackedWidget()
        self._right.addWidget(self.rows)
        self._right.addWidget(self.touched)
        sides = QWidget()
        self._sides = QBoxLayout(QBoxLayout.Direction.LeftToRight, sides)
        self._sides.setContentsMargins(0, 0, 0, 0)
        self._sides.setSpacing(24)
        self._sides.addWidget(self.findings, 2)
        self._sides.addWidget(self._right, 3)
        return sides

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A small window has no room for wide rows: the findings need theirs."""
        super().resizeEvent(event)
        self._sides.setStretch(1, 2 if self.width() < NARROW else 3)
        self._sides.setSpacing(12 if self.width() < NARROW else 24)

    def show_known(self, known: Known) -> None:
        """Show what is known beside the report; what is the same stays as it is."""
        self._known = known
        found = findings(self._report, known.cleaned, known.private, known.shared, known.left)
        if found != self._found:
            self._found = found
            self.findings.show_findings(found, nothing_found(known.cleaned), known.off)
        self.learn.setVisible(known.checks is not None)
        self.learn.show_checks(known.checks or (), known.note)
        self.files.show_files(known.arrangement, known.plan, known.extras, known.steps)
        self.files.setEnabled(not known.locked)
        self._replace("lengths", LengthsView(self._report, known.plan, known.counted))
        self._show_plan(known)

    def _show_plan(self, known: Known) -> None:
        """Show the tokens of the plan, those that are shown already as long as they stay the same."""
        plan, here = known.plan, self.tokens
        self._buttons["tokens"].setVisible(plan is not None and known.runner is not None)
        if plan is None or known.runner is None:
            return
        if here is not None and counting(here.plan) == counting(plan):
            here.show_plan(plan, known.steps)
            return
        self.let_go()
        made = self.tokens = TokensView(known.runner, plan, known.steps, known.counted)
        made.counted.connect(self.counted)
        self._replace("tokens", made)
        if self.tab == "tokens":
            made.open()

    def _replace(self, name: str, shown: QWidget) -> None:
        gone, current = self._tabs[name], self._stack.currentWidget()
        self._stack.insertWidget(self._stack.indexOf(gone), shown)
        self._tabs[name] = shown
        if gone is current:
            self._stack.setCurrentWidget(shown)
        self._stack.removeWidget(gone)
        gone.hide()
        gone.deleteLater()

    def _add(self, name: str, title: str, shown: QWidget) -> None:
        made = button(title, f"tab_{name}", lambda: self.open(name), kind="quiet")
        made.setCheckable(True)
        self._bar.addWidget(made)
        self._buttons[name] = made
        self._tabs[name] = shown
        self._stack.addWidget(shown)

    def open(self, name: str) -> None:
        """Show a tab: "rows", "tokens", "lengths" or "files"."""
        name = name if name in self._tabs and (name != "tokens" or self.tokens is not None) else "rows"
        for other, made in self._buttons.items():
            made.setChecked(other == name)
        self._stack.setCurrentWidget(self._tabs[name])
        if name == "tokens" and self.tokens is not None:
            self.tokens.open()

    @property
    def tab(self) -> str:
        """The tab that is shown."""
        return next(name for name, shown in self._tabs.items() if shown is self._stack.currentWidget())

    @property
    def shown_finding(self) -> str:
        """The key of the finding whose rows are shown, "" when all rows are."""
        return self.touched.key if self._right.currentWidget() is self.touched else ""

    def let_go(self) -> None:
        """End what runs for this view; tokens are read again when they are wanted again."""
        if self.tokens is not None:
            self.tokens.close_rows()

    def count_soon(self) -> None:
        """Have the tokens of all rows counted in a moment."""
        if self.tokens is not None:
            self.tokens.open_soon()

    def show_file(self, rows: RowsFile) -> None:
        """Show every row instead of the preview."""
        self.rows.show_file(rows)

    def show_place(self, file: str, line: int) -> bool:
        """Show the row at a line of a file; False while only the preview is there."""
        if self.rows.readable:
            self.open("rows")
            self._show_rows()
            self.rows.show_place(file, line)
        return self.rows.readable

    def show_finding(self, key: str) -> None:
        """Show the rows of a finding by its key."""
        if self.findings.press(key):
            self.open("rows")

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
    named = Path(report.files[0]).name if report.files else ""
    rows = ngettext("{n} row", "{n} rows", report.rows)
    facts = [_("{name}: {rows}").format(name=named, rows=rows.format(n=count(report.rows)))]
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
