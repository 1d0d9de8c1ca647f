"""What a plan costs: memory part by part against what is free, steps, and why it was recommended."""

import sys
from collections.abc import Mapping

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from core.fit import Constants
from core.gpu import Card
from core.i18n import _
from core.ladder import smaller
from core.planning import checking_rows, length_reason, rows_in, total_steps, training_rows
from core.tiers import kept_bytes, rules
from core.vram import Estimate
from core.wizard import WizardState
from core.wording import about, count, gigabytes, part_hint, part_words, sourced_words
from gui.pages.model_cards import ROOM
from gui.pages.plan_steps import StepsDown
from gui.widgets.badge import Badge
from gui.widgets.buttons import primary
from gui.widgets.fold import Fold
from gui.widgets.legend import Legend
from gui.widgets.memory_bar import MemoryBar, Part
from gui.widgets.text import clear, column, label, line, panel, row


def part(name: str, size: int) -> Part:
    """A part of the memory with its words."""
    return Part(part_words(name), size, name, part_hint(name))


def parts_of(estimate: Estimate) -> list[Part]:
    """The estimate as pieces of a bar."""
    return [part(name, size) for name, size in estimate.items().items()]


class CostView(QWidget):
    """The right side of the Plan page. `smaller_asked` when the plan should be made to fit."""

    smaller_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(16)
        frame, inner = panel(margin=16, spacing=8)
        self._number = label("", "number", wrap=False, name="needed_memory")
        self._band = label("", "muted", wrap=False, name="memory_band")
        self._band.setToolTip(_("How far the figure may be off; runs on this card make it narrower."))
        self._beside = label("", "muted", name="memory_beside")
        self.mark = Badge("muted", wrap=True, role="small")
        self.mark.setObjectName("memory_source")
        self._fit = Badge(wrap=True)
        self._fit.setObjectName("fit")
        self.smaller = primary(_("Make &it smaller"), "make_smaller", self.smaller_asked.emit)
        self.steps_down = StepsDown()
        self._bar, self._legend = MemoryBar(), Legend()
        self._legend.follow(self._bar)
        self._steps = label("", "body", name="steps")
        inner.addWidget(label(_("Memory"), "strong"))
        inner.addLayout(column(row(self._number, self._band, None), self._beside, self.mark, spacing=2))
        for shown in (self._bar, self._fit, self.smaller, self.steps_down, self._legend, line()):
            inner.addWidget(shown)
        inner.addWidget(self._steps)
        self._why = QVBoxLayout()
        self._fold = Fold(_("Why this?"), "why_plan", self._why)
        outer.addWidget(frame)
        outer.addWidget(self._fold)
        self._reasons: object = None

    def show_plan(
        self, state: WizardState, estimate: Estimate, constants: Constants, mixes: Mapping[str, int] | None = None
    ) -> None:
        """Show what the state's plan costs; `mixes` says how many rows the files hold that are mixed in."""
        self._show_memory(state, estimate, constants)
        self._show_steps(state, mixes or {})
        free = state.card.free_bytes - kept_bytes() if state.card else sys.maxsize
        self.steps_down.show_steps(state, fits=estimate.total_bytes <= free)
        advice = state.recommendation
        length = length_reason(state.plan, state.report) if state.plan and state.report else None
        reasons = (*(advice.reasons if advice else ()), *((length,) if length else ()))
        if reasons != self._reasons:
            self._reasons = reasons
            clear(self._why)
            self._why.addLayout(column(*(label(sourced_words(reason), "muted") for reason in reasons)))
        self._fold.setVisible(bool(reasons))

    def show_source(self, tone: str, words: str) -> None:
        """Say where the figures come from."""
        self.mark.set(tone, words)

    def _show_memory(self, state: WizardState, estimate: Estimate, constants: Constants) -> None:
        needed, parts = estimate.total_bytes, parts_of(estimate)
        said, _sign, band = about(needed, constants.band_bytes(needed)).partition(" ± ")
        self._number.setText(said)
        self._band.setText(f"± {band}")
        card = state.card
        if card is None:
            self._beside.setText(_("on a card"))
            self._bar.set(parts, needed)
            self._legend.set(parts)
            self._fit.set("muted", _("Practice mode uses the computer's own memory."))
            self.smaller.hide()
            return
        self._beside.setText(_beside(card))
        others = [part("others", card.used_bytes)]
        room = card.free_bytes - kept_bytes()
        left = room - needed
        self._bar.set([*others, *parts], card.total_bytes, (card.used_bytes, card.free_bytes))
        self._legend.set([*others, *parts, part("headroom", left), part("overflow", -left)])
        self._show_fit(left, needed, room)
        last = state.plan is None or smaller(state.plan) is None
        self.smaller.setText(_("&Choose a smaller model") if last else _("Make &it smaller"))
        self.smaller.setVisible(left < rules()["reserve_bytes"] and not state.training)

    def _show_fit(self, left: int, needed: int, free: int) -> None:
        if left < 0:
            self._fit.set("trouble", _("It does not fit: {size} too much").format(size=gigabytes(-left)))
        elif left < rules()["reserve_bytes"] or needed > ROOM * free:
            self._fit.set("caution", _("Tight: {size} to spare").format(size=gigabytes(left)))
        else:
            self._fit.set("good", _("Fits, {size} to spare").format(size=gigabytes(left)))

    def _show_steps(self, state: WizardState, mixes: Mapping[str, int]) -> None:
        plan, report = state.plan, state.report
        if plan is None or report is None or not report.rows:
            self._steps.setText("")
            return
        found = rows_in(report)
        self._steps.setText(
            _("{steps} steps of {batch} rows · {rows} rows train, {checks} check").format(
                steps=count(total_steps(plan, found, mixes)),
                batch=plan.effective_batch,
                rows=count(training_rows(plan, found, mixes)),
                checks=count(checking_rows(plan, found)),
            )
        )


def _beside(card: Card) -> str:
    """What is free on the card, and what of it the settings keep for other programs."""
    free, kept = gigabytes(card.free_bytes), kept_bytes()
    if not kept:
        return _("of {free} free").format(free=free)
    return _("of {free} free, {kept} of it kept for others").format(free=free, kept=gigabytes(kept))
