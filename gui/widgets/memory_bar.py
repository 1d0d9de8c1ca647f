"""A bar of memory cut into named parts, with what is free, what is left over and what is too much."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QHelpEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from core.i18n import _
from core.wording import gigabytes, part_hint, part_words
from gui import theme
from gui.widgets import hatch

#: How much longer than the card the bar gets at most.
_LONGEST = 1.4
#: Height of the line under the bar that says how much is free.
SCALE = 20


@dataclass(frozen=True)
class Part:
    """One piece of the bar; `tone` is one of the theme's parts, `hint` says in one sentence what it is."""

    name: str
    size_bytes: int
    tone: str
    hint: str = ""

    @property
    def words(self) -> str:
        """Name and size, and what it is on the next line."""
        line = f"{self.name} · {gigabytes(self.size_bytes)}"
        return f"{line}\n{self.hint}" if self.hint else line


class MemoryBar(QWidget):
    """Parts from the left, left-over space to the right; what is past the card's end is striped in red.

    `looked` carries the tone of the part under the mouse, empty when there is none.
    """

    looked = Signal(str)

    def __init__(self, height: int = 28) -> None:
        super().__init__()
        self._parts: tuple[Part, ...] = ()
        self._total = 0
        self._free: tuple[int, int] | None = None
        self._height = height
        self._lit = ""
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set(self, parts: Sequence[Part], total_bytes: int, free: tuple[int, int] | None = None) -> None:
        """Show `parts` on a card of `total_bytes`; `free` is where its free memory begins, and how much it is."""
        self._parts = tuple(part for part in parts if part.size_bytes > 0)
        self._total, self._free = total_bytes, free
        self.setAccessibleName(_("Memory of the card"))
        self.setAccessibleDescription(", ".join(f"{part.name} {gigabytes(part.size_bytes)}" for part in self._parts))
        self.updateGeometry()
        self.update()

    @property
    def overflow_bytes(self) -> int:
        """How much the parts are more than the card has."""
        return max(0, sum(part.size_bytes for part in self._parts) - self._total)

    def light(self, tone: str) -> None:
        """Point at a part; an empty tone points at none."""
        if tone != self._lit:
            self._lit = tone
            self.update()

    def part_at(self, x: float) -> Part | None:
        """The part that is painted at `x` pixels from the left; past the card's end it is what is too much."""
        if self.overflow_bytes and x >= self._total * self._scale():
            return Part(part_words("overflow"), self.overflow_bytes, "overflow", part_hint("overflow"))
        return next((part for part, area in self._areas() if area.left() <= x < area.right()), None)

    def sizeHint(self) -> QSize:
        return QSize(320, self._height + 6 + (SCALE if self._free else 0))

    def minimumSizeHint(self) -> QSize:
        return QSize(160, self.sizeHint().height())

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            part = self.part_at(event.pos().x())
            QToolTip.showText(event.globalPos(), part.words if part else "", self)
            return True
        return super().event(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        part = self.part_at(event.position().x())
        self._look(part.tone if part else "")

    def leaveEvent(self, event: QEvent) -> None:
        self._look("")

    def _look(self, tone: str) -> None:
        if tone != self._lit:
            self.light(tone)
            self.looked.emit(tone)

    def _areas(self) -> list[tuple[Part, QRectF]]:
        """Each part and where it is painted."""
        scale, left, found = self._scale(), 0.0, []
        for part in self._parts:
            # what is there can be seen: nothing is thinner than two pixels
            width = max(part.size_bytes * scale, 2.0)
            found.append((part, QRectF(left, 3, width, self._height)))
            left += width
        return found

    def _scale(self) -> float:
        # the card itself stays in sight, however much too large the plan is
        shown = min(sum(part.size_bytes for part in self._parts), _LONGEST * self._total)
        return self.width() / max(self._total, shown, 1)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        whole = QRectF(0, 3, self.width(), self._height)
        outline = QPainterPath()
        outline.addRoundedRect(whole, 5, 5)
        painter.setClipPath(outline)
        painter.fillRect(whole, theme.colour("headroom"))
        for part, area in self._areas():
            hatch.paint(painter, area.adjusted(0, 0, -1, 0), part.tone)
        self._paint_overflow(painter, whole)
        painter.setClipping(False)
        painter.setPen(QPen(theme.colour("edge"), 1))
        painter.drawRoundedRect(whole.adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
        self._paint_end(painter, whole)
        self._paint_lit(painter)
        self._paint_free(painter)

    def _paint_overflow(self, painter: QPainter, whole: QRectF) -> None:
        if self.overflow_bytes:
            end = self._total * self._scale()
            hatch.paint(painter, QRectF(end, whole.top(), whole.right() - end, whole.height()), "overflow")

    def _paint_end(self, painter: QPainter, whole: QRectF) -> None:
        """The card's end, when something reaches past it."""
        if self.overflow_bytes:
            end = self._total * self._scale()
            painter.setPen(QPen(theme.colour("ink"), 3))
            painter.drawLine(QPointF(end, 0), QPointF(end, whole.bottom() + 3))

    def _paint_lit(self, painter: QPainter) -> None:
        end = QRectF(0, 0, min(self.width(), self._total * self._scale()), self.height())
        for part, area in self._areas():
            area = area.intersected(end)
            if part.tone == self._lit and not area.isEmpty():
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(QPen(theme.colour("ink"), 2))
                painter.drawRoundedRect(area.adjusted(1, 0, -1, 0), 2, 2)

    def _paint_free(self, painter: QPainter) -> None:
        """Under the bar a bracket from where free memory begins to the card's end, and how much it is."""
        if self._free is None:
            return
        begin, size = self._free
        left, right = begin * self._scale(), (begin + size) * self._scale()
        y = self._height + 10.0
        painter.setPen(QPen(theme.colour("muted"), 1))
        left, right = max(left, 0.5), min(right, self.width() - 0.5)
        for x in (left, right):
            painter.drawLine(QPointF(x, y - 4), QPointF(x, y))
        words = _("{size} free").format(size=gigabytes(size))
        font = QFont(self.font())
        font.setPixelSize(theme.SMALL)
        painter.setFont(font)
        room = painter.fontMetrics().horizontalAdvance(words) + 12
        if right - left < room + 16:
            painter.drawLine(QPointF(left, y), QPointF(right, y))
            place = QRectF(min(left, self.width() - room), y + 1, room, SCALE - 6)
        else:
            middle = (left + right) / 2
            painter.drawLine(QPointF(left, y), QPointF(middle - room / 2, y))
            painter.drawLine(QPointF(middle + room / 2, y), QPointF(right, y))
            place = QRectF(middle - room / 2, y - 8, room, 16)
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, words)
