"""Notes of a run: what was worth telling, newest last, the same thing said once."""

from collections.abc import Sequence

from PySide6.QtWidgets import QVBoxLayout, QWidget

from core.events import Noted
from core.wording import note_words
from gui.icons import Icon
from gui.widgets.text import clear, label, row

#: Notes in sight.
MOST = 6


class NotesView(QWidget):
    """Draws notes as quiet lines."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("notes")
        self._shown: list[str] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)
        self.hide()

    def set(self, notes: Sequence[Noted]) -> None:
        """Show the newest notes that have words."""
        said = list(dict.fromkeys(text for note in notes if (text := note_words(note))))[-MOST:]
        if said == self._shown:
            return
        self._shown = said
        clear(self._column)
        for text in said:
            line = row(Icon("info", "muted", 16), label(text, "muted"))
            line.setStretch(1, 1)
            self._column.addLayout(line)
        self.setVisible(bool(said))
