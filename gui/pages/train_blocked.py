"""Why a training must not start: nothing would be learned from it, with the reasons and the way to mend them."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout

from core.i18n import _
from core.learnable import Check, Level
from core.wizard import WizardState
from core.wording import sourced_words
from gui.desk import Desk
from gui.icons import Icon
from gui.pages.data_look import Look
from gui.pages.data_outlook import known_of
from gui.widgets.buttons import button
from gui.widgets.text import clear, column, label, row


class Blockers:
    """The true blockers of a state's plan, looked for when the state changes."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._key: object = None
        self._found: tuple[Check, ...] = ()

    def of(self, state: WizardState) -> tuple[Check, ...]:
        """What keeps anything from being learned; nothing for data that was not read here."""
        look = self._desk.looked
        key = (state.plan, id(state.report), state.model, id(look))
        if key != self._key:
            self._key = key
            ours = look if isinstance(look, Look) and look.report is state.report else None
            known = known_of(state, ours, self._desk) if state.plan and state.report and state.report.rows else None
            checks = known.checks if known is not None else None
            self._found = tuple(check for check in checks or () if check.level is Level.BLOCKER)
        return self._found


class BlockedCard(QFrame):
    """`data_asked` leads to the page where it can be put right."""

    data_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("start_blocked")
        self.setProperty("role", "trouble")
        self._shown: Sequence[Check] = ()
        self._reasons = QVBoxLayout()
        self._reasons.setSpacing(6)
        to_data = button(_("Go to the &data"), "blocked_to_data", self.data_asked.emit)
        words = column(label(_("It cannot start: nothing would be learned."), "strong"), self._reasons, spacing=6)
        words.addLayout(row(None, to_data))
        icon = column(Icon("trouble", "trouble"))
        icon.addStretch(1)
        line = row(icon, words, spacing=12)
        line.setStretch(1, 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(16, 12, 16, 12)
        outer.addLayout(line)
        self.hide()

    def set(self, checks: Sequence[Check]) -> None:
        """Say what blocks; hidden when nothing does."""
        if checks != self._shown:
            self._shown = checks
            clear(self._reasons)
            for check in checks:
                self._reasons.addWidget(label(sourced_words(check.reason)))
        self.setVisible(bool(checks))
