"""GPU page: what card there is, how much of it is free now, and what the documents suggest for it."""

from dataclasses import replace

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout

from core.gpu import Card, Reading
from core.i18n import _
from core.problems import Code, Problem
from core.recommend import Recommendation, practice
from core.wizard import Step, WizardState, choose_advice, choose_card, choose_model, forward, imagine_card
from core.wording import Action, sourced_words
from gui.background import Errand
from gui.cards import advised
from gui.choose import open_driver_page
from gui.desk import Desk
from gui.pages.gpu_card import CardView
from gui.pages.gpu_offers import PRACTICE, Offers, retaken, take
from gui.pages.gpu_start import CardTiles, practice_panel, problem_card
from gui.pages.gpu_what_if import CardChooser
from gui.pages.imagined import ImaginedNote
from gui.pages.model_cards import method_for
from gui.pages.page import Page
from gui.pages.plan_rules import guide_words, rules_fold
from gui.widgets.buttons import button, primary
from gui.widgets.fold import Fold
from gui.widgets.switch import LevelSwitch
from gui.widgets.text import clear, column, label, row

#: Milliseconds before the driver is asked: the window is painted first.
AFTER_PAINT = 40
#: When this much more or less is free than what the suggestion was made for, the card is looked at again.
MOVED_BYTES = 300_000_000


def read_cards(goal: str) -> tuple[tuple[Card, Recommendation], ...]:
    """Every card with what is recommended for it. Raises Trouble(NO_GPU, DRIVER)."""
    from core.gpu import cards

    return tuple((card, advised(card, goal)) for card in cards())


class GpuPage(Page):
    """Reads the cards by itself; the user only says yes."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, _("Your graphics card"), _("Everything SoloTune proposes follows from its free memory."))
        self._found: tuple[tuple[Card, Recommendation], ...] = ()
        self._problem: Problem | None = None
        self._asking = self._quietly = False
        self._asked = False
        self.level = LevelSwitch(desk.settings.advanced)
        self.level.chosen.connect(self._choose_level)
        self.put_beside_title(self.level)
        self.note = ImaginedNote()
        self.note.proposed.connect(self.proposed)
        self._body = QVBoxLayout()
        self._body.setSpacing(16)
        self.chooser = CardChooser()
        self.chooser.chosen.connect(self._imagine)
        self.chooser.closed.connect(self._close_chooser)
        self.chooser.hide()
        self.offers = Offers()
        self.offers.taken.connect(self._take_offer)
        self._why = QVBoxLayout()
        self.why = Fold(_("Why this?"), "why", self._why)
        self.column.addWidget(self.note)
        self.column.addWidget(self.chooser)
        self.column.addLayout(self._body)
        self.column.addWidget(self.offers)
        self.column.addWidget(self.why)
        self.column.addStretch(1)
        self._use: QPushButton | None = None
        self._view: CardView | None = None
        self._drawn: object = None

    def show_state(self, state: WizardState) -> None:
        super().show_state(state)
        if not state.probed and not self._asked:
            self._asked = True
            QTimer.singleShot(AFTER_PAINT, self, self.read_cards)
        advanced = self.desk.settings.advanced
        self.level.set(advanced)
        self.note.show_state(state)
        constants = self.desk.constants(state.card)
        drawn = (state.probed, state.card, state.recommendation, state.training, self._problem, len(self._found),
                 advanced, constants)  # fmt: skip
        if drawn != self._drawn or self._body.count() == 0:
            self._drawn = drawn
            self._draw()

    def read_cards(self) -> None:
        """Ask the driver, off the window's thread."""
        self._ask_driver(quietly=False)

    def _ask_driver(self, *, quietly: bool) -> None:
        if not self._asking:
            self._asking, self._quietly = True, quietly
            goal = self.state.goal
            Errand(lambda: read_cards(goal), self, self.take)

    def take(self, found: object) -> None:
        """Take in what the driver said."""
        self._asking = False
        if isinstance(found, Problem) and self._quietly:
            return  # nobody asked; that the card answers no more is said above the page
        if isinstance(found, Problem):
            self._problem = None if found.code is Code.NO_GPU else found
            if found.code is Code.NO_GPU:
                self._practise()
            else:
                self.proposed.emit(self.state)
            return
        assert isinstance(found, tuple)
        self._found, self._problem = found, None
        known = [pair for pair in found if self.state.card and pair[0].index == self.state.card.index]
        card, advice = (known or list(found))[0]
        if not self.state.imagined:
            self.proposed.emit(choose_card(self.state, card, retaken(advice, self.state.recommendation)))

    def _practise(self) -> None:
        self._problem = None
        self.proposed.emit(choose_card(self.state, None, practice(self.state.goal)))

    def show_reading(self, reading: Reading | None) -> None:
        card = self.state.card
        if reading is None or card is None or card.imagined or self._view is None:
            return
        self._view.show_reading(reading)
        if abs(reading.total_bytes - reading.used_bytes - card.free_bytes) > MOVED_BYTES and not self.state.training:
            self._ask_driver(quietly=True)

    def hint(self) -> str:
        return _("Without the driver only practice mode is open.") if self._problem else ""

    def primary(self) -> QPushButton | None:
        return self._use

    def _draw(self) -> None:
        clear(self._body)
        self._use = self._view = None
        state = self.state
        if self._problem is not None:
            found = problem_card(self._problem, self.read_cards, self._practise)
            found.acted.connect(self._act)
            self._body.addWidget(found)
        elif not state.probed:
            self._body.addWidget(label(_("Looking for graphics cards…"), "muted"))
        elif state.card is None:
            self._body.addWidget(practice_panel(self._buttons(_("Look again"))))
        else:
            self._draw_card(state.card)
        shown = self._problem is None and state.probed
        self.offers.setEnabled(not state.training)
        self.offers.show_offers(state.recommendation if shown and state.card else None, self.desk.constants(state.card))
        self._draw_why(shown)

    def _act(self, action: Action) -> None:
        if action is Action.PRACTICE:
            self._practise()
        elif action is Action.GET_DRIVER:
            open_driver_page()
        else:
            self.read_cards()

    def _draw_card(self, card: Card) -> None:
        if len(self._found) > 1 and not card.imagined:
            choice = CardTiles(self._found, card)
            choice.chosen.connect(lambda c, a: self.proposed.emit(choose_card(self.state, c, a)))
            self._body.addWidget(choice)
        self._view = CardView(card, self.state.recommendation, self.state.goal, self.desk.constants(card))
        self._view.technical.setVisible(self.desk.settings.advanced)
        self._view.below.addLayout(self._buttons("" if card.imagined else _("Read again")))
        self._body.addWidget(self._view)

    def _buttons(self, again: str) -> QHBoxLayout:
        self._use = primary(_("&Use this"), "use_card", self._use_this)
        found = row(self._use)
        if self.state.card is not None:
            found.addWidget(button(_("&Choose myself"), "choose_myself", self._choose_myself))
        other = button(_("&Plan for another card…"), "what_if", self._open_chooser)
        other.setEnabled(not self.state.training)
        found.addWidget(other)
        found.addStretch(1)
        if again:
            found.addWidget(button(again, "look_again", self.read_cards, icon="refresh", kind="quiet"))
        return found

    def _open_chooser(self) -> None:
        self._close_chooser() if self.chooser.isVisible() else self.chooser.open()

    def _close_chooser(self) -> None:
        self.setFocus()  # Return goes on with the card that is shown
        self.chooser.hide()

    def _imagine(self, card: Card) -> None:
        self._close_chooser()
        self._switch(imagine_card(self.state, card, advised(card, self.state.goal)))

    def _switch(self, state: WizardState) -> None:
        """Another card: a model that was chosen before stays, with the method that suits it there."""
        if state.model is not None:
            state = replace(state, method=method_for(state, state.model, self.desk.constants(state.card)))
        self.proposed.emit(replace(state, step=Step.GPU))

    def _take_offer(self, offer: Recommendation) -> None:
        advice = self.state.recommendation
        if advice is None:
            return
        if offer.tier == PRACTICE:
            self._practise()
            return
        folder = self.desk.model_folder(offer.model)
        self.proposed.emit(choose_advice(self.state, take(advice, offer), folder))

    def _draw_why(self, shown: bool) -> None:
        clear(self._why)
        advice = self.state.recommendation
        self.why.setVisible(shown and advice is not None and bool(advice.reasons))
        if advice is None:
            return
        lines = [label("· " + sourced_words(reason), "muted") for reason in advice.reasons]
        self._why.addLayout(column(*lines, spacing=6))
        self._why.addWidget(rules_fold(guide_words(), "guide", "vram", "method"))

    def _choose_level(self, advanced: bool) -> None:
        self.desk.change(replace(self.desk.settings, advanced=advanced))
        self.show_state(self.state)

    def answered(self) -> WizardState:
        """With the recommended model, unless one was chosen before."""
        advice = self.state.recommendation
        if advice is None or self.state.model is not None:
            return self.state
        return choose_model(self.state, advice.model, self.desk.model_folder(advice.model))

    def _use_this(self) -> None:
        """Take the recommendation: card and model."""
        advice, chosen = self.state.recommendation, self.answered()
        if advice is None:
            return
        chosen = replace(chosen, method=advice.method) if chosen.plan is None else chosen
        self.proposed.emit(forward(replace(chosen, step=Step.GPU)))

    def _choose_myself(self) -> None:
        self.proposed.emit(forward(self.state))
