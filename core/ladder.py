"""The ladder: plans that need less memory, step by step."""

from collections.abc import Iterator
from dataclasses import replace

from core.plan import Method, TrainingPlan

#: Least recomputation first; each step needs less memory and more time.
RECOMPUTATION = ("none", "4", "2", "full")
#: From the most precise base to the smallest.
METHODS = (Method.LORA, Method.LORA8, Method.QLORA)
#: Rows are never cut shorter than this, in tokens.
FEWEST_TOKENS = 256
#: Micro-batches per step that a plan can hold.
_MOST_ACCUMULATION = 4096


def smaller(plan: TrainingPlan) -> TrainingPlan | None:
    """The next step down the ladder that needs less memory, None at its end.

    The micro-batch halves while accumulation keeps the rows per step; then more recomputation, then rows half
    as long (down to 256 tokens), then LoRA → LoRA 8-bit → QLoRA. A smaller model is the user's choice, not a
    step.
    """
    return _smaller_shape(plan) or _shorter(plan) or _smaller_method(plan)


def shapes(plan: TrainingPlan, *, cut: bool) -> Iterator[TrainingPlan]:
    """`plan` and every smaller one with the same method; rows are cut short only with `cut`."""
    shape: TrainingPlan | None = plan
    while shape:
        yield shape
        shape = _smaller_shape(shape) or (_shorter(shape) if cut else None)


def methods_from(method: Method) -> tuple[Method, ...]:
    """`method` and those that hold the base in fewer bits."""
    return METHODS[METHODS.index(method) :]


def _smaller_shape(plan: TrainingPlan) -> TrainingPlan | None:
    if plan.batch > 1:
        half = plan.batch // 2
        # rounded up: a step never learns from fewer rows than asked
        accumulation = -(-plan.effective_batch // half)
        return replace(plan, batch=half, accumulation=min(_MOST_ACCUMULATION, accumulation))
    more = [step for step in RECOMPUTATION if _recomputed(step) > _recomputed(plan.checkpointing)]
    return replace(plan, checkpointing=more[0]) if more else None


def _recomputed(checkpointing: str) -> float:
    """The share of layers that is computed twice."""
    if checkpointing in ("none", "full"):
        return float(checkpointing == "full")
    return 1 / max(1, int(checkpointing))


def _shorter(plan: TrainingPlan) -> TrainingPlan | None:
    return replace(plan, tokens=max(FEWEST_TOKENS, plan.tokens // 2)) if plan.tokens > FEWEST_TOKENS else None


def _smaller_method(plan: TrainingPlan) -> TrainingPlan | None:
    below = methods_from(plan.method)[1:]
    return replace(plan, method=below[0]) if below else None
