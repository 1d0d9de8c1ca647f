"""The documents' VRAM tiers: which method and model size suit a card, checked against what is free now.

The tier proposes, the estimate decides (ruling c): the tier comes from the card's total memory, then the
proposal is stepped down until it fits what is free: smaller micro-batch, recomputation, a smaller method, a
smaller model. Here the method changes before rows are cut short, because nobody has chosen a method yet;
`smaller`, which shrinks a plan that somebody made, keeps the method longest.

The codes of a Reason with the facts they carry are listed in core/reasons.py (ReasonCode).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from core import explain
from core.catalog import ModelSpec, spec_of
from core.ladder import METHODS, methods_from, shapes
from core.ladder import smaller as smaller
from core.plan import Method, TrainingPlan
from core.reasons import Reason as Reason
from core.reasons import ReasonCode as ReasonCode
from core.tiers import Tier, classes, goal_of, rules, tier_of
from core.vram import Estimate, estimate

#: A recommendation comes before the data, but a plan names a file: plans here carry this until data is
#: chosen.
NO_DATA = ("?",)
#: How many alternatives are offered at most.
_MOST_ALTERNATIVES = 3


@dataclass(frozen=True)
class Recommendation:
    """One way to go: a model, a method and a whole plan (without data), with its predicted memory."""

    tier: str
    model: ModelSpec
    method: Method
    plan: TrainingPlan
    estimate: Estimate
    fits: bool
    reasons: tuple[Reason, ...] = ()
    alternatives: tuple["Recommendation", ...] = ()


def recommend(total_bytes: int, free_bytes: int, goal: str = "medium") -> Recommendation:
    """Recommend for a card; `goal` is "simple", "medium" or "complex" (rank by task, D1/D4).

    `fits` is False when not even the smallest model fits; practice on the processor is the alternative then.
    Raises ValueError for other goals.
    """
    card = _Card(tier_of(total_bytes), total_bytes, min(free_bytes, total_bytes), goal)
    for chosen in card.ways_down():
        if chosen.fits:
            return replace(chosen, reasons=card.reasons(chosen), alternatives=card.alternatives(chosen))
    return replace(chosen, reasons=card.reasons(chosen), alternatives=(practice(goal),))


def fitted(model: ModelSpec, method: Method, free_bytes: int, goal: str = "medium") -> Recommendation:
    """A plan for a model and a method that somebody chose: the least slow one that fits `free_bytes`.

    Rows are cut short when nothing else helps. When nothing fits it is the smallest plan there is, with
    `fits` False.
    """
    return _fit(model, method, free_bytes, goal, cut=True)


def practice(goal: str = "medium") -> Recommendation:
    """Recommend for a computer without an NVIDIA card: the starter model on the processor.

    The settings are ours: see [practice] in tiers.toml. The estimate is that of a card; the processor's
    memory, of which the starter model needs little, is not checked.
    """
    model, rank = spec_of(classes()["starter"].model), goal_of(goal).rank
    plan = TrainingPlan(model=model.id, data=NO_DATA, rank=rank, alpha=2 * rank, **rules()["practice"])
    predicted = estimate(model.architecture, plan)
    reasons = explain.why_practice(model, plan, goal)
    return Recommendation("practice", model, plan.method, plan, predicted, fits=True, reasons=reasons)


@dataclass(frozen=True)
class _Card:
    """What a recommendation is made for."""

    tier: Tier
    total_bytes: int
    free_bytes: int
    goal: str

    def ways_down(self) -> Iterator[Recommendation]:
        """The tier's proposal and what comes after it, each fitted as well as it can be."""
        for name in _classes_from(self.tier.size_class):
            first = self.tier.method if name == self.tier.size_class else classes()[name].method
            for method in methods_from(first):
                yield self.way(name, method, cut=method is METHODS[-1])

    def way(self, size_class: str, method: Method, *, cut: bool) -> Recommendation:
        """The class's model with this method."""
        found = _fit(spec_of(classes()[size_class].model), method, self.free_bytes, self.goal, cut=cut)
        return replace(found, tier=self.tier.name)

    def reasons(self, way: Recommendation) -> tuple[Reason, ...]:
        """Why this way: tier, model, method, memory, steps down, settings."""
        proposed = spec_of(classes()[self.tier.size_class].model)
        first = self.tier.method if way.model == proposed else classes()[_class_of(way.model)].method
        return (
            explain.why_tier(self.tier, self.total_bytes),
            explain.why_model(way.model),
            *explain.why_method(way.model, way.method),
            *explain.why_memory(way.estimate, self.free_bytes, self.total_bytes),
            *explain.stepped(proposed, way.model, _start(way.model, first, self.goal), way.plan),
            *explain.why_settings(way.plan, self.goal),
        )

    def alternatives(self, way: Recommendation) -> tuple[Recommendation, ...]:
        """Up to three other ways that fit, each led by the reason that speaks for it."""
        offers = (self._safer(way), self._bigger(way), self._preciser(way), self._faster(way))
        return tuple(offer for offer in offers if offer)[:_MOST_ALTERNATIVES]

    def _safer(self, way: Recommendation) -> Recommendation | None:
        """The same plan on a smaller base (ruling b), or with more recomputation where there is none."""
        below = methods_from(way.method)[1:]
        shape = (
            replace(way.plan, method=below[0]) if below else next(islice(shapes(way.plan, cut=False), 1, None), None)
        )
        if shape is None:
            return None
        predicted = estimate(way.model.architecture, shape)
        offer = Recommendation(self.tier.name, way.model, shape.method, shape, predicted, fits=True)
        return self._offer(ReasonCode.ALTERNATIVE_SAFER, way, (offer,))

    def _bigger(self, way: Recommendation) -> Recommendation | None:
        """The next larger class, with the first of its methods that fits."""
        larger = _neighbour(_class_of(way.model), -1)
        offers = (self.way(larger, m, cut=False) for m in methods_from(classes()[larger].method)) if larger else ()
        return self._offer(ReasonCode.ALTERNATIVE_BIGGER, way, offers)

    def _preciser(self, way: Recommendation) -> Recommendation | None:
        """The same model in 16 bits."""
        offers = () if way.method is Method.LORA else (self.way(_class_of(way.model), Method.LORA, cut=False),)
        return self._offer(ReasonCode.ALTERNATIVE_PRECISER, way, offers)

    def _faster(self, way: Recommendation) -> Recommendation | None:
        """The next smaller class."""
        lesser = _neighbour(_class_of(way.model), +1)
        offers = (self.way(lesser, classes()[lesser].method, cut=False),) if lesser else ()
        return self._offer(ReasonCode.ALTERNATIVE_FASTER, way, offers)

    def _offer(self, code: ReasonCode, way: Recommendation, offers: Iterable[Recommendation]) -> Recommendation | None:
        """The first offer that fits, with what it has over `way`."""
        other = next((offer for offer in offers if offer.fits), None)
        if other is None:
            return None
        memory = explain.why_memory(other.estimate, self.free_bytes, self.total_bytes)[-1]
        instead = explain.why_instead(code, (way.model, way.estimate), (other.model, other.estimate), other.method)
        why = (instead, *explain.why_method(other.model, other.method), memory)
        return replace(other, reasons=why)


def _fit(model: ModelSpec, method: Method, free_bytes: int, goal: str, *, cut: bool) -> Recommendation:
    for plan in shapes(_start(model, method, goal), cut=cut):
        predicted = estimate(model.architecture, plan)
        if predicted.total_bytes + rules()["reserve_bytes"] <= free_bytes:
            return Recommendation("", model, method, plan, predicted, fits=True)
    return Recommendation("", model, method, plan, predicted, fits=False)


def _start(model: ModelSpec, method: Method, goal: str) -> TrainingPlan:
    """What is proposed before memory is looked at."""
    rule, settings = goal_of(goal), dict(rules()["start"])
    if model.context:
        settings["tokens"] = max(16, min(settings["tokens"], model.context))
    return TrainingPlan(
        model=model.id,
        data=NO_DATA,
        method=method,
        rank=rule.rank,
        alpha=2 * rule.rank,
        targets=rule.targets,
        **settings,
    )


def _classes_from(size_class: str) -> list[str]:
    """This class and the smaller ones, largest first."""
    order = list(classes())
    return order[order.index(size_class) :]


def _class_of(model: ModelSpec) -> str:
    """The class that the model stands for; the starter model is a class of its own."""
    return next(name for name, standing in classes().items() if standing.model == model.id)


def _neighbour(size_class: str, step: int) -> str | None:
    order = list(classes())
    position = order.index(size_class) + step
    return order[position] if 0 <= position < len(order) else None
