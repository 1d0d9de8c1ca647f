"""Settings that hold while a model is being trained, and a run that would not find room on the disk."""

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QCheckBox, QLabel

from core import disk
from core.settings import load
from gui.main_window import MainWindow
from gui.widgets.fields import Choice
from tests.gui import states
from tests.gui.conftest import Finder


def choose(field: Choice, value: object) -> None:
    """Choose a value as a person does."""
    at = field.findData(value)
    assert at >= 0
    field.setCurrentIndex(at)
    field.activated.emit(at)


def test_limits_are_kept_as_they_are_chosen(window: MainWindow, find: Finder) -> None:
    find("settings").click()
    heat, power = find("temperature_limit"), find("power_limit")
    assert isinstance(heat, Choice) and isinstance(power, Choice)
    assert heat.value == power.value == 0
    choose(heat, 85)
    choose(power, 300)
    assert (load().temperature_limit, load().power_limit) == (85, 300)
    choose(heat, 0)
    assert load().temperature_limit == 0
    awake, goes_on = find("keep_awake"), find("keep_training")
    assert isinstance(awake, QCheckBox) and isinstance(goes_on, QCheckBox)
    assert (awake.isChecked(), goes_on.isChecked()) == (True, False)
    awake.click()
    goes_on.click()
    assert (load().keep_awake, load().keep_training) == (False, True)


def test_quiet_hours_are_a_beginning_and_an_end(window: MainWindow, find: Finder) -> None:
    find("settings").click()
    begin, end = find("quiet_from"), window.page("settings").training.end  # type: ignore[attr-defined]
    assert isinstance(begin, Choice)
    assert not end.isVisible()
    choose(begin, "22:00")
    assert end.isVisible() and load().quiet_hours == "22:00-07:00"
    choose(end, "22:00")
    assert load().quiet_hours == "22:00-07:00"  # hours without an end are none
    choose(begin, "")
    assert load().quiet_hours == "" and not end.isVisible()


def test_what_was_written_by_hand_is_shown(window: MainWindow, find: Finder) -> None:
    window.desk.settings = replace(window.desk.settings, temperature_limit=78, quiet_hours="22:15-6:45")
    find("settings").click()
    shown = [field.currentText() for field in map(find, ("temperature_limit", "quiet_from", "quiet_to"))]  # type: ignore[attr-defined]
    assert shown == ["Above 78 °C", "22:15", "6:45"]


def test_a_run_that_would_not_find_room_is_not_started(
    window: MainWindow, find: Finder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.propose(states.planned(window.state, tmp_path))
    labels = [label.text() for label in find("plan_summary").findChildren(QLabel)]
    assert any(words.startswith("up to ") and words.endswith(" free") for words in labels)
    monkeypatch.setattr(disk, "free_bytes", lambda _path: 1_000_000)
    find("start").click()
    assert find("problem_card").accessibleName().endswith("of disk space, and 1 MB are free.")
    assert not window.desk.runs_root.exists()
    assert window.desk.training is None
