"""A window without a card, on a desk of its own; a QThread that is left running fails the test."""

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QThread
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from core.problems import Code, Trouble
from core.settings import Settings
from core.wizard import WizardState
from gui import theme
from gui.desk import Desk
from gui.main_window import MainWindow
from tests.gui import states


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The offscreen platform says on fixed sizes and tool tips that it has no window manager to tell."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.qt_log_ignore("does not support (propagateSizeHints|raise)"))


@pytest.fixture(autouse=True)
def no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """The computer of the tests has no card, also where one is built in."""

    def none() -> tuple[object, ...]:
        raise Trouble(Code.NO_GPU)

    monkeypatch.setattr("core.gpu.cards", none)
    monkeypatch.setattr("core.gpu.read", lambda index=0: None)


@pytest.fixture(autouse=True)
def nobody_spoken_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """What other tests of this process spoke to is not seen."""
    from core.hub import network

    monkeypatch.setattr(network._watch, "hosts", type(network._watch.hosts)())


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    """Fail a test that leaves a QThread running."""
    yield
    # by type: isinstance asks the object, and lazy modules of others answer with warnings
    left = [thread for thread in gc.get_objects() if issubclass(type(thread), QThread) and _runs(thread)]
    assert not left, f"threads left running: {left}"


def _runs(thread: QThread) -> bool:
    try:
        return thread.isRunning() and thread is not QThread.currentThread()
    except RuntimeError:
        return False  # Qt deleted it


@pytest.fixture
def desk(qapp: QApplication) -> Iterator[Desk]:
    """A desk; its jobs end with the test."""
    theme.apply(qapp, "light")
    found = Desk(Settings())
    # a real dry run takes seconds and half a gigabyte: tests that want one say so
    found.dry_runs = False
    yield found
    found.runner.stop_all()
    assert found.runner.wait(20_000)
    for _ in range(5):
        qapp.processEvents()
    found.deleteLater()


@pytest.fixture
def window(qtbot: QtBot, desk: Desk) -> Iterator[MainWindow]:
    """An open window that has looked for cards and found none."""
    made = MainWindow(desk)
    # nobody is there to answer whether a training shall go on
    qtbot.addWidget(made, before_close_func=MainWindow.stop_and_close)
    made.show()
    qtbot.waitUntil(lambda: made.state.probed, timeout=5000)
    yield made
    made.retire()


Finder = Callable[[str], QWidget]


@pytest.fixture
def find(window: MainWindow) -> Finder:
    """Find a visible widget by its object name."""

    def found(name: str) -> QWidget:
        QApplication.processEvents()  # a widget that was just added is shown by an event
        for widget in window.findChildren(QWidget, name):
            if widget.isVisible():
                return widget
        raise LookupError(name)

    return found


@pytest.fixture
def planned(window: MainWindow, tmp_path: Path) -> WizardState:
    """A state with model, data and plan; the window shows it on the Train page."""
    state = states.planned(window.state, tmp_path)
    window.propose(state)
    return state
