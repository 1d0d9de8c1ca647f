"""A training asks the computer to stay awake; where it cannot, the run is told, and nothing breaks."""

import os
import select
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.jobs.awake import awake_for, kept_awake
from core.settings import Settings, save
from core.wire import encode
from core.wording import note_words
from tests.fakes import new_run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems are asked in other ways")


class Heard:
    """A Talk that keeps what was said."""

    stop_requested = False
    pause = None

    def __init__(self) -> None:
        self.said: list[Any] = []
        self.spoke = threading.Event()

    def emit(self, event: Any) -> None:
        self.said.append(event)
        self.spoke.set()

    def next_command(self) -> Any:
        raise AssertionError("nobody asks")


@pytest.fixture
def no_bus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A Linux without D-Bus, such as a container."""
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path / 'nobody'}")


@pytest.mark.usefixtures("no_bus")
def test_where_nobody_can_be_asked_the_run_is_told_once(tmp_path: Path) -> None:
    run, talk = new_run(tmp_path), Heard()
    with awake_for(str(run.path), talk):
        assert talk.spoke.wait(60)
    assert [note.code for note in talk.said] == ["may_sleep"]
    assert "may fall asleep" in note_words(talk.said[0])
    run.events_file.write_text(encode(talk.said[0]) + "\n")
    again = Heard()
    with awake_for(str(run.path), again):
        pass
    assert again.said == []


@pytest.mark.usefixtures("no_bus")
def test_who_wants_the_computer_to_sleep_is_not_told(tmp_path: Path) -> None:
    save(replace(Settings(), keep_awake=False))
    talk = Heard()
    before = threading.active_count()
    with awake_for(str(new_run(tmp_path).path), talk):
        assert threading.active_count() == before
    assert talk.said == []


@pytest.mark.usefixtures("no_bus")
def test_what_a_training_raises_passes_through() -> None:
    with pytest.raises(KeyError), kept_awake(lambda: None):
        raise KeyError("of its own")


# ---- a real bus, with somebody on it who answers like logind ---------------------------------------------------------

BUS = shutil.which("dbus-daemon")


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A bus of its own, which takes the place of the system's; there is no desktop."""
    if BUS is None:
        pytest.skip("no dbus-daemon here")
    daemon = subprocess.Popen([BUS, "--session", "--nofork", "--print-address"], stdout=subprocess.PIPE, text=True)
    assert daemon.stdout is not None
    address = daemon.stdout.readline().strip()
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    yield address
    daemon.terminate()
    daemon.wait()
    daemon.stdout.close()


class Logind(threading.Thread):
    """Answers Inhibit with a lock, and with a refusal for what is in `refuses`; `held` tells whether a lock lives."""

    def __init__(self, address: str, refuses: tuple[str, ...] = ()) -> None:
        super().__init__(daemon=True)
        from jeepney import DBusAddress, new_method_call
        from jeepney.io.blocking import open_dbus_connection

        self.refuses, self.asked, self.over = refuses, [], False
        self.watched, self.lock = os.pipe()
        self.bus = open_dbus_connection(address, enable_fds=True)
        daemon = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
        self.bus.send_and_get_reply(new_method_call(daemon, "RequestName", "su", ("org.freedesktop.login1", 0)))
        self.start()

    def run(self) -> None:
        from jeepney import HeaderFields, new_error, new_method_return

        while not self.over:
            try:
                message = self.bus.receive(timeout=0.05)
            except TimeoutError:
                continue
            if message.header.fields.get(HeaderFields.member) != "Inhibit":
                continue
            self.asked.append(message.body)
            if message.body[0] in self.refuses:
                self.bus.send(new_error(message, "org.freedesktop.DBus.Error.AccessDenied"))
            else:
                self.bus.send(new_method_return(message, "h", (self.lock,)))
                os.close(self.lock)

    def held(self, seconds: float = 60.0) -> bool:
        """Whether the other end of the lock is open; waits for it to close."""
        return not select.select([self.watched], [], [], seconds)[0]

    def close(self) -> None:
        self.over = True
        self.join(60)
        os.close(self.watched)
        self.bus.close()


@pytest.mark.parametrize("refuses", [(), ("sleep:idle",)])
def test_logind_holds_the_computer_awake_for_as_long_as_it_takes(bus: str, refuses: tuple[str, ...]) -> None:
    logind, refused = Logind(bus, refuses), threading.Event()
    try:
        with kept_awake(refused.set):
            while len(logind.asked) < 1 + len(refuses):
                time.sleep(0.01)
            assert logind.held(0.1)
            assert not refused.is_set()
        assert not logind.held()
        assert [what for what, *_rest in logind.asked] == [*refuses, "idle" if refuses else "sleep:idle"]
        assert logind.asked[0][1:] == ("SoloTune", "A model is being trained", "block")
    finally:
        logind.close()


def test_while_the_user_lets_it_rest_the_computer_may_sleep(bus: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.jobs.awake._LOOK_EVERY", 0.02)
    logind, rests = Logind(bus), threading.Event()
    try:
        with kept_awake(lambda: None, rests.is_set):
            assert logind.held(0.2)
            rests.set()
            assert not logind.held()
            asked = len(logind.asked)
            rests.clear()
            until = time.monotonic() + 60
            while len(logind.asked) == asked and time.monotonic() < until:
                time.sleep(0.01)
            # training goes on: the system is asked again
            assert len(logind.asked) > asked
    finally:
        logind.close()


def test_a_refusal_is_a_refusal(bus: str) -> None:
    logind, refused = Logind(bus, ("sleep:idle", "idle")), threading.Event()
    try:
        with kept_awake(refused.set):
            assert refused.wait(60)
    finally:
        os.close(logind.lock)
        logind.close()
