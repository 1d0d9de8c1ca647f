"""Notes of a run: what happened to it first, then what else was worth telling; newest last, the same thing once."""

from collections.abc import Sequence

from PySide6.QtWidgets import QVBoxLayout, QWidget

from core.events import Noted
from core.wording import note_words
from gui.icons import Icon
from gui.widgets.text import clear, label, row

#: Notes in sight.
MOST = 6
#: What happened to a run, with its icon: such a note is not pushed out of sight by any number of others.
_HAPPENED = {
    **dict.fromkeys(("memory_stepped", "memory_smaller", "rolled_back", "card_lost", "checkpoint_damaged"), "warning"),
    **dict.fromkeys(("stopped_early", "best_kept", "probe_stepped"), "info"),
}


class NotesView(QWidget):
    """Draws notes as quiet lines."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("notes")
        self._shown: list[tuple[str, str]] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)
        self.hide()

    def set(self, notes: Sequence[Noted]) -> None:
        """Show the notes that have words: what happened to the run, and the newest others."""
        said = list(dict.fromkeys((note.code, text) for note in notes if (text := note_words(note))))
        happened = [each for each in said if each[0] in _HAPPENED][-MOST:]
        others = [each for each in said if each[0] not in _HAPPENED]
        said = happened + others[max(0, len(others) - MOST + len(happened)) :]
        if said == self._shown:
            return
        self._shown = said
        clear(self._column)
        for code, text in said:
            icon = _HAPPENED.get(code, "info")
            role = "body" if code in _HAPPENED else "muted"
            line = row(Icon(icon, "caution" if icon == "warning" else "muted", 16), label(text, role))
            line.setStretch(1, 1)
            self._column.addLayout(line)
        self.setVisible(bool(said))
