"""The split is the same every time, loses nothing and never puts equal rows on both sides."""

from hypothesis import given
from hypothesis import strategies as st

from core.data.rows import Conversation, Message
from core.data.split import ENOUGH, set_aside, split


def row(text: str, line: int = 0) -> Conversation:
    return Conversation((Message("user", text), Message("assistant", text)), "f", line)


ROWS = st.lists(st.text(max_size=3), max_size=60).map(lambda texts: [row(t, n) for n, t in enumerate(texts)])
SHARES = st.floats(0, 0.5)


@given(ROWS, SHARES, st.integers(0, 2**31 - 1))
def test_nothing_is_lost_and_nothing_straddles(rows: list[Conversation], share: float, seed: int) -> None:
    training, validation = split(rows, share, seed)
    assert sorted([*training, *validation], key=lambda r: r.line) == rows
    assert not {r.messages for r in training} & {r.messages for r in validation}
    assert [r.line for r in training] == sorted(r.line for r in training)
    assert (training, validation) == split(rows, share, seed)
    if rows:
        assert training
    if share > 0 and len(rows) >= ENOUGH and len({r.messages for r in rows}) > 1:
        assert validation


@given(st.integers(ENOUGH, 400), SHARES, st.integers(0, 100))
def test_distinct_rows_give_the_share_that_was_asked_for(count: int, share: float, seed: int) -> None:
    training, validation = split([row(str(n), n) for n in range(count)], share, seed)
    expected = max(round(count * share), 1) if share > 0 else 0
    assert (len(training), len(validation)) == (count - expected, expected)


def test_the_choice_hangs_on_the_seed_and_not_on_the_order() -> None:
    rows = [row(str(n), n) for n in range(200)]
    chosen = {r.line for r in split(rows, 0.1, 1)[1]}
    assert chosen == {r.line for r in split(rows[::-1], 0.1, 1)[1]}
    assert chosen != {r.line for r in split(rows, 0.1, 2)[1]}


def test_the_choice_is_the_same_in_every_version() -> None:
    """A resumed run splits again and must find the same rows."""
    assert [r.line for r in split([row(str(n), n) for n in range(50)], 0.1, 42)[1]] == [0, 14, 21, 30, 35]


def test_more_rows_move_few_others() -> None:
    rows = [row(str(n), n) for n in range(1000)]
    before = {r.line for r in split(rows[:950], 0.1, 7)[1]}
    after = {r.line for r in split(rows, 0.1, 7)[1]}
    assert len(before - after) < 20


def test_groups_larger_than_the_share_still_give_one_to_check_with() -> None:
    training, validation = split([row("a")] * 12 + [row("b")] * 8, 0.05, 0)
    assert (training, validation) == ([row("a")] * 12, [row("b")] * 8)


def test_rows_that_all_say_the_same_stay_together() -> None:
    assert split([row("same")] * 20, 0.5, 0) == ([row("same")] * 20, [])


@given(st.lists(st.integers(0, 300), max_size=8), SHARES)
def test_every_source_gives_its_part_of_the_share(counts: list[int], share: float) -> None:
    parts = set_aside(counts, share)
    total = sum(counts)
    assert sum(parts) == sum(set_aside([total], share))
    assert all(0 <= part <= count for part, count in zip(parts, counts, strict=True))
    wanted = sum(parts)
    assert all(abs(part - count * wanted / total) < 1 for part, count in zip(parts, counts, strict=True) if total)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2)), max_size=60), SHARES, st.integers(0, 99))
def test_groups_stay_together_whatever_their_sources(places: list[tuple[int, int]], share: float, seed: int) -> None:
    rows = [row(str(n), n) for n in range(len(places))]
    groups, sources = [group for group, _source in places], [source for _group, source in places]
    training, validation = split(rows, share, seed, groups=groups, sources=sources)
    assert sorted([*training, *validation], key=lambda r: r.line) == rows
    assert not {groups[r.line] for r in training} & {groups[r.line] for r in validation}
    assert training or not rows
