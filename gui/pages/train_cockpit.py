"""The cockpit of a run: charts on the left, coach and sample answers on the right, or below them in a small window."""

import time
from functools import partial

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QScrollArea, QVBoxLayout, QWidget

from core.runs import RunState
from core.wording.watch import severity_words
from gui.desk import Desk
from gui.icons import set_icon
from gui.live_run import LiveRun
from gui.pages.train_charts import ChartsPanel
from gui.pages.train_coach import SEVERITY_ICONS, CoachPanel, offers
from gui.pages.train_samples import SamplesPanel
from gui.widgets.buttons import button
from gui.widgets.text import column, row

#: Pixels below which the coach goes under the charts, and how wide it is beside them.
NARROW, SIDE = 820, 320
WIDEST = 16_777_215
#: Pixels of a button that are not its text: icon and margins.
PAD = 64
#: Seconds between two judgements.
JUDGE_EVERY = 1.0
#: Milliseconds after which what was shown has its place.
SETTLED = 60


class Cockpit(QWidget):
    """Lays out the charts and what is said of them."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.setObjectName("cockpit")
        self._judged = 0.0
        self._offered: object = None
        self.headline = button("", "coach_headline", self._go_to_coach, kind="fold")
        self.headline.setMinimumWidth(1)  # the window must not grow with a sentence
        self.charts = ChartsPanel(desk)
        self.coach = CoachPanel()
        self.charts.chosen.connect(self._look)
        self.coach.step_asked.connect(self.charts.show_step)
        self.samples = SamplesPanel()
        self._side = QWidget()
        beside = QVBoxLayout(self._side)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.setSpacing(16)
        beside.addWidget(self.charts.step)
        beside.addWidget(self.coach)
        beside.addWidget(self.samples)
        beside.addStretch(1)
        self._sides = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._sides.setSpacing(24)
        self._sides.addWidget(self.charts, 1)
        self._sides.addWidget(self._side)
        whole = column(row(self.headline, None), spacing=8)
        whole.addLayout(self._sides)
        self.setLayout(whole)
        self.headline.hide()

    def attach(self, live: LiveRun | None) -> None:
        """Show another run."""
        self._judged = 0.0
        self.charts.attach(live.history if live else None, live.folder.path if live else None)

    def judge(self, live: LiveRun | None) -> None:
        """Say what is observed, at most once a second."""
        if live is None or not live.loaded:
            return
        running, history = live.state is RunState.RUNNING, live.history
        here = running and not live.stopping
        waiting, best = history.waiting is not None, history.best_evaluation is not None
        offered = offers(here=here, waiting=waiting, best=best, over=not running)
        now = time.monotonic()
        if running and offered == self._offered and now - self._judged < JUDGE_EVERY:
            return
        self._judged, self._offered = now, offered
        self.coach.set(history, live.plan, offered)
        self._show_headline()
        # runs without samples need no room for them
        self.samples.setVisible(bool(history.sampled) or (running and not history.steps))
        self.samples.set(history)

    def _show_headline(self) -> None:
        """What matters most goes above the charts where the coach is under them, out of sight."""
        worst = self.coach.worst
        self.headline.setVisible(worst is not None and self._narrow)
        if worst is None:
            return
        severity, title = worst
        room = self.width() - PAD
        short = self.headline.fontMetrics().elidedText(title, Qt.TextElideMode.ElideRight, room)
        if self.headline.text() != short:
            self.headline.setText(short)
            self.headline.setAccessibleName(f"{severity_words(str(severity))}: {title}")
            set_icon(self.headline, SEVERITY_ICONS[severity], str(severity))

    def _go_to_coach(self) -> None:
        self._bring(self.coach)

    def _look(self) -> None:
        """Bring the chosen step in sight, once it has its place."""
        self._bring(self.charts.step)

    def _bring(self, part: QWidget) -> None:
        above: QWidget | None = self.parentWidget()
        while above is not None and not isinstance(above, QScrollArea):
            above = above.parentWidget()
        if isinstance(above, QScrollArea):
            QTimer.singleShot(SETTLED, self, partial(above.ensureWidgetVisible, part, 0, 24))

    @property
    def _narrow(self) -> bool:
        return self.width() < NARROW

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self._narrow
        way = QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        if way != self._sides.direction():
            self._sides.setDirection(way)
        self._side.setMinimumWidth(0 if narrow else SIDE)
        self._side.setMaximumWidth(WIDEST if narrow else SIDE)
        self._show_headline()
