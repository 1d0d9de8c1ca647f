"""A switch between two ways of showing a page: two buttons of which one is on."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from core.i18n import _
from gui.widgets.buttons import button


class LevelSwitch(QWidget):
    """Simple or Advanced; `chosen` carries whether it is Advanced."""

    chosen = Signal(bool)

    def __init__(self, advanced: bool) -> None:
        super().__init__()
        self.setObjectName("level")
        self.setAccessibleName(_("How much is shown"))
        inner = QHBoxLayout(self)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(0)
        simple = _("The few choices that matter")
        everything = _("Every value of the plan, and what the driver tells of the card")
        self._buttons = {
            False: button(_("&Simple"), "simple", kind="left", tip=simple),
            True: button(_("&Advanced"), "advanced", kind="right", tip=everything),
        }
        for value, made in self._buttons.items():
            made.setCheckable(True)
            made.setAccessibleDescription(made.toolTip())
            made.clicked.connect(lambda _on=False, v=value: self._choose(v))
            inner.addWidget(made)
        self.set(advanced)

    def set(self, advanced: bool) -> None:
        """Show a choice without telling anybody."""
        for value, made in self._buttons.items():
            made.setChecked(value == advanced)

    def _choose(self, advanced: bool) -> None:
        self.set(advanced)
        self.chosen.emit(advanced)
