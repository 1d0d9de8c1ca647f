"""Packing: every row once, no sequence too long, as few micro-batches as can be, nearly nothing computed in vain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.packing import START, MicroBatch, computed_tokens, packed, padded

ROWS = st.lists(st.integers(1, 64), min_size=1, max_size=40)


@given(lengths=ROWS, batch=st.integers(1, 8))
def test_every_row_lies_in_one_sequence_that_is_not_too_long(lengths: list[int], batch: int) -> None:
    laid = packed(lengths, batch, 64)
    assert sorted(place for each in laid for sequence in each for place in sequence) == list(range(len(lengths)))
    assert all(0 < len(each) <= batch for each in laid)
    assert all(0 < sum(lengths[place] for place in sequence) <= 64 for each in laid for sequence in each)


@given(lengths=ROWS, batch=st.integers(1, 8))
def test_packing_never_takes_longer_than_padding(lengths: list[int], batch: int) -> None:
    def cost(laid: list[MicroBatch]) -> int:
        return computed_tokens(laid, lengths) + START * len(laid)

    assert cost(packed(lengths, batch, 64)) <= cost(padded(lengths, batch))


def test_one_micro_batch_of_many_different_rows_is_not_padded_either() -> None:
    """A step of eight rows that fit side by side shares fewer, fuller sequences."""
    lengths = [453, 30, 161, 202, 90, 120, 310, 60]
    assert computed_tokens(packed(lengths, 8, 512), lengths) < 1.1 * sum(lengths)
    assert computed_tokens(padded(lengths, 8), lengths) > 2 * sum(lengths)


def test_short_rows_share_sequences_of_the_same_length() -> None:
    lengths = [60] * 16
    (together,) = packed(lengths, 4, 1024)
    assert {len(sequence) for sequence in together} == {16 // len(together)}
    assert computed_tokens(packed(lengths, 4, 1024), lengths) == sum(lengths)


def test_a_step_of_mixed_rows_is_nearly_full() -> None:
    lengths = [30 + (37 * place) % 400 for place in range(64)]
    wasted = computed_tokens(packed(lengths, 4, 1024), lengths) / sum(lengths) - 1
    assert wasted < 0.05 < computed_tokens(padded(lengths, 64), lengths) / sum(lengths) - 1


def test_rows_of_like_length_are_padded_together() -> None:
    assert padded([3, 9, 4, 8], 2) == [[[1], [3]], [[2], [0]]]


def test_a_row_that_fits_nowhere_is_refused() -> None:
    with pytest.raises(ValueError, match="a row of 65 tokens"):
        packed([65], 1, 64)
