"""Charts that stay smooth with 100,000 points: loss and validation above, memory below, on one time axis."""

from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QSize, Signal
from PySide6.QtGui import QColor, QFont, QPen
from PySide6.QtWidgets import QVBoxLayout, QWidget

from core.i18n import _
from gui import theme
from gui.thinning import thinned, visible
from gui.timeline import Timeline

#: Room for the words of a mark, and the distances between marks, in seconds.
TICK_PIXELS = 96
ROUND = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 43200, 86400, 604800)


def clock_text(seconds: float) -> str:
    """Seconds as the axis writes them: 0:45, 12:30, 3:05:00."""
    whole = max(round(seconds), 0)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


class TimeAxis(pg.AxisItem):
    """An axis of working time, with marks at round times."""

    def tickSpacing(self, low: float, high: float, size: float) -> list[tuple[float, float]]:
        wanted = (high - low) * TICK_PIXELS / max(size, 1.0)
        return [(next((step for step in ROUND if step >= wanted), ROUND[-1]), 0.0)]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        return [clock_text(value) if spacing >= 1 else f"{value:.1f}" for value in values]


class LivePlot(QWidget):
    """Draws a Timeline; it draws only when asked to, so that the rate of events is not the rate of frames."""

    #: The user moved or zoomed: the curves have to be cut anew.
    touched = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("live_plot")
        self.setAccessibleName(_("Charts of loss and memory"))
        pg.setConfigOptions(antialias=True)
        self._view = pg.GraphicsLayoutWidget()
        self._view.ci.setContentsMargins(0, 0, 0, 0)
        self._view.ci.layout.setVerticalSpacing(4)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self._view)
        self.loss = self._chart(0, stretch=5)
        self.memory = self._chart(1, stretch=3)
        self.loss.setLabel("left", _("Loss"))
        self.memory.setLabel("left", _("Memory in GB"))
        self.memory.setLabel("bottom", _("Time spent training"))
        self.memory.setXLink(self.loss)
        self.memory.setYRange(0, 1)
        self.loss.disableAutoRange(axis="x")
        self.loss.enableAutoRange(axis="y")
        self._lines = {
            "raw": self._curve(self.loss), "loss": self._curve(self.loss),
            "validation": self._curve(self.loss), "memory": self._curve(self.memory),
        }  # fmt: skip
        self._limit = pg.InfiniteLine(angle=0, movable=False)
        self._limit.hide()
        self.memory.addItem(self._limit, ignoreBounds=True)
        self._top = 0.0
        self._zoomed = False
        for chart in (self.loss, self.memory):
            chart.getViewBox().sigRangeChangedManually.connect(self._touched)
        self.retint()

    def _chart(self, place: int, stretch: int) -> Any:
        last = place == 1
        axis = {"bottom": TimeAxis(orientation="bottom")}
        chart = self._view.addPlot(row=place, col=0, axisItems=axis)
        chart.setMenuEnabled(False)
        chart.hideButtons()
        chart.setMouseEnabled(x=True, y=False)
        chart.showGrid(x=False, y=True, alpha=0.12)
        chart.getAxis("left").setWidth(64)
        chart.getAxis("bottom").setStyle(showValues=last, tickLength=0)
        chart.getAxis("left").setStyle(tickLength=0)
        self._view.ci.layout.setRowStretchFactor(place, stretch)
        return chart

    @staticmethod
    def _curve(chart: Any) -> Any:
        return chart.plot(connect="finite", skipFiniteCheck=False)

    def draw(self, timeline: Timeline, total_bytes: int = 0) -> None:
        """Show the timeline as it is now; `total_bytes` is the card's memory."""
        few = timeline.loss.x.size < 12
        curves = {
            "raw": timeline.loss,
            "loss": timeline.loss if few else timeline.smooth,
            "validation": timeline.validation,
            "memory": timeline.memory,
        }
        self._frame_time(timeline)
        (low, high), _unused = self.loss.viewRange()
        most = max(self.width(), 400)
        for name, curve in curves.items():
            x, y = visible(curve.x.view(), curve.y.view(), low, high)
            self._lines[name].setData(*thinned(x, y, most, extremes=name == "raw"))
        self._frame_memory(timeline, total_bytes)

    def _frame_time(self, timeline: Timeline) -> None:
        """Show everything, until the user looks at a part of it."""
        if not self._zoomed:
            ends = [curve.x.last() for curve in (timeline.loss, timeline.memory) if curve.x.size]
            self.loss.setXRange(0, max([1.0, *ends]), padding=0.02)

    def _touched(self) -> None:
        self._zoomed = True
        self.touched.emit()

    def show_all(self) -> None:
        """Follow the run again, from its first to its newest moment."""
        self._zoomed = False
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

    def sizeHint(self) -> QSize:
        return QSize(640, 280)

    def retint(self) -> None:
        """Take the colours of the scheme in use."""
        self._view.setBackground(theme.colour("surface"))
        pale = theme.colour("loss")
        pale.setAlphaF(0.4)
        self._lines["raw"].setPen(pg.mkPen(pale, width=1))
        for name in ("loss", "validation", "memory"):
            series = theme.tokens().series[name]
            self._lines[name].setPen(pg.mkPen(series.colour, width=2, style=series.dash))
        mark = theme.tokens().series["validation"].colour
        self._lines["validation"].setSymbol("o")
        self._lines["validation"].setSymbolSize(6)
        self._lines["validation"].setSymbolBrush(mark)
        self._lines["validation"].setSymbolPen(QPen(QColor(mark)))
        self._limit.setPen(pg.mkPen(theme.colour("muted"), width=1, style=pg.QtCore.Qt.PenStyle.DotLine))
        for chart in (self.loss, self.memory):
            self._retint_axes(chart)

    @staticmethod
    def _retint_axes(chart: Any) -> None:
        font = QFont(theme.body_font())
        font.setPixelSize(theme.SMALL - 1)
        for side in ("left", "bottom"):
            axis = chart.getAxis(side)
            axis.setPen(pg.mkPen(theme.colour("hairline")))
            axis.setTextPen(pg.mkPen(theme.colour("muted")))
            axis.setTickFont(font)
            size = f"{theme.SMALL - 1}px"
            axis.setLabel(axis.labelText, **{"color": theme.tokens().muted, "font-size": size})
            axis.showLabel(bool(axis.labelText))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_limit"):
            self.retint()
