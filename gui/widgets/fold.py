"""A fold-out: one quiet line that opens to show more."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLayout, QVBoxLayout, QWidget

from gui import theme
from gui.icons import set_icon
from gui.widgets.buttons import button


class Fold(QWidget):
    """A heading button and a body that is hidden until it is opened."""

    toggled = Signal(bool)

    def __init__(self, text: str, name: str, body: QLayout) -> None:
        super().__init__()
        self.head = button(text, name, kind="fold", icon="chevron-right")
        self.head.setCheckable(True)
        self.head.toggled.connect(self._toggle)
        self.body = QWidget()
        self.body.setLayout(body)
        self.body.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.GRID)
        column.addWidget(self.head)
        column.addWidget(self.body)
        self.head.setSizePolicy(self.head.sizePolicy().Policy.Maximum, self.head.sizePolicy().Policy.Fixed)

    def open(self, shown: bool = True) -> None:
        """Open or close it."""
        self.head.setChecked(shown)

    def _toggle(self, shown: bool) -> None:
        set_icon(self.head, "chevron-down" if shown else "chevron-right")
        self.body.setVisible(shown)
        self.toggled.emit(shown)
