"""Labels by role, and rows and columns of them; the style sheet knows what a role looks like."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLayout, QSizePolicy, QVBoxLayout, QWidget

from gui import theme


def label(text: str = "", role: str = "body", *, wrap: bool = True, name: str = "") -> QLabel:
    """A label in a role; text is plain, so nothing that a file or a model says becomes markup."""
    found = QLabel(text)
    found.setTextFormat(Qt.TextFormat.PlainText)
    found.setProperty("role", role)
    found.setWordWrap(wrap)
    found.setObjectName(name)
    if role in ("number", "strong", "title"):
        found.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
    return found


def line() -> QFrame:
    """A hairline across the page."""
    found = QFrame()
    found.setProperty("role", "line")
    found.setFixedHeight(1)
    return found


def panel(
    role: str = "panel", *, margin: int = 2 * theme.GRID, spacing: int = theme.GRID
) -> tuple[QFrame, QVBoxLayout]:
    """A surface with rounded corners, and the column inside it."""
    frame = QFrame()
    frame.setProperty("role", role)
    column = QVBoxLayout(frame)
    column.setContentsMargins(margin, margin, margin, margin)
    column.setSpacing(spacing)
    return frame, column


def row(*parts: QWidget | QLayout | int | None, spacing: int = theme.GRID) -> QHBoxLayout:
    """Parts side by side; a number is a gap in pixels, None takes the space that is left."""
    found = QHBoxLayout()
    found.setContentsMargins(0, 0, 0, 0)
    found.setSpacing(spacing)
    for part in parts:
        if part is None:
            found.addStretch(1)
        elif isinstance(part, int):
            found.addSpacing(part)
        elif isinstance(part, QLayout):
            found.addLayout(part)
        else:
            found.addWidget(part)
    return found


def column(*parts: QWidget | QLayout, spacing: int = theme.GRID) -> QVBoxLayout:
    """Parts one under the other."""
    found = QVBoxLayout()
    found.setContentsMargins(0, 0, 0, 0)
    found.setSpacing(spacing)
    for part in parts:
        if isinstance(part, QLayout):
            found.addLayout(part)
        else:
            found.addWidget(part)
    return found


def clear(layout: QLayout) -> None:
    """Take everything out of a layout and delete it."""
    while (item := layout.takeAt(0)) is not None:
        inner, widget = item.layout(), item.widget()
        if widget is not None:
            widget.hide()
            widget.setParent(None)
            widget.deleteLater()
        elif inner is not None:
            clear(inner)


class Elided(QLabel):
    """One line that ends in an ellipsis where there is no room; the tool tip holds all of it."""

    def __init__(
        self, text: str = "", role: str = "small", mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight
    ) -> None:
        super().__init__()
        self._mode = mode
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", role)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setText(text)

    def setText(self, text: str) -> None:
        super().setText(text)
        self.setToolTip(text)

    def minimumSizeHint(self) -> QSize:
        return QSize(40, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        shown = self.fontMetrics().elidedText(self.text(), self._mode, self.width())
        painter.drawText(self.rect(), self.alignment() | Qt.TextFlag.TextSingleLine, shown)
