"""Plan for another card: type its name or its gigabytes, and choose."""

import contextlib

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QVBoxLayout

from core.cards import imagined, known_cards
from core.gpu import Card
from core.i18n import _, ngettext
from core.problems import Trouble
from gui.cards import named
from gui.widgets.buttons import button
from gui.widgets.text import clear, column, label, row

#: Cards in sight.
MOST = 8


class CardChooser(QFrame):
    """`chosen` carries the imagined Card."""

    chosen = Signal(object)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("card_chooser")
        self.setProperty("role", "panel")
        self.search = QLineEdit()
        self.search.setObjectName("other_card")
        self.search.setPlaceholderText(_("RTX 4090, or 24 GB"))
        self.search.setAccessibleName(_("Name or memory of the other card"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._fill)
        self.search.returnPressed.connect(self._take_first)
        self._list = QVBoxLayout()
        self._list.setSpacing(2)
        self._cards: list[Card] = []
        close = button(_("Cancel"), "cancel_other_card", self.closed.emit, kind="quiet")
        line = row(self.search, close)
        line.setStretch(0, 1)
        inner = column(label(_("Which card do you want to plan for?"), "strong"), line, self._list)
        inner.setContentsMargins(16, 12, 16, 12)
        self.setLayout(inner)

    def open(self) -> None:
        """Begin with an empty search."""
        self.search.clear()
        self._fill("")
        self.show()
        self.search.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)

    def _fill(self, text: str) -> None:
        clear(self._list)
        found = matching(text)
        self._cards = found[:MOST]
        for card in self._cards:
            made = button(named(card), f"plan_for_{card.name}", kind="choice", icon="chip")
            made.clicked.connect(lambda _on=False, c=card: self.chosen.emit(c))
            self._list.addWidget(made)
        more = len(found) - len(self._cards)
        if more:
            words = ngettext(
                "{n} more card: type on to narrow the list.", "{n} more cards: type on to narrow the list.", more
            )
            self._list.addWidget(label(words.format(n=more), "small"))
        if not self._cards:
            self._list.addWidget(label(_("No such card is known. Type its memory, such as “24 GB”."), "muted"))

    def _take_first(self) -> None:
        if self._cards:
            self.chosen.emit(self._cards[0])


def matching(text: str) -> list[Card]:
    """The cards that `text` may mean: what it says exactly first, then the known ones that hold all its words."""
    words = text.lower().split()
    found: list[Card] = []
    if words:
        # half a name is no card yet: the list below narrows with every letter
        with contextlib.suppress(Trouble):
            found.append(imagined(text.strip()))
    names = [known.name for known in known_cards() if all(word in known.name.lower() for word in words)]
    known = [imagined(name) for name in names]
    return [*found, *(card for card in known if card not in found)]
