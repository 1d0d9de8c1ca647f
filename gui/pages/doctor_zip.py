"""The doctor's diagnostics: what is in the zip and what is left out, and saving it."""

import time
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QWidget

from core.doctor.readings import Readings
from core.findings import Finding
from core.i18n import _
from core.settings import Settings
from core.wording import explain
from gui.background import Errand, failed
from gui.choose import choose_new_file, open_folder
from gui.desk import Desk
from gui.icons import Icon
from gui.widgets.badge import Badge
from gui.widgets.buttons import button
from gui.widgets.fold import Fold
from gui.widgets.text import column, label, panel, row


class Diagnostics(QWidget):
    """A panel that says what a helper would get before anything is written."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._findings: tuple[Finding, ...] = ()
        self._readings = Readings()
        self._file: Path | None = None
        self.save = button(_("Save d&iagnostics…"), "save_diagnostics", self._choose, icon="box")
        self.show_file = button(_("Open folder"), "open_diagnostics", self._open, kind="quiet", icon="folder")
        self.show_file.hide()
        self.said = Badge("good", "", wrap=True)
        self.said.hide()
        frame, inner = panel()
        inner.addWidget(label(_("For those who help"), "strong"))
        inner.addWidget(
            label(_("One file with what the doctor found. It stays on this computer until you send it to somebody."))
        )
        self.fold = Fold(_("What is in it, and what is left out"), "zip_contents", _contents())
        inner.addWidget(self.fold)
        inner.addSpacing(4)
        inner.addLayout(row(self.save, self.show_file, None))
        inner.addWidget(self.said)
        outer = column(frame)
        self.setLayout(outer)

    def take(self, findings: tuple[Finding, ...], readings: Readings) -> None:
        """What would be written now."""
        self._findings, self._readings = findings, readings

    def set_ready(self, ready: bool) -> None:
        """Whether the doctor has looked at everything."""
        self.save.setEnabled(ready)
        self.save.setToolTip("" if ready else _("The doctor is still looking."))

    def _choose(self) -> None:
        name = time.strftime("solotune-diagnostics-%Y-%m-%d.zip")
        found = choose_new_file(self, _("Save diagnostics"), Path.home() / name)
        if found is not None:
            self.write(found if found.suffix else found.with_suffix(".zip"))

    def write(self, target: Path) -> None:
        """Write the zip off the window's thread."""
        findings, readings, settings = self._findings, self._readings, self._desk.settings
        self._file = target
        self.save.setEnabled(False)
        self.said.set("muted", _("Writing…"))
        self.said.show()
        Errand(lambda: _written(target, findings, readings, settings), self, self._done)

    def _done(self, found: object) -> None:
        problem = failed(found)
        self.save.setEnabled(True)
        if problem is not None:
            self.said.set("trouble", explain(problem).title)
        else:
            self.said.set("good", _("Saved as {path}. Look through it before you send it.").format(path=self._file))
        self.show_file.setVisible(problem is None)

    def _open(self) -> None:
        if self._file is not None:
            open_folder(self._file.parent)


def _written(target: Path, findings: tuple[Finding, ...], readings: Readings, settings: Settings) -> tuple[str, ...]:
    from core.doctor.diagnostics import write_diagnostics
    from core.doctor.repair import repair
    from core.wording.doctor_report import report

    return write_diagnostics(target, findings, readings, settings, report=report(findings, repair().line))


def _contents() -> QHBoxLayout:
    inside = (
        _("What the doctor found, in words and as figures"),
        _("Versions of Python, of the packages, and settings that change how they work"),
        _("SoloTune's settings"),
        _("The newest run: its plan, its figures, and the end of its log"),
        _("The ends of the logs of the window and of the set-up"),
    )
    outside = (
        _("Rows of your data, questions and answers"),
        _("Names of people, of this computer and of your data files"),
        _("E-mail addresses, tokens and passwords"),
        _("Models and adapters"),
        _("Programs that use the card"),
    )
    lists = []
    for title, lines, icon, tone in ((_("In it"), inside, "check", "good"), (_("Left out"), outside, "close", "muted")):
        made = column(label(title, "strong"), spacing=6)
        for words in lines:
            mark = Icon(icon, tone, 14)
            said = row(mark, label(words, "muted"))
            said.setAlignment(mark, Qt.AlignmentFlag.AlignTop)
            said.setStretch(1, 1)
            made.addLayout(said)
        made.addStretch(1)
        lists.append(made)
    both = row(*lists, spacing=32)
    both.setStretch(0, 1)
    both.setStretch(1, 1)
    return both
