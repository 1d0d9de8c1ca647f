"""What the Train page says of a training that waits, and of what happened at a mark in its charts."""

from typing import Any

from core.events import Noted, Paused, Wait
from core.guards import COOLER, POWER_SHARE
from core.history import RunHistory
from core.settings import Settings
from core.wording import note_words
from core.wording.waits import until_words, why_words


def wait_facts(history: RunHistory, settings: Settings) -> dict[str, Any]:
    """What is known of when a pause will end."""
    newest = history.memory[-1] if history.memory else None
    facts: dict[str, Any] = {"temperature": newest.temperature if newest else None}
    if settings.temperature_limit:
        facts["cooler"] = settings.temperature_limit - COOLER
    if settings.power_limit:
        facts["watts"] = round(POWER_SHARE * settings.power_limit)
    if settings.quiet_hours:
        facts["until"] = settings.quiet_hours.replace("–", "-").partition("-")[2].strip()
    return facts


def waiting_words(paused: Paused, history: RunHistory, settings: Settings) -> str:
    """What will end a pause."""
    return until_words(paused, wait_facts(history, settings)).replace(" °C", "\u00a0°C")


def mark_words(event: Any) -> str:
    """What happened at a mark."""
    if isinstance(event, Paused):
        return why_words(event)
    return note_words(event) if isinstance(event, Noted) else ""


def by_user(paused: Paused) -> bool:
    """Whether the user asked for a pause, and not a guard."""
    return paused.reason is Wait.USER
