"""Which Advanced choices go together, and what gives way when they do not."""

from dataclasses import replace
from typing import Any

import pytest

from core.choices import Bias, Initialisation, giving_way, ranks_of
from core.plan import Method, TrainingPlan, with_method

PLAN = TrainingPlan(model="any", data=("rows.jsonl",))


@pytest.mark.parametrize(
    "settings",
    [
        {"initialisation": Initialisation.PISSA, "method": Method.QLORA},
        {"initialisation": Initialisation.PISSA, "dora": True},
        {"initialisation": Initialisation.LOFTQ, "method": Method.LORA8},
        {"dora": True, "method": Method.LORA8},
        {"bias": Bias.ALL, "method": Method.QLORA},
        {"shallow_rank": 17},
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"method|dora|rank"):
        replace(PLAN, **settings)


def test_a_smaller_method_drops_what_it_cannot_have() -> None:
    plan = replace(PLAN, initialisation=Initialisation.PISSA, bias=Bias.ALL, lora_plus=4.0)
    smaller = with_method(plan, Method.LORA8)
    assert (smaller.initialisation, smaller.bias, smaller.lora_plus) == (Initialisation.DEFAULT, Bias.NONE, 4.0)
    assert not with_method(replace(PLAN, dora=True), Method.LORA8).dora
    assert with_method(replace(PLAN, dora=True), Method.QLORA).dora


def test_the_newer_wish_wins() -> None:
    pissa, dora = replace(PLAN, initialisation=Initialisation.PISSA), replace(PLAN, dora=True)
    assert giving_way(pissa, dora=True) == {"initialisation": Initialisation.DEFAULT}
    assert giving_way(dora, initialisation=Initialisation.PISSA) == {"dora": False, "dropout": 0.0}
    assert giving_way(replace(PLAN, shallow_rank=8), rank=4) == {"shallow_rank": 4}
    # a start that the base cannot have is no reason to change the base
    assert giving_way(PLAN, initialisation=Initialisation.LOFTQ) == {}


@pytest.mark.parametrize(("layers", "expected"), [(1, (0, 16)), (4, (2, 40)), (5, (2, 56))])
def test_the_first_half_of_the_layers_is_shallow(layers: int, expected: tuple[int, int]) -> None:
    assert ranks_of(replace(PLAN, shallow_rank=4), layers) == expected
    assert ranks_of(PLAN, layers) == (0, 16 * layers)
