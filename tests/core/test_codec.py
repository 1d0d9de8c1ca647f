"""The one codec: what goes out comes back, and wrong input is named."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.codec import CodecError, dumps, from_plain, to_plain
from core.plan import Method, Optimizer, TrainingPlan


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Inner:
    n: int
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outer:
    inner: Inner
    colour: Colour
    where: Path
    maybe: float | None = None
    pair: tuple[int, int] = (0, 0)
    facts: dict[str, int] | None = None


plans = st.builds(
    TrainingPlan,
    model=st.text(min_size=1),
    data=st.lists(st.text(min_size=1), min_size=1, max_size=3).map(tuple),
    method=st.sampled_from(Method),
    optimizer=st.sampled_from(Optimizer),
    rank=st.integers(1, 2048),
    learning_rate=st.floats(1e-7, 1.0),
    questions=st.lists(st.text()).map(tuple),
)


@given(plans)
def test_every_plan_survives_the_way_out_and_back(plan: TrainingPlan) -> None:
    assert from_plain(TrainingPlan, to_plain(plan)) == plan


def test_nested_values_come_back_typed() -> None:
    value = Outer(Inner(1, ("a",)), Colour.RED, Path("/x"), 2.0, (3, 4), {"k": 5})
    assert from_plain(Outer, to_plain(value)) == value


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([], "expected an object"),
        ({"inner": {"n": 1}}, "missing field: colour, where"),
        ({"inner": {"n": "1"}, "colour": "red", "where": "/"}, "n: expected int, got str"),
        ({"inner": {"n": True}, "colour": "red", "where": "/"}, "n: expected int, got bool"),
        ({"inner": {"n": 1}, "colour": "blue", "where": "/"}, "colour: 'blue' is not one of red"),
        ({"inner": {"n": 1}, "colour": "red", "where": "/", "pair": [1]}, "pair: expected 2 values"),
        ({"inner": {"n": 1, "x": 2}, "colour": "red", "where": "/"}, "unknown field: x"),
    ],
)
def test_wrong_input_is_named(data: object, words: str) -> None:
    with pytest.raises(CodecError, match=words):
        from_plain(Outer, data)


def test_readers_of_newer_files_pass_over_unknown_fields() -> None:
    assert from_plain(Inner, {"n": 1, "future": 2}, strict=False) == Inner(1)


def test_json_has_no_word_for_nan() -> None:
    assert dumps({"a": float("nan"), "b": [float("inf")]}) == '{"a":null,"b":[null]}'
