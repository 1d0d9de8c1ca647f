"""A list of rows of any number: only those in sight are widgets, and only those are read."""

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from core.data.rows import Conversation

#: Positions of the scroll bar per row.
STEPS = 100
#: Pixels between two rows, and those that an arrow key or a turn of the wheel moves.
GAP, TURN = 12, 60


class Rows(Protocol):
    """What can be listed."""

    def __len__(self) -> int: ...

    def __getitem__(self, number: int) -> Conversation: ...


class RowList(QAbstractScrollArea):
    """Shows rows one under the other; `make` builds the widget of one. `moved` carries the topmost row's number."""

    moved = Signal(int)

    def __init__(self, make: Callable[[int, Conversation], QWidget], name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setAutoFillBackground(False)
        self._make = make
        self._rows: Rows = ()
        self._made: dict[int, QWidget] = {}
        self.verticalScrollBar().valueChanged.connect(self._place)

    def show_rows(self, rows: Rows) -> None:
        """Show other rows, from the first one on."""
        self._rows = rows
        for widget in self._made.values():
            self._drop(widget)
        self._made = {}
        bar = self.verticalScrollBar()
        bar.setRange(0, max(len(rows) - 1, 0) * STEPS)
        bar.setPageStep(STEPS)
        bar.setSingleStep(STEPS // 4)
        bar.setValue(0)
        self._place()

    def show_row(self, number: int) -> None:
        """Put a row to the top."""
        self.verticalScrollBar().setValue(max(0, min(number, len(self._rows) - 1)) * STEPS)

    @property
    def top(self) -> int:
        """The number of the topmost row in sight."""
        return self.verticalScrollBar().value() // STEPS

    @property
    def shown(self) -> tuple[int, ...]:
        """The numbers of the rows that are widgets now."""
        return tuple(sorted(self._made))

    def _place(self) -> None:
        """Lay out the rows in sight, build those that came into it, and let go of the others."""
        width, height = self.viewport().width(), max(self.viewport().height(), 1)
        top, share = divmod(self.verticalScrollBar().value(), STEPS)
        wanted: dict[int, QWidget] = {}
        y = 0
        for number in range(top, len(self._rows)):
            widget = self._made.get(number) or self._build(number)
            wanted[number] = widget
            tall = _height(widget, width)
            if number == top:
                y = -(tall + GAP) * share // STEPS
            widget.setGeometry(0, y, width, tall)
            widget.show()
            y += tall + GAP
            if y > height:
                break
        for number in self._made.keys() - wanted.keys():
            self._drop(self._made[number])
        self._made = wanted
        self.moved.emit(top)

    def _build(self, number: int) -> QWidget:
        widget = self._make(number, self._rows[number])
        widget.setParent(self.viewport())
        # the style has to be known before its height is asked for
        widget.ensurePolished()
        return widget

    @staticmethod
    def _drop(widget: QWidget) -> None:
        widget.hide()
        widget.deleteLater()

    def _move(self, pixels: float) -> None:
        """Move by pixels; a row's share of the scroll bar does not depend on its height."""
        value, left = self.verticalScrollBar().value(), pixels
        while left:
            row = min(value // STEPS, len(self._rows) - 1)
            widget = self._made.get(row - (left < 0 and value % STEPS == 0))
            tall = (widget.height() if widget else self.viewport().height()) + GAP
            step = round(left * STEPS / tall) or (1 if left > 0 else -1)
            border = (value // STEPS + 1) * STEPS if left > 0 else ((value - 1) // STEPS) * STEPS
            new = min(value + step, border) if left > 0 else max(value + step, border)
            left = left - (new - value) * tall / STEPS if new == border else 0
            value = new
            if not 0 < value < self.verticalScrollBar().maximum():
                break
        self.verticalScrollBar().setValue(value)

    def wheelEvent(self, event: QWheelEvent) -> None:
        turned = event.pixelDelta().y() or event.angleDelta().y() * TURN / 120
        bar = self.verticalScrollBar()
        if (turned > 0 and bar.value() == 0) or (turned < 0 and bar.value() == bar.maximum()):
            event.ignore()  # at its end the page scrolls
            return
        self._move(-turned)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        page = max(self.viewport().height() - TURN, TURN)
        ways = {
            Qt.Key.Key_Down: TURN, Qt.Key.Key_Up: -TURN, Qt.Key.Key_PageDown: page, Qt.Key.Key_PageUp: -page,
        }  # fmt: skip
        if event.key() in ways:
            self._move(ways[Qt.Key(event.key())])
        elif event.key() in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self.show_row(0 if event.key() == Qt.Key.Key_Home else len(self._rows) - 1)
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.FontChange):
            self._place()


def _height(widget: QWidget, width: int) -> int:
    layout = widget.layout()
    if layout is not None and layout.hasHeightForWidth():
        return layout.totalHeightForWidth(width)
    return widget.sizeHint().height()
