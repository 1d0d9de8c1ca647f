"""Test page: the same question to the base and to the tuned weights, side by side, word by word."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout

from core.commands import Say
from core.events import Answered, Failed, Fragment, Last, Side, Stage, StageName
from core.i18n import _
from core.jobs.jobs import ChatJob
from core.wizard import WizardState
from core.wording import Action, stage_words
from gui.desk import Desk
from gui.jobs import JobThread
from gui.pages.page import Page
from gui.pages.test_column import TalkColumn
from gui.questions import suggestions
from gui.widgets.buttons import Chip, button, primary
from gui.widgets.problem_card import ProblemCard
from gui.widgets.text import clear, label, row

#: Longest answer in tokens.
LONGEST = 256
SIDES = (Side.BASE, Side.TUNED)


class QuestionLine(QLineEdit):
    """The input; Return asks and goes no further."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        super().keyPressEvent(event)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            event.accept()


class TalkPage(Page):
    """Keeps one ChatJob open while the page is in sight; leaving the page frees the card."""

    def __init__(self, desk: Desk) -> None:
        lead = _("The same question to both, answered by the same model with the adapter off and on.")
        super().__init__(desk, _("What has it learned?"), lead, wide=True)
        self._chat: JobThread | None = None
        self._ready = False
        self._awaited: list[Side] = []
        self._offered: list[Chip] = []
        self._run: object = None
        self._problems = QVBoxLayout()
        self.column.addLayout(self._problems)
        self._status = label("", "muted", name="chat_status")
        self.column.addWidget(self._status)
        self.columns = {side: TalkColumn(side) for side in SIDES}
        pair = QHBoxLayout()
        pair.setSpacing(16)
        for side in SIDES:
            pair.addWidget(self.columns[side], 1)
        self.column.addLayout(pair, 1)
        self._build_dock()

    def _build_dock(self) -> None:
        dock = QFrame()
        dock.setObjectName("footer")
        inner = QVBoxLayout(dock)
        inner.setContentsMargins(32, 12, 32, 12)
        self._chips = QHBoxLayout()
        self._chips.setSpacing(8)
        inner.addLayout(self._chips)
        self.question = QuestionLine()
        self.question.setObjectName("question")
        self.question.setAccessibleName(_("Your question"))
        self.question.setPlaceholderText(_("Ask both"))
        self.question.returnPressed.connect(self.ask)
        self.question.textChanged.connect(lambda _text: self._enable())
        self.send = primary(_("As&k"), "ask", self.ask)
        tip = _("Begin a new conversation; until then each question goes on with the one before.")
        self.fresh = button(_("Clear"), "clear_chat", self.clear, tip=tip)
        self.fresh.setAccessibleDescription(tip)
        line = row(self.question, self.send, self.fresh)
        line.setStretch(0, 1)
        inner.addLayout(line)
        self.dock(dock)

    def show_state(self, state: WizardState) -> None:
        super().show_state(state)
        if state.run != self._run:
            self._run = state.run
            self.clear()
            self._offer(suggestions(state))
        self._open()
        self._enable()

    def _offer(self, questions: tuple[str, ...]) -> None:
        clear(self._chips)
        self._offered = []
        for index, question in enumerate(questions):
            chip = Chip(question, f"suggestion_{index}")
            chip.clicked.connect(lambda _on=False, q=question: self._take(q))
            self._chips.addWidget(chip)
            self._offered.append(chip)

    def _take(self, question: str) -> None:
        self.question.setText(question)
        self.question.setFocus()
        self.ask()

    def _open(self) -> None:
        """Load the weights, unless they are loaded or the card is busy with training."""
        state = self.state
        if self._chat is not None or state.run is None or not state.has_adapter or self._problems.count():
            return
        if self.desk.training is not None:
            self._status.setText(_("The card is training now. Both models answer when it is done."))
            return
        self._ready = False
        self._status.setText(_("Loading the model…"))
        self._chat = self.desk.runner.start(ChatJob(str(state.run)), self._heard)

    def ask(self) -> None:
        """Ask both sides; each goes on with its own conversation."""
        question = self.question.text().strip()
        if not question or not self._ready or self._awaited or self._chat is None:
            return
        self.question.clear()
        self._awaited = list(SIDES)
        for side in SIDES:
            said = self.columns[side].ask(question)
            self._chat.send(Say(messages=tuple(said), sides=(side,), max_new_tokens=LONGEST))
        self._enable()

    def clear(self) -> None:
        """Begin new conversations."""
        for column in self.columns.values():
            column.clear()

    def _enable(self) -> None:
        free = self._ready and not self._awaited
        self.send.setEnabled(free and bool(self.question.text().strip()))
        self.fresh.setEnabled(free)
        self.question.setEnabled(self._chat is not None)
        for chip in self._offered:
            chip.setEnabled(free)

    def _heard(self, event: object) -> None:
        if isinstance(event, Fragment):
            self.columns[event.side].write(event.text)
        elif isinstance(event, Answered):
            self._answered(event)
        elif isinstance(event, Stage):
            if event.stage is StageName.ANSWERING and not self._ready:
                self._ready = True
                self._enable()
                self._invite()
            self._status.setText(_("Ready.") if self._ready else stage_words(event.stage) + "…")
        elif isinstance(event, Last):
            self._ended(event)
        self._enable()

    def _invite(self) -> None:
        """Let the first question be typed at once, unless the keyboard is somewhere else already."""
        if self.window().focusWidget() in (None, self, self.window()):
            self.question.setFocus()

    def _answered(self, event: Answered) -> None:
        self.columns[event.side].finish(event, self.state)
        if event.side in self._awaited:
            self._awaited.remove(event.side)
        if not self._awaited:
            self.question.setFocus()

    def _ended(self, event: Last) -> None:
        self._chat, self._ready, self._awaited = None, False, []
        self._status.setText("")
        if isinstance(event, Failed):
            card = ProblemCard(event.problem, actions=frozenset({Action.RETRY, Action.TRY_SMALLER}))
            card.acted.connect(lambda _action: self._retry())
            if card.findChild(QPushButton, "problem_action") is None:
                card.add(button(_("Try again"), "chat_again", self._retry))
            self._problems.addWidget(card)

    def _retry(self) -> None:
        clear(self._problems)
        self._open()

    def primary(self) -> QPushButton | None:
        return self.send if self.send.isEnabled() else None

    def left(self) -> None:
        clear(self._problems)
        if self._chat is not None:
            self._chat.happened.disconnect(self._heard)
            self.desk.runner.cancel(self._chat)
            self._chat, self._ready, self._awaited = None, False, []
            for column in self.columns.values():
                column.drop()
