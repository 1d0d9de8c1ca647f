"""Repairing from the doctor's page: the app restarts through the set-up, or says the command that a person types."""

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QVBoxLayout

from core.doctor.repair import Repair, repair, start_repair
from core.i18n import _
from core.problems import diagnose
from gui.desk import Desk
from gui.widgets.ask import ask
from gui.widgets.buttons import button
from gui.widgets.text import label


class RepairPanel(QFrame):
    """Shown where SoloTune was installed by another program, which has to repair it."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self.setProperty("role", "note")
        self.how: Repair | None = None
        self.command = QLineEdit()
        self.command.setReadOnly(True)
        self.command.setObjectName("repair_command")
        self.command.setAccessibleName(_("Command that repairs SoloTune"))
        copy = button(_("&Copy"), "copy_repair", self._copy)
        inner = QVBoxLayout(self)
        inner.setContentsMargins(16, 12, 16, 12)
        inner.setSpacing(8)
        inner.addWidget(label(_("To repair SoloTune, close it and run this in a terminal:")))
        line = QHBoxLayout()
        line.addWidget(self.command, 1)
        line.addWidget(copy)
        inner.addLayout(line)

    def look(self) -> None:
        """Show the command where the app cannot repair itself."""
        self.how = self.how or repair()
        self.command.setText(self.how.line)
        self.command.setCursorPosition(0)
        self.setVisible(not self.how.starts)

    def ask(self) -> None:
        """Repair after a question, or show how."""
        self.look()
        assert self.how is not None
        if not self.how.starts:
            self.command.setFocus()
            self.command.selectAll()
        elif self._wanted():
            self.begin()

    def begin(self) -> None:
        """Start the repair, which waits for this window to close and opens it again."""
        assert self.how is not None
        try:
            start_repair(self.how)
        except OSError as error:
            self._desk.trouble(diagnose(error))
            return
        self.window().close()

    def _wanted(self) -> bool:
        if self._desk.training is not None:
            text = _(
                "A training is running. Repair when it has ended: its files would be replaced while they are used."
            )
            ask(self, _("Repair later"), text, (("cancel", _("&Close"), "primary"),))
            return False
        text = _(
            "SoloTune closes, fetches the packages that fit this computer, and opens again. "
            "Runs, models and settings stay as they are. It may take some minutes."
        )
        answers = (("cancel", _("&Cancel"), "plain"), ("repair", _("&Repair"), "primary"))
        return ask(self, _("Repair SoloTune?"), text, answers) == "repair"

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.command.text())
