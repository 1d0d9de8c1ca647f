"""A card's constants are found again in made-up measurements, stay within bounds, and survive broken files."""

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.fit import GIB, UNFITTED, Constants, Sample, constants_of, fit, measured, predicted, remember

TRUE = Constants(context_bytes=520_000_000, allocator_bytes=700_000_000, live=1.08)


def sample(live: int, *, noise: float = 0.0, fixed: int = 5_000_000_000, card: str = "RTX 4090") -> Sample:
    """A run on a card whose constants are TRUE."""
    peak = (fixed + TRUE.allocator_bytes + TRUE.live * live) * (1 + noise)
    return Sample(card=card, fixed_bytes=fixed, live_bytes=live, torch_bytes=round(peak), outside_bytes=520_000_000)


def test_without_samples_nothing_is_fitted() -> None:
    assert fit([]) is UNFITTED
    assert UNFITTED.samples == 0


def test_constants_are_found_again() -> None:
    runs = [sample(gigabytes * 1_000_000_000) for gigabytes in range(1, 25)]
    found = fit(runs)
    assert found.live == pytest.approx(TRUE.live, abs=0.01)
    assert found.allocator_bytes == pytest.approx(TRUE.allocator_bytes, rel=0.12)
    assert found.context_bytes == TRUE.context_bytes
    assert found.samples == 24
    assert all(predicted(run, found) == pytest.approx(measured(run, found), rel=0.01) for run in runs)


def test_the_band_narrows_with_good_predictions_and_widens_with_bad_ones() -> None:
    lengths = [gigabytes * 1_000_000_000 for gigabytes in range(1, 13)]
    good = fit([sample(live) for live in lengths])
    random.seed(1)
    bad = fit([sample(live, noise=random.choice([-0.05, 0.05])) for live in lengths])
    assert good.band == 0.02 < bad.band <= 0.15
    assert good.band_bytes(10_000_000_000) == 200_000_000


def test_half_of_the_runs_predict_the_other_half() -> None:
    random.seed(2)
    runs = [sample(random.randrange(10**8, 2 * 10**10), noise=random.gauss(0, 0.01)) for _ in range(40)]
    found = fit(runs[::2])
    misses = sorted(abs(predicted(run, found) / measured(run, found) - 1) for run in runs[1::2])
    assert misses[len(misses) // 2] < 0.02 and misses[-1] < 0.06


def test_one_odd_run_changes_little() -> None:
    odd = replace(sample(1_000_000_000), torch_bytes=40_000_000_000)
    found = fit([odd])
    assert found.live <= 1.25 and found.allocator_bytes <= 3 * GIB // 2
    assert found.band == UNFITTED.band


@given(
    st.lists(
        st.builds(
            Sample,
            card=st.just("any"),
            fixed_bytes=st.integers(0, 2**40),
            live_bytes=st.integers(0, 2**40),
            torch_bytes=st.integers(1, 2**40),
            outside_bytes=st.integers(0, 2**34),
        ),
        max_size=8,
    )
)
def test_constants_stay_within_bounds(samples: list[Sample]) -> None:
    found = fit(samples)
    assert 0.8 <= found.live <= 1.25
    assert 0 <= found.allocator_bytes <= 3 * GIB // 2
    assert 100_000_000 <= found.context_bytes <= 3 * GIB // 2
    assert 0.02 <= found.band <= 0.15


def test_samples_are_kept_by_card(tmp_path: Path) -> None:
    file = tmp_path / "data" / "measured.jsonl"
    for live in (1, 2, 3):
        remember(sample(live * 1_000_000_000), file)
    remember(sample(10**9, card="other"), file)
    assert constants_of("RTX 4090", file).samples == 3
    assert constants_of("other", file).samples == 1
    assert constants_of("third", file) is UNFITTED


def test_only_the_newest_samples_count(tmp_path: Path) -> None:
    file = tmp_path / "measured.jsonl"
    for _ in range(70):
        remember(sample(10**9), file)
    assert constants_of("RTX 4090", file).samples == 64


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{",
        "[]",
        "null",
        '{"card": "RTX 4090"}',
        '{"card": 3}',
        "[" * 2000,
        '{"card": "RTX 4090", "fixed_bytes": "5"}',
    ],
)
def test_a_broken_line_is_passed_over(tmp_path: Path, line: str) -> None:
    file = tmp_path / "measured.jsonl"
    remember(sample(10**9), file)
    file.write_text(line + "\n" + file.read_text() + line)
    assert constants_of("RTX 4090", file).samples == 1


def test_a_file_that_is_no_text_is_no_file(tmp_path: Path) -> None:
    file = tmp_path / "measured.jsonl"
    file.write_bytes(b"\xff\xfe\x00")
    assert constants_of("RTX 4090", file) is UNFITTED


def test_samples_of_a_newer_version_are_read(tmp_path: Path) -> None:
    file = tmp_path / "measured.jsonl"
    remember(sample(10**9), file)
    told = json.loads(file.read_text()) | {"new": 1}
    file.write_text(json.dumps(told) + "\n")
    assert constants_of("RTX 4090", file).samples == 1
