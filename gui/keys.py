"""What Return means in a window that is not a dialog: the focused button, else the page's next step."""

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
