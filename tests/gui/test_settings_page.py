"""Settings: what is kept, folders that move, sources and their latency, privacy, and a run that finds no room."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication, QCheckBox, QLabel, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from core import disk, moving
from core.events import Contacted
from core.jobs.talk import Talk
from core.moving import Move
from core.settings import load, settings_file
from core.tiers import keep_free, reserve_bytes, rules
from gui.desk import Desk
from gui.jobs import Lane
from gui.main_window import MainWindow
from gui.widgets.fields import Choice
from tests.gui import states
from tests.gui.conftest import Finder
from tests.gui.fakes import Idle
from tests.gui.test_doctor_page import answer
from tests.gui.test_window import Strays


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    """What one test keeps free on the card is no matter of the next."""
    yield
    keep_free(0)


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


def test_memory_kept_free_is_really_left_out_of_plans(window: MainWindow, find: Finder, tmp_path: Path) -> None:
    window.propose(states.planned(states.with_card(), tmp_path))
    before = window.state.recommendation
    find("settings").click()
    reserve = find("reserve_gb")
    assert isinstance(reserve, Choice)
    choose(reserve, 8.0)
    assert load().reserve_gb == 8.0
    assert reserve_bytes() == rules()["reserve_bytes"] + 8 * 10**9
    after = window.state.recommendation
    assert before and after and after.model.parameters < before.model.parameters
    room = states.CARD.free_bytes - 8 * 10**9
    assert after.estimate.total_bytes + rules()["reserve_bytes"] <= room < before.estimate.total_bytes
    # the settings stay open, and what the Plan page says follows
    assert window.stack.currentWidget() is window.page("settings")
    choose(reserve, 0.0)
    assert window.state.recommendation == before


@pytest.fixture
def models(window: MainWindow) -> Path:
    """A models folder with a model in it that the wizard has chosen."""
    folder = window.desk.models_root
    (folder / "tiny").mkdir(parents=True)
    (folder / "tiny" / "config.json").write_text("{}")
    return folder


def test_models_move_along_and_the_wizard_follows(
    window: MainWindow, find: Finder, models: Path, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.propose(replace(window.state, model_folder=models / "tiny"))
    find("settings").click()
    strays = Strays()
    target = tmp_path / "另一个 disk"
    monkeypatch.setattr("gui.pages.settings_folders.choose_folder", lambda *_asked: target)
    answer("answer_move")
    find("change_models_folder").click()
    QApplication.instance().installEventFilter(strays)  # type: ignore[union-attr]
    assert find("cancel_move").isVisible() and not find("change_runs_folder").isEnabled()
    qtbot.waitUntil(lambda: not window.desk.mover.busy, timeout=60_000)
    assert load().models_folder == str(target) and window.desk.models_root == target
    assert (target / "tiny" / "config.json").is_file() and not models.exists()
    assert window.state.model_folder == target / "tiny"
    assert window.stack.currentWidget() is window.page("settings")
    assert find("change_runs_folder").isEnabled() and not strays.names


def test_a_folder_can_be_changed_without_moving_or_not_at_all(
    window: MainWindow, find: Finder, models: Path, tmp_path: Path
) -> None:
    find("settings").click()
    folders = window.page("settings").folders  # type: ignore[attr-defined]
    answer("answer_cancel")
    folders.take("models", tmp_path / "new")
    assert load().models_folder == "" and (models / "tiny").is_dir()
    folders.take("models", models / "inside")
    assert folders.said.isVisible() and load().models_folder == ""
    answer("answer_use")
    folders.take("models", tmp_path / "new")
    assert load().models_folder == str(tmp_path / "new") and (models / "tiny").is_dir()
    # an empty folder has nothing to ask about
    folders.take("runs", tmp_path / "runs")
    assert load().runs_folder == str(tmp_path / "runs")


def test_a_move_that_fails_says_so_and_changes_nothing(
    window: MainWindow, find: Finder, models: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    find("settings").click()
    (tmp_path / "file").write_text("no folder")
    answer("answer_move")
    window.page("settings").folders.take("models", tmp_path / "file" / "new")  # type: ignore[attr-defined]
    qtbot.waitUntil(lambda: not window.desk.mover.busy, timeout=60_000)
    assert find("problem_card").isVisible()
    assert load().models_folder == "" and (models / "tiny" / "config.json").is_file()


def test_a_move_that_was_broken_off_is_put_back_or_gone_on_with(
    window: MainWindow, find: Finder, models: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    target = tmp_path / "new"
    record = settings_file().with_name("moving.json")
    record.parent.mkdir(parents=True, exist_ok=True)
    for pressed, place in (("move_put_back", models), ("move_go_on", target)):
        target.mkdir(exist_ok=True)
        (models / "tiny").rename(target / "tiny")
        record.write_text(json.dumps(asdict(Move("models", str(models), str(target), ("tiny",)))))
        window.open_aside("settings")
        qtbot.wait(20)
        find(pressed).click()
        qtbot.waitUntil(lambda: not window.desk.mover.busy, timeout=60_000)
        assert (place / "tiny" / "config.json").is_file()
        assert moving.unfinished() is None
        window.open_aside("settings")
    assert load().models_folder == str(target)


@dataclass(frozen=True)
class Reached:
    """One source answers quickly, one with an error, one not at all."""

    def run(self, talk: Talk) -> dict[str, Any]:
        busy = {"code": "source_busy", "facts": {"status": 503}}
        silent = {"code": "no_network", "facts": {"what": "https://modelscope.cn"}}
        rest = {"date": None, "asked_at": 0.0, "certificate": ""}
        talk.emit(Contacted(host="huggingface.co"))
        return {
            "reach": [
                {"name": "huggingface", "address": "https://huggingface.co", "milliseconds": 181.6, "problem": None},
                {"name": "mirror", "address": "https://mirror.example", "milliseconds": None, "problem": busy},
                {"name": "modelscope", "address": "https://modelscope.cn", "milliseconds": None, "problem": silent}
                | rest,
            ]
        }


def test_the_latency_test_says_milliseconds_or_why_not(
    window: MainWindow, find: Finder, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.jobs.models.ReachJob", Reached)
    find("settings").click()
    page: Any = window.page("settings")
    assert page.privacy.mark.text == "Nobody, since the window opened."
    find("test_sources").click()
    assert not find("test_sources").isEnabled()
    qtbot.waitUntil(lambda: page.sources.answers.count() == 9, timeout=60_000)
    assert find("test_sources").isEnabled()
    answers = [label.text() for label in page.sources.findChildren(QLabel) if label.isVisible()]
    for words in ("huggingface.co", "182 ms", "Answers with error 503", "No answer"):
        assert words in answers
    # and whom that spoke to is listed at once
    assert page.privacy.hosts.text() == "huggingface.co"


def test_addresses_are_taken_when_they_are_addresses(window: MainWindow, find: Finder) -> None:
    find("settings").click()
    endpoint, proxy = find("endpoint"), find("proxy")
    assert isinstance(endpoint, QLineEdit) and isinstance(proxy, QLineEdit)
    endpoint.setText(" mirror.example/hub ")
    endpoint.editingFinished.emit()
    assert load().endpoint == "https://mirror.example/hub" == endpoint.text()
    wrong = window.page("settings").sources._wrong  # type: ignore[attr-defined]
    for text in ("http://me:secret@proxy.example:8080", "ftp://proxy.example", "http://"):
        proxy.setText(text)
        proxy.editingFinished.emit()
        assert load().proxy == "" and wrong["proxy"].isVisible()
    assert "secret" not in settings_file().read_text()
    proxy.setText("socks5://127.0.0.1:1080")
    proxy.editingFinished.emit()
    assert load().proxy == "socks5://127.0.0.1:1080" and not wrong["proxy"].isVisible()


def test_offline_switches_the_rest_of_the_group_off(window: MainWindow, find: Finder) -> None:
    find("settings").click()
    offline = find("offline")
    assert isinstance(offline, QCheckBox)
    offline.click()
    assert load().offline
    assert not any(find(name).isEnabled() for name in ("test_sources", "source", "proxy"))
    offline.click()
    assert not load().offline and find("test_sources").isEnabled()


def test_every_field_has_a_name_and_the_keyboard_reaches_it(window: MainWindow, find: Finder) -> None:
    from PySide6.QtCore import Qt
    from PySide6.QtWidgets import QAbstractButton, QComboBox

    find("settings").click()
    page = window.page("settings")
    reached = [w for kind in (QAbstractButton, QComboBox, QLineEdit) for w in page.findChildren(kind)]
    shown = [w for w in reached if w.isVisibleTo(page) and w.objectName() and not isinstance(w.parent(), QComboBox)]
    assert len(shown) > 15
    for widget in shown:
        if widget.objectName().startswith("_q") or widget.objectName().startswith("qt_"):
            continue
        named = widget.accessibleName() or (widget.text() if isinstance(widget, QAbstractButton) else "")
        assert named and widget.focusPolicy() & Qt.FocusPolicy.TabFocus, widget.objectName()


def test_a_job_that_still_runs_keeps_its_place_before_a_move(
    window: MainWindow, find: Finder, models: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    """What reads the models now must not have them moved away under it; cancelling costs nothing."""
    desk = window.desk
    desk.runner.start(Idle(), lambda _event: None, lane=Lane.CARD)
    find("settings").click()
    answer("answer_move")
    window.page("settings").folders.take("models", tmp_path / "new")  # type: ignore[attr-defined]
    qtbot.wait(100)
    assert desk.mover.busy and (models / "tiny").is_dir()
    # and nothing new begins where it would be moved away
    window.propose(states.planned(window.state, tmp_path))
    find("start").click()
    assert find("problem_card").accessibleName() == "The folder of the runs or of the models is being moved."
    assert not desk.runs_root.exists()
    window.open_aside("settings")
    find("cancel_move").click()
    qtbot.waitUntil(lambda: not desk.mover.busy, timeout=60_000)
    assert (models / "tiny").is_dir() and load().models_folder == ""


def test_settings_stay_open_when_the_cards_are_found(desk: Desk, qtbot: QtBot) -> None:
    made = MainWindow(desk)
    qtbot.addWidget(made)
    made.show()
    made.open_aside("settings")
    qtbot.waitUntil(lambda: made.state.probed, timeout=60_000)
    assert made.stack.currentWidget() is made.page("settings")
    made.retire()


def test_a_move_goes_on_when_the_window_is_made_again(
    window: MainWindow, find: Finder, models: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    """Another language makes another window; what the first one began must end all the same."""
    find("settings").click()
    answer("answer_move")
    window.page("settings").folders.take("models", tmp_path / "new")  # type: ignore[attr-defined]
    other = window.rebuilt()
    qtbot.addWidget(other)
    other.show()
    assert other.page("settings").folders.progress.isVisible()  # type: ignore[attr-defined]
    qtbot.waitUntil(lambda: not window.desk.mover.busy, timeout=60_000)
    assert load().models_folder == str(tmp_path / "new") and not models.exists()
    assert not other.page("settings").folders.progress.isVisible()  # type: ignore[attr-defined]
    other.retire()


def test_a_broken_move_is_told_at_the_next_start(desk: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    record = settings_file().with_name("moving.json")
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_text(json.dumps(asdict(Move("models", str(desk.models_root), str(tmp_path), ()))))
    made = MainWindow(desk)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitUntil(lambda: made.state.probed, timeout=60_000)
    notice = made.notices.findChild(QWidget, "move_broken_notice")
    assert notice.isVisible()
    notice.findChild(QPushButton, "move_broken").click()
    assert made.stack.currentWidget() is made.page("settings")
    made.findChild(QPushButton, "move_put_back").click()
    qtbot.waitUntil(lambda: not desk.mover.busy, timeout=60_000)
    assert not record.exists()
    made.retire()
