"""One chart of a stack that shares its time axis: axes for time and for powers of ten, and how they look."""

import math
from typing import Any

import pyqtgraph as pg
from PySide6.QtGui import QFont, QWheelEvent

from gui import theme

#: Room for the words of a mark, and the distances between marks, in seconds.
TICK_PIXELS = 96
ROUND = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 43200, 86400, 604800)
#: Room for numbers at the left, the same in every chart: they lie exactly under each other.
LEFT = 64


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


class Stack(pg.GraphicsLayoutWidget):
    """Charts under each other. The wheel scrolls the page; with Ctrl it looks closer."""

    def __init__(self) -> None:
        super().__init__()
        self.ci.setContentsMargins(0, 0, 0, 0)
        self.ci.layout.setVerticalSpacing(4)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & pg.QtCore.Qt.KeyboardModifier.ControlModifier:
            super().wheelEvent(event)
        else:
            event.ignore()


def make_chart(*, powers: bool = False) -> Any:
    """A chart that is moved along the time only."""
    axes = {"bottom": TimeAxis(orientation="bottom")}
    if powers:
        axes["left"] = PowerAxis(orientation="left")
    chart = pg.PlotItem(axisItems=axes)
    chart.setMenuEnabled(False)
    chart.hideButtons()
    chart.setMouseEnabled(x=True, y=False)
    chart.showGrid(x=False, y=True, alpha=0.12)
    chart.getAxis("left").setWidth(LEFT)
    chart.getAxis("left").setStyle(tickLength=0)
    return chart


def retint_axes(chart: Any) -> None:
    """Take the colours of the scheme in use."""
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
