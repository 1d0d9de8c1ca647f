"""The budget of the adapter: how many numbers it may learn, and which modules and ranks stay below that."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from core.advice import BudgetRow, adapter_parameters, budget
from core.architecture import Architecture
from core.i18n import _
from core.plan import TrainingPlan
from gui.pages.target_names import target_words
from gui.widgets.buttons import button
from gui.widgets.fields import Real
from gui.widgets.text import clear, column, label, row

#: The budget that the documents take for an example (D4), in millions.
FIRST = 10.0


class BudgetView(QWidget):
    """`taken` carries the plan values of a row that was chosen."""

    taken = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("budget")
        self._known: tuple[Architecture, TrainingPlan] | None = None
        self._shown: object = None
        self._now = label("", name="adapter_size")
        self.most = Real("budget_most", _("Most numbers that the adapter may learn, in millions"), 0.01, 100_000, 1)
        self.most.set(FIRST)
        self.most.setFixedWidth(96)
        self.most.valueChanged.connect(lambda _value: self._fill())
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(4, 1)
        limit = row(label(_("Stay below"), wrap=False), self.most, label(_("million"), wrap=False), None)
        rows = column(label(_("Size of the adapter"), "strong"), self._now, limit, self._grid)
        rows.setContentsMargins(0, 0, 0, 0)
        self.setLayout(rows)

    def show_plan(self, architecture: Architecture, plan: TrainingPlan) -> None:
        """Show what the plan's adapter learns, and what fits the budget."""
        self._known = (architecture, plan)
        self._fill()

    def _fill(self) -> None:
        if self._known is None:
            return
        architecture, plan = self._known
        most = round(self.most.value() * 1e6)
        learned = adapter_parameters(architecture, plan)
        shown = (architecture, plan.rank, plan.targets, most)
        if shown == self._shown:
            return
        self._shown = shown
        said = (
            _("The adapter learns {n} million numbers.")
            if learned <= most
            else _("The adapter learns {n} million numbers: more than the budget.")
        )
        self._now.setText(said.format(n=millions(learned)))
        clear(self._grid)
        for place, found in enumerate(budget(architecture, most)):
            self._add(place, found, plan)

    def _add(self, place: int, found: BudgetRow, plan: TrainingPlan) -> None:
        self._grid.addWidget(label(target_words(found.targets), "muted", wrap=False), place, 0)
        self._grid.addWidget(label(_("rank {n}").format(n=found.rank), wrap=False), place, 1)
        self._grid.addWidget(
            label(_("{n} million").format(n=millions(found.parameters)), "muted", wrap=False), place, 2
        )
        values = {"targets": found.targets, "rank": found.rank, "alpha": 2 * found.rank}
        take = button(_("Take"), f"budget_{found.targets}", lambda: self.taken.emit(values), kind="quiet")
        take.setAccessibleName(
            _("Take {targets} with rank {n}").format(targets=target_words(found.targets), n=found.rank)
        )
        take.setEnabled((plan.targets, plan.rank) != (found.targets, found.rank))
        self._grid.addWidget(take, place, 3)


def millions(n: int) -> str:
    """A count in millions, with one decimal."""
    return f"{n / 1e6:,.1f}"
