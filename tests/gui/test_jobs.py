"""JobThread and JobRunner with real child processes."""

from PySide6.QtCore import QObject, Signal
from pytestqt.qtbot import QtBot

from core.events import Event, Failed, Finished, Last, Noted, Stopped
from core.problems import Code
from gui.desk import Desk
from gui.jobs import JobThread, Lane
from tests.gui.fakes import Flood, Idle, Killed


class Ear(QObject):
    """Keeps what it hears."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Event] = []

    def hear(self, event: Event) -> None:
        self.heard.append(event)

    @property
    def lasts(self) -> list[Event]:
        return [event for event in self.heard if isinstance(event, Last)]


def test_a_signal_can_be_emitted_5000_times(qtbot: QtBot) -> None:
    """PySide6 6.12.0 loses a reference to True with each emit and aborts after about 570."""

    class Speaker(QObject):
        said = Signal(object)

    heard: list[int] = []
    speaker = Speaker()
    speaker.said.connect(heard.append)
    for number in range(5000):
        speaker.said.emit(number)
    assert heard == list(range(5000))


def test_a_flood_of_events_arrives_in_order_and_ends_once(qtbot: QtBot, desk: Desk) -> None:
    ear = Ear()
    desk.runner.start(Flood(5000), ear.hear)
    qtbot.waitUntil(lambda: bool(ear.lasts), timeout=60_000)
    numbers = [event.facts["number"] for event in ear.heard if isinstance(event, Noted)]
    assert numbers == list(range(5000))
    assert [type(event) for event in ear.lasts] == [Finished]
    qtbot.waitUntil(lambda: desk.runner.idle, timeout=60_000)


def test_a_killed_child_still_ends_with_one_last_event(qtbot: QtBot, desk: Desk) -> None:
    ear = Ear()
    desk.runner.start(Killed(), ear.hear)
    qtbot.waitUntil(lambda: bool(ear.lasts), timeout=60_000)
    (last,) = ear.lasts
    assert isinstance(last, Failed)
    assert last.problem.code is Code.WORKER_KILLED


def test_a_job_that_cannot_be_sent_ends_as_failed(qtbot: QtBot, desk: Desk) -> None:
    ear = Ear()
    desk.runner.start(lambda: None, ear.hear)
    qtbot.waitUntil(lambda: bool(ear.lasts), timeout=60_000)
    assert isinstance(ear.lasts[0], Failed)


def test_one_job_on_the_card_the_next_one_waits(qtbot: QtBot, desk: Desk) -> None:
    first, second = Ear(), Ear()
    one = desk.runner.start(Idle(), first.hear)
    desk.runner.start(Flood(1), second.hear)
    qtbot.waitUntil(lambda: bool(first.heard), timeout=60_000)
    assert not second.heard
    desk.runner.cancel(one)
    qtbot.waitUntil(lambda: bool(second.lasts), timeout=60_000)
    assert isinstance(first.lasts[0], Stopped)
    assert isinstance(second.lasts[0], Finished)


def test_small_jobs_run_beside_the_card(qtbot: QtBot, desk: Desk) -> None:
    long, small = Ear(), Ear()
    desk.runner.start(Idle(), long.hear)
    desk.runner.start(Flood(2), small.hear, lane=Lane.BESIDE)
    qtbot.waitUntil(lambda: bool(small.lasts), timeout=60_000)
    assert not long.lasts


def test_a_waiting_job_can_be_cancelled_without_starting(qtbot: QtBot, desk: Desk) -> None:
    first, second = Ear(), Ear()
    desk.runner.start(Idle(), first.hear)
    waiting = desk.runner.start(Flood(1), second.hear)
    desk.runner.cancel(waiting)
    qtbot.waitUntil(lambda: bool(second.lasts), timeout=60_000)
    assert isinstance(second.lasts[0], Stopped)
    assert len(second.heard) == 1


def test_stop_before_the_thread_has_started_starts_no_child(qtbot: QtBot) -> None:
    ear = Ear()
    thread = JobThread(Flood(1))
    thread.happened.connect(ear.hear)
    thread.stop()
    thread.start()
    assert thread.wait(60_000)
    qtbot.waitUntil(lambda: bool(ear.lasts), timeout=60_000)
    assert isinstance(ear.lasts[0], Stopped)
