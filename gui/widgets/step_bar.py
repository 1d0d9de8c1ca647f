"""The rail: the steps of the wizard, which one is open, and what each finished one answered."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QEnterEvent, QFont, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QVBoxLayout, QWidget

from core.wizard import Step
from gui import theme
from gui.icons import pixmap

WIDTH = 208


@dataclass(frozen=True)
class Stop:
    """What the rail shows of one step."""

    step: Step
    title: str
    answer: str = ""
    done: bool = False
    current: bool = False
    open: bool = False


class StepButton(QAbstractButton):
    """One step of the rail: an icon, its title, and its answer in one muted line."""

    def __init__(self, stop: Stop) -> None:
        super().__init__()
        self._stop = stop
        self.setObjectName(f"step_{stop.step}")
        self.setFixedHeight(44)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.set(stop)

    def set(self, stop: Stop) -> None:
        """Show another state of the step."""
        self._stop = stop
        self.setEnabled(stop.open)
        self.setAccessibleName(stop.title)
        self.setAccessibleDescription(stop.answer)
        self.setToolTip(stop.answer)
        self.setCursor(Qt.CursorShape.PointingHandCursor if stop.open else Qt.CursorShape.ArrowCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus if stop.open else Qt.FocusPolicy.NoFocus)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(WIDTH - 16, 44)

    def enterEvent(self, event: QEnterEvent) -> None:
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_ground(painter)
        stop = self._stop
        icon = "current" if stop.current else "done" if stop.done else "circle"
        tone = "accent" if stop.current else "good" if stop.done else "edge"
        painter.drawPixmap(10, (self.height() - 18) // 2, pixmap(icon, tone, 18, self.devicePixelRatioF()))
        self._paint_words(painter)

    def _paint_ground(self, painter: QPainter) -> None:
        area = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.setPen(Qt.PenStyle.NoPen)
        if self._stop.current:
            painter.setBrush(theme.colour("wash"))
            painter.drawRoundedRect(area, 8, 8)
        elif self.underMouse() and self.isEnabled():
            painter.setBrush(theme.colour("sunken"))
            painter.drawRoundedRect(area, 8, 8)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            pen = painter.pen()
            pen.setStyle(Qt.PenStyle.SolidLine)
            pen.setColor(theme.colour("accent"))
            pen.setWidth(2)
            painter.setPen(pen)
            painter.drawRoundedRect(area, 8, 8)

    def _paint_words(self, painter: QPainter) -> None:
        stop, left = self._stop, 38
        width = self.width() - left - 8
        font = QFont(self.font())
        font.setPixelSize(theme.BODY)
        font.setWeight(QFont.Weight.DemiBold if stop.current else QFont.Weight.Normal)
        painter.setFont(font)
        painter.setPen(theme.colour("ink" if stop.open or stop.current else "muted"))
        middle = Qt.AlignmentFlag.AlignVCenter
        if not stop.answer:
            painter.drawText(left, 0, width, self.height(), middle, stop.title)
            return
        painter.drawText(left, 4, width, 20, middle, stop.title)
        font.setPixelSize(theme.SMALL)
        font.setWeight(QFont.Weight.Normal)
        painter.setFont(font)
        painter.setPen(theme.colour("muted"))
        shown = painter.fontMetrics().elidedText(stop.answer, Qt.TextElideMode.ElideRight, width)
        painter.drawText(left, 22, width, 18, middle, shown)


class StepBar(QWidget):
    """The column of steps; `chosen` carries the step that was clicked."""

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("rail")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedWidth(WIDTH)
        self._buttons: dict[Step, StepButton] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(8, 16, 8, 16)
        self._column.setSpacing(4)
        self._column.addStretch(1)

    def set(self, stops: Sequence[Stop]) -> None:
        """Show the steps."""
        for stop in stops:
            if stop.step in self._buttons:
                self._buttons[stop.step].set(stop)
            else:
                self._add(stop)

    def _add(self, stop: Stop) -> None:
        made = StepButton(stop)
        made.clicked.connect(lambda: self.chosen.emit(stop.step))
        self._buttons[stop.step] = made
        self._column.insertWidget(self._column.count() - 1, made)
