"""Sentences for a training that waits: why it does, and what ends it."""

from typing import TYPE_CHECKING, Any

from core.i18n import N_, _
from core.wording.sentences import Either, Sentence, joined, say

if TYPE_CHECKING:
    from core.events import Paused

# By core.events.Wait.
_WHY: dict[str, str] = {
    "user": N_("You paused it."),
    "temperature": N_("The card is too hot."),
    "power": N_("The card takes more power than you allow."),
    "quiet_hours": N_("These are quiet hours."),
    "disk": N_("The disk is nearly full."),
}
_UNTIL: dict[str, Sentence] = {
    "user": N_("It goes on when you say so."),
    "temperature": Either(
        N_("It goes on by itself at {cooler} °C; now it is {temperature} °C."),
        N_("It goes on by itself at {cooler} °C."),
        N_("It goes on by itself when the card is cooler."),
    ),
    "power": Either(
        N_("It goes on by itself when the card takes less than {watts} watts over a minute."),
        N_("It goes on by itself when the card takes less."),
    ),
    "quiet_hours": Either(N_("It goes on by itself at {until}."), N_("It goes on by itself when they end.")),
    "disk": N_("It goes on by itself when there is room again."),
}
_SHORT: dict[str, str] = {
    "user": N_("Paused"),
    "temperature": N_("Waits: too hot"),
    "power": N_("Waits: too much power"),
    "quiet_hours": N_("Waits: quiet hours"),
    "disk": N_("Waits: disk nearly full"),
}
_FREE = N_("Its memory is free meanwhile, so going on takes a moment.")


def why_words(paused: "Paused") -> str:
    """Why training waits, as a sentence."""
    return _(_WHY[paused.reason])


def until_words(paused: "Paused", facts: dict[str, Any]) -> str:
    """What will end it; facts that help are cooler and temperature (°C), watts, and until (a time of day)."""
    return joined(say(_UNTIL[paused.reason], facts), _(_FREE) if paused.released else "")


def wait_badge(reason: str) -> str:
    """The reason in two or three words."""
    return _(_SHORT[reason])
