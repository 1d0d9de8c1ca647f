"""What a person does with the window: look for a thing by name, click it, type into it, wait."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractSpinBox, QLabel, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from gui.main_window import MainWindow

MINUTE = 60_000


class Person:
    """Uses the window through mouse and keyboard events only."""

    def __init__(self, window: MainWindow, qtbot: QtBot) -> None:
        self._window, self._qtbot = window, qtbot

    def sees(self, name: str) -> bool:
        """Whether a thing of that name can be seen."""
        return any(w.isVisible() for w in self._window.findChildren(QWidget, name))

    def find(self, name: str) -> Any:
        """The visible thing of that name."""
        seen = [w for w in self._window.findChildren(QWidget, name) if w.isVisible()]
        assert seen, f"nothing called {name} can be seen"
        return seen[0]

    def waits_for(self, what: Callable[[], bool], minutes: float = 1.0) -> None:
        """Wait until something is true; the window goes on living."""
        self._qtbot.waitUntil(what, timeout=int(minutes * MINUTE))

    def waits_to_see(self, name: str, minutes: float = 1.0) -> None:
        """Wait until a thing can be seen and used."""
        self.waits_for(lambda: self.sees(name) and self.find(name).isEnabled(), minutes)

    def clicks(self, name: str) -> None:
        """Scroll to a thing and click into its middle with the mouse; hidden or disabled things fail."""
        self.waits_to_see(name)
        target = self.find(name)
        _scroll_to(target)
        self._qtbot.mouseClick(target, Qt.MouseButton.LeftButton, pos=QPoint(target.width() // 2, target.height() // 2))

    def types(self, name: str, text: str) -> None:
        """Click into a field, replace what is there, leave it with Tab."""
        self.clicks(name)
        field = self.find(name)
        QTest.keySequence(field, QKeySequence(QKeySequence.StandardKey.SelectAll))
        self._qtbot.keyClicks(field, text)
        if isinstance(field, QAbstractSpinBox):
            self._qtbot.keyClick(field, Qt.Key.Key_Tab)

    def presses(self, key: Qt.Key) -> None:
        """Press a key wherever the keyboard's place is."""
        self._qtbot.keyClick(self._window.focusWidget() or self._window, key)

    def reads(self, name: str) -> str:
        """All text of a thing."""
        thing = self.find(name)
        own = thing.text() if callable(getattr(thing, "text", None)) else ""
        return "\n".join([own, *(w.text() for w in thing.findChildren(QLabel))])


def _scroll_to(target: QWidget) -> None:
    parent = target.parentWidget()
    while parent is not None:
        if isinstance(parent, QScrollArea):
            parent.ensureWidgetVisible(target)
        parent = parent.parentWidget()
