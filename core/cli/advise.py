"""The command that recommends: tier, model, method and settings for a card, with reasons."""

import re
from typing import Annotated, Any

import typer

from core.advice import BudgetRow, budget, rules_about, topics
from core.cards import imagined
from core.catalog import ModelSpec, spec_of
from core.cli.cards import first_card
from core.cli.estimate import learned
from core.cli.output import Json, not_one_of, result_out
from core.codec import to_plain
from core.gpu import Card
from core.i18n import _
from core.reasons import Reason
from core.recommend import MODERN, Recommendation, practice, recommend
from core.wording import gigabytes, method_words, parameters, reason_words, sourced_words, topic_words

GB = 1_000_000_000
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9}
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?(?:e\d{1,2})?)\s*([kmb]?)", re.IGNORECASE)


def _known_goal(goal: str) -> str:
    if goal not in ("simple", "medium", "complex"):
        raise not_one_of("simple", "medium", "complex")
    return goal


def parsed_budget(text: str) -> int:
    """A number of parameters: "10M", "10e6", "10000000", "0.5b". Raises typer.BadParameter for anything else."""
    found = _AMOUNT.fullmatch(text.strip().replace(",", "").replace("_", ""))
    amount = float(found[1]) * _UNITS[found[2].lower()] if found else 0
    if not 1 <= amount <= 1e15:
        raise typer.BadParameter(_("Enter a number of parameters such as 10M, 10e6 or 10000000."))
    return round(amount)


Goal = Annotated[
    str,
    typer.Option(
        metavar="simple|medium|complex",
        help="What it is for: style and sorting, questions and answers, or reasoning and deep knowledge.",
        callback=_known_goal,
    ),
]
Vram = Annotated[float | None, typer.Option(metavar="GB", min=0.1, max=10_000, help="Total memory of a card in GB.")]
Free = Annotated[
    float | None, typer.Option(metavar="GB", min=0, max=10_000, help="Free memory in GB; all when left out.")
]
Budget = Annotated[
    str, typer.Option(metavar="NUMBER", help="Most parameters of the adapter, such as 10M; with --model.")
]


def add_to(app: typer.Typer) -> None:
    """Register this module's commands."""
    app.command("recommend", help="Recommend a method and a model for a card.")(recommend_command)


def recommend_command(
    vram: Vram = None,
    free: Free = None,
    goal: Goal = "medium",
    card: Annotated[
        str, typer.Option(metavar="CARD", help='Another card than this computer\'s: "RTX 4090" or "24 GB".')
    ] = "",
    model: Annotated[
        str, typer.Option(metavar="MODEL", help="Fit this model: catalogue id, folder or config.json.")
    ] = "",
    budget: Budget = "",
    why: Annotated[bool, typer.Option("--why", help="Tell all rules of the documents too.")] = False,
    json: Json = False,
) -> None:
    if card and vram is not None:
        raise typer.BadParameter(_("Give either --card or --vram, not both."))
    if budget and not model:
        raise typer.BadParameter(_("--budget needs --model: the size of an adapter depends on it."))
    most = parsed_budget(budget) if budget else 0
    chosen = spec_of(model) if model else None
    if chosen and most:
        return _budget_out(chosen, most, json)
    advice = _advice(_card(vram, card), free, goal, chosen)
    if json:
        more = {"alternatives": [_as_plain(a) for a in advice.alternatives]}
        told = {"rules": {topic: [_told(r) for r in rules_about(topic)] for topic in topics()}} if why else {}
        return result_out(_as_plain(advice) | more | told)
    _print(advice)
    for topic in topics() if why else ():
        print(f"\n{topic_words(topic)}")
        for rule in rules_about(topic):
            print(f"  {sourced_words(rule)}")
    return None


def _card(vram: float | None, name: str) -> Card | None:
    """The card that is asked about: typed, named, or this computer's."""
    if vram is not None:
        return Card(index=0, name="", total_bytes=int(vram * GB), free_bytes=int(vram * GB))
    if name:
        return imagined(name)
    return first_card()


def _advice(card: Card | None, free: float | None, goal: str, model: ModelSpec | None) -> Recommendation:
    if card is None:
        return practice(goal)
    room = card.free_bytes if free is None else int(free * GB)
    capability = card.capability if any(card.capability) else MODERN
    constants = learned(card)
    return recommend(card.total_bytes, room, goal, capability=capability, constants=constants, model=model)


def _print(advice: Recommendation) -> None:
    print(_line(advice))
    for reason in advice.reasons:
        print(f"  {sourced_words(reason)}")
    for other in advice.alternatives:
        speed = _("speed {percent} %").format(percent=round(100 * other.speed))
        print(f"{_('or')} {_line(other)}" + (f" · {speed}" if other.quality else ""))
        print(f"  {sourced_words(other.reasons[0])}")
        if other.quality:
            print(f"  {sourced_words(other.quality)}")


def _line(advice: Recommendation) -> str:
    return f"{advice.model.title} · {method_words(advice.method)} · {gigabytes(advice.estimate.total_bytes)}"


def _as_plain(advice: Recommendation) -> dict[str, Any]:
    return {
        "tier": advice.tier, "model": advice.model.id, "parameters": advice.model.parameters,
        "method": advice.method, "estimate_bytes": advice.estimate.total_bytes, "fits": advice.fits,
        "speed": advice.speed, "quality": _told(advice.quality) if advice.quality else None,
        "plan": to_plain(advice.plan), "reasons": [_told(reason) for reason in advice.reasons],
    }  # fmt: skip


def _told(reason: Reason) -> dict[str, Any]:
    return {**to_plain(reason), "text": reason_words(reason)}


def _budget_out(model: ModelSpec, most: int, json: bool) -> None:
    rows: tuple[BudgetRow, ...] = budget(model.architecture, most)
    if json:
        return result_out({"model": model.id, "budget": most, "rows": to_plain(rows)})
    for row in rows:
        said = _("{targets}: rank {rank}, {parameters} (at most rank {most})")
        print(
            said.format(targets=row.targets, rank=row.rank, parameters=parameters(row.parameters), most=row.most_rank)
        )
    if not rows:
        print(_("No rank stays below {limit}.").format(limit=parameters(most)))
    return None
