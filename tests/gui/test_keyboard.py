"""Where the keyboard is: a control that goes away hands it to its page, so that Return always means the next step."""

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QLabel, QWidget
from pytestqt.qtbot import QtBot

from core.wizard import Step, WizardState
from gui.main_window import MainWindow
from gui.tab_order import tab_stops
from tests.gui import states
from tests.gui.conftest import Finder
from tests.gui.fakes import Chat, LongTrain
from tests.gui.test_pages import finished
from tests.gui.test_window import train_with


def press(qtbot: QtBot, window: MainWindow, key: Qt.Key) -> None:
    qtbot.keyClick(window.focusWidget() or window, key)


def give_keyboard(widget: QWidget) -> None:
    widget.setFocus(Qt.FocusReason.TabFocusReason)
    assert widget.hasFocus()


def test_return_on_start_pressed_twice_stays_with_the_training(
    window: MainWindow, planned: WizardState, find: Finder, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Start hides when it is pressed; the next control in Qt's order opens the runs."""
    train_with(monkeypatch, LongTrain)
    give_keyboard(find("start"))
    press(qtbot, window, Qt.Key.Key_Return)
    assert window.state.training
    press(qtbot, window, Qt.Key.Key_Return)
    assert window.focusWidget() is window.page(Step.TRAIN)
    assert not window.top.runs_button.isChecked()


def test_a_page_that_is_turned_to_has_the_keyboard(window: MainWindow, planned: WizardState, find: Finder) -> None:
    window.go(Step.MODEL)
    give_keyboard(find("search_model"))
    window.go(Step.PLAN)
    page = window.page(Step.PLAN)
    assert window.focusWidget() is page
    assert page.accessibleName() == "How should it learn?"
    window.focusNextChild()
    assert page.isAncestorOf(window.focusWidget()), "Tab goes on inside the page"


def test_the_first_question_can_be_typed_at_once(
    window: MainWindow, planned: WizardState, find: Finder, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gui.pages.test.ChatJob", Chat)
    finished(window, qtbot, planned)
    window.setFocus()
    window.go(Step.TEST)
    page = window.page(Step.TEST)
    qtbot.waitUntil(lambda: page._ready, timeout=60_000)
    assert page.question.hasFocus()
    assert "conversation" in find("clear_chat").toolTip()


def test_next_that_closes_gives_the_keyboard_to_the_page(window: MainWindow, find: Finder, qtbot: QtBot) -> None:
    give_keyboard(find("next"))
    press(qtbot, window, Qt.Key.Key_Return)
    assert window.state.step is Step.MODEL
    assert not find("next").isEnabled()
    assert window.focusWidget() is window.page(Step.MODEL)


def test_next_that_stays_open_keeps_the_keyboard(window: MainWindow, tmp_path: Path, find: Finder) -> None:
    window.propose(replace(states.planned(window.state, tmp_path), step=Step.GPU))
    give_keyboard(find("next"))
    window.go(Step.PLAN)
    assert find("next").hasFocus()


def test_after_a_card_was_named_return_uses_it(window: MainWindow, find: Finder, qtbot: QtBot) -> None:
    find("what_if").click()
    field = find("other_card")
    qtbot.keyClicks(field, "4090")
    press(qtbot, window, Qt.Key.Key_Return)
    assert window.state.imagined and find("use_card").isVisible()
    press(qtbot, window, Qt.Key.Key_Return)
    assert window.state.step is Step.MODEL


def test_a_part_of_what_is_hidden_gives_the_keyboard_to_the_page(window: MainWindow, planned: WizardState) -> None:
    window.go(Step.PLAN)
    page = window.page(Step.PLAN)
    for gone, way in ((page.fields, QWidget.hide), (page.cost, lambda part: part.setEnabled(False))):
        last = [stop for stop in tab_stops(window.shell) if gone.isAncestorOf(stop)][-1]
        give_keyboard(last)
        way(gone)
        assert window.focusWidget() in (page, None), "without any, keys go to the window"


def test_what_was_hidden_while_a_dialog_was_open_gives_the_keyboard_to_the_page(
    window: MainWindow, planned: WizardState, find: Finder, qtbot: QtBot
) -> None:
    window.go(Step.PLAN)
    give_keyboard(find("method"))
    dialog = QDialog(window)
    dialog.show()
    dialog.activateWindow()
    qtbot.waitUntil(lambda: not window.isActiveWindow())
    find("method").hide()
    dialog.close()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    assert window.page(Step.PLAN).hasFocus()


def test_escape_closes_the_choice_of_another_card(window: MainWindow, find: Finder, qtbot: QtBot) -> None:
    find("what_if").click()
    chooser = find("card_chooser")
    press(qtbot, window, Qt.Key.Key_Escape)
    assert not chooser.isVisible()
    assert not window.state.imagined
    assert window.focusWidget() is window.page(Step.GPU)


def test_escape_leaves_the_pages_beside_the_steps(window: MainWindow, find: Finder, qtbot: QtBot) -> None:
    for name in ("runs", "settings"):
        find(name).click()
        assert find("back").text() == "&Back to the steps"
        press(qtbot, window, Qt.Key.Key_Escape)
        assert find("use_card").isVisible()
    press(qtbot, window, Qt.Key.Key_Escape)
    assert find("use_card").isVisible(), "a step is not left"


def test_the_run_on_show_opens_from_the_runs(
    window: MainWindow, planned: WizardState, find: Finder, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the wizard's run already: nothing of the state changes, and still its page has to come."""
    train_with(monkeypatch, LongTrain)
    find("start").click()
    find("runs").click()
    qtbot.waitUntil(lambda: bool(window.findChildren(QWidget, "open_run")), timeout=60_000)
    find("open_run").click()
    assert window.page(Step.TRAIN).isVisible()
    assert not window.top.runs_button.isChecked()


def walked(window: MainWindow, forward: bool = True) -> list[str]:
    """Names of what Tab reaches from the page on, once round."""
    found: list[QWidget] = []
    while len(found) < 100:
        window.focusNextChild() if forward else window.focusPreviousChild()
        if window.focusWidget() in found:
            break
        found.append(window.focusWidget())
    return [widget.objectName() for widget in found]


def test_tab_walks_as_the_page_is_read(window: MainWindow, find: Finder) -> None:
    """The buttons of the card are made anew with every reading; they keep their place all the same."""
    find("look_again").click()
    find("why")
    page = ["simple", "advanced", "use_card", "what_if", "look_again", "why", "next"]
    frame = ["runs", "new", "settings", "step_gpu", "step_model"]
    assert walked(window) == [*page, *frame]
    window.setFocus()
    assert walked(window, forward=False) == [*reversed(frame), *reversed(page)]


def test_tab_brings_what_it_reaches_into_sight(window: MainWindow, planned: WizardState, find: Finder) -> None:
    window.resize(window.minimumSize())
    window.go(Step.PLAN)
    find("advanced").click()
    give_keyboard(find("simple"))
    while window.focusWidget() is not find("reset_plan"):
        window.focusNextChild()
    assert not find("reset_plan").visibleRegion().isEmpty()


def test_the_buttons_of_a_run_say_whose_they_are(
    window: MainWindow, planned: WizardState, find: Finder, qtbot: QtBot
) -> None:
    assert planned.plan is not None
    run = states.write_run(window.desk.runs_root, planned.plan, "1_bakery")
    find("runs").click()
    qtbot.waitUntil(lambda: bool(window.findChildren(QWidget, "open_run")), timeout=5000)
    assert "bakery" in find("open_run").accessibleDescription()
    told = [words.text() for words in find(f"run_{run.path.name}").findChildren(QLabel)]
    assert any(Path(planned.plan.data[0]).name in words for words in told), "runs of one model differ by their data"
