"""The whole answer of the wizard in five lines, before Start is pressed."""

from pathlib import Path

from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from core.i18n import _, ngettext
from core.planning import estimate_for
from core.wizard import WizardState
from core.wording import count, gigabytes, method_words
from gui.answers import short_name
from gui.widgets.fields import short
from gui.widgets.text import clear, label, panel


class PlanSummary(QWidget):
    """What will be trained, on what, with what."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("plan_summary")
        self._shown: object = None
        frame, inner = panel(margin=20)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(24)
        self._grid.setVerticalSpacing(8)
        self._grid.setColumnStretch(1, 1)
        inner.addLayout(self._grid)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)

    def set(self, state: WizardState) -> None:
        """Show the state's answers."""
        shown = (state.plan, state.card, state.model, state.report)
        if shown == self._shown:
            return
        self._shown = shown
        clear(self._grid)
        for place, (name, words) in enumerate(_lines(state)):
            self._grid.addWidget(label(name, "muted", wrap=False), place, 0)
            self._grid.addWidget(label(words), place, 1)


def _lines(state: WizardState) -> list[tuple[str, str]]:
    plan, model, report = state.plan, state.model, state.report
    if plan is None or model is None or report is None:
        return []
    rows = ngettext("{n} row", "{n} rows", report.usable).format(n=count(report.usable))
    files = ", ".join(Path(file).name for file in report.files)
    needed = gigabytes(estimate_for(plan, model).total_bytes)
    method = _("{method}, rank {rank}, {epochs} epochs, up to {tokens} tokens a row").format(
        method=method_words(plan.method), rank=plan.rank, epochs=short(plan.epochs), tokens=count(plan.tokens)
    )
    return [
        (_("Model"), model.title),
        (_("Data"), f"{files} · {rows}" if report.rows else files),
        (_("Method"), method),
        (_("Runs on"), _where(state, needed)),
    ]


def _where(state: WizardState, needed: str) -> str:
    if state.card is None:
        return _("the processor (practice mode)")
    return _("{card}, about {needed} of {free} free").format(
        card=short_name(state.card.name), needed=needed, free=gigabytes(state.card.free_bytes)
    )
