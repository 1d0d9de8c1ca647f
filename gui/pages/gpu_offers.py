"""Other ways than the suggested one: safer, faster, bigger, more precise; one click takes it."""

import math
from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from core.fit import Constants
from core.i18n import _
from core.plan import TrainingPlan
from core.recommend import Recommendation
from core.speed import recomputing
from core.wording import about, method_words, reason_words
from gui.widgets.buttons import Tile
from gui.widgets.text import clear, column, label

#: The tier of a recommendation that needs no card.
PRACTICE = "practice"
#: Tiles side by side.
ACROSS = 2


class Offers(QWidget):
    """`taken` carries the Recommendation that was chosen instead."""

    taken = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("offers")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self.hide()

    def show_offers(self, advice: Recommendation | None, constants: Constants) -> None:
        """Show what else fits the card."""
        clear(self._column)
        offers = advice.alternatives if advice else ()
        self.setVisible(bool(offers))
        if not offers:
            return
        self._column.addWidget(label(_("Other ways"), "strong"))
        grid = QGridLayout()
        grid.setSpacing(8)
        for place, offer in enumerate(offers):
            grid.addWidget(self._tile(offer, constants), place // ACROSS, place % ACROSS)
        for place in range(ACROSS):
            grid.setColumnStretch(place, 1)
        self._column.addLayout(grid)

    def _tile(self, offer: Recommendation, constants: Constants) -> Tile:
        needed = offer.estimate.total_bytes
        title = f"{offer_words(offer)}: {offer.model.title}"
        size = "" if offer.tier == PRACTICE else about(needed, constants.band_bytes(needed))
        facts = " · ".join(part for part in (method_words(offer.method), size, speed_words(offer)) if part)
        lines = column(label(title, "strong"), label(facts, "muted"), spacing=2)
        note = quality_words(offer)
        if note:
            lines.addWidget(label(note, "small"))
        tile = Tile(f"offer_{offer.model.id}_{offer.method}", lines, checkable=False)
        tile.setAccessibleName(title)
        tile.setAccessibleDescription(f"{facts}. {note}")
        tile.clicked.connect(lambda: self.taken.emit(offer))
        return tile


def kind_of(offer: Recommendation) -> str:
    """What speaks for an alternative ("safer", "faster", "bigger", "preciser"), empty for the first suggestion."""
    code = str(offer.reasons[0].code) if offer.reasons else ""
    return code.removeprefix("alternative_") if code.startswith("alternative_") else ""


def offer_words(offer: Recommendation) -> str:
    """What speaks for an alternative, in a word or two."""
    if offer.tier == PRACTICE:
        return _("Practice mode")
    return {
        "safer": _("More room"), "faster": _("Faster"), "bigger": _("Knows more"), "preciser": _("More exact"),
    }.get(kind_of(offer), _("First suggestion"))  # fmt: skip


def speed_words(offer: Recommendation) -> str:
    """How fast it is against the first suggestion; empty where that is the same."""
    if not kind_of(offer) or abs(offer.speed - 1) < 0.05:
        return ""
    return _("about {factor}× the tokens a second").format(factor=f"{offer.speed:.1f}")


def quality_words(offer: Recommendation) -> str:
    """What it does to the result."""
    notes = [reason_words(reason) for reason in offer.reasons if str(reason.code).startswith("quality_")]
    return " ".join(notes)


def take(advice: Recommendation, offer: Recommendation) -> Recommendation:
    """The alternative in the place of the suggestion, which becomes one of its alternatives."""
    before = replace(advice, alternatives=())
    others = tuple(other for other in advice.alternatives if not _same(other, offer))
    first = tuple(one for one in (before, *others) if not kind_of(one))
    rest = tuple(one for one in (before, *others) if kind_of(one))
    return replace(offer, alternatives=first + rest)


def retaken(fresh: Recommendation, taken: Recommendation | None) -> Recommendation:
    """A fresh recommendation with the alternative that was taken before, if it is still on offer."""
    if taken is None or not kind_of(taken):
        return fresh
    offer = next((other for other in fresh.alternatives if _same(other, taken)), None)
    return take(fresh, offer) if offer else fresh


def shaped(plan: TrainingPlan, advice: Recommendation | None) -> TrainingPlan:
    """The plan in the shape of the alternative with more room, when that was taken for this model and method."""
    if advice is None or kind_of(advice) != "safer" or (plan.model, plan.method) != (advice.model.id, advice.method):
        return plan
    shape = advice.plan
    # the alternative was made for the usual length: with longer rows the plan may recompute more already
    batch = math.gcd(min(plan.batch, shape.batch), plan.effective_batch)
    recomputed = max(plan, shape, key=recomputing).checkpointing
    return replace(plan, batch=batch, accumulation=plan.effective_batch // batch, checkpointing=recomputed)


def _same(one: Recommendation, other: Recommendation) -> bool:
    """Whether two ways are the same offer, whatever the free memory made of its micro-batch."""
    return (one.model.id, one.method, kind_of(one)) == (other.model.id, other.method, kind_of(other))
