"""The Plan page and the model's own modules: asked a moment after the last change, never in the way."""

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from core.runs import RunState
from core.wizard import Step
from gui.desk import Desk
from gui.main_window import MainWindow
from gui.pages.plan import PlanPage
from tests.gui import states
from tests.gui.conftest import Finder
from tests.gui.fakes import DryRun

CHECKED = "Checked with the model's own modules"


@pytest.fixture
def page(window: MainWindow, desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> PlanPage:
    """The Plan page with a quick stand-in for the dry run."""
    monkeypatch.setattr("gui.plan_check.DryRunJob", DryRun)
    monkeypatch.setattr("gui.plan_check.AFTER_CHANGE", 30)
    desk.dry_runs = True
    window.propose(states.planned(states.with_card(), tmp_path, Step.PLAN))
    found = window.page("plan")
    assert isinstance(found, PlanPage)
    return found


def sets_rank(page: PlanPage, rank: int) -> None:
    page.fields.lines["rank"].field.setValue(rank)


def says(page: PlanPage) -> str:
    return page.cost.mark.text


def test_the_modules_replace_the_arithmetic_and_say_so(page: PlanPage, find: Finder, qtbot: QtBot) -> None:
    assert says(page).startswith("Estimated")
    arithmetic = find("needed_memory").text()
    qtbot.waitUntil(lambda: says(page) == CHECKED, timeout=60_000)
    assert find("needed_memory").text() == "16.0 GB" != arithmetic
    assert "5.1 GB too much" in find("fit").text


def test_the_arithmetic_moves_at_once_and_only_the_last_change_is_asked(
    page: PlanPage, find: Finder, qtbot: QtBot
) -> None:
    page.check._soon.setInterval(1000)
    seen = []
    for rank in (32, 64, 128):
        sets_rank(page, rank)
        seen.append(find("part_adapter").accessibleName())
    assert len(set(seen)) == 3
    qtbot.waitUntil(lambda: says(page) == CHECKED, timeout=60_000)
    assert find("needed_memory").text() == "128.0 GB"
    asked = {known.plan.rank for known in page.check._answers}
    assert 128 in asked and not asked & {32, 64}


def test_what_is_known_is_not_asked_again(page: PlanPage, find: Finder, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: says(page) == CHECKED, timeout=60_000)
    sets_rank(page, 64)
    assert says(page) != CHECKED
    qtbot.waitUntil(lambda: says(page) == CHECKED, timeout=60_000)
    sets_rank(page, 16)
    assert says(page) == CHECKED
    page.fields.lines["epochs"].field.setValue(7)
    assert says(page) == CHECKED, "memory does not depend on epochs"


def test_the_child_ends_when_the_page_is_left(
    page: PlanPage, window: MainWindow, desk: Desk, find: Finder, qtbot: QtBot
) -> None:
    qtbot.waitUntil(lambda: says(page) == CHECKED, timeout=60_000)
    assert not desk.runner.idle
    find("next").click()
    qtbot.waitUntil(lambda: desk.runner.idle, timeout=60_000)
    assert window.state.step is Step.TRAIN


def test_the_child_ends_after_a_while_of_quiet_and_comes_back(page: PlanPage, desk: Desk, qtbot: QtBot) -> None:
    page.check._quiet.setInterval(30)
    qtbot.waitUntil(lambda: says(page) == CHECKED, timeout=60_000)
    qtbot.waitUntil(lambda: desk.runner.idle, timeout=60_000)
    assert says(page) == CHECKED
    sets_rank(page, 64)
    qtbot.waitUntil(lambda: says(page) == CHECKED, timeout=60_000)


def test_a_plan_that_the_modules_refuse_keeps_the_arithmetic(page: PlanPage, find: Finder, qtbot: QtBot) -> None:
    sets_rank(page, 13)
    arithmetic = find("needed_memory").text()
    qtbot.waitUntil(lambda: "could not be asked" in says(page), timeout=60_000)
    assert find("needed_memory").text() == arithmetic
    sets_rank(page, 32)
    qtbot.waitUntil(lambda: says(page) == CHECKED, timeout=60_000)


def test_a_child_that_dies_is_not_started_again_before_the_page_is_left(
    page: PlanPage, desk: Desk, find: Finder, qtbot: QtBot
) -> None:
    sets_rank(page, 666)
    qtbot.waitUntil(lambda: "could not be asked" in says(page), timeout=60_000)
    qtbot.waitUntil(lambda: desk.runner.idle, timeout=60_000)
    sets_rank(page, 32)
    assert "could not be asked" in says(page)
    assert find("next").isEnabled()
    find("back").click()
    find("next").click()
    qtbot.waitUntil(lambda: says(page) == CHECKED, timeout=60_000)


def test_the_window_closes_with_the_child(page: PlanPage, window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: says(page) == CHECKED, timeout=60_000)
    window.close()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=60_000)
    assert window.desk.runner.idle


def test_while_a_run_trains_nothing_is_asked(page: PlanPage, window: MainWindow, desk: Desk, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: says(page) == CHECKED, timeout=60_000)
    page.check.stop()
    qtbot.waitUntil(lambda: desk.runner.idle, timeout=60_000)
    assert window.state.plan is not None
    locked = replace(window.state, plan=replace(window.state.plan, rank=48), run_state=RunState.RUNNING)
    window.propose(locked)
    assert not page.check._soon.isActive()


def test_a_model_of_another_kind_is_a_rough_guess_until_it_is_checked(
    page: PlanPage, window: MainWindow, qtbot: QtBot
) -> None:
    model = window.state.model
    assert model is not None
    page.check.stop()
    hybrid = replace(model, architecture=replace(model.architecture, known=False))
    window.propose(replace(window.state, model=hybrid))
    assert "rough guess" in says(page)
    qtbot.waitUntil(lambda: says(page) == CHECKED, timeout=60_000)


def test_it_can_be_switched_off(window: MainWindow, desk: Desk, tmp_path: Path) -> None:
    window.propose(states.planned(states.with_card(), tmp_path, Step.PLAN))
    QApplication.processEvents()
    page = window.page("plan")
    assert isinstance(page, PlanPage)
    assert says(page) == "Estimated"
    assert desk.runner.idle and not page.check._soon.isActive()
