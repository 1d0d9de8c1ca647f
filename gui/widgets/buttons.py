"""Buttons by kind: primary, plain, quiet, chip, and the tile that holds a whole card."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from gui import theme
from gui.icons import set_icon


def button(
    text: str,
    name: str,
    clicked: Callable[[], None] | None = None,
    *,
    kind: str = "plain",
    icon: str = "",
    tip: str = "",
) -> QPushButton:
    """A push button with an object name, its action and an icon."""
    found = QPushButton(text)
    found.setObjectName(name)
    found.setProperty("kind", kind)
    found.setToolTip(tip)
    found.setCursor(Qt.CursorShape.PointingHandCursor)
    # a ring after every click would be noise: the ring belongs to the keyboard
    found.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    if icon:
        set_icon(found, icon, "on_accent" if kind == "primary" else "ink")
        found.setIconSize(QSize(18, 18))
    if clicked is not None:
        found.clicked.connect(lambda: clicked())
    return found


def primary(text: str, name: str, clicked: Callable[[], None] | None = None, *, icon: str = "") -> QPushButton:
    """The one obvious next step of a page."""
    return button(text, name, clicked, kind="primary", icon=icon)


def set_kind(found: QPushButton, kind: str, icon: str) -> None:
    """Make a button the obvious next step of a page, or take that away from it."""
    if found.property("kind") == kind:
        return
    found.setProperty("kind", kind)
    set_icon(found, icon, "on_accent" if kind == "primary" else "ink")
    found.style().unpolish(found)
    found.style().polish(found)


class Tile(QPushButton):
    """A card that is a button: the keyboard reaches it, and what is inside never swallows a click."""

    def __init__(self, name: str, inner: QLayout, *, checkable: bool = True, pad: int = 2 * theme.GRID) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setProperty("kind", "tile")
        self.setCheckable(checkable)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        frame = QHBoxLayout(self)
        frame.setContentsMargins(pad, pad - 4, pad, pad - 4)
        if isinstance(inner, QVBoxLayout):
            inner.addStretch(1)
        frame.addLayout(inner)
        for child in self.findChildren(QWidget):
            child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def sizeHint(self) -> QSize:
        inner = self.layout()
        return inner.sizeHint() if inner else super().sizeHint()

    def minimumSizeHint(self) -> QSize:
        inner = self.layout()
        return inner.minimumSize() if inner else super().minimumSizeHint()

    def hasHeightForWidth(self) -> bool:
        inner = self.layout()
        return bool(inner and inner.hasHeightForWidth())

    def heightForWidth(self, width: int) -> int:
        inner = self.layout()
        return inner.heightForWidth(width) if inner else -1


class Chip(QPushButton):
    """A short button that ends in an ellipsis where its words do not fit; the tool tip holds all of them."""

    def __init__(self, words: str, name: str) -> None:
        super().__init__()
        self._words = words
        self.setObjectName(name)
        self.setProperty("kind", "chip")
        self.setToolTip(words)
        self.setAccessibleName(words)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        room = self.width() - 30
        shown = self.fontMetrics().elidedText(self._words, Qt.TextElideMode.ElideRight, room)
        self.setText(shown.replace("&", "&&"))


class WheelGuard(QObject):
    """Keeps the mouse wheel from changing a closed field that has no focus; the page scrolls instead."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return False
