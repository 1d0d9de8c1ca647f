"""What went wrong with data files, and the way on: other files, columns by hand, or the text as it stands."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from core.data.codes import Found
from core.data.columns import Columns
from core.problems import Code, Problem
from core.wording import Action
from gui.background import Errand
from gui.pages.data_columns import ColumnsForm, Table, TextOffer, first_rows
from gui.widgets.problem_card import ProblemCard


class DataTrouble(QWidget):
    """`browsed` asks for other files, `mapped` carries Columns, `taken_as_text` that running text is wanted."""

    browsed = Signal()
    mapped = Signal(object)
    taken_as_text = Signal()

    def __init__(self, problem: Problem, columns: Columns | None) -> None:
        super().__init__()
        self._columns = columns
        self._lines = QVBoxLayout(self)
        self._lines.setContentsMargins(0, 0, 0, 0)
        self._lines.setSpacing(16)
        card = ProblemCard(problem, actions=frozenset({Action.CHOOSE_DATA}))
        card.acted.connect(lambda _action: self.browsed.emit())
        self._lines.addWidget(card)
        found = problem.facts.get("found") if problem.code == Code.DATA_SHAPE else ""
        if found == Found.COLUMNS:
            files = (str(problem.facts.get("path", "")),)
            Errand(lambda: first_rows(files), self, self._read)
        elif found == Found.RUNNING_TEXT:
            offer = TextOffer()
            offer.chosen.connect(self.taken_as_text)
            self._lines.addWidget(offer)

    def _read(self, table: object) -> None:
        """Show the guess and its examples; whoever knows better says so."""
        if isinstance(table, Table):
            form = ColumnsForm(table, self._columns)
            form.chosen.connect(self.mapped)
            self._lines.addWidget(form)
