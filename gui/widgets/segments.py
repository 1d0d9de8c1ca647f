"""One of a few values as buttons side by side: all are in sight, one is on."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from gui.widgets.buttons import button


class Segments(QWidget):
    """`chosen` carries the value of the button that was pressed, unless it was on already."""

    chosen = Signal(object)

    def __init__(self, name: str, spoken: str, options: Sequence[tuple[Any, str, str]], value: Any) -> None:
        """`options` are (value, words, tip); buttons are named `name`_value."""
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(spoken)
        self.value = value
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        inner = QHBoxLayout(self)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(0)
        self._buttons = {}
        for place, (option, words, tip) in enumerate(options):
            kind = "left" if place == 0 else "right" if place == len(options) - 1 else "middle"
            made = button(words, f"{name}_{option}", kind=kind, tip=tip)
            made.setCheckable(True)
            made.setAccessibleName(f"{spoken}: {words}")
            made.setAccessibleDescription(tip)
            made.clicked.connect(lambda _on=False, one=option: self._choose(one))
            self._buttons[option] = made
            inner.addWidget(made)
        self.set(value)

    def set(self, value: Any) -> None:
        """Show a value without telling anybody."""
        self.value = value
        for option, made in self._buttons.items():
            made.setChecked(option == value)

    def _choose(self, value: Any) -> None:
        before = self.value
        self.set(value)
        if value != before:
            self.chosen.emit(value)
