"""The mark of a plan for a card that is not in this computer, and the way back to the computer's own."""

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout

from core.i18n import _
from core.problems import diagnose
from core.wizard import WizardState
from core.wording import joined
from gui.cards import back_home, named
from gui.choose import choose_new_file
from gui.icons import Icon
from gui.widgets.buttons import button
from gui.widgets.text import label, row


class ImaginedNote(QFrame):
    """`proposed` carries the state with the computer's own card, `troubled` why a plan could not be saved.

    With `savable` the plan can be taken along as a file.
    """

    proposed = Signal(object)
    troubled = Signal(object)

    def __init__(self, *, savable: bool = False) -> None:
        super().__init__()
        self.setObjectName("imagined")
        self.setProperty("role", "note")
        self._state = WizardState()
        self.words = label("", name="imagined_words")
        self.back = button(
            _("Back to this computer's card"), "own_card", lambda: self.proposed.emit(back_home(self._state))
        )
        self.save = button(_("Save the &plan…"), "save_plan", self._save, icon="file")
        self._savable = savable
        inner = QHBoxLayout(self)
        inner.setContentsMargins(16, 8, 8, 8)
        inner.setSpacing(12)
        inner.addWidget(Icon("info", "accent"))
        inner.addWidget(self.words, 1)
        inner.addLayout(row(self.save, self.back) if savable else row(self.back))
        self.hide()

    def show_state(self, state: WizardState) -> None:
        """Show the mark while the plan is for another card."""
        self._state = state
        self.setVisible(state.imagined)
        if state.card is None or not state.imagined:
            return
        if state.own_card is None:
            words = _("Planned for {card}. This computer has no card to train on.").format(card=named(state.card))
        else:
            words = _("Planned for {card}. This computer has {own}.").format(
                card=named(state.card), own=named(state.own_card)
            )
        if self._savable:
            words = joined(
                words,
                _("Save the plan and train it there: “solotune train plan.json”. It names your data by its path here."),
            )
        self.words.setText(words)
        self.setAccessibleName(words)

    def _save(self) -> None:
        plan = self._state.plan
        target = choose_new_file(self, _("Save the plan"), Path.home() / "plan.json") if plan else None
        if plan is None or target is None:
            return
        try:
            plan.save(target)
        except OSError as error:
            self.troubled.emit(diagnose(error))
