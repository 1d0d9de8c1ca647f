"""What the GPU page shows beside a card: a driver that fails, practice mode, and several cards to choose from."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QLayout, QVBoxLayout, QWidget

from core.gpu import Card
from core.i18n import _
from core.problems import Problem
from core.recommend import Recommendation
from core.wording import Action, gigabytes
from gui.cards import named
from gui.widgets.buttons import Tile, button
from gui.widgets.problem_card import ProblemCard
from gui.widgets.text import column, label, panel


def problem_card(problem: Problem, again: Callable[[], None], practise: Callable[[], None]) -> ProblemCard:
    """Why no card could be read, and what to do instead."""
    card = ProblemCard(problem, actions=frozenset({Action.GET_DRIVER, Action.RETRY, Action.PRACTICE}))
    card.add(button(_("Look again"), "look_again", again))
    card.add(button(_("Practise without a card"), "practise", practise))
    return card


def practice_panel(buttons: QLayout) -> QFrame:
    """What a computer without a card can do."""
    frame, inner = panel(margin=24)
    inner.addWidget(label(_("Practice mode"), "number", wrap=False))
    words = _(
        "No NVIDIA card found: practice mode on the processor with the starter model. Everything works, only slower."
    )
    hint = _("A small model learns your data in minutes, so you can try every step.")
    inner.addWidget(label(words, "lead"))
    inner.addWidget(label(hint, "muted"))
    inner.addSpacing(8)
    inner.addLayout(buttons)
    return frame


class CardTiles(QWidget):
    """Several cards, each a tile; `chosen` carries the Card and its Recommendation."""

    chosen = Signal(object, object)

    def __init__(self, found: Sequence[tuple[Card, Recommendation]], now: Card) -> None:
        super().__init__()
        tiles = QVBoxLayout(self)
        tiles.setContentsMargins(0, 0, 0, 0)
        tiles.setSpacing(8)
        for card, advice in found:
            words = _("{free} of {total} free").format(
                free=gigabytes(card.free_bytes), total=gigabytes(card.total_bytes)
            )
            tile = Tile(f"card_{card.index}", column(label(named(card), "strong"), label(words, "muted"), spacing=2))
            tile.setAccessibleName(f"{named(card)}, {words}")
            tile.setChecked(card.index == now.index)
            tile.clicked.connect(lambda _on=False, c=card, a=advice: self.chosen.emit(c, a))
            tiles.addWidget(tile)
