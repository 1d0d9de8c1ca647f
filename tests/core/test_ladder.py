"""Each step down the ladder is the one that the documents name."""

import pytest

from core.catalog import STARTER
from core.ladder import smaller
from core.plan import Method, TrainingPlan


def test_the_ladder_goes_down_as_documented() -> None:
    plan: TrainingPlan | None = TrainingPlan(
        model=STARTER, data=("rows.jsonl",), batch=4, accumulation=3, tokens=600, note="kept"
    )
    seen = []
    while plan:
        seen.append((plan.batch, plan.accumulation, plan.checkpointing, plan.tokens, plan.method.value))
        assert plan.note == "kept"
        plan = smaller(plan)
    assert seen == [
        (4, 3, "none", 600, "lora"),
        (2, 6, "none", 600, "lora"),
        (1, 12, "none", 600, "lora"),
        (1, 12, "4", 600, "lora"),
        (1, 12, "2", 600, "lora"),
        (1, 12, "full", 600, "lora"),
        (1, 12, "full", 300, "lora"),
        (1, 12, "full", 256, "lora"),
        (1, 12, "full", 256, "lora8"),
        (1, 12, "full", 256, "qlora"),
    ]


@pytest.mark.parametrize(("batch", "accumulation"), [(3, 1), (5, 3), (7, 7), (4096, 4096)])
def test_a_smaller_micro_batch_keeps_the_rows_of_a_step(batch: int, accumulation: int) -> None:
    plan = TrainingPlan(model=STARTER, data=("rows.jsonl",), batch=batch, accumulation=accumulation)
    step = smaller(plan)
    assert step is not None
    assert step.batch == batch // 2
    if batch * accumulation <= 4096:
        assert plan.effective_batch <= step.effective_batch < plan.effective_batch + step.batch


@pytest.mark.parametrize(("now", "after"), [("8", "4"), ("3", "2"), ("1", None), ("full", None)])
def test_odd_recomputation_joins_the_ladder(now: str, after: str | None) -> None:
    plan = TrainingPlan(
        model=STARTER, data=("rows.jsonl",), batch=1, checkpointing=now, tokens=256, method=Method.QLORA
    )
    step = smaller(plan)
    assert (step.checkpointing if step else None) == after


def test_short_rows_are_not_made_longer() -> None:
    plan = TrainingPlan(model=STARTER, data=("rows.jsonl",), batch=1, checkpointing="full", tokens=128)
    step = smaller(plan)
    assert step is not None
    assert (step.tokens, step.method) == (128, Method.LORA8)
