"""Commands about cards: what there is, how much memory they have, who uses it, and what there is to plan for."""

from typing import Annotated

import typer

from core import gpu
from core.cards import known_cards
from core.cli.output import Json, result_out, table_out
from core.codec import to_plain
from core.i18n import _
from core.problems import Trouble
from core.wording import card_notes, gigabytes, live_words, program_words, technical_words


def add_to(app: typer.Typer) -> None:
    """Register this module's commands."""
    app.command("gpus", help="Show cards, their memory and who uses it.")(gpus)


def gpus(
    known: Annotated[bool, typer.Option("--known", help="List the cards that can be planned for instead.")] = False,
    json: Json = False,
) -> None:
    if known:
        return _known(json)
    found = gpu.cards()
    if json:
        return result_out({"gpus": [_as_plain(card) for card in found]})
    for card in found:
        _print(card)
    return None


def first_card() -> gpu.Card | None:
    """The first card, None on a computer without one; a broken driver is no reason not to plan."""
    try:
        return gpu.cards()[0]
    except Trouble:
        return None


def _known(json: bool) -> None:
    if json:
        cards = [to_plain(card) | {"total_bytes": card.total_bytes} for card in known_cards()]
        return result_out({"known": [card | {"capability": _version(card["capability"])} for card in cards]})
    return table_out({card.name: f"{card.memory_gb} GB" for card in known_cards()})


def _as_plain(card: gpu.Card) -> dict[str, object]:
    more = {"capability": _version(card.capability), "used_bytes": card.used_bytes, "notes": card_notes(card)}
    return {**to_plain(card), **more}


def _version(capability: tuple[int, int]) -> str:
    return "{}.{}".format(*capability)


def _print(card: gpu.Card) -> None:
    words = _("{name}: {free} of {total} free")
    print(words.format(name=card.name, free=gigabytes(card.free_bytes), total=gigabytes(card.total_bytes)))
    live = live_words(card.temperature, card.power_watts, card.power_limit_watts, card.utilisation)
    for line in (live, technical_words(card), *map(program_words, card.processes), *card_notes(card)):
        if line:
            print(f"  {line}")
