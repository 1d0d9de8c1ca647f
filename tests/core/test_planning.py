"""The longest sequence of a plan: it cuts nothing where it can, and no outlier forces a slower run."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.catalog import STARTER, ModelSpec, models, spec_of
from core.data.lengths import buckets, described
from core.data.rows import DataReport, Shape
from core.gpu import Card
from core.plan import Method, TrainingPlan
from core.planning import length_reason, make_plan
from core.recommend import fitted
from core.tiers import rules
from core.vram import estimate

GB = 10**9
FULL = ("none", "4", "2", "full")
SEVEN = spec_of("Qwen/Qwen2.5-7B-Instruct")
SMALL = spec_of("Qwen/Qwen2.5-0.5B-Instruct")


def report_of(*rows: int, exact: bool = True) -> DataReport:
    from collections import Counter

    counts = Counter(rows)
    return DataReport(
        ("a.jsonl",), len(rows), len(rows), Shape.ALPACA, tokens=described(counts, median=50, p95=95, p99=99),
        tokens_exact=exact, lengths=buckets(counts),
    )  # fmt: skip


def card(gigabytes: float) -> Card:
    size = int(gigabytes * GB)
    return Card(index=0, name="Test", total_bytes=size, free_bytes=size)


def needed(model: ModelSpec, plan: TrainingPlan) -> int:
    return estimate(model.architecture, plan).total_bytes + int(rules()["reserve_bytes"])


def test_the_length_is_the_shortest_that_cuts_nothing() -> None:
    report = report_of(*[90] * 500, 300, 517)
    plan = make_plan(SMALL, None, report, card(24))
    assert plan.tokens == 576 and report.rows_longer_than(plan.tokens) == 0
    assert make_plan(SMALL, None, report_of(20, 30), card(24)).tokens == 128


def test_without_lengths_the_plan_is_the_usual_one() -> None:
    silent = replace(report_of(500), tokens={}, lengths=())
    for where in (card(24), card(6)):
        usual = fitted(SMALL, Method.LORA, where.free_bytes).plan
        plan = make_plan(SMALL, None, silent, where)
        shape = (plan.tokens, plan.batch, plan.accumulation, plan.checkpointing)
        assert shape == (usual.tokens, usual.batch, usual.accumulation, usual.checkpointing)
    assert make_plan(spec_of(STARTER), None, silent, None).tokens == rules()["practice"]["tokens"]


@pytest.mark.parametrize("where", [16, 24])
def test_a_few_very_long_rows_cost_no_recomputation(where: int) -> None:
    rows = [200] * 990 + [12_000] * 5
    plan = make_plan(SEVEN, None, report_of(*rows), card(where), Method.QLORA)
    without = make_plan(SEVEN, None, report_of(*rows[:990]), card(where), Method.QLORA)
    assert plan.tokens == without.tokens == 256
    assert (plan.checkpointing, plan.batch) == (without.checkpointing, without.batch)
    reason = length_reason(plan, report_of(*rows))
    assert reason and reason.code == "length_cuts" and reason.facts["rows_cut"] == 5


def test_many_long_rows_are_kept_whole_at_the_price_of_recomputation() -> None:
    long = report_of(*[200] * 900, *[4000] * 100)
    short = report_of(*[200] * 900)
    plan = make_plan(SEVEN, None, long, card(16), Method.QLORA)
    brief = make_plan(SEVEN, None, short, card(16), Method.QLORA)
    assert plan.tokens == 4032 and long.rows_longer_than(plan.tokens) == 0
    assert FULL.index(plan.checkpointing) > FULL.index(brief.checkpointing)
    assert needed(SEVEN, plan) <= 16 * GB


def test_an_outlier_that_costs_nothing_is_kept_whole() -> None:
    plan = make_plan(SMALL, None, report_of(*[200] * 990, 900), card(80))
    assert plan.tokens == 960 and plan.checkpointing == "none"


def test_no_plan_is_longer_than_its_model_can_read() -> None:
    brief = replace(SMALL, context=500)
    assert make_plan(brief, None, report_of(*[100] * 50, 490), card(24)).tokens == 500
    assert make_plan(brief, None, report_of(*[100] * 500, 9_000), card(24)).tokens == 128
    assert make_plan(brief, None, report_of(*[9_000] * 50), card(24)).tokens == 500
    assert make_plan(replace(spec_of(STARTER), context=200), None, report_of(*[9_000] * 50), None).tokens == 200


def test_rows_are_cut_where_nothing_else_fits() -> None:
    report = report_of(*[30_000] * 100)
    plan = make_plan(SEVEN, None, report, card(9), Method.QLORA)
    assert 256 <= plan.tokens < 30_000 and needed(SEVEN, plan) <= 9 * GB
    longer = replace(plan, tokens=plan.tokens + 64, batch=1, accumulation=16, checkpointing="full")
    assert needed(SEVEN, longer) > 9 * GB
    reason = length_reason(plan, report)
    assert reason and reason.facts["rows_cut"] == 100 and reason.facts["share"] == 1.0


def test_a_card_that_is_too_small_gets_the_smallest_plan() -> None:
    plan = make_plan(SEVEN, None, report_of(*[3000] * 100), card(3), Method.QLORA)
    assert (plan.tokens, plan.batch, plan.checkpointing) == (256, 1, "full")


def test_practice_stays_short() -> None:
    starter = spec_of(STARTER)
    assert make_plan(starter, None, report_of(*[60] * 100), None).tokens == 128
    assert make_plan(starter, None, report_of(*[5000] * 100), None).tokens == rules()["practice"]["tokens"]


def test_an_estimate_leaves_air() -> None:
    rows = [400] * 100
    assert make_plan(SMALL, None, report_of(*rows), card(24)).tokens == 448
    assert make_plan(SMALL, None, report_of(*rows, exact=False), card(24)).tokens == 512


def test_short_rows_let_a_larger_micro_batch_in() -> None:
    short = make_plan(SEVEN, None, report_of(*[60] * 500), card(24), Method.QLORA)
    long = make_plan(SEVEN, None, report_of(*[1000] * 500), card(24), Method.QLORA)
    assert short.batch > long.batch and short.effective_batch == long.effective_batch == 16


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([m for m in models() if m.architecture.known and m.parameters < 4e10]),
    st.sampled_from(list(Method)),
    st.sampled_from([4, 6, 8, 12, 16, 24, 48, 80]),
    st.lists(st.integers(10, 60_000), min_size=1, max_size=50),
    st.booleans(),
)
def test_a_plan_fits_when_any_length_does(
    model: ModelSpec, method: Method, where: int, rows: list[int], exact: bool
) -> None:
    report = report_of(*rows, exact=exact)
    plan = make_plan(model, Path("/m"), report, card(where), method)
    assert plan.effective_batch == 16 and plan.method is method
    assert plan.tokens <= (model.context or plan.tokens)
    least = replace(plan, tokens=min(plan.tokens, 256), batch=1, accumulation=16, checkpointing="full")
    if needed(model, least) <= where * GB:
        assert needed(model, plan) <= where * GB
