"""A bar of memory cut into named parts, and the legend that names them."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from core.wording import gigabytes
from gui import theme
from gui.widgets.text import clear, label


@dataclass(frozen=True)
class Part:
    """One piece of the bar; `tone` is a colour of the theme."""

    name: str
    size_bytes: int
    tone: str


class MemoryBar(QWidget):
    """Parts from the left, empty space to the right, and a mark where the free memory ends."""

    def __init__(self, height: int = 20) -> None:
        super().__init__()
        self._parts: tuple[Part, ...] = ()
        self._total = 0
        self._limit: int | None = None
        self._height = height
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set(self, parts: Sequence[Part], total_bytes: int, limit_bytes: int | None = None) -> None:
        """Show `parts` on a bar that is `total_bytes` long (or as long as the parts, when they are more)."""
        self._parts = tuple(part for part in parts if part.size_bytes > 0)
        self._total, self._limit = total_bytes, limit_bytes
        spoken = ", ".join(f"{part.name} {gigabytes(part.size_bytes)}" for part in self._parts)
        self.setAccessibleName(spoken)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(320, self._height + 8)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(0, 4, self.width(), self._height)
        outline = QPainterPath()
        outline.addRoundedRect(area, 5, 5)
        painter.setClipPath(outline)
        painter.fillRect(area, theme.colour("hairline"))
        scale = self.width() / max(self._total, sum(p.size_bytes for p in self._parts), 1)
        self._paint_parts(painter, area, scale)
        painter.setClipping(False)
        self._paint_limit(painter, scale)

    def _paint_parts(self, painter: QPainter, area: QRectF, scale: float) -> None:
        left = 0.0
        for part in self._parts:
            width = part.size_bytes * scale
            painter.fillRect(QRectF(left, area.top(), max(width - 1, 1), area.height()), theme.colour(part.tone))
            left += width

    def _paint_limit(self, painter: QPainter, scale: float) -> None:
        if self._limit is None:
            return
        x = min(max(self._limit * scale, 1), self.width() - 1)
        painter.setPen(QPen(theme.colour("ink"), 2, Qt.PenStyle.SolidLine))
        painter.drawLine(int(x), 0, int(x), self._height + 8)


class Swatch(QWidget):
    """A small square of colour."""

    def __init__(self, tone: str) -> None:
        super().__init__()
        self._tone = tone
        self.setFixedSize(12, 12)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.colour(self._tone)))
        painter.drawRoundedRect(QRectF(1, 1, 10, 10), 2, 2)


class Legend(QWidget):
    """The names of a bar's parts with their sizes, in one or more columns."""

    def __init__(self, columns: int = 1) -> None:
        super().__init__()
        self._columns = columns
        self._shown: tuple[Part, ...] = ()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(theme.GRID)
        self._grid.setVerticalSpacing(4)

    def set(self, parts: Sequence[Part]) -> None:
        """Show `parts`; pieces of nothing are left out."""
        shown = tuple(part for part in parts if part.size_bytes > 0)
        if shown == self._shown:
            return
        self._shown = shown
        clear(self._grid)
        for index, part in enumerate(shown):
            line, place = divmod(index, self._columns)
            self._grid.addWidget(Swatch(part.tone), line, 4 * place)
            self._grid.addWidget(label(part.name, "muted", wrap=False), line, 4 * place + 1)
            self._grid.addWidget(
                label(gigabytes(part.size_bytes), wrap=False),
                line,
                4 * place + 2,
                Qt.AlignmentFlag.AlignRight,
            )
        self._grid.setColumnStretch(4 * self._columns if self._columns > 1 else 1, 1)
