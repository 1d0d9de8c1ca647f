"""Sentences about cards: what they do now, what is special about them, who uses them and whom to close."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.i18n import _
from core.wording.numbers import gigabytes

if TYPE_CHECKING:
    from core.gpu import Card, GpuProcess


def close_words(programs: Sequence["GpuProcess"]) -> str:
    """What closing `programs` frees, with their names; empty when there are none."""
    if not programs:
        return ""
    freed = sum(program.used_bytes or 0 for program in programs)
    # one program may run as several processes
    names = _(", ").join(dict.fromkeys(program.name for program in programs))
    return _("Close {names} to free {size}.").format(names=names, size=gigabytes(freed))


def program_words(program: "GpuProcess") -> str:
    """One program with what it holds: "firefox (1234): 610 MB"; what is not told is left out."""
    name = f"{program.name or _('Unnamed program')} ({program.pid})"
    return name if program.used_bytes is None else f"{name}: {gigabytes(program.used_bytes)}"


def live_words(heat: int | None, watts: float | None, limit: float | None, busy: int | None) -> str:
    """Temperature, power and use, as far as the card tells."""
    power = "" if watts is None else (
        _("{watts} W").format(watts=round(watts)) if limit is None
        else _("{watts} of {limit} W").format(watts=round(watts), limit=round(limit))
    )  # fmt: skip
    told = (
        "" if heat is None else f"{heat} °C",
        power,
        "" if busy is None else _("{share} % busy").format(share=busy),
    )
    return " · ".join(part for part in told if part)


def technical_words(card: "Card") -> str:
    """Driver, CUDA and compute capability, as far as they are known."""
    told = (
        _("Driver {version}").format(version=card.driver) if card.driver else "",
        f"CUDA {card.cuda}" if card.cuda else "",
        _("compute capability {version}").format(version="{}.{}".format(*card.capability))
        if card.capability > (0, 0) else "",
        ("bf16" if card.bf16 else "fp16") if card.capability > (0, 0) else "",
    )  # fmt: skip
    return " · ".join(part for part in told if part)


def card_notes(card: "Card") -> list[str]:
    """What is special about a card, and what its driver keeps to itself."""
    nameless = any(not program.name for program in card.processes)
    sizeless = any(program.used_bytes is None for program in card.processes)
    return [
        words
        for true, words in (
            (card.mig, _("This is one part of a larger card (MIG); only its own memory counts.")),
            (card.wsl, _("Inside Windows (WSL) the driver does not tell which programs use the card.")),
            (card.unified, _("This card shares the computer's main memory; other programs take from the same.")),
            (sizeless, _("The driver does not tell how much memory each program holds.")),
            (nameless, _("Some programs on the card cannot be named: they belong to somebody else or run elsewhere.")),
        )
        if true
    ]
