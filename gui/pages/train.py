"""Train page: the cockpit of a run that lives, was interrupted or is long over."""

from PySide6.QtCore import QTimer
from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from core.disk import expect_room
from core.i18n import _
from core.problems import Code, Problem, Trouble, diagnose
from core.runs import RunFolder, RunState
from core.wizard import Step, WizardState, go, open_run
from core.wording import Action
from gui.choose import open_folder
from gui.desk import Desk
from gui.live_run import LiveRun
from gui.pages.imagined import ImaginedNote
from gui.pages.page import Page
from gui.pages.plan_summary import PlanSummary
from gui.pages.train_blocked import BlockedCard, Blockers
from gui.pages.train_cockpit import Cockpit
from gui.pages.train_head import TrainHead
from gui.pages.train_next import planned, smaller
from gui.pages.train_words import asked_words, headline, more_words, progress_words
from gui.timeline import Timeline
from gui.widgets.log_view import LogView
from gui.widgets.notes import NotesView
from gui.widgets.problem_card import ProblemCard
from gui.widgets.text import clear

#: Frames a second; events may come a thousand times as fast.
FRAMES = 10
#: Pixels of the page that are not for the charts: title, words, legend, and a line of what is below.
ABOVE = 260
_STEPS_OF = {Action.CHOOSE_DATA: Step.DATA, Action.CHOOSE_MODEL: Step.MODEL, Action.CHANGE_PLAN: Step.PLAN}
#: What the page can do about a problem; Resume has a button of its own.
_ACTIONS = frozenset({*_STEPS_OF, Action.TRY_SMALLER, Action.RETRY, Action.OPEN_LOG, Action.FREE_DISK,
                      Action.CHOOSE_FOLDER, Action.START_OVER})  # fmt: skip


class TrainPage(Page):
    """Draws a LiveRun: words and buttons above, the cockpit under them, notes and log below."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, _("Train"), wide=True)
        self._live: LiveRun | None = None
        self._drawn = -1
        self._problem_shown: object = None
        self._asked = ""
        self.head = TrainHead()
        self.start, self.resume = self.head.start, self.head.resume
        self.start.clicked.connect(self.start_run)
        self.head.again.clicked.connect(self.start_run)
        self.head.stop.clicked.connect(self._stop)
        self.head.pause_asked.connect(self._pause)
        self.head.go_on.clicked.connect(self._go_on)
        self.resume.clicked.connect(self._resume)
        self.put_beside_title(self.head.buttons)
        self.column.addWidget(self.head)
        self._problems = QVBoxLayout()
        self.column.addLayout(self._problems)
        self._blockers = Blockers(desk)
        self.blocked = BlockedCard()
        self.blocked.data_asked.connect(lambda: self.proposed.emit(go(self.state, Step.DATA)))
        self.column.addWidget(self.blocked)
        self.cockpit = Cockpit(desk)
        self.charts, self.plot = self.cockpit.charts, self.cockpit.charts.plot
        self.charts.row_asked.connect(self._open_row)
        self.cockpit.coach.acted.connect(self._act)
        self.cockpit.coach.planned.connect(lambda plan: self.proposed.emit(planned(self.state, plan)))
        self.column.addWidget(self.cockpit, 1)
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

    @property
    def _timeline(self) -> Timeline:
        return self.charts.timeline

    def show_state(self, state: WizardState) -> None:
        super().show_state(state)
        self._attach(self.desk.live(state.run) if state.run else None)
        self._refresh()

    def _attach(self, live: LiveRun | None) -> None:
        if live is self._live:
            return
        if self._live is not None:
            self._live.changed.disconnect(self._refresh)
        self._live, self._drawn, self._asked = live, -1, ""
        self._problem_shown = None
        clear(self._problems)
        self.notes.set([])
        self.log.follow(live.folder.log_file if live else None)
        if live is not None:
            live.changed.connect(self._refresh)
        self.cockpit.attach(live)

    def _refresh(self) -> None:
        """Derive words and buttons from the run; the curves follow on the next frame."""
        live, other = self._live, self.desk.training
        state = live.state if live else None
        waiting = live.history.waiting if live else None
        if waiting is not None or state is not RunState.RUNNING:
            self._asked = ""
        self.title.setText(headline(state, waiting))
        drawn = live is not None and state is not RunState.NEW
        blockers = () if drawn else self._blockers.of(self.state)
        self.blocked.set(blockers)
        self.head.show_buttons(self.state, live, other, blocked=bool(blockers))
        self.elsewhere.show_state(self.state)
        self.cockpit.setVisible(drawn)
        self.log.setVisible(drawn)
        self.summary.setVisible(not drawn)
        self._filler.setVisible(not drawn)
        self.summary.set(self.state)
        self.cockpit.judge(live)
        self._show_words()
        self._show_problem()
        if live is not None:
            self.notes.set(live.history.notes)

    def _show_words(self) -> None:
        live = self._live
        said = asked_words(self._asked) or progress_words(live, self.state, busy=self.desk.training)
        self.head.show_words(said, more_words(live, self.desk.settings, self._timeline.peak_bytes), live)
        self.charts.show_words(live.history if live else None)

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
        if action is Action.PAUSE:
            self._pause(release=False)
        elif action is Action.STOP_KEEP_BEST:
            self._stop()
        elif action in _STEPS_OF:
            self.proposed.emit(go(self.state, _STEPS_OF[action]))
        elif action is Action.TRY_SMALLER:
            self.proposed.emit(smaller(self.state, self.desk))
        elif action in (Action.RESUME, Action.RETRY) and live and live.state is not RunState.NEW:
            self._resume()
        elif action is Action.OPEN_LOG:
            self.log.open()
        elif action in (Action.FREE_DISK, Action.CHOOSE_FOLDER) and live:
            open_folder(live.folder.path)
        else:
            self.start_run()

    def _open_row(self, file: str, line: int) -> None:
        self.desk.wanted_row = (file, line)
        self.proposed.emit(go(self.state, Step.DATA))

    def start_run(self) -> None:
        """Make the run's folder and train."""
        plan = self.state.plan
        if plan is None or self.desk.training is not None or self.state.imagined or self._blockers.of(self.state):
            return
        if self.desk.mover.busy:
            self._show_trouble(Problem(Code.FOLDER_MOVING))
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
        if self.desk.mover.busy:
            self._show_trouble(Problem(Code.FOLDER_MOVING))
            return
        live.start(resume=True)
        self.proposed.emit(open_run(self.state, live.folder.path, RunState.RUNNING, live.has_adapter))

    def _stop(self) -> None:
        if self._live is not None:
            self._live.stop()

    def _pause(self, release: bool) -> None:
        if self._live is not None:
            self._asked = "release" if release else "pause"
            self._live.pause(release=release)
            self._show_words()

    def _go_on(self) -> None:
        if self._live is not None:
            self._live.go_on()

    def primary(self) -> QPushButton | None:
        pressable = (self.start, self.resume, self.head.go_on)
        return next((b for b in pressable if b.isVisible() and b.isEnabled()), None)

    def _tick(self) -> None:
        live = self._live
        if live is None or live.version == self._drawn:
            return
        self._drawn = live.version if self.charts.follow(live.history) else -1
        self.cockpit.judge(live)
        self._show_words()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.plot.fit(self.height() - ABOVE)

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
