"""Each step down the ladder is the one that the documents name."""

from dataclasses import replace

import pytest

from core.catalog import STARTER, models, spec_of
from core.ladder import cost_of_step, difference, slower_percent, smaller, smaller_model
from core.plan import Method, TrainingPlan
from core.reasons import ReasonCode
from core.wording import reason_words

SEVEN = spec_of("Qwen/Qwen2.5-7B-Instruct")
QLORA = TrainingPlan(model=SEVEN.id, data=("rows.jsonl",), method=Method.QLORA, batch=8, accumulation=2)


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


@pytest.mark.parametrize(
    ("model", "after"),
    [
        ("Qwen/Qwen2.5-14B-Instruct", "Qwen/Qwen2.5-7B-Instruct"),
        ("Qwen/Qwen2.5-Coder-7B-Instruct", "Qwen/Qwen2.5-Coder-1.5B-Instruct"),
        ("meta-llama/Llama-3.2-3B-Instruct", "meta-llama/Llama-3.2-1B-Instruct"),
        ("meta-llama/Llama-3.1-8B-Instruct", "meta-llama/Llama-3.2-3B-Instruct"),
        ("google/gemma-2-2b-it", "google/gemma-3-1b-it"),
        ("microsoft/phi-4", "Qwen/Qwen2.5-7B-Instruct"),
        ("TinyLlama/TinyLlama-1.1B-Chat-v1.0", "Qwen/Qwen2.5-0.5B-Instruct"),
        (STARTER, None),
    ],
)
def test_the_next_smaller_model_is_of_the_family_if_there_is_one(model: str, after: str | None) -> None:
    found = smaller_model(spec_of(model))
    assert (found.id if found else None) == after


def test_every_model_leads_down_to_the_starter() -> None:
    for model in models():
        down = model
        while after := smaller_model(down):
            assert after.parameters < down.parameters
            down = after
        assert down.id == STARTER


def test_each_step_is_told_and_no_step_is_silent() -> None:
    plan: TrainingPlan | None = TrainingPlan(model=SEVEN.id, data=("rows.jsonl",))
    while plan and (after := smaller(plan)):
        (change,) = difference(plan, after)
        assert change.code.startswith("stepped_")
        told = cost_of_step(plan, after, SEVEN.architecture)
        assert told[0] == change
        assert any(reason.code.startswith("step_") for reason in told)
        assert any(reason.code.startswith("quality_") for reason in told)
        for reason in told:
            assert "{" not in reason_words(reason) != reason.code.replace("_", " ")
        plan = after
    assert difference(QLORA, QLORA) == ()


def test_the_cost_of_a_step_is_time_and_quality() -> None:
    full = replace(QLORA, checkpointing="full")
    assert slower_percent(QLORA, full, SEVEN.architecture) == 33
    assert slower_percent(full, QLORA, SEVEN.architecture) == -25
    codes = [reason.code for reason in cost_of_step(QLORA, full, SEVEN.architecture)]
    assert codes == [ReasonCode.STEPPED_CHECKPOINTING, ReasonCode.STEP_COST, ReasonCode.QUALITY_SAME]
    cut = [reason.code for reason in cost_of_step(full, replace(full, tokens=512), SEVEN.architecture)]
    assert ReasonCode.QUALITY_CUT in cut
    held = [reason.code for reason in cost_of_step(replace(full, method=Method.LORA8), full, SEVEN.architecture)]
    assert ReasonCode.QUALITY_QLORA in held


def test_a_smaller_model_is_a_step_that_is_faster_and_knows_less() -> None:
    after = replace(QLORA, model="Qwen/Qwen2.5-1.5B-Instruct")
    told = cost_of_step(QLORA, after, SEVEN.architecture)
    assert [reason.code for reason in told] == ["stepped_model", "step_faster", "quality_smaller"]
    assert told[0].facts["after"] == spec_of(after.model).title
    unknown = difference(QLORA, replace(QLORA, model="/somewhere/else"))[0]
    assert (unknown.facts["after"], unknown.facts["after_parameters"]) == ("/somewhere/else", 0)
