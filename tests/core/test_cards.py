"""Cards to plan for that are not here: names in any spelling, sizes, and facts that agree with real cards."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.cards import GIB, imagined, known_cards
from core.problems import Code, Trouble
from core.recommend import recommend
from core.tiers import card_gb, rules
from core.wording import explain

#: MiB that the driver tells of real cards (nvidia-smi, memory.total).
REAL = {
    "GeForce RTX 2080 Ti": 11264, "GeForce RTX 3060": 12288, "GeForce RTX 3080": 10240, "GeForce RTX 3090": 24576,
    "GeForce RTX 4060": 8188, "GeForce RTX 4070": 12282, "GeForce RTX 4080": 16376, "GeForce RTX 4090": 24564,
    "GeForce RTX 5090": 32607, "RTX A4000": 16376, "RTX A6000": 49140, "RTX 6000 Ada Generation": 49140,
    "Tesla T4": 15360, "A10": 23028, "A40": 46068, "L4": 23034, "L40S": 46068,
    "A100 40GB": 40960, "A100 80GB": 81920, "H100": 81559, "H200": 143771,
}  # fmt: skip


def names_in(trouble: Trouble) -> list[str]:
    return [name for name in trouble.problem.facts["near"].split(", ") if name]


def test_an_imagined_card_is_whole_and_free() -> None:
    card = imagined("RTX 4090")
    assert (card.name, card.index, card.capability, card.bf16) == ("NVIDIA GeForce RTX 4090", 0, (8, 9), True)
    assert card.total_bytes == card.free_bytes == 24 * GIB
    assert card.imagined and not card.processes and not card.uuid


@pytest.mark.parametrize(
    "what",
    ["RTX 4090", "rtx4090", " rtx  4090 ", "4090", "GeForce RTX 4090", "NVIDIA GeForce RTX 4090", "RTX-4090",
     "nvidia rtx_4090", "RTX 4090 24GB", "rtx 4090 24 gb"],
)  # fmt: skip
def test_a_name_may_be_spelled_in_any_way(what: str) -> None:
    assert imagined(what) == imagined("GeForce RTX 4090")


@pytest.mark.parametrize(
    ("what", "name"),
    [
        ("1080 ti", "GeForce GTX 1080 Ti"),
        ("4060 Ti 16 GB", "GeForce RTX 4060 Ti 16GB"),
        ("RTX 4060 Ti", "GeForce RTX 4060 Ti"),
        ("rtx 3060 laptop", "GeForce RTX 3060 Laptop GPU"),
        ("RTX 6000 Ada", "RTX 6000 Ada Generation"),
        ("RTX PRO 6000", "RTX PRO 6000 Blackwell"),
        ("T4", "Tesla T4"),
        ("l40", "L40"),
    ],
)
def test_what_people_leave_out_is_understood(what: str, name: str) -> None:
    assert imagined(what).name == f"NVIDIA {name}"


@pytest.mark.parametrize("what", ["24", "24 GB", "24GB", "24gb", "24 GiB", " 24 g "])
def test_a_size_alone_is_a_card_too(what: str) -> None:
    card = imagined(what)
    assert (card.total_bytes, card.name, card.bf16) == (24 * GIB, "24 GB", True)


@pytest.mark.parametrize("what", ["11.5", "11,5", "11.5 GB"])
def test_a_size_may_have_a_fraction(what: str) -> None:
    assert imagined(what).total_bytes == int(11.5 * GIB)


@pytest.mark.parametrize("what", ["", "0", "-4", "0.0", "nan", "inf", "9999", "1e3", "GB", "rtx", "RTX 4091", "A100"])
def test_what_is_no_card_is_told(what: str) -> None:
    with pytest.raises(Trouble) as caught:
        imagined(what)
    assert caught.value.problem.code is Code.CARD_UNKNOWN
    assert set(names_in(caught.value)) <= {card.name for card in known_cards()}


def test_the_nearest_names_are_proposed() -> None:
    for what, near in (("A100", "A100 80GB"), ("V100", "Tesla V100 16GB"), ("RTX 4091", "GeForce RTX 4090")):
        with pytest.raises(Trouble) as caught:
            imagined(what)
        assert near in names_in(caught.value)
        assert near in explain(caught.value.problem).advice


@given(st.text(max_size=40))
def test_no_text_is_an_error(what: str) -> None:
    try:
        assert imagined(what).total_bytes > 0
    except Trouble as trouble:
        assert trouble.problem.code is Code.CARD_UNKNOWN


@pytest.mark.parametrize("name", REAL)
def test_a_known_card_has_the_memory_that_real_ones_report(name: str) -> None:
    (card,) = (card for card in known_cards() if card.name == name)
    assert card.total_bytes == pytest.approx(REAL[name] << 20, rel=0.006)


def test_the_table_is_sound() -> None:
    cards = known_cards()
    assert len(cards) >= 60 and len({card.name for card in cards}) == len(cards)
    for card in cards:
        assert card.memory_gb in rules()["card_sizes_gb"], card
        assert card_gb(card.total_bytes) == card.memory_gb, card
        assert card.capability in {(6, 0), (6, 1), (7, 0), (7, 5), (8, 0), (8, 6), (8, 9), (9, 0), (10, 0), (12, 0)}, (
            card
        )
        assert card.bandwidth == 0 or 100 <= card.bandwidth <= 10_000, card
        assert imagined(card.name).total_bytes == card.total_bytes, card


def test_every_known_card_can_be_planned_for() -> None:
    for known in known_cards():
        card = imagined(known.name)
        assert recommend(card.total_bytes, card.free_bytes, "medium", capability=card.capability).model.title, known
