"""What went wrong on the Model page, as cards with a way out of it; at most one at a time."""

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QVBoxLayout, QWidget

from core.i18n import _
from core.problems import Code, Problem
from core.wording import Action
from gui.calls import call_settings
from gui.choose import open_folder
from gui.desk import Desk
from gui.pages.model_token import TokenCard
from gui.widgets.buttons import button
from gui.widgets.problem_card import ProblemCard
from gui.widgets.text import clear

#: What can be done here about a problem.
ACTIONS = frozenset({Action.RETRY, Action.CHOOSE_FOLDER, Action.OPEN_LICENCE, Action.FREE_DISK, Action.OPEN_SETTINGS})
#: Problems that go away with another source or another way there.
_ELSEWHERE = (Code.NO_NETWORK, Code.SOURCE_BUSY, Code.DOWNLOAD_BROKEN, Code.DISK_FULL)


class Troubles(QWidget):
    """`retried` carries the model's name and the source it shall come from, "" for any.

    `appeared` when there is something to see.
    """

    retried = Signal(str, str)
    appeared = Signal()
    folder_wanted = Signal()

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._inner = QVBoxLayout(self)
        self._inner.setContentsMargins(0, 0, 0, 0)
        self.hide()

    def clear(self) -> None:
        """Show nothing."""
        clear(self._inner)
        self.hide()

    def say(self, part: QWidget) -> None:
        """Show a part alone."""
        self.clear()
        self._inner.addWidget(part)
        self.show()
        self.appeared.emit()

    def show_problem(self, problem: Problem, actions: frozenset[str] = ACTIONS) -> None:
        """Show what went wrong; a licence that has to be accepted gets a field for a token."""
        if problem.code in (Code.GATED_MODEL, Code.TOKEN_REFUSED):
            self.show_gate(problem)
            return
        card = ProblemCard(problem, actions=actions, closable=True)
        if problem.code in _ELSEWHERE:
            card.add(button(_("Open the settings"), "problem_settings", lambda: self._act(card, Action.OPEN_SETTINGS)))
        self._put(card)

    def show_gate(self, problem: Problem) -> None:
        """Ask for a token; one that was refused is forgotten."""
        if problem.code is Code.TOKEN_REFUSED:
            self._desk.tokens.pop(str(problem.facts.get("source")), None)
        card = TokenCard(problem, self._desk)
        model, source = str(problem.facts.get("model") or ""), card.source
        card.given.connect(lambda: self.retried.emit(model, source))
        self._put(card)
        card.token.setFocus()

    def _put(self, card: ProblemCard) -> None:
        card.acted.connect(lambda action: self._act(card, action))
        card.closed.connect(self.clear)
        self.say(card)

    def _act(self, card: ProblemCard, action: Action) -> None:
        facts = card.problem.facts
        if action is Action.RETRY:
            self.retried.emit(str(facts.get("model") or ""), "")
        elif action is Action.OPEN_LICENCE:
            QDesktopServices.openUrl(QUrl(page_of(card.problem)))
        elif action is Action.FREE_DISK:
            open_folder(self._desk.models_root)
        elif action is Action.CHOOSE_FOLDER:
            self.folder_wanted.emit()
        elif action is Action.OPEN_SETTINGS:
            call_settings(self, "folders" if card.problem.code is Code.DISK_FULL else "sources")


def page_of(problem: Problem) -> str:
    """The page on which a licence is accepted: what the source named, when that is an address of the web."""
    named = str(problem.facts.get("licence_page") or "")
    if named.startswith(("https://", "http://")):
        return named
    return f"https://huggingface.co/{problem.facts.get('model') or ''}"
