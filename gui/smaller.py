"""Makes a plan smaller until it fits: the steps of core.ladder, one after the other."""

from dataclasses import dataclass

from core.catalog import ModelSpec
from core.fit import Constants
from core.ladder import smaller
from core.plan import TrainingPlan
from core.tiers import reserve_bytes
from core.vram import estimate


@dataclass(frozen=True)
class Smaller:
    """A plan further down the ladder; `fits` is False when it is the last one and still too large."""

    plan: TrainingPlan
    fits: bool


def until_it_fits(
    plan: TrainingPlan, model: ModelSpec, free_bytes: int, constants: Constants, corrected: float = 1.0
) -> Smaller | None:
    """The first plan below `plan` that fits `free_bytes` with the reserve; None when there is nothing below.

    `corrected` is what the model's own modules said of `plan`, as a share of the arithmetic: what is below is
    taken to be off by as much, but never to need less than the arithmetic says.
    """
    found: Smaller | None = None
    below = smaller(plan)
    while below is not None:
        needed = estimate(model.architecture, below, constants=constants).total_bytes * max(corrected, 1.0)
        found = Smaller(below, needed + reserve_bytes() <= free_bytes)
        if found.fits:
            break
        below = smaller(below)
    return found
