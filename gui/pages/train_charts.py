"""The charts of a run with their legend, more curves on demand, one step of it, and what can be saved of them."""

import time
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QMenu, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from core.history import RunHistory
from core.i18n import _
from core.problems import Problem, diagnose
from core.series import write_csv
from core.wording import count
from gui import theme
from gui.background import Errand
from gui.choose import choose_new_file
from gui.desk import Desk
from gui.pages.train_step import StepPanel
from gui.pages.train_waits import mark_words
from gui.timeline import Timeline
from gui.widgets.buttons import button
from gui.widgets.fields import short
from gui.widgets.live_plot import STRIPS, LivePlot
from gui.widgets.series_legend import SeriesLegend
from gui.widgets.text import panel, row

#: Pixels of a saved picture for each on the screen.
SHARP = 2.0
#: Steps from which on the charts are drawn less often, and the seconds between two drawings then.
MANY, SELDOM = 5000, 0.5


class ChartsPanel(QWidget):
    """Draws a RunHistory when asked to; `step` shows one of its steps, wherever it is put.

    `row_asked` carries file and line of a row that the user wants to see, `chosen` that another step is shown.
    """

    row_asked = Signal(str, int)
    chosen = Signal()

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._history: RunHistory | None = None
        self._folder: Path | None = None
        self._place = -1
        self._stale, self._drawn = False, 0.0
        self.timeline = Timeline()
        self.legend = SeriesLegend()
        self.plot = LivePlot(mark_words)
        self.plot.touched.connect(self.redraw)
        self.plot.picked.connect(self.choose)
        self.step = StepPanel()
        self.step.moved.connect(self.choose)
        self.step.row_asked.connect(self.row_asked)
        self.whole = button(_("Whole run"), "whole_run", self.plot.show_all, kind="quiet")
        self.more = button(_("More curves"), "more_curves", kind="quiet", icon="chevron-down")
        self.save = button("", "save_charts", kind="quiet", icon="download", tip=_("Save the curves"))
        self.save.setAccessibleName(self.save.toolTip())
        self.more.clicked.connect(lambda: _drop(self.more, self._curves_menu()))
        self.save.clicked.connect(lambda: _drop(self.save, self._save_menu()))
        frame, inner = panel(margin=8, spacing=0)
        frame.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        inner.addWidget(self.plot, 1)
        inner.addLayout(row(self.more, None, self.whole, self.save, spacing=4))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(8)
        outer.addWidget(self.legend)
        outer.addWidget(frame)
        outer.addStretch(1)
        self._show_strips()

    def attach(self, history: RunHistory | None, folder: Path | None) -> None:
        """Draw another run."""
        self._history, self._folder, self._place = history, folder, -1
        self.timeline = Timeline()
        self.plot.zoomed = False
        self.step.set(RunHistory(), -1, ())
        self.redraw()
        self.plot.choose(-1)

    def follow(self, history: RunHistory) -> bool:
        """Take over what is new and draw it; True when everything that happened is drawn."""
        self._stale |= history is not self._history
        self._history = history
        self._stale |= self.timeline.follow(history)
        now = time.monotonic()
        # a step among so many moves nothing by as much as a pixel
        late = self.timeline.loss.x.size < MANY or now - self._drawn >= SELDOM
        if self._stale and late:
            self._stale, self._drawn = False, now
            self.redraw()
        return not self._stale and self.timeline.caught_up(history)

    def redraw(self) -> None:
        """Draw the curves as they are known."""
        memory = self._history.memory if self._history else []
        self.plot.draw(self.timeline, memory[-1].total_bytes if memory and memory[-1].on_card else 0)
        self.whole.setVisible(self.plot.zoomed)
        if self._place >= 0:
            self.choose(self._place)

    def show_words(self, history: RunHistory | None) -> None:
        """Say the newest values."""
        self.legend.set(history)
        on_card = not (history and history.memory) or history.memory[-1].on_card
        self.plot.name_strip("memory", _("Memory in GB") if on_card else _("Computer memory in GB"))
        for name in self.plot.strips:
            self.plot.name_strip(name, _title(name, self.timeline))

    def choose(self, place: int) -> None:
        """Show the step at a place of the history, none for -1."""
        if self._history is not None:
            before, self._place = self._place, place if place < len(self._history.steps) else -1
            self.step.set(self._history, self._place, self.timeline.spikes)
            self.plot.choose(self._place)
            self.plot.setAccessibleDescription(self.step.accessibleName() if self._place >= 0 else "")
            if before != self._place >= 0:
                self.chosen.emit()

    def show_step(self, number: int) -> None:
        """Show a step by its number."""
        steps = self._history.steps if self._history else []
        self.choose(next((place for place in range(len(steps) - 1, -1, -1) if steps[place].step == number), -1))

    def _show_strips(self) -> None:
        wanted = self._desk.settings.curves.split(",")
        self.plot.show_strips(wanted, lambda name: _title(name, self.timeline))
        self.redraw()

    def _curves_menu(self) -> QMenu:
        menu = QMenu(self)
        for name in STRIPS:
            chosen = menu.addAction(names()[name])
            chosen.setCheckable(True)
            chosen.setChecked(name in self.plot.strips)
            # a run on a processor has no temperature to show
            chosen.setEnabled(name in self.plot.strips or self.timeline.curves[name].known)
            chosen.toggled.connect(lambda shown, one=name: self.toggle(one, shown))
        return menu

    def toggle(self, name: str, shown: bool) -> None:
        """Open or close a chart, also for the next time."""
        strips = [*self.plot.strips, name] if shown else [other for other in self.plot.strips if other != name]
        self._desk.remember(curves=",".join(other for other in STRIPS if other in strips))
        self._show_strips()

    def _save_menu(self) -> QMenu:
        menu = QMenu(self)
        menu.addAction(_("Save a picture of the curves…")).triggered.connect(self._ask_picture)
        menu.addAction(_("Save all numbers as a table (CSV)…")).triggered.connect(self._ask_table)
        return menu

    def _ask_picture(self) -> None:
        target = self._ask(_("Save the picture"), ".png")
        if target is not None:
            try:
                self.save_picture(target)
            except OSError as error:
                self._desk.trouble(diagnose(error))

    def _ask_table(self) -> None:
        target, known = self._ask(_("Save the table"), ".csv"), self._history
        if target is not None and known is not None:
            # what happens meanwhile must not change what is written
            steps, memory, evaluations = list(known.steps), list(known.memory), list(known.evaluations)
            kept = replace(known, steps=steps, memory=memory, evaluations=evaluations)
            Errand(partial(write_csv, kept, target), self, self._saved)

    def _ask(self, title: str, ending: str) -> Path | None:
        name = self._folder.name if self._folder else "run"
        return choose_new_file(self, title, Path.home() / f"{name}{ending}")

    def _saved(self, problem: object) -> None:
        if isinstance(problem, Problem):
            self._desk.trouble(problem)

    def save_picture(self, target: Path) -> None:
        """Write legend and charts as a picture. Raises OSError."""
        head, charts = self.legend, self.plot
        gap = theme.GRID
        width, height = max(head.width(), charts.width()), head.height() + gap + charts.height()
        image = QImage(round(SHARP * (width + 2 * gap)), round(SHARP * (height + 2 * gap)), QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(SHARP)
        image.fill(theme.colour("surface"))
        painter = QPainter(image)
        for part, top in ((head, gap), (charts, 2 * gap + head.height())):
            part.render(painter, QPoint(gap, top), renderFlags=QWidget.RenderFlag.DrawChildren)
        painter.end()
        if not image.save(str(target)):
            raise PermissionError(13, "the picture cannot be written there", str(target))


def names() -> dict[str, str]:
    """What the charts on demand show."""
    return {
        "rate": _("Learning rate"), "gradient": _("Gradient"), "speed": _("Trained tokens a second"),
        "temperature": _("Temperature of the card in °C"), "power": _("Power of the card in watts"),
        "use": _("Use of the card in %"),
    }  # fmt: skip


def _title(name: str, timeline: Timeline) -> str:
    """A chart's name with its newest value."""
    curve = timeline.curves[name]
    newest = curve.y.last() if curve.y.size else float("nan")
    if newest != newest:
        return names()[name]
    if name == "gradient":
        return f"{names()[name]}  {10**newest:.3g}"
    said = short(newest, small=True) if name == "rate" else count(round(newest))
    return f"{names()[name]}  {said}"


def _drop(under: QPushButton, menu: QMenu) -> None:
    """Open a menu under a button; the keyboard is in it at once."""
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    menu.popup(under.mapToGlobal(under.rect().bottomLeft()))
