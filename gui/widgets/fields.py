"""Number and choice fields that the mouse wheel cannot change by accident."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QSpinBox, QWidget

from gui.widgets.buttons import WheelGuard

#: The style sheet's padding does not reach the line inside a spin box.
INSET = (8, 0, 0, 0)


def _guard(field: QWidget, name: str, spoken: str) -> None:
    field.setObjectName(name)
    field.setAccessibleName(spoken)
    field.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    field.installEventFilter(WheelGuard(field))


class Whole(QSpinBox):
    """A whole number; `values` makes the arrows step through a list such as 4, 8, 16, `lowest` is said for `low`."""

    def __init__(
        self, name: str, spoken: str, low: int, high: int, values: Sequence[int] = (), *, lowest: str = ""
    ) -> None:
        super().__init__()
        _guard(self, name, spoken)
        self._values = tuple(values)
        self.setRange(low, high)
        self.setKeyboardTracking(False)
        self.lineEdit().setTextMargins(*INSET)
        self.setGroupSeparatorShown(high > 9999 and name != "seed")
        self.setSpecialValueText(lowest)

    def set(self, value: int) -> None:
        """Show a value without telling anybody."""
        with QSignalBlocker(self):
            self.setValue(value)

    def stepBy(self, steps: int) -> None:
        if not self._values:
            super().stepBy(steps)
            return
        for _ in range(abs(steps)):
            self.setValue(self._next(steps > 0))

    def _next(self, up: bool) -> int:
        if up:
            return next((v for v in self._values if v > self.value()), self._values[-1])
        return next((v for v in reversed(self._values) if v < self.value()), self._values[0])


class Real(QDoubleSpinBox):
    """A number with decimals, without trailing zeros; `small` writes it as 2e-4, `lowest` is said for `low`."""

    def __init__(
        self, name: str, spoken: str, low: float, high: float, step: float, *, small: bool = False, lowest: str = ""
    ) -> None:
        super().__init__()
        _guard(self, name, spoken)
        self._small = small
        self.setDecimals(9 if small else 3)
        self.setRange(low, high)
        self.setSingleStep(step)
        self.setSpecialValueText(lowest)
        self.setKeyboardTracking(False)
        self.lineEdit().setTextMargins(*INSET)

    def set(self, value: float) -> None:
        """Show a value without telling anybody."""
        with QSignalBlocker(self):
            self.setValue(value)

    def textFromValue(self, value: float) -> str:
        return short(value, small=self._small)

    def valueFromText(self, text: str) -> float:
        try:
            return float(text.replace(",", "."))
        except ValueError:
            return self.value()

    def validate(self, text: str, position: int) -> Any:
        from PySide6.QtGui import QValidator

        try:
            inside = self.minimum() <= float(text.replace(",", ".")) <= self.maximum()
        except ValueError:
            inside = False
        state = QValidator.State.Acceptable if inside else QValidator.State.Intermediate
        return state, text, position


def short(value: float, *, small: bool = False) -> str:
    """`value` with no more digits than it needs; `small` prefers 2e-4 over 0.0002."""
    if small and value:
        mantissa, exponent = f"{value:.3e}".split("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    return f"{value:.3f}".rstrip("0").rstrip(".")


class Choice(QComboBox):
    """One of a few values, each with its words."""

    def __init__(self, name: str, spoken: str, options: Sequence[tuple[Any, str]]) -> None:
        super().__init__()
        _guard(self, name, spoken)
        # Qt gives texts back as plain ones: an enumeration would lose its kind
        self._values: list[Any] = []
        for value, words in options:
            self._add(words, value)

    def _add(self, words: str, value: Any) -> None:
        self._values.append(value)
        self.addItem(words, value)

    def set(self, value: Any) -> None:
        """Show a value without telling anybody; one that is not on the list is added."""
        with QSignalBlocker(self):
            self.offer(value, str(value))
            self.setCurrentIndex(self.findData(value))

    def offer(self, value: Any, words: str) -> None:
        """Put a value on the list that may not be there yet."""
        if self.findData(value) < 0:
            self._add(words, value)

    @property
    def value(self) -> Any:
        return self._values[self.currentIndex()] if self.currentIndex() >= 0 else None
