"""Data page: drop files, see what is in them row by row, what was found and cleaned, and what will be trained."""

from dataclasses import replace

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QVBoxLayout

from core.arrangement import Arrangement
from core.data.browse import RowsFile
from core.data.rows import DataReport
from core.data.source import PASSAGE
from core.i18n import _
from core.plan import TrainingPlan
from core.problems import Problem
from core.tokens import TokenTotals
from core.wizard import WizardState, choose_data, choose_plan
from gui import theme
from gui.background import Errand
from gui.choose import choose_files
from gui.desk import Desk
from gui.pages.data_entry import DataEntry, choose_data_folder
from gui.pages.data_known import Known
from gui.pages.data_look import Extras, Look, Wish, counting, tokenizer_of, unread, wish_of
from gui.pages.data_outlook import known_of
from gui.pages.data_reader import DataReader
from gui.pages.data_report import AROUND, LEAST, ReportView
from gui.pages.data_trouble import DataTrouble
from gui.pages.data_wishes import Wishes, rearranged, with_extras, without_broken
from gui.pages.page import Page
from gui.pages.plan_rules import guide_words, rules_fold
from gui.widgets.problem_card import ProblemCard
from gui.widgets.progress import ProgressLine
from gui.widgets.text import clear


class DataPage(Page):
    """Shows the drop zone until there is a report, then the report."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, _("What should it learn?"), _("Questions with the answers you would like to get."))
        self._problem: Problem | None = None
        self._again = False
        self._drawn: object = None
        self._shown: object = None
        self._view: ReportView | None = None
        self._tab, self._finding = "rows", ""
        self.reader = DataReader(desk.runner, self)
        self.reader.looked.connect(self._propose)
        self.reader.failed.connect(self._show_problem)
        self.reader.ended.connect(self._read)
        self.reader.extras_read.connect(self._take_extras)
        self.wishes = Wishes(self)
        self.wishes.due.connect(self._look)
        self._problems = QVBoxLayout()
        self._entry = DataEntry()
        self._entry.chosen.connect(self.take_files)
        self._progress = ProgressLine("cancel_inspect")
        self._progress.cancelled.connect(self.reader.cancel)
        self.reader.staged.connect(self._progress.show_stage)
        self._progress.hide()
        self._report = QVBoxLayout()
        self.column.addLayout(self._problems)
        self.column.addWidget(self._progress)
        self.column.addWidget(self._entry)
        self.column.addLayout(self._report)
        self._guide = rules_fold(guide_words(), "data_guide", "data")
        self.column.addWidget(self._guide)
        self.column.addStretch(1)

    @property
    def look(self) -> Look | None:
        """What the last look found, when it is the one that the state is about."""
        look = self.desk.looked
        return look if isinstance(look, Look) and look.report is self.state.report else None

    def show_state(self, state: WizardState) -> None:
        super().show_state(state)
        busy = self.reader.busy
        self._progress.setVisible(busy)
        report = state.report
        entering = report is None or self._again
        self.lead.setVisible(entering)
        self._entry.setVisible(entering and not busy)
        if not busy and self._problem is None and unread(state, self.reader.counted_for):
            self._look(wish_of(state))
            return
        # the report stays in sight while it is read again
        drawn = (id(report), entering, id(self.look and self.look.rows))
        if drawn != self._drawn:
            self._drawn = drawn
            self._draw(None if entering else report)
        elif self._view is not None and self._shown != (state, self.desk.looked):
            self._view.show_known(self._known())
        if self._view is not None:
            self._view.setEnabled(not busy or self.wishes.waiting)
            self._look_beside(self._view)

    def _known(self) -> Known:
        self._shown = (self.state, self.desk.looked)
        return known_of(self.state, self.look, self.desk, self.wishes.left(self.state.cleaning))

    def _look_beside(self, view: ReportView) -> None:
        """Have the files beside the data read, and in a moment all tokens counted."""
        if self.look is not None and not self.reader.busy:
            self.reader.read_extras(self.look, self.state.arrangement)
        if self.desk.dry_runs and self.isVisible():
            view.count_soon()
        if self.desk.wanted_row and view.show_place(*self.desk.wanted_row):
            self.desk.wanted_row = None

    def _draw(self, report: DataReport | None) -> None:
        if self._view is not None:
            self._tab, self._finding = self._view.tab, self._view.shown_finding
            self._view.let_go()
        clear(self._report)
        self._view = None
        if report is None:
            return
        view = self._view = ReportView(report, self._known())
        self.wishes.begin(self.state)
        view.switched.connect(self.wishes.switch)
        view.excepted.connect(self.wishes.leave)
        view.included.connect(self.wishes.include_all)
        view.files_asked.connect(self._files_asked)
        view.file_removed.connect(self._remove)
        view.fixed.connect(self._fix)
        view.arranged.connect(self._arrange)
        view.extra_asked.connect(lambda what: self.take_extras(what, choose_files(self)))
        view.counted.connect(self._counted)
        self._fit()
        self._report.addWidget(view)
        view.show_finding(self._finding)
        view.open(self._tab)
        if self.look is not None and (rows := self.look.rows) is not None:
            Errand(lambda: (view, RowsFile(rows)), self, self._opened)

    def _opened(self, found: object) -> None:
        if isinstance(found, tuple) and found[0] is self._view and self._view is not None:
            self._view.show_file(found[1])
            self._look_beside(self._view)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Give the report the height that the window has, so that its lists scroll and the page does not."""
        if self._view is not None:
            around = self.title.heightForWidth(self.width() - 2 * theme.MARGIN) + self._guide.head.sizeHint().height()
            self._view.setFixedHeight(max(LEAST, self.height() - around - AROUND))

    def take_files(self, paths: list[str]) -> None:
        """Read these files, cleaned as is recommended; the report follows."""
        self._tab, self._finding = "rows", ""
        self._look(Wish(tuple(paths)))

    def _look(self, wish: Wish) -> None:
        if not wish.files:
            return
        clear(self._problems)
        self._problem = None
        self.wishes.wish = wish
        self._progress.begin(_("Reading the data"))
        self.reader.look(wish, tokenizer_of(self.state))
        self.show_state(self.state)

    def _fix(self, plan: TrainingPlan) -> None:
        """Take a fix: other files or other cleaning is a look at the data, anything else another plan."""
        if plan.cleaning != self.state.cleaning or plan.data != self._files:
            self._look(replace(self.wishes.wish, files=plan.data, cleaning=plan.cleaning))
        else:
            self.proposed.emit(choose_plan(self.state, plan))

    def _arrange(self, arrangement: Arrangement) -> None:
        self._shown = None  # fields show what was taken, also when that is what was there before
        self.proposed.emit(rearranged(self.state, arrangement))

    def take_extras(self, what: str, paths: list[str]) -> None:
        """Take files beside the data: to "mix" in, or as "validation", of which there is one."""
        clear(self._problems)
        self._arrange(with_extras(self.state, what, paths))

    def _take_extras(self, extras: Extras) -> None:
        """Show what the files beside the data hold; those that cannot be read are not taken."""
        if self.look is not None:
            self.desk.looked = replace(self.look, extras=extras)
        for problem in extras.problems.values():
            self._problems.addWidget(ProblemCard(problem, actions=frozenset()))
        self._arrange(without_broken(self.state.arrangement, extras))

    def _counted(self, totals: TokenTotals) -> None:
        look, view = self.look, self._view
        if look is not None and view is not None and view.tokens is not None:
            self.desk.looked = replace(look, counted=(counting(view.tokens.plan), totals))
            self.show_state(self.state)

    def _files_asked(self, what: str) -> None:
        if what == "other":
            self._again = True
            self.show_state(self.state)
        else:
            self._add(choose_files(self) if what == "files" else choose_data_folder(self))

    @property
    def _files(self) -> tuple[str, ...]:
        return self.state.report.files if self.state.report else ()

    def _add(self, paths: list[str]) -> None:
        if paths:
            self._look(replace(self.wishes.wish, files=tuple(dict.fromkeys((*self._files, *paths)))))

    def _remove(self, file: str) -> None:
        self._look(replace(self.wishes.wish, files=tuple(name for name in self._files if name != file)))

    def _read(self) -> None:
        if self.isVisible():
            self.show_state(self.state)

    def _propose(self, look: Look) -> None:
        self._again = False
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
        trouble = DataTrouble(problem, self.wishes.wish.columns)
        trouble.browsed.connect(self._entry.browse)
        trouble.mapped.connect(lambda columns: self._look(replace(self.wishes.wish, columns=columns)))
        trouble.taken_as_text.connect(lambda: self._look(replace(self.wishes.wish, passage=PASSAGE)))
        self._problems.addWidget(trouble)

    def left(self) -> None:
        if self.state.report is not None and not self.reader.busy:
            self._again = False
        if self._view is not None:
            self._view.let_go()

    def shutdown(self) -> None:
        self.wishes.stop()
        self.reader.cancel()
        self.left()
