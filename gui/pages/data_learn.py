"""Will it learn? What was checked before the start, worst first, with a button where one click puts it right."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from core.i18n import _, ngettext
from core.learnable import Check, Level
from core.wording import count, sourced_words
from core.wording.learnable import fix_words
from gui.icons import Icon
from gui.widgets.buttons import Chip
from gui.widgets.fold import Fold
from gui.widgets.text import clear, column, label, row

TONES = {Level.BLOCKER: "trouble", Level.WARNING: "caution", Level.NOTE: "muted", Level.GOOD: "good"}
ICONS = {Level.BLOCKER: "trouble", Level.WARNING: "warning", Level.NOTE: "info", Level.GOOD: "done"}


class LearnList(QWidget):
    """`fixed` carries the plan of a fix that was pressed."""

    fixed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("will_it_learn")
        self._shown: object = None
        self._more: Fold | None = None
        self._lines = QVBoxLayout(self)
        self._lines.setContentsMargins(0, 0, 0, 0)
        self._lines.setSpacing(8)

    def show_checks(self, checks: Sequence[Check], note: str = "") -> None:
        """Show what was checked; `note` says how it is known."""
        if (checks, note) == self._shown:
            return
        opened = self._more is not None and self._more.head.isChecked()
        self._shown, self._more = (checks, note), None
        clear(self._lines)
        grave = [check for check in checks if check.level in (Level.BLOCKER, Level.WARNING)]
        rest = [check for check in checks if check not in grave]
        self._lines.addWidget(label(_("Will it learn?"), "strong"))
        if not grave:
            good = row(Icon("done", "good", 16), label(_("Nothing speaks against it."), "body"), spacing=8)
            good.setStretch(1, 1)
            self._lines.addLayout(good)
        for number, check in enumerate(grave):
            self._lines.addWidget(self._line(check, number))
        if rest:
            body = column(*(self._line(check, len(grave) + n) for n, check in enumerate(rest)), spacing=6)
            words = ngettext("{n} more thing was looked at", "{n} more things were looked at", len(rest))
            self._more = Fold(words.format(n=count(len(rest))), "more_checks", body)
            self._more.open(opened)
            self._lines.addWidget(self._more)
        if note:
            self._lines.addWidget(label(note, "small"))

    def open(self) -> None:
        """Show what is good, or good to know, too."""
        if self._more is not None:
            self._more.open()

    def _line(self, check: Check, number: int) -> QWidget:
        found = QWidget()
        icon = Icon(ICONS[check.level], TONES[check.level], 16)
        parts = row(spacing=8)
        parts.addWidget(icon, 0, Qt.AlignmentFlag.AlignTop)
        words = label(sourced_words(check.reason), "body")
        side = column(words, spacing=4)
        if check.fix is not None:
            said = fix_words(check.fix.name, check.fix.facts)
            put_right = Chip(said, f"fix_{number}")
            put_right.setMaximumWidth(put_right.fontMetrics().horizontalAdvance(said) + 31)
            put_right.setAccessibleDescription(words.text())
            put_right.clicked.connect(lambda _on=False, plan=check.fix.plan: self.fixed.emit(plan))
            pressed = row(put_right)
            pressed.setStretch(0, 1)
            pressed.addStretch(0)
            side.addLayout(pressed)
        parts.addLayout(side, 1)
        found.setLayout(parts)
        return found
