"""Planning for a card that is not in this computer: chosen by name or size, marked everywhere, and left again."""

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from core.cards import imagined
from core.plan import load_plan
from core.wizard import Step
from gui.main_window import MainWindow
from gui.pages.gpu_what_if import matching
from tests.gui import states
from tests.gui.conftest import Finder


def plans_for(window: MainWindow, find: Finder, what: str) -> None:
    find("what_if").click()
    find("other_card").setText(what)
    window.page("gpu").chooser._take_first()


def test_the_search_finds_names_and_sizes() -> None:
    assert any("4090" in card.name for card in matching("40 90") or matching("4090"))
    (typed,) = [card for card in matching("24 GB") if card == imagined("24 GB")]
    assert typed.imagined and typed.free_bytes == typed.total_bytes
    assert matching("no such card at all") == []
    assert matching(""), "something to choose from before anything is typed"


def test_another_card_is_marked_and_left_again(window: MainWindow, find: Finder, qtbot: QtBot) -> None:
    window.propose(states.with_card())
    before = window.state
    find("what_if").click()
    field = find("other_card")
    qtbot.keyClicks(field, "RTX 4090")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    state = window.state
    assert state.card is not None and state.imagined and state.own_card == before.card
    assert state.recommendation is not None and before.recommendation is not None
    assert state.recommendation.estimate.total_bytes > before.recommendation.estimate.total_bytes
    assert find("card_reading").text() == "Planned for RTX 4090 24 GB"
    assert find("imagined_words").text() == "Planned for RTX 4090 24 GB. This computer has RTX 4070 12 GB."
    assert "RTX 4090" in find("card_name").text()
    find("own_card").click()
    assert window.state.card == before.card and not window.state.imagined
    assert window.state.recommendation == before.recommendation


def test_the_chooser_can_be_closed(window: MainWindow, find: Finder) -> None:
    window.propose(states.with_card())
    find("what_if").click()
    find("cancel_other_card").click()
    assert not window.page("gpu").chooser.isVisible()


def test_a_computer_without_a_card_can_plan_too(window: MainWindow, find: Finder) -> None:
    plans_for(window, find, "24")
    assert window.state.imagined and window.state.own_card is None
    assert "no card" in find("imagined_words").text()
    find("own_card").click()
    assert window.state.practice


def test_the_train_page_says_why_it_cannot_start_and_saves_the_plan(
    window: MainWindow, find: Finder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.propose(states.with_card())
    plans_for(window, find, "RTX 4090")
    window.propose(replace(states.planned(window.state, tmp_path), model_folder=None))
    assert window.state.step is Step.TRAIN
    assert not find("start").isEnabled()
    assert not find("next").isEnabled()
    assert "not in this computer" in find("blocker").text()
    target = tmp_path / "plan.json"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(target), ""))
    find("save_plan").click()
    assert load_plan(target) == window.state.plan
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(tmp_path / "no" / "plan.json"), ""))
    find("save_plan").click()
    assert find("problem_card").isVisible()
    find("own_card").click()
    assert window.state.card == states.CARD
    assert window.state.plan is None, "a plan for another card is made again"


def test_the_plan_page_carries_the_mark(window: MainWindow, find: Finder, tmp_path: Path) -> None:
    window.propose(states.with_card())
    plans_for(window, find, "RTX 4090")
    window.propose(states.planned(window.state, tmp_path, Step.PLAN))
    assert "RTX 4090" in find("imagined_words").text()
    assert find("next").isEnabled()


def test_the_watch_stays_with_the_own_card(window: MainWindow, find: Finder) -> None:
    window.propose(states.with_card())
    plans_for(window, find, "RTX 4090")
    assert window.watch._index == states.CARD.index


def test_an_old_run_is_shown_on_the_own_card(window: MainWindow, find: Finder, tmp_path: Path, qtbot: QtBot) -> None:
    window.propose(states.with_card())
    plan = states.planned(window.state, tmp_path).plan
    assert plan is not None
    run = states.write_run(window.desk.runs_root, plan, "1_a")
    plans_for(window, find, "RTX 4090")
    window.open_run(run.path)
    qtbot.waitUntil(lambda: window.state.run == run.path, timeout=60_000)
    assert window.state.card == states.CARD and not window.state.imagined


def test_a_new_fine_tuning_keeps_the_card_and_the_way_back(window: MainWindow, find: Finder) -> None:
    window.propose(states.with_card())
    plans_for(window, find, "RTX 4090")
    find("new").click()
    assert window.state.imagined and window.state.own_card == states.CARD
