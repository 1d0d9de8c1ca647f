"""The last group of settings: this app's shortcut, its doctor, and the versions of what it is made of."""

import platform
from importlib import metadata

from PySide6.QtCore import Qt, qVersion
from PySide6.QtGui import QGuiApplication

from core.i18n import _
from core.settings import Settings
from gui.calls import call_doctor
from gui.desk import Desk
from gui.pages.settings_group import Group
from gui.shortcut import ShortcutButton
from gui.widgets.buttons import button
from gui.widgets.text import label, row

#: Packages whose versions help most with a question, as people write them.
_TOLD = {"torch": "PyTorch", "transformers": "Transformers", "peft": "PEFT", "bitsandbytes": "bitsandbytes"}


class AppSettings(Group):
    """What concerns the program itself."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(_("This app"))
        self.shortcut = ShortcutButton(desk)
        self.put(_("Shortcut"), self.shortcut, buddy=self.shortcut.button)
        doctor = button(_("&Doctor…"), "doctor", lambda: call_doctor(self))
        diagnostics = button(_("Save d&iagnostics…"), "diagnostics", lambda: call_doctor(self, part="zip"))
        self.put(
            _("Is all well?"),
            row(doctor, diagnostics, None),
            buddy=doctor,
            hint=_("The doctor looks whether this computer is ready, and names the fix where it is not."),
        )
        self._versions = label("", "muted", name="versions")
        self._versions.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        copy = button(_("Copy"), "copy_versions", self._copy, kind="quiet")
        line = row(self._versions, copy)
        line.setStretch(0, 1)
        line.setAlignment(copy, Qt.AlignmentFlag.AlignTop)
        self.put(_("Versions"), line, buddy=copy)

    def show_settings(self, settings: Settings) -> None:
        self.shortcut.look()
        if not self._versions.text():
            self._versions.setText(versions())

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(versions())


def versions() -> str:
    """SoloTune, Python, Qt, the libraries that train, and the system; what is not installed is left out."""
    own = [f"SoloTune {_version('solotune')}", f"Python {platform.python_version()}", f"Qt {qVersion()}"]
    told = [f"{name} {_version(package)}" for package, name in _TOLD.items() if _version(package)]
    return " · ".join((*own, *told, platform.platform(terse=True)))


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""
