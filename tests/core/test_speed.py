"""The model of relative speed: monotone, made of the published figures, and honest about what it is."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog import spec_of
from core.plan import Method, TrainingPlan
from core.shapes import MOST_TOKENS, RECOMPUTATION, least, shapes
from core.speed import cost, nf4_tax, operations, recomputing, relative, shrunk
from core.vram import estimate

SEVEN = spec_of("Qwen/Qwen2.5-7B-Instruct").architecture
SMALL = spec_of("Qwen/Qwen2.5-0.5B-Instruct").architecture
PLAN = TrainingPlan(model="any", data=("rows.jsonl",))
QLORA = replace(PLAN, method=Method.QLORA)


@pytest.mark.parametrize(("tokens", "lost"), [(1024, 0.28), (4096, 0.22), (8192, 0.02)])
def test_the_nf4_tax_is_the_published_one_where_it_was_published(tokens: int, lost: float) -> None:
    assert nf4_tax(tokens) == pytest.approx(lost)


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_more_tokens_at_once_never_pay_more_tax(one: int, other: int) -> None:
    fewer, more = sorted((one, other))
    assert 0 < nf4_tax(more) <= nf4_tax(fewer) < 1


def test_full_recomputation_costs_what_was_published() -> None:
    kept = relative(SEVEN, replace(PLAN, checkpointing="full"), (SEVEN, PLAN))
    assert 0.71 <= kept <= 0.79
    steps = [recomputing(replace(PLAN, checkpointing=step)) for step in RECOMPUTATION]
    assert steps == sorted(steps)
    assert steps[0] == 1


def test_int8_is_slower_the_more_so_on_small_models() -> None:
    eight = replace(PLAN, method=Method.LORA8)
    assert shrunk(SMALL, eight) == pytest.approx(0.5 + 0.5 / 0.4)
    assert 1 < shrunk(SEVEN, eight) < shrunk(SMALL, eight)
    assert shrunk(SEVEN, PLAN) == 1


def test_a_frozen_base_takes_four_operations_a_parameter() -> None:
    """Forward and backward through matrices without gradients of their own; attention and adapter add to it."""
    matrices = SEVEN.quantizable + SEVEN.vocabulary * SEVEN.hidden
    assert 4 * matrices < operations(SEVEN, PLAN) < 4.3 * matrices
    assert operations(SEVEN, replace(PLAN, rank=64, targets="full")) > operations(SEVEN, PLAN)


def test_only_active_experts_are_paid_for() -> None:
    mixture = spec_of("Qwen/Qwen3-30B-A3B-Instruct-2507")
    assert operations(mixture.architecture, PLAN) < 4 * mixture.parameters / 4


@given(st.sampled_from(Method), st.sampled_from(RECOMPUTATION), st.sampled_from((1, 2, 4, 8)))
def test_relative_speeds_agree_with_each_other(method: Method, recomputed: str, batch: int) -> None:
    plan = replace(PLAN, method=method, checkpointing=recomputed, batch=batch)
    there, back = relative(SEVEN, plan, (SMALL, PLAN)), relative(SMALL, PLAN, (SEVEN, plan))
    assert there * back == pytest.approx(1)
    assert relative(SEVEN, plan, (SEVEN, plan)) == 1


@pytest.mark.parametrize("method", Method)
def test_shapes_come_fastest_first_and_learn_from_as_many_rows(method: Method) -> None:
    plan = replace(PLAN, method=method)
    found = shapes(SEVEN, plan)
    assert len(set(found)) == len(found)
    assert {shape.effective_batch for shape in found} == {16}
    assert max(shape.batch * shape.tokens for shape in found) <= MOST_TOKENS
    costs = [cost(SEVEN, shape) for shape in found]
    assert all(later >= 0.97 * earlier for earlier, later in itertools.pairwise(costs))


def test_a_four_bit_base_takes_large_micro_batches_and_others_the_documents() -> None:
    assert (shapes(SEVEN, QLORA)[0].batch, shapes(SEVEN, QLORA)[0].checkpointing) == (8, "none")
    assert (shapes(SEVEN, PLAN)[0].batch, shapes(SEVEN, PLAN)[0].checkpointing) == (4, "none")


@pytest.mark.parametrize("method", Method)
@pytest.mark.parametrize("name", ["Qwen/Qwen2.5-7B-Instruct", "Qwen/Qwen2.5-0.5B-Instruct", "google/gemma-2-2b-it"])
def test_the_least_shape_needs_the_least_memory(name: str, method: Method) -> None:
    architecture, plan = spec_of(name).architecture, replace(PLAN, method=method)
    needs = [estimate(architecture, shape).total_bytes for shape in shapes(architecture, plan)]
    assert estimate(architecture, least(plan)).total_bytes == min(needs)
