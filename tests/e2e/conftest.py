"""A window on a computer without a card, and a person in front of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from gui.main_window import MainWindow
from tests.e2e.person import Person
from tests.engine.conftest import one_answer  # noqa: F401 - a fixture
from tests.gui.conftest import desk, no_card, no_thread_left, window  # noqa: F401 - fixtures


@pytest.fixture
def person(window: MainWindow, qtbot: QtBot) -> Iterator[Person]:  # noqa: F811
    yield Person(window, qtbot)


@pytest.fixture
def dialogs(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """Answers of the system's own file dialogs, which no test can click into."""
    chosen: dict[str, object] = {"files": [], "folder": ""}
    monkeypatch.setattr("PySide6.QtWidgets.QFileDialog.getOpenFileNames", lambda *_, **__: (chosen["files"], ""))
    monkeypatch.setattr("PySide6.QtWidgets.QFileDialog.getExistingDirectory", lambda *_, **__: str(chosen["folder"]))
    return chosen


@pytest.fixture
def runs(home: Path) -> Path:
    from core.settings import load, runs_root

    return runs_root(load())
