"""A quiet offer above the page: a sentence, what can be done about it, and Later or another word for no."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout

from core.i18n import _
from gui.icons import Icon
from gui.widgets.buttons import button
from gui.widgets.text import label


class Notice(QFrame):
    """`accepted` when the user takes the offer, `closed` when it may go."""

    accepted = Signal()
    closed = Signal()

    def __init__(
        self, text: str, offer: str, name: str, icon: str = "info", later: str = "", kind: str = "primary"
    ) -> None:
        """`kind` is that of the button that accepts: "plain" where the page's own next step is the one to take."""
        super().__init__()
        self.setObjectName(f"{name}_notice")
        self.setProperty("role", "panel")
        self.setAccessibleName(text)
        inner = QHBoxLayout(self)
        inner.setContentsMargins(16, 8, 8, 8)
        inner.setSpacing(8)
        inner.addWidget(Icon(icon, "trouble" if icon == "trouble" else "accent"))
        inner.addWidget(label(text), 1)
        inner.addWidget(button(offer, name, self._accept, kind=kind))
        inner.addWidget(button(later or _("Later"), f"{name}_later", self.closed.emit, kind="quiet"))

    def _accept(self) -> None:
        self.closed.emit()
        self.accepted.emit()
