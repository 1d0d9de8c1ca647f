"""How a model would fit on the card, and the method that is recommended for it."""

from dataclasses import dataclass, replace

from core.catalog import STARTER, ModelSpec
from core.fit import Constants
from core.fitting import Room
from core.i18n import _
from core.ladder import METHODS
from core.plan import Method, TrainingPlan
from core.recommend import MODERN
from core.tiers import kept_bytes
from core.wizard import WizardState
from core.wording import gigabytes, method_words
from gui.desk import Desk

#: Share of the free memory that a plan may fill before it counts as tight.
ROOM = 0.92


@dataclass(frozen=True)
class Fit:
    """How a model would fit on the card: `tone` of the badge, the words, and the share of the free memory it needs."""

    tone: str
    words: str
    share: float = 0.0

    @property
    def fits(self) -> bool:
        """Whether it can be trained here, if only just."""
        return self.tone in ("good", "caution")


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
    free = max(state.card.free_bytes - kept_bytes(), 1)
    if needed > free:
        words = _("Too large: needs about {size}").format(size=gigabytes(needed))
        return Fit("trouble", words, needed / free)
    return _fitting(method, needed, free)


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
    return next(
        (m for m in able if _needed(room, advice.plan, m, spec) <= ROOM * (card.free_bytes - kept_bytes())), able[-1]
    )


def _needed(room: Room, plan: TrainingPlan, method: Method, spec: ModelSpec) -> int:
    return room.needs(spec, replace(plan, model=spec.id, method=method)).total_bytes


def _fitting(method: Method, needed: int, free: int) -> Fit:
    facts = {"method": method_words(method), "size": gigabytes(needed)}
    share = needed / free
    if needed > ROOM * free:
        return Fit("caution", _("Tight: {method}, about {size}").format(**facts), share)
    return Fit("good", _("Fits: {method}, about {size}").format(**facts), share)
