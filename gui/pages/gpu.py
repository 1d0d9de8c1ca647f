"""GPU page: what card there is, how much of it is free now, and what the documents suggest for it."""

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QTimer, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from core.gpu import Card
from core.i18n import _
from core.problems import Code, Problem
from core.reasons import Reason, ReasonCode
from core.recommend import Recommendation, practice, recommend
from core.wizard import Step, WizardState, choose_card, choose_model, forward
from core.wording import Action, gigabytes, method_words, sourced_words
from gui.answers import short_name
from gui.background import Errand
from gui.desk import Desk
from gui.pages.page import Page
from gui.widgets.badge import Badge
from gui.widgets.buttons import Tile, button, primary
from gui.widgets.fold import Fold
from gui.widgets.memory_bar import Legend, MemoryBar, Part
from gui.widgets.problem_card import ProblemCard
from gui.widgets.text import clear, column, label, panel, row

DRIVER_PAGE = "https://www.nvidia.com/drivers"
#: Milliseconds before the driver is asked: the window is painted first.
AFTER_PAINT = 40


def read_cards(goal: str) -> tuple[tuple[Card, Recommendation], ...]:
    """Every card with what is recommended for it. Raises Trouble(NO_GPU, DRIVER)."""
    from core.gpu import cards

    return tuple((card, recommend(card.total_bytes, card.free_bytes, goal)) for card in cards())


class GpuPage(Page):
    """Reads the cards by itself; the user only says yes."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, _("Your graphics card"), _("Everything SoloTune proposes follows from its free memory."))
        self._found: tuple[tuple[Card, Recommendation], ...] = ()
        self._problem: Problem | None = None
        self._asked = False
        self._body = QVBoxLayout()
        self._body.setSpacing(16)
        self.column.addLayout(self._body)
        self.column.addStretch(1)
        self._use: QPushButton | None = None
        self._drawn: object = None

    def show_state(self, state: WizardState) -> None:
        super().show_state(state)
        if not state.probed and not self._asked:
            self._asked = True
            QTimer.singleShot(AFTER_PAINT, self, self.read_cards)
        drawn = (state.probed, state.card, state.recommendation, self._problem, len(self._found))
        if drawn != self._drawn or self._body.count() == 0:
            self._drawn = drawn
            self._draw()

    def read_cards(self) -> None:
        """Ask the driver, off the window's thread."""
        goal = self.state.goal
        Errand(lambda: read_cards(goal), self, self.take)

    def take(self, found: object) -> None:
        """Take in what the driver said."""
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
        self.proposed.emit(choose_card(self.state, card, advice))

    def _practise(self) -> None:
        self._problem = None
        self.proposed.emit(choose_card(self.state, None, practice(self.state.goal)))

    def hint(self) -> str:
        return _("Without the driver only practice mode is open.") if self._problem else ""

    def primary(self) -> QPushButton | None:
        return self._use

    def _draw(self) -> None:
        clear(self._body)
        self._use = None
        if self._problem is not None:
            self._draw_problem(self._problem)
        elif not self.state.probed:
            self._body.addWidget(label(_("Looking for graphics cards…"), "muted"))
        elif self.state.card is None:
            self._draw_practice()
        else:
            self._draw_card(self.state.card)

    def _draw_problem(self, problem: Problem) -> None:
        card = ProblemCard(problem, actions=frozenset({Action.GET_DRIVER, Action.RETRY, Action.PRACTICE}))
        card.acted.connect(self._act)
        card.add(button(_("Look again"), "look_again", self.read_cards))
        card.add(button(_("Practise without a card"), "practise", self._practise))
        self._body.addWidget(card)

    def _act(self, action: Action) -> None:
        if action is Action.PRACTICE:
            self._practise()
        elif action is Action.GET_DRIVER:
            QDesktopServices.openUrl(QUrl(DRIVER_PAGE))
        else:
            self.read_cards()

    def _draw_practice(self) -> None:
        frame, inner = panel(margin=24)
        inner.addWidget(label(_("Practice mode"), "number", wrap=False))
        words = _(
            "No NVIDIA card found: practice mode on the processor with the starter model. "
            "Everything works, only slower."
        )
        hint = _("A small model learns your data in minutes, so you can try every step.")
        inner.addWidget(label(words, "lead"))
        inner.addWidget(label(hint, "muted"))
        inner.addSpacing(8)
        self._use = primary(_("&Use this"), "use_card", self._use_this)
        again = button(_("Look again"), "look_again", self.read_cards, icon="refresh")
        inner.addLayout(row(self._use, again, None))
        self._body.addWidget(frame)
        self._draw_why()

    def _draw_card(self, card: Card) -> None:
        if len(self._found) > 1:
            self._body.addLayout(self._choice_of_cards(card))
        frame, inner = panel(margin=24)
        inner.addWidget(label(f"{card.name}", "strong"))
        number = label(gigabytes(card.free_bytes), "number", wrap=False, name="free_memory")
        beside = label(_("of {total} free now").format(total=gigabytes(card.total_bytes)), "muted", wrap=False)
        inner.addLayout(row(number, beside, None, spacing=10))
        inner.addWidget(self._bar(card))
        inner.addSpacing(8)
        advice = self.state.recommendation
        if advice is not None:
            for reason in (*advice.reasons[:1], *steps_down(advice.reasons)):
                inner.addWidget(label(sourced_words(reason), "muted"))
            inner.addWidget(label(self._suggestion(advice, card), "lead", name="suggestion"))
            inner.addWidget(fit_badge(advice.fits))
        inner.addSpacing(8)
        self._use = primary(_("&Use this"), "use_card", self._use_this)
        own = button(_("&Choose myself"), "choose_myself", self._choose_myself)
        again = button(_("Read again"), "look_again", self.read_cards, icon="refresh", kind="quiet")
        inner.addLayout(row(self._use, own, None, again))
        self._body.addWidget(frame)
        self._draw_why()

    def _choice_of_cards(self, chosen: Card) -> QVBoxLayout:
        tiles = []
        for card, advice in self._found:
            words = _("{free} of {total} free").format(
                free=gigabytes(card.free_bytes), total=gigabytes(card.total_bytes)
            )
            inner = column(label(short_name(card.name), "strong"), label(words, "muted"), spacing=2)
            tile = Tile(f"card_{card.index}", inner)
            tile.setChecked(card.index == chosen.index)
            tile.clicked.connect(lambda _on=False, c=card, a=advice: self.proposed.emit(choose_card(self.state, c, a)))
            tiles.append(tile)
        return column(*tiles)

    def _bar(self, card: Card) -> QWidget:
        parts = memory_parts(card)
        bar, legend = MemoryBar(), Legend()
        bar.set(parts, card.total_bytes)
        legend.set([*parts, Part(_("Free"), card.free_bytes, "hairline")])
        legend.setMaximumWidth(400)
        box = QWidget()
        box.setLayout(column(bar, legend))
        return box

    def _suggestion(self, advice: Recommendation, card: Card) -> str:
        return _("Suggested: {model} with {method}. It needs about {needed} of {free} free.").format(
            model=advice.model.title,
            method=method_words(advice.method),
            needed=gigabytes(advice.estimate.total_bytes),
            free=gigabytes(card.free_bytes),
        )

    def _draw_why(self) -> None:
        advice = self.state.recommendation
        if advice is None or not advice.reasons:
            return
        lines = [label("· " + sourced_words(reason), "muted") for reason in advice.reasons]
        self._body.addWidget(Fold(_("Why this?"), "why", column(*lines, spacing=6)))

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


def memory_parts(card: Card) -> list[Part]:
    """Who uses the card: the four largest programs by name, the rest together."""
    named = [p for p in card.processes if p.used_bytes]
    named.sort(key=lambda p: -(p.used_bytes or 0))
    tones = ("others", "workspace", "overhead", "edge")
    parts = [Part(p.name, p.used_bytes or 0, tone) for p, tone in zip(named, tones, strict=False)]
    rest = card.used_bytes - sum(part.size_bytes for part in parts)
    if rest > 0:
        parts.append(Part(_("Other programs and the driver"), rest, "edge"))
    return parts


def fit_badge(fits: bool) -> Badge:
    """Whether something fits, as an icon and a word."""
    return Badge("good", _("It fits")) if fits else Badge("caution", _("It does not fit as it is"))


def steps_down(reasons: Sequence[Reason]) -> list[Reason]:
    """Why the suggestion is another model or method than the one the guide names."""
    return [reason for reason in reasons if reason.code in (ReasonCode.STEPPED_MODEL, ReasonCode.STEPPED_METHOD)]
