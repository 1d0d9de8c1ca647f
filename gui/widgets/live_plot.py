"""Charts that stay smooth with 100,000 points, on one time axis: loss and validation, memory, and more on demand."""

from collections.abc import Callable, Iterable
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QToolTip, QVBoxLayout, QWidget

from core.i18n import _
from gui import theme
from gui.thinning import thinned, visible
from gui.timeline import Timeline
from gui.widgets.chart import Stack, clock_text, make_chart, retint_axes
from gui.widgets.chart_marks import Marks
from gui.widgets.chart_pointing import moved, pointed_at

__all__ = ["STRIPS", "LivePlot", "clock_text"]

#: Charts that are opened on demand, in their order.
STRIPS = ("rate", "gradient", "speed", "temperature", "power", "use")
#: Heights in pixels: of loss and memory together, and of each chart more.
TALL, STRIP = 288, 88
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
        self._view = Stack()
        self._view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        box = QVBoxLayout(self)
        box.setContentsMargins(3, 3, 3, 3)
        box.addWidget(self._view)
        self.loss, self.memory = make_chart(), make_chart()
        self.loss.setLabel("left", _("Loss"))
        self.memory.setLabel("left", _("Memory in GB"))
        self.memory.setYRange(0, 1)
        self._charts = {"loss": self.loss, "memory": self.memory}
        self._titles: dict[str, Any] = {}
        self._lines = {
            "raw": self.loss.plot(pen=None, symbol="o", symbolSize=3), "loss": self._curve(self.loss),
            "validation": self._curve(self.loss), "memory": self._curve(self.memory),
        }  # fmt: skip
        self.loss.disableAutoRange(axis="x")
        self.loss.enableAutoRange(axis="y")
        self._limit = pg.InfiniteLine(angle=0, movable=False)
        self._limit.hide()
        self.memory.addItem(self._limit, ignoreBounds=True)
        self._marks = Marks(self.loss)
        self._top = 0.0
        self.zoomed = False
        self._place = -1
        self._timeline = Timeline()
        self.strips: tuple[str, ...] = ()
        self._listen(self.loss, self.memory)
        self._arrange()
        scene = self._view.scene()
        scene.sigMouseClicked.connect(self._clicked)
        scene.sigMouseMoved.connect(self._hovered)

    def show_strips(self, names: Iterable[str], title: Callable[[str], str]) -> None:
        """Show these charts beside loss and memory; `title` names one."""
        wanted = set(names)
        self.strips = tuple(name for name in STRIPS if name in wanted)
        for name in self.strips:
            if name not in self._charts:
                self._charts[name] = self._strip(name, title(name))
        self._arrange()

    def _strip(self, name: str, title: str) -> Any:
        chart = make_chart(powers=name == "gradient")
        chart.setAutoVisible(y=True)
        self._lines[name] = self._curve(chart)
        words = pg.LabelItem(title)
        words.setParentItem(chart.getViewBox())
        words.anchor(itemPos=(0, 0), parentPos=(0, 0), offset=(6, 0))
        words.setZValue(20)
        self._titles[name] = words
        self._listen(chart)
        return chart

    def name_strip(self, name: str, words: str) -> None:
        """Say what a chart shows, and its newest value."""
        title = self._titles.get(name)
        if title is not None and title.text != words:
            title.setText(words, color=theme.tokens().muted, size=f"{theme.SMALL}px")

    def _listen(self, *charts: Any) -> None:
        for chart in charts:
            if chart is not self.loss:
                chart.setXLink(self.loss)
            chart.getViewBox().sigRangeChangedManually.connect(self._touched)

    def _arrange(self) -> None:
        """Put the charts under each other; the last one has the time."""
        shown = [self.loss, self.memory, *(self._charts[name] for name in self.strips)]
        layout = self._view.ci
        for chart in [item for item in layout.items if item in self._charts.values()]:
            layout.removeItem(chart)
        for place in range(len(STRIPS) + 2):
            layout.layout.setRowStretchFactor(place, 0)
        for place, chart in enumerate(shown):
            layout.addItem(chart, row=place, col=0)
            layout.layout.setRowStretchFactor(place, 5 if place == 0 else 3 if place == 1 else 2)
            last = chart is shown[-1]
            chart.getAxis("bottom").setStyle(showValues=last, tickLength=0)
            chart.setLabel("bottom", _("Time spent training") if last else "")
        self._marks.show_in(shown)
        self.setMinimumHeight(TALL + STRIP * len(self.strips))
        self.retint()

    @staticmethod
    def _curve(chart: Any) -> Any:
        return chart.plot(connect="finite", skipFiniteCheck=False)

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
            ends = [curve.x.last() for curve in (timeline.loss, timeline.memory) if curve.x.size]
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

    def _moment(self, at: QPointF) -> float | None:
        """The moment of the time axis at a place of the scene, None outside of the charts."""
        for chart in (self.loss, self.memory, *(self._charts[name] for name in self.strips)):
            if chart.getViewBox().sceneBoundingRect().contains(at):
                return float(chart.getViewBox().mapSceneToView(at).x())
        return None

    def _clicked(self, event: Any) -> None:
        moment = self._moment(event.scenePos())
        if event.double():
            self.show_all()
        elif moment is not None and event.button() == Qt.MouseButton.LeftButton:
            self.picked.emit(pointed_at(self._timeline, moment, NEAR * self._pixel()))

    def _pixel(self) -> float:
        """Seconds that a pixel is wide."""
        return float(self.loss.getViewBox().viewPixelSize()[0])

    def _hovered(self, at: QPointF) -> None:
        moment, reach = self._moment(at), NEAR * self._pixel()
        marks = self._timeline.marks if moment is not None else []
        said = [self._words(event) for when, event in marks if moment is not None and abs(when - moment) <= reach]
        if said:
            QToolTip.showText(self._view.mapToGlobal(self._view.mapFromScene(at)), "\n".join(dict.fromkeys(said)))
        else:
            QToolTip.hideText()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right go from step to step, up and down from spike to spike."""
        place = moved(self._timeline, self._place, Qt.Key(event.key()))
        if place is None:
            super().keyPressEvent(event)
        else:
            self.picked.emit(place)

    def sizeHint(self) -> QSize:
        return QSize(640, self.minimumHeight())

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.hasFocus():
            painter = QPainter(self)
            painter.setPen(QPen(theme.colour("accent"), 2))
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))

    def retint(self) -> None:
        """Take the colours of the scheme in use."""
        self._view.setBackground(theme.colour("surface"))
        pale = theme.colour("loss")
        pale.setAlphaF(0.35)
        self._lines["raw"].setSymbolBrush(pale)
        self._lines["raw"].setSymbolPen(None)
        for name in self._lines.keys() - {"raw"}:
            series = theme.tokens().series[name]
            self._lines[name].setPen(pg.mkPen(series.colour, width=2, style=series.dash))
        mark = theme.tokens().series["validation"].colour
        self._lines["validation"].setSymbol("o")
        self._lines["validation"].setSymbolSize(6)
        self._lines["validation"].setSymbolBrush(mark)
        self._lines["validation"].setSymbolPen(QPen(QColor(mark)))
        self._limit.setPen(pg.mkPen(theme.colour("muted"), width=1, style=Qt.PenStyle.DotLine))
        self._marks.retint()
        for words in self._titles.values():
            words.setText(words.text, color=theme.tokens().muted, size=f"{theme.SMALL}px")
        for chart in self._charts.values():
            retint_axes(chart)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "strips"):
            self.retint()
