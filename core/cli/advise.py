"""The command that recommends: tier, model, method and settings for a card, with reasons."""

from typing import Annotated, Any

import typer

from core.cli.cards import first_card
from core.cli.output import Json, not_one_of, result_out
from core.codec import to_plain
from core.i18n import _
from core.recommend import Recommendation, practice, recommend
from core.wording import gigabytes, method_words, reason_words, sourced_words

GB = 1_000_000_000


def _known_goal(goal: str) -> str:
    if goal not in ("simple", "medium", "complex"):
        raise not_one_of("simple", "medium", "complex")
    return goal


Goal = Annotated[str, typer.Option(help="simple, medium or complex", callback=_known_goal)]


def add_to(app: typer.Typer) -> None:
    """Register this module's commands."""
    app.command("recommend", help="Recommend a method and a model for a card.")(recommend_command)


def recommend_command(
    vram: Annotated[float | None, typer.Option(min=0.1, max=10_000, help="Total memory of a card in GB.")] = None,
    free: Annotated[float | None, typer.Option(min=0, max=10_000, help="Free memory in GB; all when left out.")] = None,
    goal: Goal = "medium",
    json: Json = False,
) -> None:
    advice = _advice(vram, free, goal)
    if json:
        return result_out(_as_plain(advice) | {"alternatives": [_as_plain(a) for a in advice.alternatives]})
    print(f"{advice.model.title} · {method_words(advice.method)} · {gigabytes(advice.estimate.total_bytes)}")
    for reason in advice.reasons:
        print(f"  {sourced_words(reason)}")
    for other in advice.alternatives:
        print(f"{_('or')} {other.model.title} · {method_words(other.method)} · {gigabytes(other.estimate.total_bytes)}")
    return None


def _advice(vram: float | None, free: float | None, goal: str) -> Recommendation:
    if vram is not None:
        total = int(vram * GB)
        return recommend(total, total if free is None else int(free * GB), goal)
    card = first_card()
    return practice(goal) if card is None else recommend(card.total_bytes, card.free_bytes, goal)


def _as_plain(advice: Recommendation) -> dict[str, Any]:
    return {
        "tier": advice.tier, "model": advice.model.id, "parameters": advice.model.parameters,
        "method": advice.method, "estimate_bytes": advice.estimate.total_bytes, "fits": advice.fits,
        "plan": to_plain(advice.plan),
        "reasons": [to_plain(r) | {"text": reason_words(r)} for r in advice.reasons],
    }  # fmt: skip
