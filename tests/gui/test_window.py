"""The window as a whole: the way through the wizard, closing, the keyboard, the safety net."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from core.problems import Code, Problem
from core.runs import RunState
from core.settings import Settings
from core.wizard import STEPS, Step, WizardState
from gui.app import Studio
from gui.desk import Desk
from gui.main_window import MainWindow
from tests.gui import states
from tests.gui.conftest import Finder
from tests.gui.fakes import DyingTrain, LongTrain, QuickTrain


def train_with(monkeypatch: pytest.MonkeyPatch, job: type) -> None:
    monkeypatch.setattr("gui.live_run.TrainJob", job)


def test_without_a_card_it_offers_practice(window: MainWindow, find: Finder) -> None:
    assert window.state.practice
    assert find("card_reading").text() == "Practice mode · processor"
    find("use_card").click()
    assert window.state.step is Step.MODEL
    assert window.state.model is not None


def test_next_says_why_it_is_closed(window: MainWindow, find: Finder) -> None:
    find("next").click()
    assert window.state.step is Step.MODEL
    assert not find("next").isEnabled()
    assert find("blocker").text()
    find("back").click()
    assert window.state.step is Step.GPU


class Strays(QObject):
    """Names of things that showed themselves as windows of their own: they flash, and take the keyboard away."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def eventFilter(self, thing: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt names it
        if event.type() is QEvent.Type.Show and isinstance(thing, QWidget) and thing.isWindow():
            self.names.append(f"{type(thing).__name__} {thing.objectName()}")
        return False


def test_every_page_shows_every_state(window: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
    """No page may fail on a state that is less, or more, than it needs; nothing flashes up beside the window."""
    strays = Strays()
    QApplication.instance().installEventFilter(strays)
    full = states.planned(window.state, tmp_path)
    card = states.planned(states.with_card(), tmp_path)
    some = [WizardState(), window.state, states.with_card(), full, card, replace(card, plan=None)]
    for step in STEPS:
        for state in some:
            window.propose(replace(state, step=step))
            qtbot.wait(1)
    for name in ("runs", "settings"):
        window.open_aside(name)
        qtbot.wait(1)
    assert not strays.names and window.isActiveWindow()


def test_training_from_start_to_finish(
    window: MainWindow, planned: WizardState, find: Finder, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_with(monkeypatch, QuickTrain)
    find("start").click()
    assert window.state.training
    qtbot.waitUntil(lambda: window.state.run_state is RunState.FINISHED, timeout=60_000)
    assert window.state.has_adapter
    assert find("next").isEnabled()
    assert find("page_title").text() == "Training is finished"
    qtbot.waitUntil(lambda: window.page("train")._timeline.loss.x.size == 6, timeout=60_000)


def test_a_killed_training_says_so_and_offers_resume(
    window: MainWindow, planned: WizardState, find: Finder, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_with(monkeypatch, DyingTrain)
    find("start").click()
    qtbot.waitUntil(lambda: window.state.run_state is RunState.FAILED, timeout=60_000)
    assert find("problem_card").isVisible()
    train_with(monkeypatch, QuickTrain)
    find("resume").click()
    qtbot.waitUntil(lambda: window.state.run_state is RunState.FINISHED, timeout=60_000)
    assert window.desk.live(window.state.run).history.sessions == 1


def test_closing_while_training_asks_and_keeps_training(
    window: MainWindow, planned: WizardState, find: Finder, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_with(monkeypatch, LongTrain)
    find("start").click()
    qtbot.waitUntil(lambda: window.desk.live(window.state.run).history.step > 2, timeout=60_000)
    press_in_dialog("answer_cancel")
    window.close()
    assert window.isVisible()
    assert window.state.training
    find("stop").click()
    qtbot.waitUntil(lambda: window.state.run_state is RunState.STOPPED, timeout=60_000)


def test_stop_and_save_waits_for_the_job_and_closes(
    window: MainWindow, planned: WizardState, find: Finder, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_with(monkeypatch, LongTrain)
    find("start").click()
    run = window.state.run
    assert run is not None
    qtbot.waitUntil(lambda: window.desk.live(run).history.step > 2, timeout=60_000)
    press_in_dialog("answer_stop")
    window.close()
    assert find("saving").isVisible()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=60_000)
    assert (run / "saved.txt").is_file()


def test_a_training_goes_on_without_the_window_and_the_next_one_shows_it(
    window: MainWindow, planned: WizardState, find: Finder, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_with(monkeypatch, LongTrain)
    find("start").click()
    run = window.state.run
    assert run is not None
    qtbot.waitUntil(lambda: window.desk.live(run).history.step > 2, timeout=60_000)
    press_in_dialog("answer_keep")
    window.close()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=60_000)

    desk = Desk(Settings())
    desk.dry_runs = False
    another = MainWindow(desk)
    qtbot.addWidget(another)
    another.offer_resume()
    qtbot.waitUntil(lambda: another.state.run == run, timeout=60_000)
    live = desk.live(run)
    assert live.state is RunState.RUNNING and not live.training
    known = live.history.step
    qtbot.waitUntil(lambda: live.history.step > known + 100, timeout=60_000)
    steps = [step.step for step in live.history.steps]
    assert steps == list(range(1, len(steps) + 1))
    live.stop()
    assert live.stopping
    qtbot.waitUntil(lambda: live.state is RunState.STOPPED, timeout=60_000)
    assert (run / "saved.txt").is_file() and not live.stopping
    another.close()


def press_in_dialog(name: str) -> None:
    """Press a button of the next dialog once it is open."""

    def press() -> None:
        dialog = QApplication.activeModalWidget()
        if dialog is None:
            QTimer.singleShot(20, press)
            return
        dialog.findChild(QPushButton, name).click()

    QTimer.singleShot(20, press)


def test_an_unexpected_problem_is_shown_once_and_can_be_closed(window: MainWindow, find: Finder) -> None:
    problem = Problem(Code.UNKNOWN, {"text": "odd"})
    window.desk.trouble(problem)
    window.desk.trouble(problem)
    assert len(window.findChildren(QWidget, "problem_card")) == 1
    find("problem_close").click()
    assert not window.notices.isVisible()


def test_new_starts_over_on_the_same_card(window: MainWindow, planned: WizardState, find: Finder) -> None:
    find("new").click()
    assert window.state.step is Step.MODEL
    assert window.state.probed
    assert window.state.model is None


def test_runs_and_settings_lie_beside_the_steps(window: MainWindow, find: Finder) -> None:
    find("runs").click()
    assert find("runs_status").isVisible()
    find("settings").click()
    assert find("language").isVisible()
    find("back").click()
    assert find("use_card").isVisible()


def test_return_presses_the_primary_button(window: MainWindow, qtbot: QtBot) -> None:
    window.setFocus()
    qtbot.keyClick(window, Qt.Key.Key_Return)
    assert window.state.step is Step.MODEL


def test_the_keyboard_reaches_every_button(window: MainWindow, qtbot: QtBot) -> None:
    """Tab walks over everything that can be pressed, and comes round again."""
    window.activateWindow()
    for step in (Step.GPU, Step.MODEL, Step.DATA):
        window.propose(replace(window.state, step=step))
        wanted = {w for w in window.findChildren(QPushButton) if w.isVisible() and w.isEnabled()}
        assert reached_by_tab(window, qtbot) >= wanted


def reached_by_tab(window: MainWindow, qtbot: QtBot) -> set[QWidget]:
    window.setFocus()
    seen: list[QWidget] = []
    for _ in range(200):
        window.focusNextChild()
        focus = window.focusWidget()
        if focus is None or focus in seen[:1]:
            break
        seen.append(focus)
    return set(seen)


def test_everything_that_takes_focus_has_a_name(window: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
    """A screen reader must have something to say."""
    state = states.planned(window.state, tmp_path)
    for step in STEPS:
        window.propose(replace(state, step=step))
        for widget in window.findChildren(QWidget):
            takes = widget.isVisible() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
            if takes and isinstance(widget, QPushButton):
                assert widget.text() or widget.accessibleName(), widget.objectName()


def test_the_window_can_be_made_again_in_another_language(
    window: MainWindow, planned: WizardState, qtbot: QtBot
) -> None:
    twin = window.rebuilt()
    qtbot.addWidget(twin)
    twin.show()
    assert twin.state == window.state
    twin.retire()


def test_an_interrupted_run_is_offered_when_the_window_opens(
    window: MainWindow, planned: WizardState, find: Finder, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_with(monkeypatch, QuickTrain)
    assert planned.plan is not None
    run = states.write_run(window.desk.runs_root, planned.plan, "1_interrupted")
    window.offer_resume()
    qtbot.waitUntil(lambda: bool(window.findChildren(QWidget, "resume_last")), timeout=60_000)
    find("resume_last").click()
    qtbot.waitUntil(lambda: window.desk.live(run.path).state is RunState.FINISHED, timeout=60_000)
    assert not window.notices.isVisible()


def test_an_exception_in_a_slot_is_shown_and_written_down(
    qapp: QApplication,
    qtbot: QtBot,
    home: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.excepthook", sys.excepthook)
    studio = Studio(qapp)
    qtbot.addWidget(studio.window)
    studio.show()
    try:
        raise ValueError("odd")
    except ValueError as error:
        sys.excepthook(ValueError, error, error.__traceback__)
    assert studio.window.findChildren(QWidget, "problem_card")
    assert "ValueError: odd" in (home / "cache" / "window.log").read_text()
    assert "ValueError: odd" in capsys.readouterr().err
    studio.window.retire()
