"""What training makes of all rows together: trained tokens, steps, padding, and what is cut off or left out."""

from math import ceil

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from core.events import Stage
from core.i18n import _, ngettext
from core.plan import TrainingPlan
from core.tokens import TokenTotals
from core.wording import count, percent
from gui.icons import Icon
from gui.widgets.badge import Badge
from gui.widgets.buttons import button
from gui.widgets.text import clear, column, label, row

#: Narrower than this the figures stand in two rows.
NARROW = 720


class TotalsView(QWidget):
    """Shows TokenTotals; `asked` when the user wants them to be counted."""

    asked = Signal()

    def __init__(self, plan: TrainingPlan, totals: TokenTotals | None = None) -> None:
        super().__init__()
        self.setObjectName("totals")
        self._plan = plan
        self._totals: TokenTotals | None = None
        self._laid_out: tuple[object, int] | None = None
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(24)
        self._grid.setVerticalSpacing(6)
        self._ask = button(_("Count all rows"), "count_tokens", self._wanted, kind="chip")
        self._doing = label("", "muted", name="counting")
        self._end = Badge("good", wrap=True, role="small")
        self._end.setObjectName("end_trained")
        asking = row(self._ask, spacing=8)
        asking.addWidget(self._doing, 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(6)
        outer.addLayout(self._grid)
        outer.addWidget(self._end)
        outer.addLayout(asking)
        self._doing.setText(_("How many tokens are trained, how many steps that takes, and what is padding."))
        self._end.hide()
        if totals is not None:
            self.show_totals(totals)

    def _wanted(self) -> None:
        self._ask.hide()
        self.asked.emit()

    def show_stage(self, stage: Stage) -> None:
        """Show how far the counting is."""
        self._ask.hide()
        words = _("Counting the tokens: {done} of {total} rows")
        self._doing.setText(words.format(done=count(stage.done), total=count(stage.total)))

    def show_totals(self, totals: TokenTotals) -> None:
        """Show what was counted."""
        self._totals = totals
        self._ask.hide()
        self._doing.hide()
        self._lay_out()
        self._end.set(*_end(totals))
        self._end.show()

    def show_plan(self, plan: TrainingPlan) -> None:
        """Show what the rows come to in a plan."""
        self._plan = plan
        self._lay_out()

    @property
    def tells_steps(self) -> bool:
        """Whether the figures say how many steps the run has; those of stages do not follow from one pass."""
        return not self._plan.stages

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def _lay_out(self) -> None:
        cells = _figures(self._totals, self._plan) if self._totals is not None else []
        columns = -(-len(cells) // 2) if self.width() < NARROW else len(cells)
        if (cells, columns) == self._laid_out:
            return
        self._laid_out = cells, columns
        clear(self._grid)
        for place, (name, number, said) in enumerate(cells):
            figure = row(label(number, "lead", wrap=False, name=f"total_{name}"), spacing=6)
            if name in ("cut", "skipped") and number != "0":
                figure.insertWidget(0, Icon("warning", "caution", 16))
            figure.addStretch(1)
            cell = column(figure, label(said, "small", wrap=False), spacing=0)
            self._grid.addLayout(cell, place // columns, place % columns)
        if cells:
            self._grid.setColumnStretch(columns, 1)


def _figures(totals: TokenTotals, plan: TrainingPlan) -> list[tuple[str, str, str]]:
    """Name, number and words of each figure."""
    share = percent(totals.trained / max(totals.tokens, 1))
    cut = percent(totals.truncated / max(totals.rows, 1))
    found = [
        ("trained", count(totals.trained), _("trained tokens, {share} of all").format(share=share)),
        ("steps", count(totals.steps), _steps(totals, plan)),
        _padding(totals, plan),
        ("cut", count(totals.truncated), ngettext("row is cut ({share})", "rows are cut ({share})", totals.truncated)),
        ("skipped", count(totals.skipped), ngettext("row teaches nothing", "rows teach nothing", totals.skipped)),
    ]
    found = [(name, number, said.replace("{share}", cut)) for name, number, said in found]
    return [one for one in found if one[0] != "steps" or not plan.stages]


def padding_share(totals: TokenTotals, *, packing: bool) -> float:
    """Return the part of all computed tokens that only fills up, with packing as it was counted or without."""
    padding = totals.padding if packing else totals.padding_unpacked
    return padding / max(totals.tokens + padding, 1)


def _padding(totals: TokenTotals, plan: TrainingPlan) -> tuple[str, str, str]:
    without = padding_share(totals, packing=False)
    if not plan.packing:
        return "padding", percent(without), _("of a batch is padding")
    words = _("filled by packing, {share} without").format(share=percent(1 - without))
    return "fill", percent(1 - padding_share(totals, packing=True)), words


def steps_in_all(totals: TokenTotals, plan: TrainingPlan) -> int:
    """Steps of a run without stages, as the trainer counts them, from those of a counted epoch."""
    return plan.steps or max(1, ceil(max(1, totals.steps) * plan.epochs))


def _steps(totals: TokenTotals, plan: TrainingPlan) -> str:
    words = ngettext("step an epoch, {all} in all", "steps an epoch, {all} in all", totals.steps)
    return words.format(all=count(steps_in_all(totals, plan)))


def _end(totals: TokenTotals) -> tuple[str, str]:
    """Whether every answer's end is learned."""
    if totals.failed:
        words = ngettext(
            "The chat template cannot write {n} row.", "The chat template cannot write {n} rows.", totals.failed
        )
        return "trouble", words.format(n=count(totals.failed))
    if totals.endless:
        words = ngettext(
            "In {n} row the token that ends the answer is not trained: the model would never stop.",
            "In {n} rows the token that ends the answer is not trained: the model would never stop.",
            totals.endless,
        )
        return "trouble", words.format(n=count(totals.endless))
    if totals.truncated:
        return "good", _("Every answer that is not cut ends with a trained token: the model learns to stop.")
    return "good", _("Every answer ends with a trained token: the model learns to stop.")
