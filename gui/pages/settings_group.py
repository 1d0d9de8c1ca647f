"""A group of settings: a title, and names with their fields in two columns."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLayout, QVBoxLayout, QWidget

from core.settings import Settings
from gui import theme
from gui.widgets.text import column, label, row

#: Width of the column with the names, of a usual field, and of a box before its words. Pixels.
NAMES, FIELD, INDENT = 148, 220, 26


class Group(QWidget):
    """Shows settings; `changed` carries those that the user changed, by their names."""

    changed = Signal(dict)

    def __init__(self, title: str, lead: str = "") -> None:
        super().__init__()
        outer = self.outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(16)
        self.heading = label(title, "lead", name="group_title")
        outer.addLayout(column(self.heading, label(lead, "muted"), spacing=4) if lead else column(self.heading))
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(24)
        self._grid.setVerticalSpacing(16)
        self._grid.setColumnStretch(1, 1)
        self._grid.setColumnMinimumWidth(0, NAMES)
        outer.addLayout(self._grid)

    def put(self, words: str, shown: QWidget | QLayout, *, buddy: QWidget | None = None, hint: str = "") -> None:
        """Add a row: a name, what it names, and below that what it means; Alt and a letter go to `buddy`."""
        name = label(words, wrap=False)
        field = buddy or (shown if isinstance(shown, QWidget) else None)
        if field is not None:
            name.setBuddy(field)
            name.setMinimumHeight(min(field.sizeHint().height(), 34))
        at = self._grid.rowCount()
        if isinstance(shown, QWidget) and shown.maximumWidth() < theme.COLUMN:
            # a narrow field begins where the others do
            shown = row(shown, None)
        self._grid.addWidget(name, at, 0, Qt.AlignmentFlag.AlignTop)
        self._grid.addLayout(column(shown, *([label(hint, "muted")] if hint else []), spacing=4), at, 1)

    def show_settings(self, settings: Settings) -> None:
        """Show these settings without telling anybody."""
