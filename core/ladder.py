"""The ladder: plans and models that need less memory, step by step, and what each step costs."""

import re
from dataclasses import replace

from core.architecture import Architecture
from core.catalog import ModelSpec, models, spec_of
from core.explain import changes, quality_of_change, step_cost, titled_change
from core.plan import Method, TrainingPlan, with_method
from core.problems import Trouble
from core.reasons import Reason
from core.shapes import RECOMPUTATION, shorter_than
from core.speed import relative
from core.tiers import classes

#: From the most precise base to the smallest.
METHODS = (Method.LORA, Method.LORA8, Method.QLORA)
#: Micro-batches per step that a plan can hold.
_MOST_ACCUMULATION = 4096
#: A model is a smaller one when it has at most this share of the parameters: 14.77B is no step down to 14.76B.
_SMALLER = 0.9
#: The size in a model's name: "7B", "1.7b", "360M", "8x7B", "A3B".
_SIZE = re.compile(r"a?(?:\d+x)?\d+(?:\.\d+)?[bm]", re.IGNORECASE)


def smaller(plan: TrainingPlan) -> TrainingPlan | None:
    """The next step down the ladder that needs less memory, None at its end.

    The micro-batch halves while accumulation keeps the rows per step; then more recomputation, then rows half
    as long (down to 256 tokens), then LoRA → LoRA 8-bit → QLoRA. After that comes a smaller model, which is for the
    user to agree to: see `smaller_model`.
    """
    return _smaller_shape(plan) or shorter_than(plan) or _smaller_method(plan)


def gentler(plan: TrainingPlan) -> TrainingPlan | None:
    """The next step down that changes nothing in what is learned, for a run that has begun; None when there is none.

    Fewer rows are computed at once while a step has exactly as many, then more is recomputed.
    """
    fewer = [batch for batch in range(plan.batch // 2, 0, -1) if plan.effective_batch % batch == 0]
    if plan.batch > 1 and plan.effective_batch // fewer[0] <= _MOST_ACCUMULATION:
        return replace(plan, batch=fewer[0], accumulation=plan.effective_batch // fewer[0])
    more = [step for step in RECOMPUTATION if _recomputed(step) > _recomputed(plan.checkpointing)]
    return replace(plan, checkpointing=more[0]) if more else None


def smaller_model(model: ModelSpec) -> ModelSpec | None:
    """The next smaller model: of the same series ("Qwen3"), else of the same family ("Qwen"), else the one that
    stands for the next class. None for the smallest.
    """
    below = [known for known in models() if known.parameters <= _SMALLER * model.parameters]
    for kin in (_series, _family):
        related = [known for known in below if kin(known) == kin(model) and known.source != "starter"]
        if related:
            return max(related, key=lambda known: known.parameters)
    standing = [spec for spec in map(spec_of, (each.model for each in classes().values())) if spec in below]
    return max(standing, key=lambda known: known.parameters, default=None)


def difference(before: TrainingPlan, after: TrainingPlan) -> tuple[Reason, ...]:
    """What `after` does otherwise than `before` to need less memory, one Reason (STEPPED_*) for each change."""
    model = () if before.model == after.model else (titled_change(_named(before.model), _named(after.model)),)
    return (*model, *changes(before, after))


def slower_percent(before: TrainingPlan, after: TrainingPlan, architecture: Architecture) -> int:
    """How much more time `after` takes for as many tokens, in per cent; negative when it takes less.

    `architecture` is that of `before`; a model of another name is looked up. By core.speed: from published figures,
    not measured on this card.
    """
    second = architecture if before.model == after.model else _architecture(after.model, architecture)
    return round(100 / relative(second, after, (architecture, before)) - 100)


def cost_of_step(before: TrainingPlan, after: TrainingPlan, architecture: Architecture) -> tuple[Reason, ...]:
    """What changed, what it costs in time (STEP_COST), and what it does to the result (QUALITY_*)."""
    time = step_cost(slower_percent(before, after, architecture))
    return (*difference(before, after), time, *quality_of_change(before, after))


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


def _smaller_method(plan: TrainingPlan) -> TrainingPlan | None:
    below = methods_from(plan.method)[1:]
    return with_method(plan, below[0]) if below else None


def _series(model: ModelSpec) -> str:
    """The name up to its size: "qwen2.5-coder" of Qwen/Qwen2.5-Coder-7B-Instruct."""
    name = (model.repo or model.title).rpartition("/")[2].lower()
    parts = re.split(r"[-_ ]", name)
    sizes = [place for place, part in enumerate(parts) if _SIZE.fullmatch(part)]
    return "-".join(parts[: sizes[0]] if sizes else parts)


def _family(model: ModelSpec) -> str:
    """The series without its version: "qwen-coder", "llama"."""
    return "-".join(filter(None, (re.sub(r"v?[\d.]+$", "", part) for part in _series(model).split("-"))))


def _named(model: str) -> tuple[str, int]:
    """Title and parameters of a model that a plan names; the name and 0 for one that is not known here."""
    try:
        spec = spec_of(model)
    except Trouble:
        return model, 0
    return spec.title, spec.parameters


def _architecture(model: str, otherwise: Architecture) -> Architecture:
    try:
        return spec_of(model).architecture
    except Trouble:
        return otherwise
