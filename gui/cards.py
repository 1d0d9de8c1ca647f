"""What a card is called, and the way back from a card that is only planned for."""

from dataclasses import replace

from core.fit import constants_of
from core.gpu import Card
from core.programs import closable
from core.recommend import Recommendation, practice, recommend
from core.settings import measured_file
from core.tiers import card_gb
from core.wizard import WizardState, own_card_again


def short_name(card: str) -> str:
    """The card's name without the maker's prefixes."""
    return card.removeprefix("NVIDIA ").removeprefix("GeForce ")


def named(card: Card) -> str:
    """The short name with the number on the box: "RTX 4070 12 GB"; a name that says it already is enough."""
    size = f"{card_gb(card.total_bytes)} GB"
    name = short_name(card.name)
    return name if size.replace(" ", "") in name.replace(" ", "") else f"{name} {size}"


def here(state: WizardState) -> Card | None:
    """The card that is in this computer, whatever card is planned for."""
    return state.own_card if state.imagined else state.card


def advised(card: Card | None, goal: str) -> Recommendation:
    """What is recommended for a card, or for a computer without one; what runs on the card taught is known."""
    if card is None:
        return practice(goal)
    learned = constants_of(card.name, measured_file())
    return recommend(card.total_bytes, card.free_bytes, goal, capability=card.capability, constants=learned)


def advised_when_closed(card: Card, now: Recommendation, goal: str) -> Recommendation | None:
    """What closing as few programs as possible would make possible beyond `now`: another model or method.

    None when closing every program that can be closed changes neither.
    """
    free = card.free_bytes
    for program in closable(card.processes):
        free += program.used_bytes or 0
        then = advised(replace(card, free_bytes=min(free, card.total_bytes)), goal)
        if then.fits and (then.model, then.method) != (now.model, now.method):
            return then
    return None


def back_home(state: WizardState) -> WizardState:
    """The state with this computer's own card again."""
    return own_card_again(state, advised(state.own_card, state.goal)) if state.imagined else state
