"""The window offers a shortcut once, and Settings makes and removes it."""

import sys
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from core.desktop import shortcut
from core.settings import load
from gui.background import Errand
from gui.main_window import MainWindow
from gui.shortcut import ShortcutOffer
from tests.gui.conftest import Finder

pytestmark = pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="writes the entries of Linux")


@pytest.fixture(autouse=True)
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person without a desktop, whose menus are elsewhere than this one's."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "/nowhere")
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def sees(find: Finder, name: str) -> bool:
    try:
        find(name)
    except LookupError:
        return False
    return True


def offers(window: MainWindow, qtbot: QtBot, find: Finder) -> bool:
    """Whether the window offers a shortcut when it starts."""
    offer = ShortcutOffer(window.desk, window.notices)
    offer.look()
    # what it has found is on its way to the window when its thread has ended
    offer.findChild(Errand)._thread.join(60)
    qtbot.wait(0)
    QApplication.processEvents()
    return sees(find, "shortcut")


def test_no_is_remembered(window: MainWindow, qtbot: QtBot, find: Finder, person: Path) -> None:
    assert offers(window, qtbot, find)
    find("shortcut_later").click()
    assert not sees(find, "shortcut")
    assert load().shortcut_offered
    assert not offers(window, qtbot, find)
    assert not list(person.rglob("*solotune*"))


def test_yes_makes_one(window: MainWindow, qtbot: QtBot, find: Finder, person: Path) -> None:
    assert offers(window, qtbot, find)
    find("shortcut").click()
    qtbot.waitUntil(lambda: shortcut.installed() is not None, timeout=60_000)
    assert (person / ".local/share/applications/solotune.desktop").is_file()
    assert not offers(window, qtbot, find)


def test_a_shortcut_that_cannot_be_made_is_told(window: MainWindow, qtbot: QtBot, find: Finder, person: Path) -> None:
    assert offers(window, qtbot, find)
    (person / ".local").touch()
    with qtbot.waitSignal(window.desk.troubled, timeout=60_000):
        find("shortcut").click()


def test_settings_make_and_remove_it(window: MainWindow, qtbot: QtBot, find: Finder) -> None:
    find("settings").click()
    button = find("shortcut_change")
    assert isinstance(button, QPushButton)
    assert button.text() == "Add a shortcut"
    button.click()
    qtbot.waitUntil(lambda: button.text() == "Remove the shortcut", timeout=60_000)
    assert shortcut.installed() is not None
    button.click()
    qtbot.waitUntil(lambda: button.text() == "Add a shortcut", timeout=60_000)
    assert shortcut.installed() is None
