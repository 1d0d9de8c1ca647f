"""The doctor's page: rows as they come, fixes that do something, the zip, and a look that ends when it is left."""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from core.codec import to_plain
from core.doctor.readings import Python, Readings
from core.doctor.repair import Repair
from core.events import Stage, StageName
from core.findings import Check, Diagnosed, FindingCode, found
from core.jobs.talk import StopAsked, Talk
from core.problems import Code, Problem
from gui.calls import call_doctor
from gui.main_window import MainWindow
from gui.widgets.problem_card import ProblemCard
from tests.gui.conftest import Finder
from tests.gui.test_window import Strays

FOUND = (
    found(Check.PYTHON, FindingCode.PYTHON_GOOD, version="3.11.9", bits=64),
    found(Check.TORCH, FindingCode.TORCH_CPU_BUILD, version="2.13.0", card="RTX 5070"),
    found(Check.DISK, FindingCode.DISK_LOW, place="models", path="", free_bytes=3_000_000_000),
    found(Check.CARD_ROOM, FindingCode.CARD_BUSY, card="RTX 5070", used_bytes=6 * 10**9, free_bytes=6 * 10**9),
    found(Check.NETWORK, FindingCode.NETWORK_OFFLINE),
)


@dataclass(frozen=True)
class Look:
    """Finds what FOUND says, of the checks that were asked for."""

    checks: tuple[Check, ...] = tuple(Check)

    def run(self, talk: Talk) -> dict[str, Any]:
        told = [each for each in FOUND if each.check in self.checks]
        for done, each in enumerate(told, 1):
            talk.emit(Diagnosed(finding=each))
            talk.emit(Stage(stage=StageName.EXAMINING, done=done, total=len(told)))
        return {"findings": to_plain(told), "readings": to_plain(Readings(python=Python("3.11.9", 64)))}


@dataclass(frozen=True)
class Endless:
    """Finds one thing and then looks until it is stopped."""

    checks: tuple[Check, ...] = tuple(Check)

    def run(self, talk: Talk) -> dict[str, Any]:
        talk.emit(Diagnosed(finding=FOUND[0]))
        while not talk.stop_requested:
            talk.next_command()
        raise StopAsked


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("core.jobs.doctor.DoctorJob", Look)
    yield


def rows(window: MainWindow) -> list[QWidget]:
    QApplication.processEvents()  # what was just added is shown by an event
    found = window.findChildren(QWidget)
    return [w for w in found if w.objectName().startswith("finding_") and w.accessibleName() and w.isVisible()]


def seen(window: MainWindow, qtbot: QtBot) -> Any:
    """The page once the look has ended."""
    page: Any = window.page("doctor")
    qtbot.waitUntil(lambda: page._job is None and page.again.isVisible(), timeout=60_000)
    return page


def test_every_finding_is_a_row_with_its_level_in_words(
    window: MainWindow, find: Finder, qtbot: QtBot, look: None
) -> None:
    strays = Strays()
    QApplication.instance().installEventFilter(strays)  # type: ignore[union-attr]
    find("settings").click()
    find("doctor").click()
    page = seen(window, qtbot)
    assert not strays.names and window.isActiveWindow()
    names = [row.accessibleName() for row in rows(window)]
    assert [name.partition(". ")[0] for name in names] == [
        "PyTorch: Trouble", "Disk space: Caution", "Memory of the card: Caution",
        "Model sources: Good to know", "Python: Good",
    ]  # fmt: skip
    assert page.verdict.isVisible() and page.verdict.text.startswith("Something has to be put right")
    trouble = find("finding_torch_cpu_build")
    assert trouble.findChild(QLabel, "finding_advice").text().startswith("Training would run on the processor")
    assert [b.text() for b in trouble.findChildren(QPushButton)] == ["Repair"]
    assert not find("finding_python_good").findChildren(QPushButton)
    # a good row does not explain itself
    assert not find("finding_python_good").findChild(QLabel, "finding_advice").isVisible()
    find("doctor_again").click()
    assert not rows(window)
    seen(window, qtbot)
    assert len(rows(window)) == len(FOUND)


def test_a_look_ends_when_the_page_is_left_and_begins_anew(
    window: MainWindow, find: Finder, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.jobs.doctor.DoctorJob", Endless)
    window.open_aside("doctor")
    qtbot.waitUntil(lambda: len(rows(window)) == 1, timeout=60_000)
    assert not window.desk.runner.idle
    assert not find("save_diagnostics").isEnabled()
    find("back").click()
    qtbot.waitUntil(lambda: window.desk.runner.idle, timeout=60_000)
    monkeypatch.setattr("core.jobs.doctor.DoctorJob", Look)
    window.open_aside("doctor")
    seen(window, qtbot)
    assert len(rows(window)) == len(FOUND)


def test_a_problem_card_asks_the_doctor_what_is_worth_asking(
    window: MainWindow, find: Finder, qtbot: QtBot, look: None
) -> None:
    window.notices.add(Problem(Code.PACKAGE_MISSING, {"package": "peft"}))
    find("problem_doctor").click()
    page = seen(window, qtbot)
    assert [finding.check for finding in page.findings] == [Check.PYTHON, Check.TORCH]
    find("doctor_everything").click()
    page = seen(window, qtbot)
    assert len(page.findings) == len(FOUND)
    plain = ProblemCard(Problem(Code.DATA_EMPTY))
    qtbot.addWidget(plain)
    assert plain.findChild(QPushButton, "problem_doctor") is None


def test_repair_asks_starts_and_closes(
    window: MainWindow, find: Finder, qtbot: QtBot, look: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Repair] = []
    how = Repair(("python", "run.py", "--repair"), True)
    monkeypatch.setattr("gui.pages.doctor_repair.repair", lambda: how)
    monkeypatch.setattr("gui.pages.doctor_repair.start_repair", begun.append)
    window.open_aside("doctor")
    seen(window, qtbot)
    answer("answer_cancel")
    find("fix_torch_cpu_build").click()
    assert not begun and window.isVisible()
    answer("answer_repair")
    find("fix_torch_cpu_build").click()
    assert begun == [how]
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=60_000)


def test_what_another_program_installed_is_repaired_by_hand(
    window: MainWindow, find: Finder, qtbot: QtBot, look: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gui.pages.doctor_repair.repair", lambda: Repair(("pipx", "reinstall", "solotune"), False))
    monkeypatch.setattr("gui.pages.doctor_repair.start_repair", lambda _how: pytest.fail("nothing may start"))
    window.open_aside("doctor")
    seen(window, qtbot)
    find("fix_torch_cpu_build").click()
    assert find("repair_command").text() == "pipx reinstall solotune"  # type: ignore[attr-defined]
    find("copy_repair").click()
    assert QApplication.clipboard().text() == "pipx reinstall solotune"
    assert window.isVisible()


def test_a_fix_in_the_settings_opens_their_group(window: MainWindow, find: Finder, qtbot: QtBot, look: None) -> None:
    window.open_aside("doctor")
    seen(window, qtbot)
    find("fix_network_offline").click()
    settings: Any = window.page("settings")
    assert window.stack.currentWidget() is settings
    # the switch is in sight without scrolling by hand
    qtbot.waitUntil(lambda: not settings.sources.visibleRegion().isEmpty(), timeout=60_000)


def test_memory_is_freed_on_the_page_that_names_the_programs(
    window: MainWindow, find: Finder, qtbot: QtBot, look: None
) -> None:
    window.open_aside("doctor")
    seen(window, qtbot)
    find("fix_card_busy").click()
    assert window.stack.currentWidget() is window.page("gpu")


def test_the_zip_is_written_and_says_what_it_holds(
    window: MainWindow, find: Finder, qtbot: QtBot, look: None, tmp_path: Path
) -> None:
    call_doctor(window, part="zip")
    page = seen(window, qtbot)
    assert page.diagnostics.fold.body.isVisible()
    said = " ".join(label.text() for label in page.diagnostics.fold.body.findChildren(QLabel))
    assert "questions and answers" in said and "passwords" in said
    target = tmp_path / "help.zip"
    page.diagnostics.write(target)
    qtbot.waitUntil(lambda: page.diagnostics.show_file.isVisible(), timeout=60_000)
    with zipfile.ZipFile(target) as archive:
        assert b"torch_cpu_build" in archive.read("findings.json")
        assert b"3.11.9" in archive.read("readings.json")
    page.diagnostics.write(tmp_path / "nowhere" / "help.zip")
    qtbot.waitUntil(lambda: page.diagnostics.save.isEnabled(), timeout=60_000)
    assert not page.diagnostics.show_file.isVisible()


def answer(name: str) -> None:
    """Answer the next question as soon as it is open."""

    looks = iter(range(250))

    def press() -> None:
        dialog = QApplication.activeModalWidget()
        made = dialog.findChild(QPushButton, name) if dialog else None
        if made is not None:
            made.click()
        elif next(looks, None) is not None:
            # a question that never comes must not be answered in another test
            QTimer.singleShot(20, press)

    QTimer.singleShot(20, press)
