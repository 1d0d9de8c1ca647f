"""One field of the plan: its name, its recommended value, what the documents say of it, and a note when it warns."""

from collections.abc import Callable
from typing import Any

from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPushButton

from core.i18n import _
from gui.widgets.badge import Badge
from gui.widgets.buttons import button
from gui.widgets.fields import Choice, Real, Whole
from gui.widgets.text import Elided, label

Field = Whole | Real | Choice
#: Sentences in the tool tip; a click shows all of them.
FIRST = 4


class Line:
    """`hint` says what the field is, `rules` are sentences with their sources; "?" unfolds all of them under it."""

    def __init__(
        self, field: Field, words: str, hint: str, recommended: Callable[[Any], str], rules: tuple[str, ...] = ()
    ) -> None:
        self.field, self._recommended = field, recommended
        self.words = label(words, wrap=False)
        self.words.setBuddy(field)
        field.setMinimumWidth(144)
        field.setMaximumWidth(208)
        for part in (self.words, field):
            part.setToolTip(hint)
        field.setAccessibleDescription(hint)
        self.mark = Elided("")
        self.note = Badge("caution", wrap=True)
        known = (hint, *rules)
        self.rule = label("\n".join("· " + words for words in known), "small")
        self.ask = self._ask_button(field, known)
        self.note.hide()
        self.rule.hide()

    def _ask_button(self, field: Field, known: tuple[str, ...]) -> QPushButton:
        asked = button("?", f"why_{field.objectName()}", kind="ask", tip="\n".join(known[:FIRST]))
        asked.setCheckable(True)
        asked.setAccessibleName(_("What is known about: {field}").format(field=field.accessibleName()))
        asked.toggled.connect(self.rule.setVisible)
        return asked

    def show(self, value: Any, recommended: Any) -> None:
        """Show a value, and whether it is the recommended one."""
        self.field.set(value)
        same = value == recommended
        text = _("recommended") if same else _("recommended: {value}").format(value=self._recommended(recommended))
        self.mark.setText(text)

    def add_to(self, grid: QGridLayout) -> None:
        """Put the line at the end of a grid."""
        place = grid.rowCount()
        name = QHBoxLayout()
        name.setSpacing(6)
        name.addWidget(self.words)
        name.addWidget(self.ask)
        name.addStretch(1)
        grid.addLayout(name, place, 0)
        grid.addWidget(self.field, place, 1)
        grid.addWidget(self.mark, place, 2)
        grid.addWidget(self.note, place + 1, 1, 1, 2)
        grid.addWidget(self.rule, place + 2, 0, 1, 3)

    def say(self, text: str, tone: str = "caution") -> None:
        """Show a note under the field, or none."""
        self.note.set(tone, text)
        self.note.setVisible(bool(text))
