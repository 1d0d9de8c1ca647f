"""A badge: an icon and a word that together say good, caution or trouble."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QWidget

from gui.icons import Icon
from gui.widgets.text import label

_ICONS = {"good": "done", "caution": "warning", "trouble": "trouble", "muted": "info"}


class Badge(QWidget):
    """Meaning as an icon in its colour, with the words beside it in ink."""

    def __init__(self, tone: str = "muted", text: str = "", *, wrap: bool = False, role: str = "body") -> None:
        super().__init__()
        self._icon = Icon(_ICONS[tone], tone, 16)
        self._label = label(text, role, wrap=wrap)
        inner = QHBoxLayout(self)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(6)
        top = Qt.AlignmentFlag.AlignTop if wrap else Qt.AlignmentFlag.AlignVCenter
        inner.addWidget(self._icon, 0, top)
        inner.addWidget(self._label, 1)

    def set(self, tone: str, text: str) -> None:
        """Show another meaning."""
        self._icon.set(_ICONS[tone], tone)
        self._label.setText(text)

    @property
    def text(self) -> str:
        return self._label.text()
