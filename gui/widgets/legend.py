"""The legend of a memory bar: each part's swatch, name and size; the arrow keys walk through what they mean."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QRectF, Qt, Signal
from PySide6.QtGui import QEnterEvent, QFocusEvent, QKeyEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QToolTip, QVBoxLayout, QWidget

from core.wording import gigabytes
from gui import theme
from gui.widgets import hatch
from gui.widgets.memory_bar import MemoryBar, Part
from gui.widgets.text import clear, label


class Swatch(QWidget):
    """A small square in a part's colour and hatch."""

    def __init__(self, tone: str) -> None:
        super().__init__()
        self._tone = tone
        self.setFixedSize(18, 14)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        outline = QPainterPath()
        outline.addRoundedRect(area, 2, 2)
        painter.setClipPath(outline)
        hatch.paint(painter, area, self._tone)
        painter.setClipping(False)
        painter.setPen(QPen(theme.colour("edge"), 1))
        painter.drawPath(outline)


class Entry(QWidget):
    """One line of the legend. `looked` carries its tone while mouse or keyboard is on it."""

    looked = Signal(str)
    moved = Signal(int)

    def __init__(self, part: Part) -> None:
        super().__init__()
        self.setObjectName(f"part_{part.tone}")
        self._name, self._size = label("", "muted", wrap=False), label("", wrap=False)
        inner = QHBoxLayout(self)
        inner.setContentsMargins(2, 1, 2, 1)
        inner.setSpacing(theme.GRID)
        inner.addWidget(Swatch(part.tone))
        inner.addWidget(self._name, 1)
        inner.addWidget(self._size)
        self.set(part)

    def set(self, part: Part) -> None:
        """Show another size of the same part."""
        self.part = part
        self._name.setText(part.name)
        self._size.setText(gigabytes(part.size_bytes))
        self.setToolTip(part.hint)
        self.setAccessibleName(f"{part.name} {gigabytes(part.size_bytes)}")
        self.setAccessibleDescription(part.hint)

    def enterEvent(self, event: QEnterEvent) -> None:
        self.looked.emit(self.part.tone)

    def leaveEvent(self, event: QEvent) -> None:
        self.looked.emit("")

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.looked.emit(self.part.tone)
        if event.reason() != Qt.FocusReason.MouseFocusReason:
            QToolTip.showText(self.mapToGlobal(QPoint(0, self.height() + 2)), self.part.words, self)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.looked.emit("")
        QToolTip.hideText()
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}
        if event.key() in steps:
            self.moved.emit(steps[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.hasFocus():
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(theme.colour("accent"), 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 4, 4)


class Legend(QWidget):
    """One stop for Tab; the arrow keys go from part to part and show what each one is."""

    looked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._entries: list[Entry] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)

    def follow(self, bar: MemoryBar) -> None:
        """Point at the part in the bar that mouse or keyboard is on here."""
        self.looked.connect(bar.light)

    def set(self, parts: Sequence[Part]) -> None:
        """Show `parts`; pieces of nothing are left out."""
        shown = [part for part in parts if part.size_bytes > 0]
        if [part.tone for part in shown] == [entry.part.tone for entry in self._entries]:
            for entry, part in zip(self._entries, shown, strict=True):
                entry.set(part)
            return
        place = next((n for n, entry in enumerate(self._entries) if entry.hasFocus()), None)
        clear(self._column)
        self._entries = [Entry(part) for part in shown]
        for entry in self._entries:
            entry.looked.connect(self.looked)
            entry.moved.connect(self._move)
            self._column.addWidget(entry)
        self._choose(min(place or 0, len(self._entries) - 1), focus=place is not None)

    def _choose(self, place: int, *, focus: bool) -> None:
        for n, entry in enumerate(self._entries):
            entry.setFocusPolicy(Qt.FocusPolicy.TabFocus if n == place else Qt.FocusPolicy.NoFocus)
            if focus and n == place:
                entry.setFocus(Qt.FocusReason.TabFocusReason)

    def _move(self, steps: int) -> None:
        now = next((n for n, entry in enumerate(self._entries) if entry.hasFocus()), 0)
        self._choose(min(max(now + steps, 0), len(self._entries) - 1), focus=True)
