"""Commands about cards: what there is, how much memory they have, who uses it."""

import typer

from core import gpu
from core.cli.output import Json, result_out
from core.codec import to_plain
from core.i18n import _
from core.problems import Trouble
from core.wording import gigabytes


def add_to(app: typer.Typer) -> None:
    """Register this module's commands."""
    app.command("gpus", help="Show cards, their memory and who uses it.")(gpus)


def gpus(json: Json = False) -> None:
    found = gpu.cards()
    if json:
        cards = [to_plain(card) | {"capability": "{}.{}".format(*card.capability)} for card in found]
        return result_out({"gpus": cards})
    for card in found:
        print(
            _("{name}: {free} of {total} free, driver {driver}").format(
                name=card.name,
                free=gigabytes(card.free_bytes),
                total=gigabytes(card.total_bytes),
                driver=card.driver,
            )
        )
        for user in card.processes:
            print(f"  {user.name} ({user.pid}): {'?' if user.used_bytes is None else gigabytes(user.used_bytes)}")
    return None


def first_card() -> gpu.Card | None:
    """The first card, None on a computer without one; a broken driver is no reason not to plan."""
    try:
        return gpu.cards()[0]
    except Trouble:
        return None
