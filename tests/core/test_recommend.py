"""The tier proposes, the estimate decides, and every answer says why."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.catalog import STARTER, spec_of
from core.fit import UNFITTED
from core.plan import Method
from core.reasons import OURS, Reason, ReasonCode
from core.recommend import Recommendation, fitted, practice, recommend
from core.shapes import shapes
from core.speed import relative
from core.tiers import card_gb, rules, tier_of, tiers
from core.vram import estimate
from core.wording.reasons import reason_words

GB = 10**9
MIB = 1 << 20
GOALS = ("simple", "medium", "complex")
CAPABILITIES = ((5, 2), (6, 1), (7, 0), (7, 5), (8, 0), (9, 0), (12, 0))
RESERVE = rules()["reserve_bytes"]


def reason(way: Recommendation, code: ReasonCode) -> Reason:
    found = [r for r in way.reasons if r.code == code]
    assert len(found) == 1, [r.code for r in way.reasons]
    return found[0]


@pytest.mark.parametrize(
    ("card", "mib", "tier", "box"),
    [
        ("RTX 3050", 8192, "< 10 GB", 8),
        ("RTX 3080", 10240, "10-20 GB", 10),
        ("GTX 1080 Ti", 11172, "10-20 GB", 11),
        ("RTX 4070", 12282, "10-20 GB", 12),
        ("Tesla T4", 15360, "10-20 GB", 16),
        ("RTX 5080", 16303, "10-20 GB", 16),
        ("RTX A4500", 20470, "20-24 GB", 20),
        ("RTX 2080 Ti 22G", 22528, "20-24 GB", 22),
        ("RTX 3090", 24576, ">= 24 GB", 24),
        ("RTX 4090", 24564, ">= 24 GB", 24),
        ("A10 with error correction", 23028, ">= 24 GB", 24),
        ("RTX 5090", 32607, ">= 32 GB", 32),
        ("A40 with error correction", 46068, ">= 48 GB", 48),
        ("RTX 6000 Ada", 49140, ">= 48 GB", 48),
        ("H100", 81559, ">= 80 GB", 80),
        ("H200", 143771, ">= 80 GB", 141),
    ],
)
def test_every_card_is_in_the_tier_of_the_number_on_its_box(card: str, mib: int, tier: str, box: int) -> None:
    assert (tier_of(mib * MIB).name, card_gb(mib * MIB)) == (tier, box)


@pytest.mark.parametrize("gb", [4, 8, 10, 12, 16, 20, 24, 32, 48, 80])
def test_a_number_in_gb_means_the_same_card(gb: int) -> None:
    assert tier_of(gb * GB) == tier_of(gb << 30)
    assert card_gb(gb * GB) == card_gb(gb << 30) == gb


def test_the_documents_tiers_are_told_as_they_are() -> None:
    said = [(t.from_gb, t.size_class, t.method, t.source) for t in tiers()]
    assert said[:4] == [
        (0, "1.3B", Method.LORA, "D3"),
        (10, "7B", Method.LORA8, "D3"),
        (20, "7B", Method.LORA8, OURS),
        (24, "13B", Method.QLORA, "D3"),
    ]
    assert all(source == OURS for low, _class, _method, source in said if low > 24)
    assert all(lower.to_gb == upper.from_gb for lower, upper in zip(tiers(), tiers()[1:], strict=False))


@pytest.mark.parametrize(
    ("gb", "size_class", "method"),
    [
        (8, "1.3B", Method.LORA),
        (16, "7B", Method.LORA8),
        (22, "7B", Method.LORA8),
        (24, "13B", Method.QLORA),
        (32, "13B", Method.LORA8),
        (48, "13B", Method.LORA),
        (80, "large", Method.LORA8),
    ],
)
def test_an_empty_card_gets_what_its_tier_proposes(gb: int, size_class: str, method: Method) -> None:
    way = recommend(gb << 30, gb << 30)
    assert (way.model.size_class, way.method, way.fits) == (size_class, method, True)
    assert way.plan.method is method
    assert way.plan.model == way.model.id


def test_the_estimate_decides_against_the_tier_on_10_gb() -> None:
    """7B on an 8-bit base needs more than 10 GB with this vocabulary: QLoRA, with the tier still told."""
    way = recommend(10240 * MIB, 9800 * MIB)
    assert (way.tier, way.model.size_class, way.method) == ("10-20 GB", "7B", Method.QLORA)
    assert reason(way, ReasonCode.TIER).facts["method"] == "lora8"
    assert reason(way, ReasonCode.STEPPED_METHOD).facts == {"before": "lora8", "after": "qlora"}


def test_memory_that_others_hold_changes_the_answer_but_not_the_tier() -> None:
    way = recommend(24 << 30, 9 * GB)
    assert way.tier == ">= 24 GB"
    assert way.fits
    assert way.estimate.total_bytes + RESERVE <= 9 * GB
    facts = reason(way, ReasonCode.FREE_LESS_THAN_TOTAL).facts
    assert facts["used_bytes"] == (24 << 30) - 9 * GB
    assert reason(way, ReasonCode.STEPPED_MODEL).facts["after"] == way.model.title


def test_a_free_card_has_no_word_about_other_programs() -> None:
    assert ReasonCode.FREE_LESS_THAN_TOTAL not in [r.code for r in recommend(24 * GB, 24 * GB).reasons]


@pytest.mark.parametrize("free", [0, GB, -GB])
def test_when_nothing_fits_it_says_so_and_offers_practice(free: int) -> None:
    way = recommend(24 << 30, free)
    assert not way.fits
    assert way.model.id == STARTER
    facts = reason(way, ReasonCode.NOT_FITTING).facts
    assert facts["short_bytes"] == way.estimate.total_bytes + RESERVE - free
    assert [other.tier for other in way.alternatives] == ["practice"]


@pytest.mark.parametrize(
    ("goal", "rank", "targets"),
    [("simple", 8, "recommended"), ("medium", 16, "recommended"), ("complex", 32, "full")],
)
def test_the_goal_sets_rank_alpha_and_modules(goal: str, rank: int, targets: str) -> None:
    for way in (recommend(24 << 30, 24 << 30, goal), recommend(24 << 30, 0, goal)):
        assert (way.plan.rank, way.plan.alpha, way.plan.targets) == (rank, 2 * rank, targets)
    assert reason(way, ReasonCode.RANK_BY_GOAL).facts["goal"] == goal


def test_settings_are_the_documents() -> None:
    plan = recommend(24 << 30, 24 << 30).plan
    assert (plan.dropout, plan.learning_rate, plan.epochs, plan.effective_batch) == (0.05, 2e-4, 3.0, 16)


def test_an_unknown_goal_is_an_error() -> None:
    with pytest.raises(ValueError, match="heroic"):
        recommend(24 << 30, 24 << 30, "heroic")


def test_between_20_and_24_gb_13b_qlora_is_offered() -> None:
    """Ruling (a)."""
    way = recommend(22 << 30, 22 << 30)
    assert reason(way, ReasonCode.TIER_OPEN).source == OURS
    assert ("13B", Method.QLORA) in [(other.model.size_class, other.method) for other in way.alternatives]


def test_at_16_gb_qlora_is_the_alternative_with_more_headroom() -> None:
    """Ruling (b)."""
    way = recommend(16 << 30, 16 << 30)
    safer = way.alternatives[0]
    assert safer.reasons[0].code == ReasonCode.ALTERNATIVE_SAFER
    assert (safer.model, safer.method) == (way.model, Method.QLORA)
    assert safer.reasons[0].facts["saved_bytes"] == way.estimate.total_bytes - safer.estimate.total_bytes > 0


def test_what_other_ways_offer_is_true() -> None:
    way = recommend(40 << 30, 40 << 30)
    offers = {other.reasons[0].code: other for other in way.alternatives}
    assert list(offers) == ["alternative_safer", "alternative_faster", "alternative_bigger", "alternative_preciser"]
    safer, faster, bigger, preciser = offers.values()
    assert safer.model == way.model
    assert safer.estimate.total_bytes < 0.91 * way.estimate.total_bytes
    assert faster.speed >= 1.1
    assert faster.model.parameters < way.model.parameters < bigger.model.parameters
    assert (preciser.model, preciser.method) == (way.model, Method.LORA)


def test_every_alternative_tells_speed_and_quality() -> None:
    way = recommend(16 << 30, 16 << 30)
    assert (way.speed, way.quality) == (1.0, None)
    for other in way.alternatives:
        expected = relative(other.model.architecture, other.plan, (way.model.architecture, way.plan))
        assert other.speed == pytest.approx(expected, abs=1e-3)
        assert reason(other, ReasonCode.EXPECTED_SPEED).facts["percent"] == round(100 * expected)
        assert other.quality in other.reasons
    behind = way.alternatives[0].quality
    assert behind == Reason(ReasonCode.QUALITY_QLORA, {"low": 2, "high": 3}, "D3")


def test_no_card_has_more_free_than_it_has() -> None:
    assert recommend(8 << 30, 80 << 30) == recommend(8 << 30, 8 << 30)


def test_above_24_gb_the_rule_is_ours() -> None:
    """Ruling (d)."""
    found = reason(recommend(48 << 30, 48 << 30), ReasonCode.TIER_BEYOND)
    assert (found.source, found.facts["documents_gb"]) == (OURS, 24)


def test_an_8_bit_base_above_7b_is_not_ascribed_to_the_documents() -> None:
    way = recommend(32 << 30, 32 << 30)
    assert way.method is Method.LORA8
    assert ReasonCode.METHOD_LORA8 not in [r.code for r in way.reasons]


@settings(deadline=None, max_examples=150)
@given(total=st.integers(1, 200 * GB), share=st.floats(0, 1.1), goal=st.sampled_from(GOALS))
def test_whatever_the_card_the_answer_holds_together(total: int, share: float, goal: str) -> None:
    free = int(total * share)
    way = recommend(total, free, goal)
    for one in (way, *(other for other in way.alternatives if other.tier != "practice")):
        assert one.estimate == estimate(one.model.architecture, one.plan)
        assert (one.plan.model, one.plan.method) == (one.model.id, one.method)
        assert one.fits == (one.estimate.total_bytes + RESERVE <= min(free, total))
        assert one.reasons
        assert one.fits or one is way
    assert len(way.alternatives) <= 4
    plans = [way.plan, *(other.plan for other in way.alternatives)]
    assert len(set(plans)) == len(plans)


@settings(deadline=None, max_examples=60)
@given(total=st.integers(1, 200), share=st.floats(0, 1), goal=st.sampled_from(GOALS))
def test_every_reason_has_words(total: int, share: float, goal: str) -> None:
    way = recommend(total * GB, int(total * GB * share), goal)
    for one in (way, *way.alternatives):
        for found in one.reasons:
            words = reason_words(found)
            assert words
            assert words != found.code.replace("_", " ")
            assert "{" not in words


@settings(deadline=None, max_examples=60)
@given(total=st.integers(4, 100), low=st.floats(0, 1), high=st.floats(0, 1))
def test_more_free_memory_is_never_worse(total: int, low: float, high: float) -> None:
    """With more memory the model is at least as large."""
    less, more = (recommend(total * GB, int(total * GB * share)) for share in sorted((low, high)))
    assert less.model.parameters <= more.model.parameters
    assert less.fits <= more.fits


@settings(deadline=None, max_examples=150)
@given(sizes=st.lists(st.floats(0.5, 200), min_size=2, max_size=2), taken=st.floats(0, 20), goal=st.sampled_from(GOALS))
def test_a_larger_card_never_gets_a_smaller_model(sizes: list[float], taken: float, goal: str) -> None:
    """Whether all of it is free, or others hold the same on both."""
    small, large = (int(size * GB) for size in sorted(sizes))
    for held in (0, int(taken * GB)):
        less, more = (recommend(total, total - held, goal) for total in (small, large))
        assert less.model.parameters <= more.model.parameters
        assert less.fits <= more.fits


@settings(deadline=None, max_examples=100)
@given(totals=st.lists(st.integers(4, 100), min_size=2, max_size=2), free=st.floats(1, 40))
def test_with_as_much_free_a_larger_card_never_gets_a_smaller_model(totals: list[int], free: float) -> None:
    less, more = (recommend(total * GB, int(free * GB)) for total in sorted(totals))
    if free <= min(totals):
        assert less.model.parameters <= more.model.parameters


@settings(deadline=None, max_examples=150)
@given(
    total=st.integers(4, 100), low=st.floats(0, 1), high=st.floats(0, 1),
    goal=st.sampled_from(GOALS), capability=st.sampled_from(CAPABILITIES),
)  # fmt: skip
def test_less_headroom_never_gets_a_larger_plan(
    total: int, low: float, high: float, goal: str, capability: tuple[int, int]
) -> None:
    less, more = (
        recommend(total * GB, int(total * GB * share), goal, capability=capability) for share in sorted((low, high))
    )
    if less.fits:
        assert less.estimate.total_bytes <= more.estimate.total_bytes
        assert less.model.parameters <= more.model.parameters


@settings(deadline=None, max_examples=100)
@given(total=st.integers(4, 100), capability=st.sampled_from(CAPABILITIES), goal=st.sampled_from(GOALS))
def test_a_card_never_gets_a_method_that_it_cannot_do(total: int, capability: tuple[int, int], goal: str) -> None:
    way = recommend(total * GB, total * GB, goal, capability=capability)
    for one in (way, *way.alternatives):
        assert one.method is not Method.LORA8 or capability >= (7, 5)
        assert one.method is not Method.QLORA or capability >= (6, 0)
    assert (ReasonCode.FP16_COMPUTE in [r.code for r in way.reasons]) is (capability < (8, 0))


def test_a_v100_gets_qlora_where_the_tier_says_8_bit_and_is_told_why() -> None:
    way = recommend(16 << 30, 16 << 30, capability=(7, 0))
    assert (way.model.size_class, way.method) == ("7B", Method.QLORA)
    facts = reason(way, ReasonCode.METHOD_NOT_ON_CARD).facts
    assert facts == {"method": "lora8", "needed": "7.5", "capability": "7.0"}
    assert reason(way, ReasonCode.FP16_COMPUTE).facts == {"needed": "8.0", "capability": "7.0"}
    assert way.estimate == estimate(way.model.architecture, way.plan, autocast=True)


def test_a_card_of_unknown_capability_counts_as_a_modern_one() -> None:
    assert recommend(24 << 30, 24 << 30, capability=(0, 0)) == recommend(24 << 30, 24 << 30)


def test_what_was_measured_on_the_card_counts() -> None:
    heavy = replace(UNFITTED, allocator_bytes=6 * GB)
    way, measured = recommend(16 * GB, 16 * GB), recommend(16 * GB, 16 * GB, constants=heavy)
    assert way.method is Method.LORA8
    assert measured.fits
    assert (measured.method, measured.estimate.overhead) == (Method.QLORA, heavy.overhead_bytes)


def test_a_chosen_model_gets_the_method_that_suits_it() -> None:
    model = spec_of("Qwen/Qwen3-8B")
    way = recommend(24 << 30, 24 << 30, model=model)
    assert (way.model, way.method, way.fits) == (model, Method.LORA8, True)
    assert ReasonCode.MODEL_CHOSEN in [r.code for r in way.reasons]
    assert Method.QLORA in [other.method for other in way.alternatives if other.model == model]


def test_a_chosen_model_that_is_too_large_says_so_and_another_is_offered() -> None:
    way = recommend(8 << 30, 8 << 30, model=spec_of("Qwen/Qwen3-32B"))
    assert (way.fits, way.model.id) == (False, "Qwen/Qwen3-32B")
    (other,) = way.alternatives
    assert other.fits
    assert other.model == recommend(8 << 30, 8 << 30).model


def test_the_documents_last_tier_is_told_open_upwards() -> None:
    facts = reason(recommend(24 << 30, 24 << 30), ReasonCode.TIER).facts
    assert (facts["low_gb"], facts["high_gb"]) == (24, 0)
    assert "24 GB and more" in reason_words(reason(recommend(24 << 30, 24 << 30), ReasonCode.TIER))


@pytest.mark.parametrize("gb", [6, 8, 10, 12, 16, 20, 22, 24, 32, 48, 80])
def test_no_faster_shape_would_have_fitted(gb: int) -> None:
    way = recommend(gb * GB, gb * GB)
    ordered = shapes(way.model.architecture, replace(way.plan, batch=4, accumulation=4, checkpointing="none"))
    for faster in ordered[: ordered.index(way.plan)]:
        assert estimate(way.model.architecture, faster).total_bytes + RESERVE > gb * GB


def test_large_micro_batches_are_explained_as_speed_not_as_memory() -> None:
    way = recommend(24 << 30, 24 << 30)
    assert way.plan.batch * way.plan.tokens == 8192
    assert reason(way, ReasonCode.LARGER_BATCH).facts["after"] == 8


def test_a_wanted_length_is_taken_up_to_what_the_model_can() -> None:
    model = spec_of("Qwen/Qwen2.5-7B-Instruct")
    assert fitted(model, Method.QLORA, 24 * GB, tokens=2048).plan.tokens == 2048
    assert fitted(model, Method.QLORA, 80 * GB, tokens=10**6).plan.tokens == model.context


def test_a_chosen_model_and_method_are_fitted() -> None:
    model = spec_of("Qwen/Qwen2.5-7B-Instruct")
    roomy, tight, none = (fitted(model, Method.QLORA, free) for free in (80 * GB, 8 * GB, 2 * GB))
    assert (roomy.plan.batch, roomy.plan.accumulation, roomy.plan.checkpointing, roomy.fits) == (8, 2, "none", True)
    assert (tight.plan.batch, tight.plan.checkpointing, tight.fits) == (1, "full", True)
    assert (none.plan.tokens, none.fits) == (256, False)
    assert {r.method for r in (roomy, tight, none)} == {Method.QLORA}


def test_practice_is_the_starter_on_the_processor() -> None:
    way = practice()
    assert (way.model.id, way.method, way.fits) == (STARTER, Method.LORA, True)
    plan = way.plan
    assert (plan.tokens, plan.batch, plan.accumulation, plan.targets) == (512, 1, 8, "full")
    assert (plan.learning_rate, plan.dropout, plan.epochs, plan.rank) == (1e-3, 0.0, 3.0, 16)
    assert practice("complex").plan.rank == 32
