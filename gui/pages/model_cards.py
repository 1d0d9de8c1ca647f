"""One model on the Model page: what it is, whether it is here, and how it would fit."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QHBoxLayout, QWidget

from core.catalog import STARTER, ModelSpec
from core.fit import Constants
from core.fitting import Room
from core.i18n import _
from core.ladder import METHODS
from core.plan import Method, TrainingPlan
from core.reasons import Reason
from core.recommend import MODERN
from core.wizard import WizardState
from core.wording import gigabytes, method_words, parameters, sourced_words
from gui.desk import Desk
from gui.pages.gpu_card import steps_down
from gui.widgets.badge import Badge
from gui.widgets.buttons import Tile
from gui.widgets.text import Elided, column, label, row

#: Share of the free memory that a plan may fill before it counts as tight.
ROOM = 0.92


@dataclass(frozen=True)
class Fit:
    """How a model would fit on the card: `tone` of the badge, and the words."""

    tone: str
    words: str


def fit_of(state: WizardState, spec: ModelSpec, desk: Desk) -> Fit:
    """What the badge of a model says."""
    if state.card is None:
        practice = spec.id == STARTER
        return Fit("good", _("Right for practice")) if practice else Fit("caution", _("Very slow on the processor"))
    advice = state.recommendation
    if advice is None:
        return Fit("muted", "")
    method = method_for(state, spec, desk.constants(state.card))
    needed = desk.predict(replace(advice.plan, model=spec.id, method=method), spec, state.card).total_bytes
    if needed > state.card.free_bytes:
        return Fit("trouble", _("Too large: needs about {size}").format(size=gigabytes(needed)))
    return _fitting(method, needed, state.card.free_bytes)


def method_for(state: WizardState, spec: ModelSpec, constants: Constants) -> Method:
    """What is recommended for the recommended model, else the most precise method that fits with room.

    What the card cannot do is not proposed. `constants` are those of the card.
    """
    advice, card = state.recommendation, state.card
    if advice is not None and (card is None or spec.id == advice.model.id):
        return advice.method
    if advice is None or card is None:
        return Method.LORA
    room = Room(card.free_bytes, state.goal, card.capability if any(card.capability) else MODERN, constants)
    able = [method for method in METHODS if room.can(method)] or [Method.LORA]
    return next((m for m in able if _needed(room, advice.plan, m, spec) <= ROOM * card.free_bytes), able[-1])


def _needed(room: Room, plan: TrainingPlan, method: Method, spec: ModelSpec) -> int:
    return room.needs(spec, replace(plan, model=spec.id, method=method)).total_bytes


def _fitting(method: Method, needed: int, free: int) -> Fit:
    facts = {"method": method_words(method), "size": gigabytes(needed)}
    if needed > ROOM * free:
        return Fit("caution", _("Tight: {method}, about {size}").format(**facts))
    return Fit("good", _("Fits: {method}, about {size}").format(**facts))


class ModelTile(Tile):
    """A model to choose. `words` is what the search looks through."""

    def __init__(self, spec: ModelSpec, fit: Fit, folder: Path | None, reasons: Sequence[Reason]) -> None:
        self.spec = spec
        facts = _facts(spec)
        self.words = f"{spec.title} {spec.id} {facts}".lower()
        title = row(label(spec.title, "strong", wrap=False), 4)
        if reasons:
            title.addWidget(Badge("good", _("Recommended")))
        title.addStretch(1)
        title.addWidget(Badge(fit.tone, fit.words))
        here = _("On this computer") if folder else _download(spec)
        lines = column(title, _stretched(Elided(facts, "muted"), label(here, "muted", wrap=False)), spacing=4)
        for reason in (*reasons[:2], *steps_down(reasons[2:])):
            lines.addWidget(label(sourced_words(reason), "small"))
        super().__init__(f"model_{spec.id}", lines)
        self.setAccessibleName(spec.title)
        self.setAccessibleDescription(f"{facts}. {fit.words}. {here}")


def _stretched(first: QWidget, second: QWidget) -> QHBoxLayout:
    line = row(first, second)
    line.setStretch(0, 1)
    return line


def _download(spec: ModelSpec) -> str:
    return _("Download {size}").format(size=gigabytes(spec.download_bytes)) if spec.download_bytes else ""


def _facts(spec: ModelSpec) -> str:
    languages = ", ".join(_language(code) for code in spec.languages[:4])
    if len(spec.languages) > 4:
        languages += " …"
    gate = _("licence to accept") if spec.gated else ""
    size = parameters(spec.parameters)
    return " · ".join(part for part in (size, languages, spec.licence, gate) if part)


def _language(code: str) -> str:
    names = {"en": _("English"), "zh": _("Chinese")}
    return names.get(code) or QLocale(code).nativeLanguageName() or code
