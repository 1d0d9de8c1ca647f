"""The frame around every page: top bar with the live card reading, footer with a reason and two buttons."""

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from core.gpu import Card, Reading
from core.i18n import _
from core.problems import Problem
from core.wizard import WizardState
from core.wording import gigabytes
from gui import theme
from gui.cards import named
from gui.icons import Icon
from gui.widgets.ask import ask
from gui.widgets.buttons import button, primary
from gui.widgets.notice import Notice
from gui.widgets.problem_card import ProblemCard
from gui.widgets.text import label, row


class TopBar(QWidget):
    """Name, Runs and New on the left, the card on the right."""

    runs = Signal()
    fresh = Signal()
    settings = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("topbar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(52)
        self._lost = False
        self.reading = label("", "muted", wrap=False, name="card_reading")
        self.runs_button = button(_("&Runs"), "runs", self.runs.emit, kind="quiet", icon="runs")
        self.runs_button.setCheckable(True)
        self.new_button = button(
            _("Ne&w"), "new", self.fresh.emit, kind="quiet", icon="plus", tip=_("Start another fine-tuning")
        )
        self.gear = button("", "settings", self.settings.emit, kind="quiet", icon="gear", tip=_("Settings"))
        self.gear.setCheckable(True)
        self.gear.setAccessibleName(_("Settings"))
        inner = QHBoxLayout(self)
        inner.setContentsMargins(18, 0, 12, 0)
        inner.setSpacing(theme.GRID)
        for part in (Icon("brand", "accent"), label("SoloTune", "brand", wrap=False)):
            inner.addWidget(part)
        inner.addSpacing(76)
        inner.addLayout(row(self.runs_button, self.new_button, None, self.reading, self.gear), 1)

    def show_card(self, state: WizardState, reading: Reading | None) -> None:
        """Say which card is in use and what is free on it now."""
        self.reading.setText(card_words(state, reading, lost=self._lost))

    def set_lost(self, lost: bool) -> None:
        """Remember whether the card stopped answering: a number that stands still would be a lie."""
        self._lost = lost


def card_words(state: WizardState, reading: Reading | None, *, lost: bool = False) -> str:
    """The card's name with its free memory, as fresh as it is known."""
    if not state.probed:
        return ""
    if state.card is None:
        return _("Practice mode · processor")
    if state.imagined:
        return _("Planned for {card}").format(card=named(state.card))
    if reading is None and lost:
        return _("{name} · does not answer").format(name=named(state.card))
    free = reading.total_bytes - reading.used_bytes if reading else state.card.free_bytes
    words = _("{name} · {free} free").format(name=named(state.card), free=gigabytes(max(free, 0)))
    if reading and reading.temperature is not None:
        words += f" · {reading.temperature} °C"
    return words


class Footer(QWidget):
    """Why the next step is not open yet, in words; Back and Next."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("footer")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(64)
        self.reason = label("", "muted", name="blocker")
        self.back = button(_("&Back"), "back")
        self.next = primary(_("&Next"), "next")
        for made in (self.back, self.next):
            made.setMinimumWidth(96)
        inner = QHBoxLayout(self)
        inner.setContentsMargins(theme.MARGIN, 0, theme.MARGIN, 0)
        inner.addWidget(self.reason, 1)
        inner.addLayout(row(self.back, self.next))


class Notices(QWidget):
    """Problems that belong to no page, above the page, until the user closes them."""

    def __init__(self) -> None:
        super().__init__()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(theme.MARGIN, 16, theme.MARGIN, 0)
        self.hide()

    def add(self, problem: Problem) -> None:
        """Show one more problem; the oldest of more than three goes, the same one twice is shown once."""
        cards = self.findChildren(ProblemCard)
        if any(card.problem == problem for card in cards):
            return
        for card in cards[: max(len(cards) - 2, 0)]:
            self._remove(card)
        self.put(ProblemCard(problem, actions=frozenset(), closable=True))

    def offer_resume(self, name: str, accepted: Callable[[], None]) -> None:
        """Offer to go on with a run that was interrupted."""
        words = _("The training of {name} was interrupted. It can go on.")
        notice = Notice(words.format(name=name), _("Resume"), "resume_last")
        notice.accepted.connect(accepted)
        self.put(notice)

    def card_answers(self, card: Card | None, answers: bool, look: Callable[[], None]) -> None:
        """Say that the card answers no more; the notice goes when it answers again."""
        self.withdraw("card_lost")
        if card is None or answers:
            return
        words = _("{name} does not answer any more. What is shown of it may be old; a restart of the computer helps.")
        notice = Notice(words.format(name=named(card)), _("Look at the card"), "card_lost", icon="trouble")
        notice.accepted.connect(look)
        self.put(notice)

    def withdraw(self, name: str) -> None:
        """Take an offer back that was overtaken."""
        for notice in self.findChildren(Notice):
            if notice.objectName() == f"{name}_notice":
                self._remove(notice)

    def put(self, card: ProblemCard | Notice) -> None:
        """Show a card under those that are there."""
        card.closed.connect(lambda: self._remove(card))
        card.setMaximumWidth(theme.COLUMN)
        self._column.addWidget(card)
        self.show()

    def _remove(self, card: QWidget) -> None:
        self._column.removeWidget(card)
        card.hide()
        card.deleteLater()
        self.setVisible(self._column.count() > 0)


def framed(top: QWidget, rail: QWidget, notices: QWidget, stack: QWidget, footer: QWidget) -> QWidget:
    """The shell: top bar above, rail on the left, the page between notices and footer."""
    content = QWidget()
    content.setObjectName("content")
    inner = QVBoxLayout(content)
    inner.setContentsMargins(0, 0, 0, 0)
    inner.setSpacing(0)
    inner.addWidget(notices)
    inner.addWidget(stack, 1)
    inner.addWidget(footer)
    body = row(rail, content, spacing=0)
    body.setStretch(1, 1)
    shell = QWidget()
    shell.setObjectName("shell")
    outer = QVBoxLayout(shell)
    outer.setContentsMargins(0, 0, 0, 0)
    outer.setSpacing(0)
    outer.addWidget(top)
    outer.addLayout(body, 1)
    return shell


class Saving(QWidget):
    """What covers the window while the last job saves and ends."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("saving")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setStyleSheet(f"QWidget#saving {{ background: {theme.tokens().paper}; }}")
        inner = QVBoxLayout(self)
        inner.addStretch(1)
        for text, role in (
            (_("Saving…"), "title"),
            (_("The window closes by itself when it is done."), "muted"),
        ):
            inner.addWidget(label(text, role, wrap=False), 0, Qt.AlignmentFlag.AlignHCenter)
        inner.addStretch(1)

    def showEvent(self, event: QShowEvent) -> None:
        parent = self.parentWidget()
        if parent is not None:
            self.setGeometry(parent.rect())
        self.raise_()


def ask_to_stop(window: QWidget, *, keep: bool = False) -> str:
    """Ask what becomes of a training when the window closes: "cancel", "keep" or "stop"; `keep` suggests the second."""
    return ask(
        window,
        _("The training is still running"),
        _("“Stop and save” keeps what was learned so far; you can go on later from there.")
        + " "
        + _("“Keep training” closes the window only: open SoloTune again to watch, pause or stop the training."),
        (
            ("cancel", _("&Cancel"), "plain"),
            ("keep", _("&Keep training"), "primary" if keep else "plain"),
            ("stop", _("&Stop and save"), "plain" if keep else "primary"),
        ),
    )
