"""A model behind a licence: opens its page, and takes an access token that goes to the keyring or stays in memory."""

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QCheckBox, QLineEdit

from core.hub.credentials import has_keyring, keep_token
from core.hub.places import addresses
from core.i18n import _
from core.problems import Problem
from core.wording import Action
from gui.background import Errand
from gui.desk import Desk
from gui.widgets.buttons import button, primary
from gui.widgets.problem_card import ProblemCard
from gui.widgets.text import column, label, row


class TokenCard(ProblemCard):
    """What has to be done for a gated model; `given` when there is a token to go on with.

    A token that is not given to the keyring is held by the desk, by the source it is for, until the window closes.
    """

    given = Signal()

    # nothing went wrong: it is a door with a key
    ICON = ("info", "accent")

    def __init__(self, problem: Problem, desk: Desk) -> None:
        super().__init__(problem, actions=frozenset({Action.OPEN_LICENCE}))
        self.setProperty("role", "note")
        self._desk = desk
        self.add(button(_("Make an access token"), "make_token", self._open_tokens))
        self.source = str(problem.facts.get("source") or "huggingface")
        self.token = QLineEdit()
        self.token.setObjectName("access_token")
        self.token.setEchoMode(QLineEdit.EchoMode.Password)
        self.token.setPlaceholderText(_("Access token, hf_…"))
        self.token.setAccessibleName(_("Access token"))
        # neither spelling aids nor input methods learn it
        self.token.setInputMethodHints(Qt.InputMethodHint.ImhHiddenText | Qt.InputMethodHint.ImhSensitiveData)
        self.token.textChanged.connect(self._typed)
        self.token.returnPressed.connect(self._use)
        self.use = primary(_("Go on with this &token"), "use_token", self._use)
        self.use.setEnabled(False)
        self.keep = QCheckBox(_("Keep it in the keyring of this computer"))
        self.keep.setObjectName("keep_token")
        self.keep.hide()
        self._fate = label(_("It stays in memory until the window closes, and is written nowhere."), "small")
        self.keep.toggled.connect(self._tell_fate)
        self._waiting = ""
        line = row(self.token, self.use, button(_("Close"), "problem_close", self.closed.emit))
        line.setStretch(0, 1)
        # first the licence, then the token that shows it was accepted
        self.insert(column(line, self.keep, self._fate, spacing=6), behind=True)
        # keyrings of desktops are asked over a bus, which may take a while
        Errand(has_keyring, self, self._know_keyring)

    def _open_tokens(self) -> None:
        QDesktopServices.openUrl(QUrl(addresses(self._desk.settings)["huggingface"] + "/settings/tokens"))

    def _know_keyring(self, found: object) -> None:
        self.keep.setVisible(found is True)

    def _tell_fate(self, keep: bool) -> None:
        self._fate.setVisible(not keep)

    def _typed(self, text: str) -> None:
        self.use.setEnabled(bool(text.strip()))

    def _use(self) -> None:
        token = self.token.text().strip()
        if not token:
            return
        self.token.clear()
        if not self.keep.isChecked():
            self._hold(token)
            return
        self.use.setEnabled(False)
        endpoint = addresses(self._desk.settings)[self.source]
        self._waiting = token
        Errand(lambda: keep_token(endpoint, token), self, self._kept)

    def _kept(self, kept: object) -> None:
        """Go on: the job finds it in the keyring, or gets it from the desk where the keyring refused."""
        token, self._waiting = self._waiting, ""
        if kept is True:
            self._desk.tokens.pop(self.source, None)
            self.given.emit()
        else:
            self._hold(token)

    def _hold(self, token: str) -> None:
        self._desk.tokens[self.source] = token
        self.given.emit()
