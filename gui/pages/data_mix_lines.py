"""The parts of the list of files: a file with its number and figures, a stage with its files, and their words."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from core.data.shared import Shared
from core.i18n import _, ngettext
from core.wording import count, percent
from gui.icons import Icon
from gui.widgets.badge import Badge
from gui.widgets.buttons import button
from gui.widgets.fields import Real
from gui.widgets.text import Elided, label, panel, row

#: Pixels of a number's field.
FIELD = 84


class FileLine(QWidget):
    """A file's name, what is known of it, and perhaps a number that can be changed; `removed` when it is to go."""

    removed = Signal()

    def __init__(
        self, file: str, field: Real | None = None, *, notes: str = "", before: str = "", removable: str = ""
    ) -> None:
        super().__init__()
        self.field = field
        name = Path(file).name or file
        shown = Elided(name, "body", Qt.TextElideMode.ElideMiddle)
        shown.ensurePolished()
        shown.setMaximumWidth(shown.fontMetrics().horizontalAdvance(name) + 2)
        shown.setToolTip(file)
        self._told = label("", "small", wrap=False)
        self._told.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self._icon = Icon("warning", "caution", 16)
        self._icon.hide()
        self._parts = QHBoxLayout(self)
        self._parts.setContentsMargins(0, 0, 0, 0)
        self._parts.setSpacing(8)
        self._parts.addWidget(Icon("folder" if Path(file).is_dir() else "file", "muted", 16))
        self._parts.addWidget(shown, 3)
        self._parts.addWidget(Elided(notes, "small"), 2)
        self._parts.addWidget(self._icon)
        self._parts.addWidget(self._told)
        if before:
            self._parts.addWidget(label(before, "small", wrap=False))
        if field is not None:
            field.setFixedWidth(FIELD)
            field.setAccessibleDescription(name)
            self._parts.addWidget(field)
        if removable:
            gone = button("", removable, self.removed.emit, kind="quiet", icon="close", tip=_("Take this file away"))
            gone.setAccessibleName(_("Take {file} away").format(file=name))
            gone.setFixedSize(28, 26)
            self._parts.addWidget(gone)

    def add(self, widget: QWidget) -> None:
        """Put a button in front of the figures."""
        self._parts.insertWidget(3, widget)

    def tell(self, words: str, *, caution: bool = False) -> None:
        """Say what is known of the file."""
        self._told.setText(words)
        self._icon.setVisible(caution)


class StageCard(QWidget):
    """A stage: its files and epochs. `moved` carries from where to where, `joined` that it goes into the one above."""

    moved = Signal(int, int)
    joined = Signal(int)

    def __init__(self, place: int, of: int, lines: Sequence[FileLine]) -> None:
        super().__init__()
        self.setObjectName(f"stage_{place}")
        frame, inner = panel(margin=10, spacing=2)
        self.epochs = Real(f"stage_epochs_{place}", _("Epochs"), 0.01, 1000, 1)
        self.epochs.setFixedWidth(FIELD)
        name = _("Stage {n}").format(n=count(place + 1))
        self.epochs.setAccessibleDescription(name)
        head = row(label(name, "strong", wrap=False), None, spacing=4)
        if place:
            words = _("Learn it with the stage above")
            head.addWidget(button(words, f"join_stage_{place}", lambda: self.joined.emit(place), kind="quiet"))
        for icon, to, words in (("up", place - 1, _("Learn earlier")), ("down", place + 1, _("Learn later"))):
            made = button("", f"{icon}_stage_{place}", kind="quiet", icon=icon, tip=words)
            made.clicked.connect(lambda _on=False, to=to: self.moved.emit(place, to))
            made.setAccessibleName(f"{name}: {words}")
            made.setFixedSize(30, 28)
            made.setEnabled(0 <= to < of)
            head.addWidget(made)
        head.addSpacing(8)
        head.addWidget(label(_("epochs"), "small", wrap=False))
        head.addWidget(self.epochs)
        head.addSpacing(36)  # below it stands the number of each file
        inner.addLayout(head)
        for one in lines:
            inner.addWidget(one)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)


def shared_line(shared: Shared, asked: Callable[[], None]) -> QHBoxLayout:
    """Whether rows to check with are learned too, and a button that shows them."""
    if not shared.rows:
        return row(Badge("good", _("None of these rows stands in the training rows."), wrap=True))
    found = row(spacing=8)
    found.addWidget(Badge("caution", shared_words(shared.rows, shared.checked), wrap=True), 1)
    found.addWidget(button(_("Show the rows"), "show_shared", asked, kind="quiet"))
    return found


def rows_words(rows: int) -> str:
    """A number of rows."""
    return ngettext("{n} row", "{n} rows", rows).format(n=count(rows))


def learned_words(rows: int, seen: int) -> str:
    """The rows of a file, and how many an epoch sees when that is another number."""
    return rows_words(rows) + (" · " + _("{n} an epoch").format(n=count(seen)) if seen != rows else "")


def mixed_words(wanted: int | None, there: int | None) -> tuple[str, bool]:
    """How many rows of a file are mixed in, and whether it has too few of them."""
    if there is None:
        return _("is being read…"), False
    if wanted is None:
        return rows_words(there), False
    if there < wanted:
        words = _("has only {there} of the {wanted} rows that would be needed")
        return words.format(there=count(there), wanted=count(wanted)), True
    words = _("{wanted} of its {there} rows join an epoch")
    return words.format(wanted=count(wanted), there=count(there)), False


def aside_words(rows: int, share: float) -> str:
    """How many rows are kept aside."""
    if not share or not rows:
        return _("No rows are kept aside.")
    words = ngettext(
        "{n} row ({share}) is kept aside, from each file its part. Rows that are nearly alike stay on one side.",
        "{n} rows ({share}) are kept aside, from each file its part. Rows that are nearly alike stay on one side.",
        rows,
    )
    return words.format(n=count(rows), share=percent(share))


def shared_words(rows: int, checked: int) -> str:
    """How many rows to check with stand in the training rows too."""
    words = ngettext(
        "{n} of {checked} rows to check with stands in the training rows too and is left out of the check.",
        "{n} of {checked} rows to check with stand in the training rows too and are left out of the check.",
        rows,
    )
    return words.format(n=count(rows), checked=count(checked))
