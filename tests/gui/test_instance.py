"""One window for one person: later starts hand over what they were asked to open; a crash keeps nobody out."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtNetwork import QLocalSocket
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from core.wizard import Step, WizardState
from gui.arriving import sorted_out
from gui.desk import Desk
from gui.instance import LIMIT, Instance, heard, meeting_place
from gui.main_window import MainWindow
from tests.gui import states

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.usefixtures("qapp")

#: A first start in a process of its own, without a window; prints what later starts bring.
FIRST = """
import sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from gui.instance import Instance
app = QCoreApplication([])
instance = Instance(Path(sys.argv[1]))
print(instance.is_first(), flush=True)
instance.asked.connect(lambda paths: print(paths, flush=True))
app.exec()
"""
#: A later start; says whether it goes on.
SECOND = FIRST.replace("print(instance.is_first()", "print('asks', flush=True); print(instance.goes_on([])")
#: What the desktop does on a double-click: the whole program.
WINDOW = "import sys; from gui.app import run; sys.exit(run(['solotune', *sys.argv[1:]]))"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A short folder: a socket's path has room for a hundred bytes."""
    with ExitStack() as stack:
        import tempfile

        yield Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="solotune-test-")))


def other(folder: Path) -> "subprocess.Popen[str]":
    """A first start in another process, ready to hear."""
    found = subprocess.Popen([sys.executable, "-c", FIRST, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert found.stdout is not None
    assert found.stdout.readline() == "True\n"
    return found


def test_a_second_start_hands_its_files_to_the_first(place: Path, tmp_path: Path) -> None:
    odd = tmp_path / "问 答" / "50 % “x”.jsonl"
    with other(place) as first:
        second = Instance(place)
        assert not second.goes_on([str(odd), "relative.csv"], patience=60_000)
        assert first.stdout is not None
        assert first.stdout.readline() == f"{[str(odd), str(Path.cwd() / 'relative.csv')]}\n"
        assert not second.goes_on([], patience=60_000)
        assert first.stdout.readline() == "[]\n"
        first.terminate()


def test_what_a_crash_leaves_is_swept_away(place: Path) -> None:
    with other(place) as first:
        first.send_signal(signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
    assert (place / "window.lock").exists()
    if sys.platform != "win32":
        assert (place / "window.sock").exists()
    here = Instance(place)
    assert here.is_first()
    here.let_go()
    again = Instance(place)
    assert again.is_first()
    again.let_go()


def test_a_first_start_that_does_not_answer_keeps_nobody_out_for_long(place: Path) -> None:
    with other(place) as first:
        os.kill(first.pid, signal.SIGSTOP)
        begun = time.monotonic()
        assert Instance(place).goes_on(["x"], patience=300)
        assert time.monotonic() - begun < 60
        first.kill()


def test_a_window_that_closes_leaves_it_to_the_next_start(place: Path, qtbot: QtBot) -> None:
    closes = Instance(place)
    assert closes.is_first()
    closes.welcome = lambda: False
    with (
        qtbot.assertNotEmitted(closes.asked),
        subprocess.Popen(
            [sys.executable, "-c", SECOND, str(place)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as next_,
    ):
        assert next_.stdout is not None
        assert next_.stdout.readline() == "asks\n"
        qtbot.wait(400)
        closes.let_go()
        assert next_.stdout.readline() == "True\n"
        next_.terminate()


def test_a_folder_that_takes_no_lock_keeps_nobody_from_working(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert Instance(tmp_path / "file").is_first()


def test_only_command_lines_are_heard(qtbot: QtBot, place: Path) -> None:
    here = Instance(place)
    assert here.is_first()
    with qtbot.assertNotEmitted(here.asked):
        for words in (b"GET / HTTP/1.1\n", b"[]\n", b"{}\n", b"x" * (LIMIT + 2)):
            socket = QLocalSocket()
            socket.connectToServer(here.address)
            assert socket.waitForConnected(60_000)
            socket.write(words)
            qtbot.waitUntil(
                lambda s=socket: s.state() is QLocalSocket.LocalSocketState.UnconnectedState, timeout=60_000
            )
    if os.name == "posix":
        assert Path(here.address).stat().st_mode & 0o077 == 0
    here.let_go()


def test_a_request_has_absolute_paths_and_may_bring_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_ACTIVATION_TOKEN", "")
    here = str(Path.cwd() / "a.csv")
    assert heard(json.dumps({"open": [here], "token": "t1"}).encode()) == [here]
    assert os.environ["XDG_ACTIVATION_TOKEN"] == "t1"
    for wrong in (
        {"open": ["a.csv"], "token": ""},
        {"open": "x", "token": ""},
        {"open": [1], "token": ""},
        {"open": []},
    ):
        assert heard(json.dumps(wrong).encode()) is None
    assert heard(b"[" * 100_000) is None


def test_each_person_and_display_has_its_own_meeting_place(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: Path
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(place))
    monkeypatch.setenv("DISPLAY", ":0")
    first = meeting_place()
    assert first.parent == place and meeting_place() == first
    monkeypatch.setenv("DISPLAY", ":1")
    assert meeting_place() != first
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("SOLOTUNE_HOME", str(tmp_path / ("long" * 30)))
    assert meeting_place() != first
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert len(os.fsencode(meeting_place() / "window.sock")) < 104


def test_the_second_window_ends_and_the_first_one_opens_its_file(tmp_path: Path, home: Path) -> None:
    """Two real starts, as a double-click makes them."""
    report = tmp_path / "paint.json"
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"instruction": "a", "output": "b"}\n')
    run = {"cwd": ROOT, "env": os.environ | {"SOLOTUNE_PAINT_REPORT": str(report)}}
    command = [sys.executable, "-c", WINDOW]
    with subprocess.Popen(command, **run) as first:  # type: ignore[call-overload]
        until = time.monotonic() + 150
        while not report.exists() and time.monotonic() < until:
            time.sleep(0.05)
        second = subprocess.run([*command, str(rows)], timeout=150, check=False, **run)  # type: ignore[call-overload]
        assert second.returncode == 0
        assert first.poll() is None
        first.send_signal(signal.SIGINT)
        assert first.wait(150) == 0
    assert not (home / "cache" / "window.log").exists()


# What is opened


def run_at(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "plan.json").write_text("{}")
    return folder


def test_runs_are_told_from_data(tmp_path: Path) -> None:
    run = run_at(tmp_path / "run")
    data = tmp_path / "a.csv"
    data.touch()
    assert sorted_out([str(run)]).run == run
    assert sorted_out([str(run / "plan.json")]).run == run
    found = sorted_out([str(data), str(tmp_path), str(tmp_path / "gone.csv")])
    assert (found.run, found.data, found.missing) == (None, [str(data), str(tmp_path)], [str(tmp_path / "gone.csv")])


@pytest.fixture
def taken(window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What the Data page was given to read."""
    found: list[list[str]] = []
    monkeypatch.setattr("gui.pages.data.DataPage.take_files", lambda _page, files: found.append(files))
    return found


def test_data_opens_on_its_page_also_from_settings(
    window: MainWindow, planned: WizardState, taken: list[list[str]], tmp_path: Path
) -> None:
    window.open_aside("settings")
    window.arrivals.take([str(tmp_path)])
    assert taken == [[str(tmp_path)]]
    assert window.state.step is Step.DATA
    assert not window.top.gear.isChecked()


def test_data_waits_for_a_model(window: MainWindow, taken: list[list[str]], tmp_path: Path) -> None:
    window.arrivals.take([str(tmp_path)])
    assert not taken
    shown = [child.objectName() for child in window.notices.children()]
    assert "data_waits_notice" in shown
    window.propose(states.planned(window.state, tmp_path))
    assert not taken
    window.go(Step.DATA)
    assert taken == [[str(tmp_path)]]
    QApplication.processEvents()
    assert not any(
        child.objectName() == "data_waits_notice" and child.isVisible()
        for child in window.notices.findChildren(type(window.notices))
    )


def test_a_path_that_is_not_there_is_told(
    window: MainWindow, taken: list[list[str]], tmp_path: Path, desk: Desk
) -> None:
    told: list[object] = []
    desk.troubled.connect(told.append)
    window.arrivals.take([str(tmp_path / "gone.jsonl")])
    assert not taken and len(told) == 1


def test_a_run_folder_opens_as_a_run(window: MainWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    opened: list[Path] = []
    monkeypatch.setattr(window, "open_run", lambda path: opened.append(path))
    run = run_at(tmp_path / "run")
    drop(window, [run])
    assert opened == [run]


def test_files_can_be_dropped_anywhere(
    window: MainWindow, planned: WizardState, taken: list[list[str]], tmp_path: Path
) -> None:
    file = tmp_path / "行 1.csv"
    file.touch()
    drop(window, [file])
    assert taken == [[str(file)]]


def drop(window: MainWindow, paths: list[Path]) -> None:
    """Drag files into the window and let them go."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    rest = (data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    enter = QDragEnterEvent(window.rect().center(), Qt.DropAction.CopyAction, *rest)
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    event = QDropEvent(QPointF(window.rect().center()), Qt.DropAction.CopyAction, *rest)
    QApplication.sendEvent(window, event)
    assert event.isAccepted()


# Where the window opens


def test_the_window_comes_back_where_it_was(window: MainWindow, desk: Desk, qtbot: QtBot) -> None:
    window.setGeometry(40, 50, 900, 610)
    window.close()
    assert desk.settings.geometry
    again = MainWindow(desk)
    qtbot.addWidget(again)
    # the screen of the tests is less wide than the window
    assert (again.geometry().y(), again.height()) == (50, 610)
    again.retire()


@pytest.mark.parametrize("corner", [(6000, 300), (-4000, 100), (200, 9000), (-3000, -3000)])
def test_a_window_of_a_screen_that_is_gone_opens_on_one_that_is_there(
    desk: Desk, qtbot: QtBot, corner: tuple[int, int]
) -> None:
    """What was saved on a second screen, which is not plugged in any more."""
    first = MainWindow(desk)
    qtbot.addWidget(first)
    first.setGeometry(*corner, 900, 610)
    desk.remember_geometry(QByteArray(first.saveGeometry().toBase64()).toStdString())
    first.retire()
    again = MainWindow(desk)
    qtbot.addWidget(again)
    again.show()
    screen = QGuiApplication.primaryScreen().availableGeometry()
    # its title bar can be reached with the mouse
    assert screen.adjusted(-1, -1, 1, 1).contains(again.geometry().topLeft())
    seen = screen.intersected(again.geometry())
    assert seen.width() > 400 and seen.height() > 300
    again.retire()
