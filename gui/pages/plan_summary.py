"""The whole answer of the wizard in a few lines, before Start is pressed."""

import contextlib
from pathlib import Path

from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from core.disk import RESERVE_BYTES, run_bytes
from core.files import free_bytes
from core.i18n import _, ngettext
from core.plan import TrainingPlan
from core.wizard import WizardState
from core.wording import about, count, gigabytes, method_words, percent
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
    data = [files, *([rows] if report.rows else []), *_mixed(plan)]
    needed = desk.predict(plan, model, state.card).total_bytes
    said = about(needed, desk.constants(state.card).band_bytes(needed))
    each = ngettext("{n} stage", "{n} stages", len(plan.stages)).format(n=count(len(plan.stages)))
    often = each if plan.stages else _("{n} epochs").format(n=short(plan.epochs))
    method = _("{method}, rank {rank}, {often}, up to {tokens} tokens a row").format(
        method=method_words(plan.method), rank=plan.rank, often=often, tokens=count(plan.tokens)
    )
    lines = [
        (_("Model"), model.title),
        (_("Data"), " · ".join(data)),
        *([(_("Order"), order_words(plan))] if plan.stages else []),
        (_("Method"), method),
        (_("Runs on"), _where(state, said)),
    ]
    # a folder on a disk that is gone is told at the start
    with contextlib.suppress(OSError):
        lines.append((_("Disk"), _disk(run_bytes(model.architecture, plan), free_bytes(desk.runs_root))))
    return lines


def _disk(needed: int, free: int) -> str:
    if needed + RESERVE_BYTES > free:
        return _("too little: up to {needed} are needed, {free} are free").format(
            needed=gigabytes(needed + RESERVE_BYTES), free=gigabytes(free)
        )
    return _("up to {needed} of {free} free").format(needed=gigabytes(needed), free=gigabytes(free))


def _mixed(plan: TrainingPlan) -> list[str]:
    """What is mixed in, and what is checked with when that is a file of its own."""
    words = _("{share} of {file} mixed in")
    found = [words.format(share=percent(mix.share), file=Path(mix.file).name) for mix in plan.mix]
    if plan.validation:
        found.append(_("checked with {file}").format(file=Path(plan.validation).name))
    return found


def order_words(plan: TrainingPlan) -> str:
    """The files of each stage with its epochs, in their order."""
    found = []
    for stage in plan.stages:
        files = " + ".join(Path(file).name for file in stage.files)
        found.append(_("{files} ({epochs} ×)").format(files=files, epochs=short(stage.epochs)))
    return " → ".join(found)


def _where(state: WizardState, needed: str) -> str:
    if state.card is None:
        return _("the processor (practice mode)")
    return _("{card}, about {needed} of {free} free").format(
        card=named(state.card), needed=needed, free=gigabytes(state.card.free_bytes)
    )
