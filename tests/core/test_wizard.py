"""The flow of the wizard without a window: what opens a step, what is kept and what is dropped."""

from dataclasses import replace
from pathlib import Path

import pytest

from core.assets import resource
from core.catalog import STARTER, models, spec_of
from core.data.rows import DataReport, Shape
from core.gpu import Card
from core.plan import Method
from core.planning import plan_for, total_steps, training_rows
from core.recommend import practice, recommend
from core.runs import RunState
from core.wizard import (
    STEPS,
    Blocker,
    Step,
    WizardState,
    back,
    blocker,
    choose_advice,
    choose_card,
    choose_data,
    choose_model,
    choose_plan,
    choose_smaller,
    forward,
    go,
    imagine_card,
    open_run,
    own_card_again,
    reachable,
)  # fmt: skip

REPORT = DataReport(files=("a.jsonl",), rows=200, usable=190, shape=Shape.ALPACA)
CARD = Card(0, "RTX 4070", 12_000_000_000, 11_000_000_000, (8, 9))


def filled() -> WizardState:
    state = choose_card(WizardState(), None, practice())
    state = choose_model(state, spec_of(STARTER), Path("/models/starter"))
    state = choose_data(state, REPORT)
    return choose_plan(state, plan_for(state))


def test_the_first_step_waits_for_the_cards() -> None:
    assert blocker(WizardState(), Step.GPU) is Blocker.CARDS_UNREAD
    assert forward(WizardState()).step is Step.GPU


def test_each_answer_opens_the_next_step() -> None:
    state = choose_card(WizardState(), None, practice())
    assert state.practice
    state = forward(state)
    assert state.step is Step.MODEL and blocker(state, Step.MODEL) is Blocker.NO_MODEL
    state = choose_model(state, spec_of(STARTER), None)
    assert blocker(state, Step.MODEL) is Blocker.MODEL_NOT_HERE
    state = forward(choose_model(state, spec_of(STARTER), Path("/m")))
    assert state.step is Step.DATA and blocker(state, Step.DATA) is Blocker.NO_DATA
    state = choose_data(state, replace(REPORT, usable=0))
    assert blocker(state, Step.DATA) is Blocker.DATA_NOT_USABLE
    state = forward(choose_data(state, REPORT))
    assert state.step is Step.PLAN and blocker(state, Step.PLAN) is Blocker.NO_PLAN
    state = forward(choose_plan(state, plan_for(state)))
    assert state.step is Step.TRAIN and blocker(state, Step.TRAIN) is Blocker.NOT_TRAINED
    state = open_run(state, Path("/r"), RunState.RUNNING, False)
    assert blocker(state, Step.TRAIN) is Blocker.TRAINING
    state = forward(open_run(state, Path("/r"), RunState.FINISHED, True))
    assert state.step is Step.TEST
    assert forward(state).step is Step.EXPORT


def test_no_step_is_jumped_to_over_an_open_question() -> None:
    state = choose_card(WizardState(), None, practice())
    assert not reachable(state, Step.TRAIN)
    assert go(state, Step.EXPORT).step is Step.GPU


def test_going_back_loses_nothing() -> None:
    state = replace(filled(), step=Step.TRAIN)
    there = state
    for _ in STEPS:
        there = back(there)
    assert there == replace(state, step=Step.GPU)
    assert go(there, Step.TRAIN) == state


def test_another_model_or_other_data_drop_the_plan_and_the_run() -> None:
    state = open_run(filled(), Path("/r"), RunState.FINISHED, True)
    other = next(m for m in models() if m.id != STARTER)
    for changed in (choose_model(state, other, None), choose_data(state, REPORT)):
        assert changed.plan is None and changed.run is None and not changed.has_adapter
    assert choose_model(state, spec_of(STARTER), None) == state


def test_a_plan_sets_the_method_and_a_new_run_forgets_the_old_merge() -> None:
    state = replace(open_run(filled(), Path("/r"), RunState.FINISHED, True), merged=Path("/r/merged"))
    assert open_run(state, Path("/r"), RunState.FINISHED, True).merged == Path("/r/merged")
    assert open_run(state, Path("/other"), RunState.NEW, False).merged is None
    assert state.plan
    assert choose_plan(state, replace(state.plan, method=Method.QLORA)).method is Method.QLORA


@pytest.mark.parametrize("method", list(Method))
def test_a_plan_for_a_card_fits_it_and_its_data(method: Method) -> None:
    state = choose_card(WizardState(), CARD, recommend(CARD.total_bytes, CARD.free_bytes))
    small = next(m for m in models() if 3e8 < m.parameters < 1e9)
    state = replace(choose_data(choose_model(state, small, Path("/m")), REPORT), method=method)
    plan = plan_for(state)
    assert plan.method is method and plan.data == REPORT.files and plan.model == small.id
    assert 1 <= plan.save_every <= total_steps(plan, REPORT.usable)


def test_steps_are_counted_as_the_trainer_counts_them() -> None:
    plan = replace(plan_for(filled()), batch=4, accumulation=4, epochs=3.0, validation_share=0.05)
    assert training_rows(plan, 190) == 180
    # 45 micro-batches are 11 whole steps and one of a single micro-batch, three times
    assert total_steps(plan, 190) == 36
    assert total_steps(replace(plan, steps=7), 190) == 7


def test_the_starter_takes_more_steps_for_chinese() -> None:
    from core.data.inspect import inspect_files
    from core.planning import make_plan

    plans = {}
    for language in ("en", "zh"):
        report = inspect_files((str(resource("samples", f"support_{language}.jsonl")),))
        plan = make_plan(spec_of(STARTER), None, report, None)
        plans[language] = total_steps(plan, report.usable)
    assert plans["zh"] > 1.5 * plans["en"]


OTHER = Card(0, "RTX 4090", 25_000_000_000, 25_000_000_000, (8, 9), imagined=True)


def on_a_card() -> WizardState:
    state = choose_card(WizardState(), CARD, recommend(CARD.total_bytes, CARD.free_bytes))
    state = choose_data(choose_model(state, spec_of(STARTER), Path("/models/starter")), REPORT)
    return choose_plan(state, plan_for(state))


def test_another_card_is_planned_for_and_left_again() -> None:
    state = on_a_card()
    advice = recommend(OTHER.total_bytes, OTHER.free_bytes)
    there = imagine_card(state, OTHER, advice)
    assert there.imagined and (there.card, there.own_card) == (OTHER, CARD)
    assert there.plan is None and there.model == state.model and there.method is advice.method
    again = imagine_card(there, replace(OTHER, name="RTX 5090"), advice)
    assert again.own_card == CARD, "from one imagined card to the next"
    back_here = own_card_again(again, recommend(CARD.total_bytes, CARD.free_bytes))
    assert (back_here.card, back_here.own_card, back_here.imagined) == (CARD, None, False)
    practice_computer = choose_card(WizardState(), None, practice())
    assert own_card_again(imagine_card(practice_computer, OTHER, advice), practice()).practice


def test_a_plan_for_another_card_needs_no_files_and_cannot_start() -> None:
    there = imagine_card(on_a_card(), OTHER, recommend(OTHER.total_bytes, OTHER.free_bytes))
    there = choose_model(there, spec_of("Qwen/Qwen2.5-7B-Instruct"), None)
    assert blocker(there, Step.MODEL) is None
    there = choose_plan(there, plan_for(there))
    assert reachable(there, Step.TRAIN)
    assert blocker(there, Step.TRAIN) is Blocker.CARD_NOT_HERE
    assert not reachable(there, Step.TEST)


def test_reading_the_cards_again_ends_planning_for_another_one() -> None:
    there = imagine_card(on_a_card(), OTHER, recommend(OTHER.total_bytes, OTHER.free_bytes))
    read = choose_card(there, CARD, recommend(CARD.total_bytes, CARD.free_bytes))
    assert read.own_card is None and not read.imagined


def test_a_smaller_plan_remembers_the_larger_one_until_it_is_changed() -> None:
    state = on_a_card()
    assert state.plan is not None
    less = replace(state.plan, batch=1)
    made = choose_smaller(state, less)
    assert (made.plan, made.larger_plan) == (less, state.plan)
    assert choose_plan(made, replace(less, rank=8)).larger_plan is None
    assert choose_data(made, REPORT).larger_plan is None


def test_another_way_brings_its_model_and_method() -> None:
    state = on_a_card()
    other = recommend(OTHER.total_bytes, OTHER.free_bytes)
    taken = choose_advice(state, other, Path("/m"))
    assert (taken.model, taken.method, taken.model_folder) == (other.model, other.method, Path("/m"))
    assert taken.plan is None and taken.recommendation == other
