"""The GPU page: several cards, live values, programs to close, other ways, and how much is shown."""

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from core.gpu import Card, GpuProcess, Reading
from core.recommend import recommend
from core.settings import load
from core.wizard import WizardState, choose_card
from gui.main_window import MainWindow
from gui.pages.gpu_card import box_name, card_notes, live_words
from gui.pages.gpu_offers import kind_of
from tests.gui import states
from tests.gui.conftest import Finder

GB = 10**9
BIG = Card(1, "NVIDIA GeForce RTX 4090", 24564 << 20, 25_000_000_000, (8, 9))
#: 12 GB, of which little is free: a game and a browser hold the rest.
BUSY = Card(
    0, "NVIDIA GeForce RTX 4070", 12_880_000_000, 6_400_000_000, (8, 9), "580.1", "13.0",
    (GpuProcess(7, "blender", 4_200_000_000), GpuProcess(8, "firefox", 1_500_000_000)),
)  # fmt: skip


def texts(widget: QWidget) -> str:
    QApplication.processEvents()
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


def of(card: Card) -> WizardState:
    return choose_card(WizardState(), card, recommend(card.total_bytes, card.free_bytes))


def test_the_box_number_stands_beside_the_name(window: MainWindow, find: Finder) -> None:
    window.propose(states.with_card())
    assert find("card_name").text() == "NVIDIA GeForce RTX 4070 · 12 GB"
    assert find("free_memory").text() == "10.9 GB"
    assert find("card_reading").text() == "RTX 4070 12 GB · 10.9 GB free"
    assert box_name(replace(BIG, name="A100-SXM4-80GB", total_bytes=80 << 30)) == "A100-SXM4-80GB"


def test_one_of_several_cards_is_chosen(window: MainWindow, find: Finder) -> None:
    page = window.page("gpu")
    found = tuple((card, recommend(card.total_bytes, card.free_bytes)) for card in (states.CARD, BIG))
    page.take(found)
    assert find("card_0").isChecked() and not find("card_1").isChecked()
    find("card_1").click()
    assert window.state.card == BIG
    assert "RTX 4090" in find("card_name").text()
    assert find("card_1").isChecked()


def test_programs_to_close_are_named_when_more_would_fit(window: MainWindow, find: Finder) -> None:
    window.propose(of(BUSY))
    hint = find("close_these").text
    assert "blender" in hint
    assert "fits" in hint
    window.propose(of(replace(BUSY, free_bytes=BUSY.total_bytes, processes=())))
    with pytest.raises(LookupError):
        find("close_these")


def test_the_programs_and_the_suggestion_are_parts_of_the_bar(window: MainWindow, find: Finder) -> None:
    window.propose(of(BUSY))
    assert find("part_program_a").accessibleName() == "blender 4.2 GB"
    assert find("part_weights").accessibleName().startswith("Suggested")
    assert find("part_others").accessibleName().startswith("Other programs and the driver")


def test_live_values_move_and_a_large_change_reads_the_card_again(
    window: MainWindow, find: Finder, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = replace(states.CARD, free_bytes=12_000_000_000, processes=())
    monkeypatch.setattr("core.gpu.cards", lambda: (now,))
    window.propose(states.with_card())
    used = states.CARD.used_bytes + 100_000_000
    window._read(Reading(used, states.CARD.total_bytes, temperature=55, power_watts=80.4, utilisation=12))
    assert find("free_memory").text() == "10.8 GB"
    assert find("card_live").text() == "55 °C · 80 W · 12 % busy"
    window._read(Reading(now.used_bytes, now.total_bytes))
    qtbot.waitUntil(lambda: window.state.card == now, timeout=60_000)
    assert find("free_memory").text() == "12.0 GB"


def test_a_card_that_is_lost_is_said_and_its_number_does_not_stand_still(
    window: MainWindow, find: Finder, qtbot: QtBot
) -> None:
    window.propose(states.with_card())
    window.watch.watch(states.CARD)
    reading = Reading(GB, states.CARD.total_bytes)
    for told in (reading, None, None):
        window.watch.read.emit(told)
    assert "does not answer" in texts(find("card_lost_notice"))
    assert find("card_reading").text() == "RTX 4070 12 GB · does not answer"
    assert len(window.notices.findChildren(QPushButton, "card_lost")) == 1
    window.watch.read.emit(reading)
    assert not window.notices.isVisible()
    assert find("card_reading").text() == "RTX 4070 12 GB · 11.9 GB free"


def test_a_card_that_never_answered_is_not_lost(window: MainWindow) -> None:
    window.propose(states.with_card())
    window.watch.watch(states.CARD)
    window.watch.read.emit(None)
    assert not window.notices.isVisible()


def test_another_way_is_taken_with_one_click_and_given_back(window: MainWindow, find: Finder) -> None:
    window.propose(of(BIG))
    first = window.state.recommendation
    assert first is not None and first.alternatives
    offer = first.alternatives[0]
    tile = find(f"offer_{offer.model.id}_{offer.method}")
    assert "± " in tile.accessibleDescription()
    tile.click()
    assert (window.state.model, window.state.method) == (offer.model, offer.method)
    assert "Your choice" in find("suggestion").text()
    taken = window.state.recommendation
    assert taken is not None and len(taken.alternatives) == len(first.alternatives)
    window.page("gpu").take(((BIG, recommend(BIG.total_bytes, BIG.free_bytes)),))
    assert window.state.recommendation is not None
    assert kind_of(window.state.recommendation) == kind_of(offer), "reading the card again keeps the choice"
    find(f"offer_{first.model.id}_{first.method}").click()
    assert "Suggested" in find("suggestion").text()
    assert window.state.model == first.model


def test_simple_hides_what_is_technical_and_is_remembered(window: MainWindow, find: Finder, home: Path) -> None:
    window.propose(states.with_card())
    with pytest.raises(LookupError):
        find("card_technical")
    find("advanced").click()
    assert "compute capability 8.9" in find("card_technical").text()
    assert load().advanced
    find("simple").click()
    assert not load().advanced


def test_special_cards_say_what_is_special() -> None:
    assert not card_notes(states.CARD)
    assert "MIG" in card_notes(replace(states.CARD, mig=True))[0]
    assert "WSL" in card_notes(replace(states.CARD, wsl=True))[0]


def test_what_a_card_does_not_tell_is_left_out() -> None:
    assert live_words(None, None, None, None) == ""
    assert live_words(41, 35.5, 200, 7) == "41 °C · 36 of 200 W · 7 % busy"


def test_why_shows_the_reasons_and_the_guides_table(window: MainWindow, find: Finder) -> None:
    window.propose(states.with_card())
    find("why").click()
    find("guide").click()
    shown = texts(window.page("gpu"))
    assert "less than 10 GB" in shown
    assert "document D3" in shown
