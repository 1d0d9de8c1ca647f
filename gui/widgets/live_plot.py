"""Charts that stay smooth with 100,000 points, on one time axis: loss and validation, memory, and more on demand."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QLabel, QToolTip, QVBoxLayout, QWidget

from core.i18n import _
from gui import theme
from gui.thinning import thinned, visible
from gui.timeline import Timeline
from gui.widgets.chart import LEFT, ChartView, clock_text, dress, retint_axes
from gui.widgets.chart_marks import Marks
from gui.widgets.chart_pointing import moved, pointed_at
from gui.widgets.text import label

__all__ = ["STRIPS", "LivePlot", "clock_text"]

#: Charts that are opened on demand, in their order.
STRIPS = ("rate", "gradient", "speed", "temperature", "power", "use")
#: Heights in pixels: of loss and memory together, and of each chart more.
TALL, LOW, STRIP = 320, 92, 64
#: What the words under the last chart take, and the name of a chart on demand.
AXIS, TITLE = 40, 22
#: Pixels around a mark in which the mouse points at it.
NEAR = 6


class LivePlot(QWidget):
    """Draws a Timeline; it draws only when asked to, so that the rate of events is not the rate of frames.

    `picked` carries the place of a step that the user points at, -1 for none.
    """

    #: The user moved or zoomed: the curves have to be cut anew.
    touched = Signal()
    picked = Signal(int)

    def __init__(self, words: Callable[[Any], str] = lambda event: "") -> None:
        """`words` says what happened at a mark."""
        super().__init__()
        self.setObjectName("live_plot")
        self.setAccessibleName(_("Charts of loss and memory"))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        pg.setConfigOptions(antialias=True)
        self._words = words
        self._views = {"loss": ChartView(), "memory": ChartView()}
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(3, 3, 3, 3)
        self._box.setSpacing(2)
        self.loss, self.memory = (view.chart for view in self._views.values())
        self.memory.setYRange(0, 1)
        self.titles = {"loss": _title(_("Loss")), "memory": _title(_("Memory in GB"))}
        self._lines = {
            "raw": self.loss.plot(pen=None, symbol="o", symbolSize=3), "loss": _curve(self.loss),
            "validation": _curve(self.loss), "memory": _curve(self.memory),
        }  # fmt: skip
        self.loss.enableAutoRange(axis="y")
        self._limit = pg.InfiniteLine(angle=0, movable=False)
        self._limit.hide()
        self.memory.addItem(self._limit, ignoreBounds=True)
        self._marks = Marks(self.loss)
        self._top, self._height, self._place = 0.0, 0, -1
        self.zoomed = False
        self._timeline = Timeline()
        self.strips: tuple[str, ...] = ()
        for view in self._views.values():
            self._add(view)
        self._arrange()

    def show_strips(self, names: Iterable[str], title: Callable[[str], str]) -> None:
        """Show these charts beside loss and memory; `title` names one."""
        wanted = set(names)
        self.strips = tuple(name for name in STRIPS if name in wanted)
        for name in self.strips:
            if name not in self._views:
                self._make_strip(name, title(name))
        self._arrange()

    def _make_strip(self, name: str, title: str) -> None:
        view = self._views[name] = ChartView(powers=name == "gradient")
        view.chart.setAutoVisible(y=True)
        self._lines[name] = _curve(view.chart)
        self.titles[name] = _title(title)
        self._add(view)

    def _add(self, view: ChartView) -> None:
        box = view.chart.getViewBox()
        box.sigXRangeChanged.connect(self._moved)
        box.sigRangeChangedManually.connect(self._touched)
        view.scene().sigMouseClicked.connect(partial(self._clicked, box))
        view.scene().sigMouseMoved.connect(partial(self._hovered, view))

    def _arrange(self) -> None:
        """Put the charts under each other; the last one has the time."""
        order = ["loss", "memory", *self.strips]
        parts: list[tuple[str, QWidget]] = [*self._views.items(), *self.titles.items()]
        for name, part in parts:
            self._box.removeWidget(part)
            part.setParent(self)  # without one it would show itself as a window of its own
            part.setVisible(name in order)
        for place, name in enumerate(order):
            view, last = self._views[name], name == order[-1]
            self._box.addWidget(self.titles[name])
            self._box.addWidget(view, (5, 3, 2)[min(place, 2)])
            view.show_time(_("Time spent training") if last else "")
            view.setMinimumHeight((LOW, LOW, STRIP)[min(place, 2)] + AXIS * last)
        self._marks.show_in([self._views[name].chart for name in order])
        self.setMinimumHeight(TALL + (STRIP + TITLE) * len(self.strips))
        self.retint()
        self._moved(self.loss.getViewBox(), self.loss.viewRange()[0])

    def _moved(self, box: Any, span: Any) -> None:
        """Every chart shows the same time."""
        for view in self._views.values():
            other = view.chart.getViewBox()
            if other is not box and other.viewRange()[0] != list(span):
                other.setXRange(*span, padding=0)

    def name_strip(self, name: str, words: str) -> None:
        """Say what a chart shows, and its newest value."""
        self.titles[name].setText(words)

    def draw(self, timeline: Timeline, total_bytes: int = 0) -> None:
        """Show the timeline as it is now; `total_bytes` is the card's memory."""
        self._timeline = timeline
        few = timeline.loss.x.size < 12
        curves = {
            "raw": timeline.loss,
            "loss": timeline.loss if few else timeline.smooth,
            "validation": timeline.validation,
            "memory": timeline.memory,
        } | {name: timeline.curves[name] for name in self.strips}
        self._frame_time(timeline)
        (low, high), _unused = self.loss.viewRange()
        most = max(self.width(), 400)
        for name, curve in curves.items():
            x, y = visible(curve.x.view(), curve.y.view(), low, high)
            x, y = thinned(x, y, most, extremes=name == "raw")
            if name == "raw":
                known = y == y
                x, y = x[known], y[known]
            self._lines[name].setData(x, y)
        self._frame_memory(timeline, total_bytes)
        self._marks.draw(timeline)
        self._marks.choose(timeline, self._place)

    def choose(self, place: int) -> None:
        """Point at a step."""
        self._place = place if 0 <= place < self._timeline.loss.x.size else -1
        self._marks.choose(self._timeline, self._place)

    def _frame_time(self, timeline: Timeline) -> None:
        """Show everything, until the user looks at a part of it."""
        if not self.zoomed:
            ends = [curve.x.last() for curve in timeline.curves.values() if curve.x.size]
            self.loss.setXRange(0, max([1.0, *ends]), padding=0.02)

    def _touched(self) -> None:
        self.zoomed = True
        self.touched.emit()

    def show_all(self) -> None:
        """Follow the run again, from its first to its newest moment."""
        self.zoomed = False
        self.touched.emit()

    def _frame_memory(self, timeline: Timeline, total_bytes: int) -> None:
        seen = timeline.memory.y.view()
        highest = float(seen.max()) if len(seen) else 0.0
        total = total_bytes / 1e9
        near = total > 0 and highest > 0.35 * total
        top = max(total if near else highest, 0.5) * 1.1
        if abs(top - self._top) > 0.02 * top:
            self._top = top
            self.memory.setYRange(0, top, padding=0)
        self._limit.setVisible(near)
        self._limit.setValue(total)

    def _clicked(self, box: Any, event: Any) -> None:
        if event.double():
            self.show_all()
        elif event.button() == Qt.MouseButton.LeftButton and box.sceneBoundingRect().contains(event.scenePos()):
            moment = float(box.mapSceneToView(event.scenePos()).x())
            self.picked.emit(pointed_at(self._timeline, moment, self._reach()))

    def _reach(self) -> float:
        """Seconds in which the mouse is near to something."""
        return NEAR * float(self.loss.getViewBox().viewPixelSize()[0])

    def _hovered(self, view: ChartView, at: QPointF) -> None:
        moment = float(view.chart.getViewBox().mapSceneToView(at).x())
        near = [event for when, event in self._timeline.marks if abs(when - moment) <= self._reach()]
        said = [words for event in near if (words := self._words(event))]
        if said:
            QToolTip.showText(view.mapToGlobal(view.mapFromScene(at)), "\n".join(dict.fromkeys(said)))
        else:
            QToolTip.hideText()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right go from step to step, up and down from spike to spike."""
        place = moved(self._timeline, self._place, Qt.Key(event.key()))
        if place is None:
            super().keyPressEvent(event)
        else:
            self.picked.emit(place)

    def fit(self, height: int) -> None:
        """Take `height` pixels where there is room, never less than the charts need."""
        self._height = height
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        return QSize(640, max(self._height, self.minimumHeight()))

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.hasFocus():
            painter = QPainter(self)
            painter.setPen(QPen(theme.colour("accent"), 2))
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))

    def retint(self) -> None:
        """Take the colours of the scheme in use."""
        for view in self._views.values():
            view.setBackground(theme.colour("surface"))
            retint_axes(view.chart)
        for name, curve in self._lines.items():
            dress(name, curve)
        self._limit.setPen(pg.mkPen(theme.colour("muted"), width=1, style=Qt.PenStyle.DotLine))
        self._marks.retint()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "strips"):
            self.retint()


def _title(words: str) -> QLabel:
    found = label(words, "small", wrap=False)
    found.setIndent(LEFT + 4)
    return found


def _curve(chart: Any) -> Any:
    return chart.plot(connect="finite", skipFiniteCheck=False)
