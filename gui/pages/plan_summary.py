"""The whole answer of the wizard in five lines, before Start is pressed."""

from pathlib import Path

from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from core.i18n import _, ngettext
from core.wizard import WizardState
from core.wording import about, count, gigabytes, method_words
from gui.cards import named
from gui.desk import Desk
from gui.widgets.fields import short
from gui.widgets.text import clear, label, panel


class PlanSummary(QWidget):
    """What will be trained, on what, with what."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
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
        for place, (name, words) in enumerate(_lines(state, self._desk)):
            self._grid.addWidget(label(name, "muted", wrap=False), place, 0)
            self._grid.addWidget(label(words), place, 1)


def _lines(state: WizardState, desk: Desk) -> list[tuple[str, str]]:
    plan, model, report = state.plan, state.model, state.report
    if plan is None or model is None or report is None:
        return []
    rows = ngettext("{n} row", "{n} rows", report.learned).format(n=count(report.learned))
    files = ", ".join(Path(file).name for file in report.files)
    needed = desk.predict(plan, model, state.card).total_bytes
    said = about(needed, desk.constants(state.card).band_bytes(needed))
    method = _("{method}, rank {rank}, {epochs} epochs, up to {tokens} tokens a row").format(
        method=method_words(plan.method), rank=plan.rank, epochs=short(plan.epochs), tokens=count(plan.tokens)
    )
    return [
        (_("Model"), model.title),
        (_("Data"), f"{files} · {rows}" if report.rows else files),
        (_("Method"), method),
        (_("Runs on"), _where(state, said)),
    ]


def _where(state: WizardState, needed: str) -> str:
    if state.card is None:
        return _("the processor (practice mode)")
    return _("{card}, about {needed} of {free} free").format(
        card=named(state.card), needed=needed, free=gigabytes(state.card.free_bytes)
    )
