"""One chart of a stack that shares its time axis: axes for time and for powers of ten, and how they look."""

import math
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QWheelEvent

from gui import theme

#: Room for the words of a mark, and the distances between marks, in seconds.
TICK_PIXELS = 96
ROUND = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 43200, 86400, 604800)
#: Pixels between two numbers of an axis at least, and how many of them a tall axis has at most.
NUMBER_PIXELS, NUMBERS = 18, 8
#: Room for numbers at the left, the same in every chart: they lie exactly under each other.
LEFT = 52


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


class PowerAxis(pg.AxisItem):
    """An axis of logarithms that writes the numbers themselves: 0.1, 0.2, 0.5, 1."""

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:
        decades = range(math.floor(low), math.ceil(high) + 1)
        for digits in ((1, 2, 5), (1, 3), (1,)):
            values = [decade + math.log10(digit) for decade in decades for digit in digits]
            seen = [value for value in values if low <= value <= high]
            if len(seen) * 20 <= max(size, 60):
                break
        return [(1.0, seen)]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        return [f"{10**value:.2g}" for value in values]


class NumberAxis(pg.AxisItem):
    """An axis with few marks at round numbers."""

    def tickSpacing(self, low: float, high: float, size: float) -> list[tuple[float, float]]:
        wanted = max((high - low) * max(NUMBER_PIXELS / max(size, 1.0), 1 / NUMBERS), 1e-12)
        power = 10 ** math.floor(math.log10(wanted))
        return [(next(times * power for times in (1, 2, 5, 10) if times * power >= wanted * 0.999), 0.0)]


class ChartView(pg.PlotWidget):
    """One chart that is moved along the time only. The wheel scrolls the page; with Ctrl it looks closer."""

    def __init__(self, *, powers: bool = False) -> None:
        left = PowerAxis if powers else NumberAxis
        axes = {"bottom": TimeAxis(orientation="bottom"), "left": left(orientation="left")}
        super().__init__(plotItem=pg.PlotItem(axisItems=axes))
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.chart: Any = self.getPlotItem()
        self.chart.layout.setContentsMargins(0, 4, 4, 0)
        self.chart.setMenuEnabled(False)
        self.chart.hideButtons()
        self.chart.setMouseEnabled(x=True, y=False)
        self.chart.disableAutoRange(axis="x")
        self.chart.showGrid(x=False, y=True, alpha=0.12)
        self.chart.getAxis("left").setWidth(LEFT)
        for side in ("left", "bottom"):
            self.chart.getAxis(side).setStyle(tickLength=0)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            super().wheelEvent(event)
        else:
            event.ignore()

    def show_time(self, words: str) -> None:
        """Write the time under the chart; without words it has no axis of its own."""
        axis = self.chart.getAxis("bottom")
        axis.setStyle(showValues=bool(words))
        self.chart.setLabel("bottom", words)
        axis.showLabel(bool(words))


def retint_axes(chart: Any) -> None:
    """Take the colours of the scheme in use."""
    font = QFont(theme.body_font())
    font.setPixelSize(theme.SMALL - 1)
    for side in ("left", "bottom"):
        axis = chart.getAxis(side)
        axis.setPen(pg.mkPen(theme.colour("hairline")))
        axis.setTextPen(pg.mkPen(theme.colour("muted")))
        axis.setTickFont(font)
    words = chart.getAxis("bottom")
    words.setLabel(words.labelText, **{"color": theme.tokens().muted, "font-size": f"{theme.SMALL - 1}px"})
    words.showLabel(bool(words.labelText))


def dress(name: str, curve: Any) -> None:
    """Draw the curve called `name` in its colour and with its dash; "raw" are the faint points behind the loss."""
    if name == "raw":
        pale = theme.colour("loss")
        pale.setAlphaF(0.35)
        curve.setSymbolBrush(pale)
        curve.setSymbolPen(None)
        return
    series = theme.tokens().series[name]
    curve.setPen(pg.mkPen(series.colour, width=2, style=series.dash))
    if name == "validation":
        curve.setSymbol("o")
        curve.setSymbolSize(6)
        curve.setSymbolBrush(series.colour)
        curve.setSymbolPen(pg.mkPen(series.colour))
