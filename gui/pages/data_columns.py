"""Which column holds the question and which the answer: the guess, with examples, to be confirmed or changed."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from itertools import islice
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFrame, QGridLayout, QVBoxLayout

from core.data.archives import sources
from core.data.columns import SURE, Columns, Guess, guess
from core.data.read import records
from core.data.source import Source
from core.i18n import _
from gui.widgets.buttons import button, primary
from gui.widgets.text import Elided, label, row

#: Rows that are looked at for examples, and how many letters of one are shown.
_ROWS, _LETTERS = 50, 160
_MOST = 200


class Table:
    """The first rows of a file with named columns: `names` and `rows` as they stand there."""

    def __init__(self, names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
        self.names, self.rows = tuple(names), tuple(rows)

    @property
    def guessed(self) -> Guess | None:
        """Which columns are likely meant."""
        return guess(self.names, self.rows)

    @property
    def unsure(self) -> bool:
        """Whether a person should look at the guess."""
        guessed = self.guessed
        return guessed is not None and guessed.certainty < SURE

    def example(self, name: str) -> str:
        """The first text in a column."""
        said = (str(row.get(name)) for row in self.rows if row.get(name) not in (None, ""))
        return " ".join(next(said, "").split())[:_LETTERS]


def first_rows(files: Sequence[str]) -> Table | None:
    """The first rows of the first file that has named columns, None when there is none. Reads: not for the GUI thread.

    Raises Trouble for a file that cannot be read.
    """
    for file in files:
        with closing(sources(file, lambda _done: None)) as found:
            for one in found:
                if not isinstance(one, Source):
                    continue
                values = (record.value for record in islice(records(one), _ROWS))
                rows = [value for value in values if isinstance(value, dict)]
                names = list(dict.fromkeys(str(name) for row in rows for name in row))[:_MOST]
                if len(names) > 1:
                    return Table(names, rows)
    return None


class TextOffer(QFrame):
    """Offers to learn running text as it stands; `chosen` when it is taken up."""

    chosen = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("text_offer")
        self.setProperty("role", "note")
        lines = QVBoxLayout(self)
        lines.setContentsMargins(16, 12, 16, 12)
        lines.setSpacing(8)
        lines.addWidget(label(_("Learn the text as it stands?"), "strong"))
        why = _("It is cut into passages. The model takes on its style and words, but does not learn to answer.")
        lines.addWidget(label(why, "muted"))
        lines.addLayout(row(button(_("&Learn it as running text"), "learn_text", self.chosen.emit), None))


class ColumnsForm(QFrame):
    """`chosen` carries the Columns that the user settled on."""

    chosen = Signal(object)

    def __init__(self, table: Table, known: Columns | None = None) -> None:
        super().__init__()
        self.setObjectName("columns_form")
        self.setProperty("role", "note")
        self._table = table
        guessed = table.guessed
        meant = known or (guessed.columns if guessed else Columns("", ""))
        lines = QVBoxLayout(self)
        lines.setContentsMargins(16, 12, 16, 12)
        lines.setSpacing(8)
        lines.addWidget(label(_("Which column is which?"), "strong"))
        lines.addWidget(label(_("This is a guess. Please look at the examples before going on."), "muted"))
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setColumnStretch(2, 1)
        self._fields: dict[str, tuple[QComboBox, Elided]] = {}
        for place, (key, name, chosen) in enumerate((
            ("question", _("Question"), meant.question),
            ("answer", _("Answer"), meant.answer),
            ("system", _("System message"), meant.system),
            ("extra", _("Goes below the question"), meant.extra),
        )):  # fmt: skip
            field, example = self._field(key, name, chosen)
            heading = label(name, "body", wrap=False)
            heading.setBuddy(field)
            grid.addWidget(heading, place, 0)
            grid.addWidget(field, place, 1)
            grid.addWidget(example, place, 2)
        lines.addLayout(grid)
        self._use = primary(_("&Use these columns"), "use_columns", self._choose)
        lines.addLayout(row(self._use, None))
        self._show_examples()

    def _field(self, key: str, name: str, chosen: str) -> tuple[QComboBox, Elided]:
        field = QComboBox()
        field.setObjectName(f"column_{key}")
        field.setAccessibleName(name)
        field.setMinimumContentsLength(12)
        field.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        if key in ("system", "extra"):
            field.addItem(_("none"), "")
        for column in self._table.names:
            field.addItem(column[:60], column)
        field.setCurrentIndex(max(field.findData(chosen), 0))
        field.currentIndexChanged.connect(self._show_examples)
        example = Elided("", "small")
        self._fields[key] = (field, example)
        return field, example

    @property
    def columns(self) -> Columns:
        """What is chosen now."""
        return Columns(**{key: str(field.currentData() or "") for key, (field, _example) in self._fields.items()})

    def _show_examples(self) -> None:
        for field, example in self._fields.values():
            example.setText(self._table.example(str(field.currentData() or "")))
        if hasattr(self, "_use"):
            self._use.setEnabled(self.columns.question != self.columns.answer)

    def _choose(self) -> None:
        self.chosen.emit(self.columns)
