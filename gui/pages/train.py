"""Train page: a line that says how far it is, curves on one time axis, notes, and help when it breaks."""

import sys
from dataclasses import replace

from PySide6.QtCore import QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from core.disk import expect_room
from core.i18n import _
from core.problems import Problem, Trouble, diagnose
from core.runs import RunFolder, RunState
from core.wizard import Step, WizardState, choose_smaller, go, open_run
from core.wording import Action
from gui.choose import open_folder
from gui.desk import Desk
from gui.live_run import LiveRun
from gui.pages.imagined import ImaginedNote
from gui.pages.page import Page
from gui.pages.plan_summary import PlanSummary
from gui.pages.train_head import TrainHead
from gui.pages.train_words import headline
from gui.smaller import until_it_fits
from gui.timeline import Timeline
from gui.widgets.live_plot import LivePlot
from gui.widgets.log_view import LogView
from gui.widgets.notes import NotesView
from gui.widgets.problem_card import ProblemCard
from gui.widgets.series_legend import SeriesLegend
from gui.widgets.text import clear, panel

#: Frames a second; events may come a thousand times as fast.
FRAMES = 10
_STEPS_OF = {Action.CHOOSE_DATA: Step.DATA, Action.CHOOSE_MODEL: Step.MODEL, Action.CHANGE_PLAN: Step.PLAN}


#: What the page can do about a problem; Resume has a button of its own.
_ACTIONS = frozenset({*_STEPS_OF, Action.TRY_SMALLER, Action.RETRY, Action.OPEN_LOG, Action.FREE_DISK,
                      Action.CHOOSE_FOLDER, Action.START_OVER})  # fmt: skip


class TrainPage(Page):
    """Draws a LiveRun, whether it lives, was interrupted, or is long over."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, _("Train"), wide=True)
        self._live: LiveRun | None = None
        self._timeline = Timeline()
        self._drawn = -1
        self._problem_shown: object = None
        self.head = TrainHead()
        self.start, self.resume = self.head.start, self.head.resume
        self.start.clicked.connect(self.start_run)
        self.head.again.clicked.connect(self.start_run)
        self.head.stop.clicked.connect(self._stop)
        self.resume.clicked.connect(self._resume)
        self.column.addWidget(self.head)
        self._problems = QVBoxLayout()
        self.column.addLayout(self._problems)
        self.legend = SeriesLegend()
        self.column.addWidget(self.legend)
        self.plot = LivePlot()
        self.plot.setMinimumHeight(280)
        self.plot.touched.connect(self._redraw)
        self._chart, inner = panel(margin=8)
        inner.addWidget(self.plot)
        self.column.addWidget(self._chart, 1)
        self.elsewhere = ImaginedNote(savable=True)
        self.elsewhere.proposed.connect(self.proposed)
        self.elsewhere.troubled.connect(self._show_trouble)
        self.column.addWidget(self.elsewhere)
        self.summary = PlanSummary(desk)
        self.column.addWidget(self.summary)
        self._filler = QWidget()
        self.column.addWidget(self._filler, 1)
        self.notes = NotesView()
        self.column.addWidget(self.notes)
        self.log = LogView()
        self.column.addWidget(self.log)
        self._timer = QTimer(self)
        self._timer.setInterval(1000 // FRAMES)
        self._timer.timeout.connect(self._tick)

    def show_state(self, state: WizardState) -> None:
        super().show_state(state)
        self._attach(self.desk.live(state.run) if state.run else None)
        self._refresh()

    def _attach(self, live: LiveRun | None) -> None:
        if live is self._live:
            return
        if self._live is not None:
            self._live.changed.disconnect(self._refresh)
        self._live, self._timeline, self._drawn = live, Timeline(), -1
        self._problem_shown = None
        clear(self._problems)
        self.notes.set([])
        self.log.follow(live.folder.log_file if live else None)
        if live is not None:
            live.changed.connect(self._refresh)
        self.plot.draw(self._timeline)

    def _refresh(self) -> None:
        """Derive words and buttons from the run; the curves follow on the next frame."""
        live, other = self._live, self.desk.training
        state = live.state if live else None
        self.title.setText(headline(state))
        self.head.show_buttons(self.state, live, other)
        self.elsewhere.show_state(self.state)
        drawn = live is not None and state is not RunState.NEW
        for part in (self._chart, self.legend, self.log):
            part.setVisible(drawn)
        self.summary.setVisible(not drawn)
        self._filler.setVisible(not drawn)
        self.summary.set(self.state)
        self._show_words()
        self._show_problem()
        if live is not None:
            self.notes.set(live.history.notes)

    def _show_words(self) -> None:
        live = self._live
        self.head.show_words(self.state, live, self.desk.training)
        self.legend.set(live.history if live else None)

    def _show_problem(self) -> None:
        problem = self._live.problem if self._live else None
        if problem == self._problem_shown:
            return
        self._problem_shown = problem
        clear(self._problems)
        if problem is not None:
            card = ProblemCard(problem, actions=_ACTIONS)
            card.acted.connect(self._act)
            self._problems.addWidget(card)

    def _act(self, action: Action) -> None:
        live = self._live
        if action in _STEPS_OF:
            self.proposed.emit(go(self.state, _STEPS_OF[action]))
        elif action is Action.TRY_SMALLER:
            self._try_smaller()
        elif action in (Action.RESUME, Action.RETRY) and live and live.state is not RunState.NEW:
            self._resume()
        elif action is Action.OPEN_LOG:
            self.log.open()
        elif action in (Action.FREE_DISK, Action.CHOOSE_FOLDER) and live:
            open_folder(live.folder.path)
        else:
            self.start_run()

    def _try_smaller(self) -> None:
        """Go back to the plan with the next smaller one; the user sees what changed before starting again."""
        plan, model, card = self.state.plan, self.state.model, self.state.card
        free = card.free_bytes if card else sys.maxsize
        found = until_it_fits(plan, model, free, self.desk.constants(card)) if plan and model else None
        if found is None:
            self.proposed.emit(go(self.state, Step.MODEL))
            return
        fresh = replace(self.state, run=None, run_state=None, has_adapter=False, merged=None)
        self.proposed.emit(go(choose_smaller(fresh, found.plan), Step.PLAN))

    def start_run(self) -> None:
        """Make the run's folder and train."""
        plan = self.state.plan
        if plan is None or self.desk.training is not None or self.state.imagined:
            return
        try:
            expect_room(self.desk.runs_root, plan)
            folder = RunFolder.create(self.desk.runs_root, plan)
        except (Trouble, OSError) as error:
            self._show_trouble(diagnose(error))
            return
        self.desk.live(folder.path).start(resume=False)
        self.proposed.emit(open_run(self.state, folder.path, RunState.RUNNING, False))

    def _show_trouble(self, problem: Problem) -> None:
        clear(self._problems)
        self._problems.addWidget(ProblemCard(problem, actions=frozenset()))

    def _resume(self) -> None:
        live = self._live
        if live is None or self.desk.training is not None:
            return
        live.start(resume=True)
        self.proposed.emit(open_run(self.state, live.folder.path, RunState.RUNNING, live.has_adapter))

    def _stop(self) -> None:
        if self._live is not None:
            self._live.stop()

    def primary(self) -> QPushButton | None:
        return next((b for b in (self.start, self.resume) if b.isVisible() and b.isEnabled()), None)

    def _tick(self) -> None:
        live = self._live
        if live is None or live.version == self._drawn:
            return
        changed = self._timeline.follow(live.history)
        self._drawn = live.version if self._timeline.caught_up(live.history) else -1
        if changed:
            self._redraw()
        self._show_words()

    def _redraw(self) -> None:
        memory = self._live.history.memory if self._live else []
        self.plot.draw(self._timeline, memory[-1].total_bytes if memory and memory[-1].on_card else 0)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._timer.start()
        self.log.wake(True)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()
        self.log.wake(False)

    def shutdown(self) -> None:
        self._timer.stop()
        self._attach(None)
