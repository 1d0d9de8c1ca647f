"""Data page: drop files, see what is in them row by row, what was found and cleaned, and what will be trained."""

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QVBoxLayout

from core.data.browse import RowsFile
from core.data.clean import Cleaning, Mode, StepName
from core.data.rows import DataReport
from core.data.source import PASSAGE
from core.events import Failed, Finished, Last, Stage
from core.i18n import _
from core.jobs.jobs import InspectJob
from core.plan import TrainingPlan
from core.problems import Problem
from core.wizard import WizardState, choose_data, choose_plan
from gui.background import Errand
from gui.choose import choose_files
from gui.desk import Desk
from gui.jobs import JobThread, Lane
from gui.pages.data_entry import DataEntry, choose_data_folder
from gui.pages.data_look import Look, Shelf, Wish, look_of, wish_of
from gui.pages.data_outlook import known_of
from gui.pages.data_report import ReportView
from gui.pages.data_trouble import DataTrouble
from gui.pages.page import Page
from gui.pages.plan_rules import guide_words, rules_fold
from gui.widgets.progress import ProgressLine
from gui.widgets.text import clear

#: Pixels that the report never goes below; more than the window has are reached by scrolling.
LEAST = 480
#: Milliseconds after the last switch before the data is read again.
AFTER_SWITCH = 700


class DataPage(Page):
    """Shows the drop zone until there is a report, then the report."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, _("What should it learn?"), _("Questions with the answers you would like to get."))
        self._job: JobThread | None = None
        self._problem: Problem | None = None
        self._again = False
        self._counted_for = ""
        self._drawn: object = None
        self._wish = Wish(())
        self._shelf, self._keep = Shelf(), Path()
        self._view: ReportView | None = None
        self._tab = "rows"
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(AFTER_SWITCH)
        self._soon.timeout.connect(lambda: self._look(self._wish))
        self._problems = QVBoxLayout()
        self._entry = DataEntry()
        self._entry.chosen.connect(self.take_files)
        self._progress = ProgressLine("cancel_inspect")
        self._progress.cancelled.connect(self._cancel)
        self._progress.hide()
        self._report = QVBoxLayout()
        self.column.addLayout(self._problems)
        self.column.addWidget(self._progress)
        self.column.addWidget(self._entry)
        self.column.addLayout(self._report)
        self.column.addWidget(rules_fold(guide_words(), "data_guide", "data"))
        self.column.addStretch(1)

    @property
    def look(self) -> Look | None:
        """What the last look found, when it is the one that the state is about."""
        look = self.desk.looked
        return look if isinstance(look, Look) and look.report is self.state.report else None

    def show_state(self, state: WizardState) -> None:
        super().show_state(state)
        busy = self._job is not None
        self._progress.setVisible(busy)
        report = state.report
        entering = report is None or self._again
        self.lead.setVisible(entering)
        self._entry.setVisible(entering and not busy)
        if report is not None and not busy and self._problem is None and (not report.rows or self._outdated(report)):
            self._look(wish_of(state))
            return
        model = (state.model.id if state.model else "", state.model_folder)
        # the report stays in sight while it is read again
        drawn = (id(report), entering, model, id(state.plan))
        if drawn != self._drawn:
            self._drawn = drawn
            self._draw(None if entering else report)
        if self._view is not None:
            self._view.setEnabled(not busy or self._soon.isActive())

    def _draw(self, report: DataReport | None) -> None:
        if self._view is not None:
            self._tab = self._view.tab
            self._view.let_go()
        clear(self._report)
        self._view = None
        if report is None:
            return
        look = self.look
        view = self._view = ReportView(report, known_of(self.state, look, self.desk))
        view.switched.connect(self._switch)
        view.excepted.connect(self._except)
        view.files_asked.connect(self._files_asked)
        view.file_removed.connect(self._remove)
        view.fixed.connect(self._fix)
        self._fit()
        self._report.addWidget(view)
        view.open(self._tab)
        if look is not None and look.rows is not None:
            rows = look.rows
            Errand(lambda: (view, RowsFile(rows)), self, self._opened)

    def _opened(self, found: object) -> None:
        if isinstance(found, tuple) and found[0] is self._view and self._view is not None:
            self._view.show_file(found[1])

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Give the report the height that the window has, so that its lists scroll and the page does not."""
        if self._view is not None:
            self._view.setFixedHeight(max(LEAST, self.height() - 134))

    def take_files(self, paths: list[str]) -> None:
        """Read these files, cleaned as is recommended; the report follows."""
        self._tab = "rows"
        self._look(Wish(tuple(paths)))

    def _look(self, wish: Wish) -> None:
        if self._job is not None or not wish.files:
            return
        clear(self._problems)
        self._problem = None
        self._wish = wish
        self._progress.begin(_("Reading the data"))
        self._counted_for = self._tokenizer()
        self._keep = self._shelf.next()
        job = InspectJob(
            wish.files, self._counted_for, cleaning=wish.cleaning, columns=wish.columns, passage=wish.passage,
            keep=str(self._keep),
        )  # fmt: skip
        self._job = self.desk.runner.start(job, self._heard, lane=Lane.BESIDE)
        self.show_state(self.state)

    def _tokenizer(self) -> str:
        """The folder of the model that will read the rows; its tokenizer counts them."""
        return str(self.state.model_folder) if self.state.model_folder else ""

    def _outdated(self, report: DataReport) -> bool:
        """Whether another model was chosen since the rows were counted; a run's own data is left alone."""
        now = self._tokenizer()
        counted = bool(report.tokens) and self.state.run is None
        return counted and now not in ("", report.tokens_model, self._counted_for)

    def _changed(self, **parts: object) -> None:
        """Look again with another wish, a moment after the last change."""
        basis = self._wish if self._wish.files else wish_of(self.state)
        self._wish = replace(basis, **parts)  # type: ignore[arg-type]
        self._soon.start()

    def _switch(self, step: StepName, mode: Mode) -> None:
        self._changed(cleaning=(self._wish.cleaning or Cleaning()).switched(step, mode))

    def _except(self, key: str, left_alone: bool) -> None:
        cleaning = self._wish.cleaning or Cleaning()
        self._changed(cleaning=cleaning.excepting(key) if left_alone else cleaning.including(key))

    def _fix(self, plan: TrainingPlan) -> None:
        """Take a fix: other cleaning is a look at the data, anything else another plan."""
        if plan.cleaning != self.state.cleaning:
            self._look(replace(self._wish, files=plan.data, cleaning=plan.cleaning))
        else:
            self.proposed.emit(choose_plan(self.state, plan))

    def _files_asked(self, what: str) -> None:
        if what == "other":
            self._again = True
            self.show_state(self.state)
        else:
            self._add(choose_files(self) if what == "files" else choose_data_folder(self))

    def _add(self, paths: list[str]) -> None:
        if not paths:
            return
        files = tuple(dict.fromkeys((*(self.state.report.files if self.state.report else ()), *paths)))
        self._look(replace(self._wish, files=files))

    def _remove(self, file: str) -> None:
        report = self.state.report
        self._look(replace(self._wish, files=tuple(name for name in report.files if name != file) if report else ()))

    def _cancel(self) -> None:
        self.desk.runner.cancel(self._job)

    def _heard(self, event: object) -> None:
        if isinstance(event, Stage):
            self._progress.show_stage(event)
        if not isinstance(event, Last):
            return
        self._job = None
        if isinstance(event, Failed):
            self._show_problem(event.problem)
        if isinstance(event, Finished):
            self._again = False
            self._propose(look_of(self._wish, event.result, self._keep))
        elif self.isVisible():
            self.show_state(self.state)

    def _propose(self, look: Look) -> None:
        before, self.desk.looked = self.desk.looked, look
        known, report, wish = self.state.report, look.report, look.wish
        if known is not None and not known.rows and known.files == report.files:
            # the data of a run that was opened: reading it again must not drop the run
            self.proposed.emit(replace(self.state, report=report))
        else:
            self.proposed.emit(choose_data(self.state, report, wish.cleaning, wish.columns, wish.passage))
        if isinstance(before, Look):
            before.forget_rows()

    def _show_problem(self, problem: Problem) -> None:
        self._problem = problem
        self._again = True
        trouble = DataTrouble(problem, self._wish.columns)
        trouble.browsed.connect(self._entry.browse)
        trouble.mapped.connect(lambda columns: self._look(replace(self._wish, columns=columns)))
        trouble.taken_as_text.connect(lambda: self._look(replace(self._wish, passage=PASSAGE)))
        self._problems.addWidget(trouble)

    def left(self) -> None:
        if self.state.report is not None and self._job is None:
            self._again = False
        if self._view is not None:
            self._view.let_go()

    def shutdown(self) -> None:
        self._soon.stop()
        self._cancel()
        self.left()
