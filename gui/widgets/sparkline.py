"""A curve the size of a word."""

import itertools
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QSize
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from gui import theme

#: More points than pixels help nobody.
POINTS = 120


def thinned(values: Sequence[float], most: int = POINTS) -> list[float]:
    """At most `most` values: the means of equal slices."""
    if len(values) <= most:
        return list(values)
    edges = [index * len(values) // most for index in range(most + 1)]
    return [sum(values[a:b]) / (b - a) for a, b in itertools.pairwise(edges)]


class Sparkline(QWidget):
    """A loss curve without axes."""

    def __init__(self, values: Sequence[float] = ()) -> None:
        super().__init__()
        self.setFixedSize(QSize(120, 32))
        self._values: list[float] = []
        self.set(values)

    def set(self, values: Sequence[float]) -> None:
        """Draw other values."""
        self._values = thinned(values)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if len(self._values) < 2:
            return
        low, high = min(self._values), max(self._values)
        span = (high - low) or 1.0
        step = (self.width() - 4) / (len(self._values) - 1)
        points = QPolygonF(
            [
                QPointF(2 + index * step, 3 + (high - value) / span * (self.height() - 6))
                for index, value in enumerate(self._values)
            ]
        )
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.colour("loss"), 1.5))
        painter.drawPolyline(points)
