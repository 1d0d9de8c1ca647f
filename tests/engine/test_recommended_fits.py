"""What is recommended fits the card by its own dry run: the model's real modules, not the arithmetic."""

import pytest

from core.catalog import config_of
from core.engine.dryrun import dry_run
from core.recommend import recommend
from core.tiers import rules

GB = 10**9

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize(
    ("gb", "goal"),
    [(gb, "medium") for gb in (4, 6, 8, 10, 12, 16, 20, 22, 24, 32, 48, 80)]
    + [(gb, goal) for gb in (8, 24) for goal in ("simple", "complex")],
)
def test_what_is_recommended_fits_by_its_own_dry_run(gb: int, goal: str) -> None:
    way = recommend(gb * GB, gb * GB, goal)
    found = dry_run(config_of(way.model), way.plan).estimate
    assert way.fits
    # the reserve is for what no formula sees: half of it must be left after the real modules were asked
    assert found.total_bytes + rules()["reserve_bytes"] // 2 <= gb * GB
    assert found.total_bytes == pytest.approx(way.estimate.total_bytes, rel=0.05)


@pytest.mark.parametrize("gb", [8, 24])
def test_alternatives_fit_by_their_own_dry_run(gb: int) -> None:
    for other in recommend(gb * GB, gb * GB).alternatives:
        assert dry_run(config_of(other.model), other.plan).estimate.total_bytes <= gb * GB


def test_a_card_without_bf16_gets_what_fits_in_fp16() -> None:
    way = recommend(16 * GB, 15 * GB, capability=(7, 5))
    assert dry_run(config_of(way.model), way.plan, autocast=True).estimate.total_bytes <= 15 * GB
