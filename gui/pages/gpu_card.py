"""One card on the GPU page: its free memory, who uses it, what fits, and what to close for more."""

from collections.abc import Sequence

from PySide6.QtWidgets import QVBoxLayout, QWidget

from core.fit import Constants
from core.gpu import Card, Reading, to_close
from core.i18n import _
from core.reasons import Reason, ReasonCode
from core.recommend import Recommendation
from core.tiers import card_gb, reserve_bytes
from core.wording import (
    about,
    card_notes,
    close_words,
    gigabytes,
    live_words,
    method_words,
    part_hint,
    part_words,
    sourced_words,
    technical_words,
)
from gui.cards import advised_when_closed
from gui.pages.gpu_offers import kind_of
from gui.widgets.badge import Badge
from gui.widgets.legend import Legend
from gui.widgets.memory_bar import MemoryBar, Part
from gui.widgets.text import label, line, panel, row

#: Tones of the programs that are named, largest first.
_TONES = ("program_a", "program_b", "program_c", "program_d")


class CardView(QWidget):
    """Shows a card with what is suggested for it; `below` is where the page puts its buttons."""

    def __init__(self, card: Card, advice: Recommendation | None, goal: str, constants: Constants) -> None:
        super().__init__()
        self._card = card
        frame, inner = panel(margin=24)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        self.live = label("", "muted", wrap=False, name="card_live")
        inner.addLayout(row(label(box_name(card), "strong", wrap=False, name="card_name"), None, self.live))
        self.number = label("", "number", wrap=False, name="free_memory")
        self._beside = label("", "muted", wrap=False)
        inner.addLayout(row(self.number, self._beside, None, spacing=10))
        self.bar, self.legend = MemoryBar(), Legend()
        self.legend.follow(self.bar)
        self.legend.setMaximumWidth(440)
        inner.addWidget(self.bar)
        inner.addWidget(self.legend)
        for note in card_notes(card):
            inner.addWidget(Badge("muted", note, wrap=True))
        self.technical = label(technical_words(card), "small", name="card_technical")
        inner.addWidget(self.technical)
        inner.addSpacing(4)
        inner.addWidget(line())
        inner.addSpacing(4)
        if advice is not None:
            self._add_advice(inner, advice, goal, constants)
        self._show_memory(advice)
        self.show_reading(None)
        self.below = QVBoxLayout()
        self.below.setSpacing(12)
        inner.addSpacing(4)
        inner.addLayout(self.below)

    def _add_advice(self, inner: QVBoxLayout, advice: Recommendation, goal: str, constants: Constants) -> None:
        card = self._card
        for reason in (*advice.reasons[:1], *steps_down(advice.reasons)):
            inner.addWidget(label(sourced_words(reason), "muted"))
        inner.addWidget(label(suggestion_words(advice, card, constants), "lead", name="suggestion"))
        inner.addWidget(fit_badge(advice.fits))
        hint = close_hint(card, advice, goal)
        if hint:
            close = Badge("muted", hint, wrap=True)
            close.setObjectName("close_these")
            inner.addWidget(close)

    def _show_memory(self, advice: Recommendation | None) -> None:
        card = self._card
        parts = program_parts(card)
        if advice is not None:
            name = _("Suggested: {model}").format(model=advice.model.title)
            hint = _("What the suggested model needs at most while it learns.")
            parts.append(Part(name, advice.estimate.total_bytes, "weights", hint))
        left = card.total_bytes - sum(part.size_bytes for part in parts)
        rest = Part(part_words("headroom"), left, "headroom", part_hint("headroom"))
        over = Part(part_words("overflow"), -left, "overflow", part_hint("overflow"))
        self.bar.set(parts, card.total_bytes, (card.used_bytes, card.free_bytes))
        self.legend.set([*parts, rest, over])

    def show_reading(self, reading: Reading | None) -> None:
        """Show live values; without a reading those of the moment when the card was looked for."""
        card, now = self._card, reading or self._card
        free = card.free_bytes if reading is None else max(reading.total_bytes - reading.used_bytes, 0)
        self.number.setText(gigabytes(free))
        words = _("all of it free") if card.imagined else _("of {total} free now")
        self._beside.setText(words.format(total=gigabytes(card.total_bytes)))
        self._beside.setToolTip(_("The box counts in GiB, SoloTune in GB: 12 GiB are 12.9 GB."))
        self.live.setText(live_words(now.temperature, now.power_watts, card.power_limit_watts, now.utilisation))


def box_name(card: Card) -> str:
    """The card's name with the number on its box, unless the name says it already."""
    size = card_gb(card.total_bytes)
    return card.name if f"{size}gb" in card.name.replace(" ", "").lower() else f"{card.name} · {size} GB"


def suggestion_words(advice: Recommendation, card: Card, constants: Constants) -> str:
    """What is suggested, and how it stands against the free memory."""
    chosen = _("Your choice: {model} with {method}. It needs about {needed} of {free} free.")
    words = _("Suggested: {model} with {method}. It needs about {needed} of {free} free.")
    needed = advice.estimate.total_bytes
    return (chosen if kind_of(advice) else words).format(
        model=advice.model.title,
        method=method_words(advice.method),
        needed=about(needed, constants.band_bytes(needed)),
        free=gigabytes(card.free_bytes),
    )


def close_hint(card: Card, advice: Recommendation, goal: str) -> str:
    """Which programs to close for a larger model or a more exact method; empty when that changes nothing."""
    best = None if kind_of(advice) else advised_when_closed(card, advice, goal)
    if best is None:
        return ""
    programs = to_close(card, best.estimate.total_bytes + reserve_bytes() - card.free_bytes)
    if not programs:
        return ""
    then = _("Then {model} with {method} fits.").format(model=best.model.title, method=method_words(best.method))
    return f"{close_words(programs)} {then}"


def program_parts(card: Card) -> list[Part]:
    """Who uses the card: the four largest programs by name, the rest together."""
    named = [p for p in card.processes if p.used_bytes]
    named.sort(key=lambda p: -(p.used_bytes or 0))
    hint = _("A program that holds memory of the card now.")
    parts = [
        Part(p.name or _("Unnamed program"), p.used_bytes or 0, tone, hint)
        for p, tone in zip(named, _TONES, strict=False)
    ]
    rest = card.used_bytes - sum(part.size_bytes for part in parts)
    if rest > 0:
        parts.append(Part(_("Other programs and the driver"), rest, "others", part_hint("others")))
    return parts


def fit_badge(fits: bool) -> Badge:
    """Whether something fits, as an icon and a word."""
    return Badge("good", _("It fits")) if fits else Badge("caution", _("It does not fit as it is"))


def steps_down(reasons: Sequence[Reason]) -> list[Reason]:
    """Why the suggestion is another model or method than the one the guide names."""
    return [reason for reason in reasons if reason.code in (ReasonCode.STEPPED_MODEL, ReasonCode.STEPPED_METHOD)]
