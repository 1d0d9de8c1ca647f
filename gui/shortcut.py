"""The shortcut as the window sees it: offered once, kept in step with a moved folder, made and removed in Settings."""

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from core.desktop import shortcut
from core.i18n import _
from gui.background import Errand, failed
from gui.desk import Desk
from gui.shell import Notices
from gui.widgets.buttons import button
from gui.widgets.notice import Notice
from gui.widgets.text import label, row


class ShortcutOffer(QObject):
    """Brings an old shortcut up to date; where there is none, it is offered, unless that was answered before."""

    def __init__(self, desk: Desk, notices: Notices) -> None:
        super().__init__(notices)
        self._desk, self._notices = desk, notices

    def look(self) -> None:
        """Look for a shortcut off the window's thread."""
        Errand(_is_there, self, self._found)

    def _found(self, there: object) -> None:
        if there is not False or self._desk.settings.shortcut_offered:
            return
        words = _("SoloTune can be started from the menu and the desktop like other programs.")
        notice = Notice(words, _("Add a shortcut"), "shortcut", later=_("No, thanks"), kind="plain")
        notice.accepted.connect(self._install)
        notice.closed.connect(self._answered)
        self._notices.put(notice)

    def _answered(self) -> None:
        self._desk.remember(shortcut_offered=True)

    def _install(self) -> None:
        Errand(shortcut.install, self, self._done)

    def _done(self, found: object) -> None:
        problem = failed(found)
        if problem is not None:
            self._desk.trouble(problem)


def _is_there() -> bool:
    shortcut.refresh()
    return shortcut.installed() is not None


class ShortcutButton(QWidget):
    """A row for Settings: says whether there is a shortcut, with the button that makes or removes it."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._there = False
        self.state = label("", "muted", wrap=False, name="shortcut_state")
        self.button = button("", "shortcut_change", self._change)
        self.setLayout(row(self.button, self.state, None))

    def look(self) -> None:
        """Look for the shortcut again."""
        there = self._there = shortcut.installed() is not None
        self.state.setText(_("In the menu and on the desktop") if there else _("None yet"))
        self.button.setText(_("Remove the shortcut") if there else _("Add a shortcut"))
        self.button.setEnabled(True)

    def _change(self) -> None:
        self.button.setEnabled(False)
        Errand(shortcut.remove if self._there else shortcut.install, self, self._changed)

    def _changed(self, found: object) -> None:
        problem = failed(found)
        if problem is not None:
            self._desk.trouble(problem)
        self.look()
