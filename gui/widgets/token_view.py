"""A row as its tokens: which are trained, which are only read, which are marks, and which are cut off."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

from PySide6.QtCore import QEvent, QLineF, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QToolTip, QWidget

from core.i18n import N_, _
from core.tokens import TokenPiece
from core.wording import count
from gui import theme
from gui.widgets.hatch import strokes

#: Kind → its name and what it means for the training.
KINDS: dict[str, tuple[str, str]] = {
    "trained": (N_("Trained"), N_("The model learns to write this.")),
    "context": (N_("Context"), N_("The model reads this and does not learn to write it.")),
    "special": (N_("Mark"), N_("A mark of the chat template.")),
    "truncated": (N_("Cut off"), N_("Beyond the longest sequence: the model never sees this.")),
}
_PAD, _GAP, _LINE = 3, 2, 26


def visible(text: str) -> str:
    """A token's text with what cannot be seen made visible."""
    return text.replace("\r", "␍").replace("\n", "⏎").replace("\t", "⇥") or "∅"


def kind_words(kind: str) -> tuple[str, str]:
    """The name of a kind and its meaning."""
    name, meaning = KINDS.get(kind, KINDS["context"])
    return _(name), _(meaning)


def paint_token(painter: QPainter, box: QRectF, kind: str, *, special: bool = False) -> None:
    """Draw what tells a kind apart: a ground with a bar below it, a frame, a hatch, dots; never colour alone."""
    if kind == "trained":
        painter.fillRect(box, theme.colour("wash"))
        painter.fillRect(QRectF(box.left(), box.bottom() - 2.5, box.width(), 2.5), theme.colour("accent"))
    if special or kind == "special":
        painter.setPen(QPen(theme.colour("muted"), 1))
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
    if kind == "truncated":
        painter.save()
        painter.setClipRect(box)
        painter.setPen(QPen(theme.colour("edge"), 1))
        strokes(painter, box, "/")
        painter.restore()
        painter.setPen(QPen(theme.colour("caution"), 1.5))
        painter.drawLine(QLineF(box.left(), box.center().y(), box.right(), box.center().y()))


class TokenSample(QWidget):
    """A small sample of a kind for the legend."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self._kind = kind
        self.setFixedSize(22, 16)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_token(painter, QRectF(self.rect()), self._kind)
        if self._kind == "context":
            painter.setPen(theme.colour("ink"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "abc")


class TokenView(QAbstractScrollArea):
    """Draws tokens in lines; `pointed` carries the number of the token under the mouse or the cursor, -1 for none."""

    pointed = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("token_view")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        self.viewport().setAutoFillBackground(False)
        self.setAccessibleName(_("Tokens of the row"))
        self.tokens: tuple[TokenPiece, ...] = ()
        self._boxes: list[QRect] = []
        self._tops: list[int] = []
        #: Tokens before each piece: a piece may be several.
        self._before: list[int] = []
        self.at = -1

    def sizeHint(self) -> QSize:
        return QSize(360, 240)

    def show_tokens(self, tokens: Sequence[TokenPiece]) -> None:
        """Show another row."""
        self.tokens, self.at = tuple(tokens), -1
        self._before = [0, *accumulate(len(token.ids) for token in tokens)]
        self._lay_out()
        self.verticalScrollBar().setValue(0)

    def _lay_out(self) -> None:
        metrics, width = QFontMetrics(self.font()), max(self.viewport().width(), 40)
        x, y = 0, 4
        self._boxes = []
        for token in self.tokens:
            wide = min(max(metrics.horizontalAdvance(visible(token.text)), 6) + 2 * _PAD, width)
            if x and x + wide > width:
                x, y = 0, y + _LINE
            self._boxes.append(QRect(x, y, wide, _LINE - 5))
            x += wide + _GAP
            if "\n" in token.text:
                x, y = 0, y + _LINE
        self._tops = [box.top() for box in self._boxes]
        bar, tall = self.verticalScrollBar(), y + _LINE if self.tokens else 0
        bar.setRange(0, max(0, tall - self.viewport().height()))
        bar.setPageStep(self.viewport().height())
        bar.setSingleStep(_LINE)
        self.viewport().update()

    def token_at(self, point: QPoint) -> int:
        """The number of the token at a point of the viewport, -1 for none."""
        point = QPoint(point.x(), point.y() + self.verticalScrollBar().value())
        first = bisect_left(self._tops, point.y() - _LINE)
        last = bisect_right(self._tops, point.y())
        return next((n for n in range(first, last) if self._boxes[n].contains(point)), -1)

    def words(self, number: int) -> str:
        """What a token is, in one line."""
        if not 0 <= number < len(self.tokens):
            return ""
        token = self.tokens[number]
        name, meaning = kind_words(token.kind)
        if token.special and token.kind == "trained":
            meaning = _("A mark of the chat template that the model learns to write.")
        place = _("Token {n}: “{text}”, id {id}").format(
            n=count(self._before[number] + 1), text=visible(token.text), id=", ".join(map(str, token.ids))
        )
        return f"{place} · {name} – {meaning}"

    def point_at(self, number: int) -> None:
        """Put the cursor on a token and bring it into sight."""
        if not self.tokens:
            return
        self.at = max(0, min(number, len(self.tokens) - 1))
        box, bar = self._boxes[self.at], self.verticalScrollBar()
        if box.top() < bar.value():
            bar.setValue(box.top() - 4)
        elif box.bottom() > bar.value() + self.viewport().height():
            bar.setValue(box.bottom() + 4 - self.viewport().height())
        self.setAccessibleDescription(self.words(self.at))
        self.pointed.emit(self.at)
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        top = self.verticalScrollBar().value()
        first = bisect_left(self._tops, top - _LINE)
        last = bisect_right(self._tops, top + self.viewport().height())
        metrics = QFontMetrics(self.font())
        for number in range(first, last):
            token, box = self.tokens[number], QRectF(self._boxes[number]).translated(0, -top)
            paint_token(painter, box, token.kind, special=token.special and token.kind != "truncated")
            painter.setPen(theme.colour("ink" if token.kind in ("trained", "context") else "muted"))
            text = metrics.elidedText(visible(token.text), Qt.TextElideMode.ElideRight, int(box.width()))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
            if number == self.at:
                painter.setPen(QPen(theme.colour("accent"), 2))
                painter.drawRoundedRect(box.adjusted(-1, -1, 1, 1), 4, 4)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self.words(self.token_at(event.pos())), self)
            return True
        if event.type() == QEvent.Type.MouseMove and isinstance(event, QMouseEvent):
            self.pointed.emit(self.token_at(event.position().toPoint()))
        elif event.type() == QEvent.Type.Leave:
            self.pointed.emit(self.at)
        return super().viewportEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        found = self.token_at(event.position().toPoint())
        if found >= 0:
            self.point_at(found)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        ways = {Qt.Key.Key_Right: self.at + 1, Qt.Key.Key_Left: self.at - 1, Qt.Key.Key_Home: 0}
        ways[Qt.Key.Key_End] = len(self.tokens) - 1
        if self.tokens and event.key() in ways:
            self.point_at(ways[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)
