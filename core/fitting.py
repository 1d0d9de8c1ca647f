"""Fitting a plan into the free memory of a card: the fastest shape of it that fits."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from core.architecture import Architecture
from core.catalog import ModelSpec
from core.fit import Constants
from core.plan import Method, TrainingPlan
from core.reasons import Reason
from core.shapes import least, shapes, shortened
from core.tiers import goal_of, reserve_bytes, rules
from core.vram import Estimate, estimate

#: A recommendation comes before the data, but a plan names a file: plans here carry this until data is
#: chosen.
NO_DATA = ("?",)
#: Rows are not made shorter than this by what a model can take.
_SHORTEST = 16


@dataclass(frozen=True)
class Recommendation:
    """One way to go: a model, a method and a whole plan (without data), with its predicted memory.

    `speed` is tokens per second against the recommendation that this is an alternative to, by core.speed: from
    published figures, not measured on this card.
    """

    tier: str
    model: ModelSpec
    method: Method
    plan: TrainingPlan
    estimate: Estimate
    fits: bool
    reasons: tuple[Reason, ...] = ()
    alternatives: tuple["Recommendation", ...] = ()
    speed: float = 1.0

    @property
    def quality(self) -> Reason | None:
        """What an alternative does to the result; None for a first recommendation."""
        return next((reason for reason in self.reasons if reason.code.startswith("quality_")), None)


@dataclass(frozen=True)
class Room:
    """The free memory of a card, what the card can do, and what it is wanted for."""

    free_bytes: int
    goal: str
    capability: tuple[int, int]
    constants: Constants

    @property
    def half(self) -> bool:
        """Whether the card computes in fp16: it has no real bf16."""
        return self.capability < tuple(rules()["capability"]["bf16"])

    def can(self, method: Method) -> bool:
        """Whether the card can train with this method."""
        return self.capability >= tuple(rules()["capability"].get(method.value, (0, 0)))

    def needs(self, model: ModelSpec, plan: TrainingPlan) -> Estimate:
        """Predicted memory of a plan on this card."""
        return _needs(model.architecture, plan, self.constants)

    def holds(self, predicted: Estimate) -> bool:
        """Whether there is room for it, with the reserve."""
        return predicted.total_bytes + reserve_bytes() <= self.free_bytes

    def fit(self, model: ModelSpec, method: Method, *, cut: bool, tokens: int = 0) -> Recommendation:
        """The fastest shape of the usual plan that fits; with `cut`, else with shorter rows; else the smallest one."""
        wanted = start(model, method, self.goal, tokens)
        for length in (wanted, *(shortened(wanted) if cut else ())):
            smallest = least(length)
            predicted = self.needs(model, smallest)
            if not self.holds(predicted):
                continue
            for plan in shapes(model.architecture, length):
                predicted = self.needs(model, plan)
                if self.holds(predicted):
                    return Recommendation("", model, method, plan, predicted, fits=True)
        return Recommendation("", model, method, smallest, predicted, fits=False)

    def shapes_of(self, model: ModelSpec, plan: TrainingPlan) -> Iterator[TrainingPlan]:
        """Other shapes of a plan, fastest first."""
        usual = replace(plan, batch=rules()["start"]["batch"], accumulation=rules()["start"]["accumulation"])
        return (shape for shape in shapes(model.architecture, replace(usual, checkpointing="none")) if shape != plan)


@lru_cache(maxsize=4096)
def _needs(architecture: Architecture, plan: TrainingPlan, constants: Constants) -> Estimate:
    """The free memory of a card changes every second, what plans need does not."""
    return estimate(architecture, plan, constants=constants)


def start(model: ModelSpec, method: Method, goal: str, tokens: int = 0) -> TrainingPlan:
    """What is proposed before memory is looked at: the documents' settings for the goal."""
    rule, settings = goal_of(goal), dict(rules()["start"])
    wanted = tokens or settings["tokens"]
    settings["tokens"] = max(_SHORTEST, min(wanted, model.context or wanted))
    return TrainingPlan(
        model=model.id,
        data=NO_DATA,
        method=method,
        rank=rule.rank,
        alpha=2 * rule.rank,
        targets=rule.targets,
        **settings,
    )
