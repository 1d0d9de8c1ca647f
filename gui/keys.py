"""What Return and Escape mean in a window that is no dialog: the next step, and back to the steps."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QWidget,
)

#: Where Return belongs to the field.
_TYPING = (QLineEdit, QAbstractSpinBox, QComboBox, QPlainTextEdit)


def pressed_return(event: QKeyEvent, focus: QWidget | None, chosen: QPushButton) -> bool:
    """Press the focused button, or `chosen`; False when the key is something else."""
    if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter) or isinstance(focus, _TYPING):
        return False
    target = focus if isinstance(focus, QAbstractButton) else chosen
    if target.isEnabled() and target.isVisible():
        target.click()
    return True


def pressed_escape(event: QKeyEvent, focus: QWidget | None) -> bool:
    """Whether the key leaves a page beside the steps; in a field it may only mean that the words are wrong."""
    return event.key() == Qt.Key.Key_Escape and not isinstance(focus, _TYPING)
