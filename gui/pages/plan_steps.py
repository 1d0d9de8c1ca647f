"""What was given up so that a plan fits, what that costs, and the way back."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from core.i18n import _
from core.ladder import cost_of_step
from core.wizard import WizardState
from core.wording import reason_words
from gui.widgets.badge import Badge
from gui.widgets.buttons import button
from gui.widgets.text import clear, label, row


class StepsDown(QWidget):
    """Shown after a plan was made smaller. `undone` when the larger plan is wanted back after all."""

    undone = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("steps_down")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 4, 0, 4)
        self._column.setSpacing(4)
        self._shown: object = None
        self.hide()

    def show_steps(self, state: WizardState, *, fits: bool) -> None:
        """Show what the state's plan gave up against the larger one, when there was one."""
        before, after, model = state.larger_plan, state.plan, state.model
        shown = (before, after, model, fits)
        if shown == self._shown:
            return
        self._shown = shown
        clear(self._column)
        self.setVisible(before is not None)
        if before is None or after is None or model is None:
            return
        said = _("Made smaller:") if fits else _("Made as small as it gets:")
        self._column.addWidget(Badge("good" if fits else "caution", said, role="strong"))
        for reason in cost_of_step(before, after, model.architecture):
            self._column.addWidget(label("· " + reason_words(reason), "small"))
        undo = button(_("Take it back"), "undo_smaller", self.undone.emit, kind="fold", icon="refresh")
        self._column.addLayout(row(undo, None))
