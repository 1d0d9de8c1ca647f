"""Answers that the merged model gave in other words than the adapter, side by side."""

from PySide6.QtWidgets import QVBoxLayout, QWidget

from core.i18n import _
from gui.widgets.bubble import Bubble
from gui.widgets.fold import Fold
from gui.widgets.text import clear, column, row


class DifferencesView(QWidget):
    """A fold that is only there when answers differ."""

    def __init__(self) -> None:
        super().__init__()
        self._answers = QVBoxLayout()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(Fold(_("Answers that differ"), "differences", self._answers))
        self.hide()

    def set(self, answers: object) -> None:
        """Show the rows of a merge's result that are not the same."""
        clear(self._answers)
        rows = answers if isinstance(answers, list) else []
        different = [found for found in rows if isinstance(found, dict) and not found.get("same")]
        for found in different:
            pair = row(
                Bubble("assistant", str(found.get("adapter", "")), who=_("Adapter"), indent=False),
                Bubble("assistant", str(found.get("merged", "")), who=_("Merged"), indent=False),
            )
            question = Bubble("user", str(found.get("question", "")), indent=False)
            self._answers.addLayout(column(question, pair))
        self.setVisible(bool(different))
