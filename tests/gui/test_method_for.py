"""The method that the Model page names beside a model: one that the card can do."""

import pytest

from core.catalog import spec_of
from core.fit import UNFITTED
from core.gpu import Card
from core.plan import Method
from core.recommend import recommend
from core.wizard import WizardState, choose_card
from gui.pages.model_cards import method_for

GIB = 1 << 30


@pytest.mark.parametrize(
    ("capability", "method"), [((8, 9), Method.LORA8), ((7, 0), Method.QLORA), ((5, 2), Method.LORA)]
)
def test_what_the_card_cannot_do_is_not_proposed(capability: tuple[int, int], method: Method) -> None:
    """A 7B model on 12 GB takes 8 bits, which need capability 7.5, else 4, which need 6.0."""
    card = Card(0, "card", 12 * GIB, 12 * GIB, capability=capability)
    advice = recommend(card.total_bytes, card.free_bytes, capability=capability)
    model = spec_of("mistralai/Mistral-7B-Instruct-v0.3")
    assert advice.model.id != model.id
    assert method_for(choose_card(WizardState(), card, advice), model, UNFITTED) is method
