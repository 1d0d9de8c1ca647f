"""The documents' VRAM tiers: which method and model size suit a card, checked against what is free now.

The tier proposes, the estimate decides (ruling c): the tier comes from the card's total memory, then what it
proposes is fitted into what is free: of all shapes of the plan (micro-batch, recomputation) the fastest that fits,
then a smaller method, then shorter rows, then a smaller model. Methods that the card cannot do are left out. Here
the method changes before rows are cut short, because nobody has chosen a method yet; `smaller`, which shrinks a plan
that somebody made, keeps the method longest.

The codes of a Reason with the facts they carry are listed in core/reasons.py (ReasonCode).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from core import explain
from core.catalog import ModelSpec, spec_of
from core.fit import UNFITTED, Constants
from core.fitting import NO_DATA as NO_DATA
from core.fitting import Recommendation as Recommendation
from core.fitting import Room, start
from core.ladder import METHODS, methods_from, smaller_model
from core.ladder import smaller as smaller
from core.plan import Method, TrainingPlan
from core.reasons import Reason as Reason
from core.reasons import ReasonCode as ReasonCode
from core.speed import relative
from core.tiers import Tier, classes, goal_of, rules, tier_of
from core.vram import estimate

#: What a card can do when nobody says: bf16, and every method.
MODERN = (8, 0)
#: An alternative is called faster from this speed on.
_FASTER = 1.1
#: An alternative has more room when it needs at most this share of the memory.
_LESS = 0.9


def recommend(
    total_bytes: int,
    free_bytes: int,
    goal: str = "medium",
    *,
    capability: tuple[int, int] = MODERN,
    constants: Constants = UNFITTED,
    model: ModelSpec | None = None,
) -> Recommendation:
    """Recommend for a card; `goal` is "simple", "medium" or "complex" (rank by task, D1/D4).

    `capability` is the card's; (0, 0), unknown, counts as a modern one. `constants` are those of the card. With
    `model` it is about that model alone: the method and settings that suit it. `fits` is False when not even the
    smallest way fits; practice on the processor, or another model, is the alternative then. Raises ValueError for
    other goals.
    """
    room = Room(min(free_bytes, total_bytes), goal, capability if any(capability) else MODERN, constants)
    card = _Card(tier_of(total_bytes), total_bytes, room, model)
    for chosen in card.ways_down():
        if chosen.fits:
            return replace(chosen, reasons=card.reasons(chosen), alternatives=card.alternatives(chosen))
    return replace(chosen, reasons=card.reasons(chosen), alternatives=card.instead())


def fitted(
    model: ModelSpec,
    method: Method,
    free_bytes: int,
    goal: str = "medium",
    *,
    tokens: int = 0,
    capability: tuple[int, int] = MODERN,
    constants: Constants = UNFITTED,
) -> Recommendation:
    """A plan for a model and a method that somebody chose: the fastest that fits `free_bytes`.

    `tokens` is the longest sequence wanted, 0 for the usual one. Rows are cut short when nothing else helps. When
    nothing fits it is the smallest plan there is, with `fits` False.
    """
    room = Room(free_bytes, goal, capability if any(capability) else MODERN, constants)
    return room.fit(model, method, cut=True, tokens=tokens)


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
    """What a recommendation is made for; `model` is the one that was chosen, None when the tier is to say."""

    tier: Tier
    total_bytes: int
    room: Room
    model: ModelSpec | None

    @property
    def proposed(self) -> ModelSpec:
        return self.model or spec_of(classes()[self.tier.size_class].model)

    def ways_down(self) -> Iterator[Recommendation]:
        """The tier's proposal and what comes after it, each fitted as well as it can be."""
        order = list(classes())
        names = order[order.index(self.tier.size_class) :]
        for model in [self.model] if self.model else [spec_of(classes()[name].model) for name in names]:
            methods = self.methods(model)
            for method in methods:
                yield self.way(model, method, cut=method is methods[-1])

    def way(self, model: ModelSpec, method: Method, *, cut: bool = False) -> Recommendation:
        return replace(self.room.fit(model, method, cut=cut), tier=self.tier.name)

    def first_method(self, model: ModelSpec) -> Method:
        """The tier's method for a model of its class, else that of the model's own class."""
        name = _class_of(model)
        return self.tier.method if name == self.tier.size_class else classes()[name].method

    def methods(self, model: ModelSpec) -> tuple[Method, ...]:
        """From the first method down; 16 bits where the card can do nothing of that."""
        able = tuple(method for method in methods_from(self.first_method(model)) if self.room.can(method))
        return able or (Method.LORA,)

    def reasons(self, way: Recommendation) -> tuple[Reason, ...]:
        """Why this way: tier, model, method, memory, steps down, settings."""
        first, capability = self.first_method(way.model), self.room.capability
        lacking = () if self.room.can(first) else (explain.why_not_method(first, capability),)
        half = (explain.why_half_precision(capability),) if self.room.half else ()
        before, after = self.proposed, way.model
        sizes = ((before.title, before.parameters), (after.title, after.parameters))
        changed = explain.changes(start(way.model, first, self.room.goal), way.plan)
        settings = explain.why_settings(way.plan, self.room.goal)
        if ReasonCode.STEPPED_CHECKPOINTING in [reason.code for reason in changed]:
            # that was said just now
            settings = tuple(reason for reason in settings if reason.code != ReasonCode.SOME_RECOMPUTATION)
        return (
            explain.why_tier(self.tier, self.total_bytes),
            *explain.why_model(way.model, chosen=self.model is not None),
            *lacking,
            *explain.why_method(way.model, way.method),
            *explain.why_memory(way.estimate, self.room.free_bytes, self.total_bytes),
            *(() if before == after else (explain.titled_change(*sizes),)),
            *changed,
            *half,
            *settings,
        )

    def instead(self) -> tuple[Recommendation, ...]:
        """What is offered when nothing fits."""
        if self.model is None:
            return (practice(self.room.goal),)
        room = self.room
        other = recommend(
            self.total_bytes, room.free_bytes, room.goal, capability=room.capability, constants=room.constants
        )
        return (replace(other, alternatives=()),) if other.fits else other.alternatives

    def alternatives(self, way: Recommendation) -> tuple[Recommendation, ...]:
        """Other ways that fit, each led by the reason that speaks for it: safer, faster, bigger, more precise."""
        offers = (
            (ReasonCode.ALTERNATIVE_SAFER, self._safer(way)),
            (ReasonCode.ALTERNATIVE_FASTER, self._faster(way)),
            (ReasonCode.ALTERNATIVE_BIGGER, self._bigger(way)),
            (ReasonCode.ALTERNATIVE_PRECISER, self._preciser(way)),
        )
        return tuple(self._offer(code, way, offer) for code, offer in offers if offer)

    def _safer(self, way: Recommendation) -> Recommendation | None:
        """The same on a smaller base (ruling b), or in the fastest shape that needs clearly less memory."""
        below = [method for method in methods_from(way.method)[1:] if self.room.can(method)]
        for method in (*below[:1], way.method):
            for plan in self.room.shapes_of(way.model, replace(way.plan, method=method)):
                predicted = self.room.needs(way.model, plan)
                if predicted.total_bytes <= _LESS * way.estimate.total_bytes:
                    return Recommendation(self.tier.name, way.model, method, plan, predicted, fits=True)
        return None

    def _faster(self, way: Recommendation) -> Recommendation | None:
        """The next smaller model, with the method that makes it fastest."""
        lesser = _neighbour(way.model, +1) if self.model is None else smaller_model(way.model)
        if lesser is None:
            return None
        offers = [self.way(lesser, method) for method in METHODS if self.room.can(method)]
        fitting = [offer for offer in offers if offer.fits]
        fastest = max(fitting, key=lambda offer: _speed(offer, way), default=None)
        return fastest if fastest and _speed(fastest, way) >= _FASTER else None

    def _bigger(self, way: Recommendation) -> Recommendation | None:
        """The next larger class, with the first of its methods that fits."""
        larger = _neighbour(way.model, -1)
        if larger is None:
            return None
        offers = (self.way(larger, method) for method in self.methods(larger))
        return next((offer for offer in offers if offer.fits), None)

    def _preciser(self, way: Recommendation) -> Recommendation | None:
        """The same model in 16 bits."""
        offer = None if way.method is Method.LORA else self.way(way.model, Method.LORA)
        return offer if offer and offer.fits else None

    def _offer(self, code: ReasonCode, way: Recommendation, other: Recommendation) -> Recommendation:
        """An alternative with what it has over `way`."""
        memory = explain.why_memory(other.estimate, self.room.free_bytes, self.total_bytes)[-1]
        instead = explain.why_instead(code, (way.model, way.estimate), (other.model, other.estimate), other.method)
        speed = _speed(other, way)
        quality = explain.quality((way.model, way.plan), (other.model, other.plan))
        why = (instead, explain.expected_speed(speed), quality)
        return replace(
            other, reasons=(*why, *explain.why_method(other.model, other.method), memory), speed=round(speed, 3)
        )


def _speed(way: Recommendation, before: Recommendation) -> float:
    return relative(way.model.architecture, way.plan, (before.model.architecture, before.plan))


def _class_of(model: ModelSpec) -> str:
    """The class that the model stands for, or belongs to; the starter model is a class of its own."""
    standing = (name for name, each in classes().items() if each.model == model.id)
    return next(standing, model.size_class)


def _neighbour(model: ModelSpec, step: int) -> ModelSpec | None:
    """The model that stands for the class above (-1) or below (+1)."""
    order = list(classes())
    position = order.index(_class_of(model)) + step
    return spec_of(classes()[order[position]].model) if 0 <= position < len(order) else None
