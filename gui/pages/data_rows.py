"""The rows to learn from as chat bubbles, with search and jump; only those in sight are read."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QIntValidator
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from core.data.browse import RowsFile
from core.data.rows import Conversation
from core.i18n import _
from core.wording import count
from gui.background import Errand
from gui.pages.data_touched import place
from gui.pages.data_turns import row_widgets
from gui.widgets.buttons import button
from gui.widgets.row_list import RowList
from gui.widgets.text import Elided, label, row


class RowsView(QWidget):
    """Shows the preview of a report until there is a RowsFile. `tokens_asked` carries a row's number.

    `tokens` says that there is a tokenizer here to show them with.
    """

    tokens_asked = Signal(int)

    def __init__(self, preview: Sequence[Conversation], total: int, *, tokens: bool = False) -> None:
        super().__init__()
        self.setObjectName("rows_view")
        self._rows: RowsFile | None = None
        self._preview = tuple(preview)
        self._tokens = tokens
        self._wanted = ""
        self._search = QLineEdit()
        self._search.setObjectName("search_rows")
        self._search.setPlaceholderText(_("Search in all rows"))
        self._search.setAccessibleName(_("Search in all rows"))
        self._search.setClearButtonEnabled(True)
        self._search.returnPressed.connect(self._find)
        self._jump = QLineEdit()
        self._jump.setObjectName("jump_row")
        self._jump.setFixedWidth(84)
        self._jump.setAccessibleName(_("Row number"))
        self._jump.setValidator(QIntValidator(1, max(total, 1), self._jump))
        self._jump.returnPressed.connect(lambda: self.show_row(int(self._jump.text() or 1) - 1))
        self._of = label("", "muted", wrap=False)
        self._note = label("", "small")
        self._note.hide()
        self.list = RowList(self._make, "rows")
        self.list.setAccessibleName(_("How the model will see it"))
        self.list.moved.connect(self._moved)
        head = row(spacing=8)
        head.addWidget(self._search, 1)
        head.addWidget(label(_("Row"), "muted", wrap=False))
        head.addWidget(self._jump)
        head.addWidget(self._of)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(8)
        outer.addLayout(head)
        outer.addWidget(self._note)
        outer.addWidget(self.list, 1)
        if not preview:
            outer.addWidget(label(_("There is no row to show."), "muted"))
        for field in (self._search, self._jump):
            field.setEnabled(False)
        self._of.setText(_("of {n}").format(n=count(total)))
        self.list.show_rows(preview)

    def show_file(self, rows: RowsFile) -> None:
        """Show every row instead of the preview."""
        self._rows = rows
        for field in (self._search, self._jump):
            field.setEnabled(True)
        self._of.setText(_("of {n}").format(n=count(len(rows))))
        self._jump.setValidator(QIntValidator(1, max(len(rows), 1), self._jump))
        self.list.show_rows(rows)

    @property
    def readable(self) -> bool:
        """Whether every row can be shown, not only the preview."""
        return self._rows is not None

    def row(self, number: int) -> Conversation:
        """A row by its number."""
        return self._preview[number] if self._rows is None else self._rows[number]

    def show_row(self, number: int) -> None:
        """Put a row to the top."""
        self.list.show_row(number)

    def show_place(self, file: str, line: int) -> None:
        """Put the row that stands at a line of a file to the top; it is looked for beside the window's thread."""
        rows = self._rows
        if rows is not None:
            self._wanted = f"{Path(file).name}:{line}"
            wanted = self._wanted
            Errand(lambda: (wanted, rows.place(file, line)), self, self._found)

    def _moved(self, number: int) -> None:
        if not self._jump.hasFocus():
            self._jump.setText(str(number + 1))

    def _make(self, number: int, conversation: Conversation) -> QWidget:
        box = QWidget()
        inner = QVBoxLayout(box)
        inner.setContentsMargins(0, 0, 8, 0)
        inner.setSpacing(6)
        head = row(label(count(number + 1), "small", wrap=False), spacing=8)
        head.addWidget(Elided(place(conversation), "small"), 1)
        if self._tokens:
            show = button(_("Tokens"), "row_tokens", lambda: self.tokens_asked.emit(number), kind="quiet")
            show.setToolTip(_("What of this row is trained, token by token"))
            head.addWidget(show)
        inner.addLayout(head)
        for widget in row_widgets(conversation):
            inner.addWidget(widget)
        return box

    def _find(self) -> None:
        """Look for the text from the row after the topmost one on, beside the window's thread."""
        rows, text = self._rows, self._search.text().strip()
        if rows is None or not text:
            return
        start = (self.list.top + (text == self._wanted)) % max(len(rows), 1)
        self._wanted = text
        self._tell(_("Searching…"))
        Errand(lambda: (text, rows.find(text, start)), self, self._found)

    def _found(self, found: object) -> None:
        if not isinstance(found, tuple) or found[0] != self._wanted:
            return
        text, number = found
        if number < 0:
            self._tell(_("No row holds “{text}”.").format(text=text))
        elif text != self._search.text().strip():
            self._tell("")
            self.show_row(number)
        else:
            self._tell(
                _("Row {n} holds “{text}”. Return goes on to the next one.").format(n=count(number + 1), text=text)
            )
            self.show_row(number)

    def _tell(self, words: str) -> None:
        self._note.setText(words)
        self._note.setVisible(bool(words))
