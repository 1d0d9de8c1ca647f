"""What a plan costs: memory part by part against what is free, steps, and why it was recommended."""

from PySide6.QtWidgets import QVBoxLayout, QWidget

from core.i18n import _
from core.planning import estimate_for, total_steps, training_rows
from core.vram import Estimate
from core.wizard import WizardState
from core.wording import count, gigabytes, part_words, sourced_words
from gui.pages.model_cards import ROOM
from gui.widgets.badge import Badge
from gui.widgets.fold import Fold
from gui.widgets.memory_bar import Legend, MemoryBar, Part
from gui.widgets.text import clear, column, label, line, panel, row


def parts_of(estimate: Estimate) -> list[Part]:
    """The estimate as pieces of a bar."""
    return [Part(part_words(name), size, name) for name, size in estimate.items().items()]


class CostView(QWidget):
    """The right side of the Plan page."""

    def __init__(self) -> None:
        super().__init__()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(16)
        frame, inner = panel(margin=20, spacing=8)
        self._number = label("", "number", wrap=False, name="needed_memory")
        self._beside = label("", "muted", wrap=False)
        self._fit = Badge(wrap=True)
        self._bar, self._legend = MemoryBar(), Legend()
        self._steps = label("", "body", name="steps")
        inner.addWidget(label(_("Memory"), "strong"))
        inner.addLayout(row(self._number, self._beside, None, spacing=10))
        for part in (self._bar, self._fit, self._legend, line(), self._steps):
            inner.addWidget(part)
        self._why = QVBoxLayout()
        self._fold = Fold(_("Why this?"), "why_plan", self._why)
        outer.addWidget(frame)
        outer.addWidget(self._fold)
        self._reasons: object = None

    def show_plan(self, state: WizardState) -> None:
        """Show what the state's plan costs."""
        if state.plan is None or state.model is None:
            return
        self._show_memory(state, estimate_for(state.plan, state.model))
        self._show_steps(state)
        advice = state.recommendation
        reasons = advice.reasons if advice else ()
        if reasons != self._reasons:
            self._reasons = reasons
            clear(self._why)
            self._why.addLayout(column(*(label(sourced_words(reason), "muted") for reason in reasons)))
        self._fold.setVisible(bool(reasons))

    def _show_memory(self, state: WizardState, estimate: Estimate) -> None:
        needed, parts = estimate.total_bytes, parts_of(estimate)
        self._number.setText(gigabytes(needed))
        self._legend.set(parts)
        card = state.card
        if card is None:
            self._beside.setText(_("on a card"))
            self._bar.set(parts, needed)
            self._fit.set("muted", _("Practice mode uses the computer's own memory."))
            return
        self._beside.setText(_("of {free} free").format(free=gigabytes(card.free_bytes)))
        others = [Part(_("Other programs"), card.used_bytes, "edge")] if card.used_bytes > 0 else []
        self._bar.set([*others, *parts], card.total_bytes, card.total_bytes)
        left = card.free_bytes - needed
        if left < 0:
            self._fit.set("trouble", _("{size} too much").format(size=gigabytes(-left)))
        elif needed > ROOM * card.free_bytes:
            self._fit.set("caution", _("Tight: {size} to spare").format(size=gigabytes(left)))
        else:
            self._fit.set("good", _("Fits, {size} to spare").format(size=gigabytes(left)))

    def _show_steps(self, state: WizardState) -> None:
        plan, report = state.plan, state.report
        if plan is None or report is None or not report.rows:
            self._steps.setText("")
            return
        steps, rows = total_steps(plan, report.usable), training_rows(plan, report.usable)
        self._steps.setText(
            _("{steps} steps of {batch} rows · {rows} rows train, {checks} check").format(
                steps=count(steps),
                batch=plan.effective_batch,
                rows=count(rows),
                checks=count(report.usable - rows),
            )
        )
