"""A run under guard: the parent reads the card, the disk and the settings, and tells its child to wait or to go on."""

import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from core import guards
from core.commands import Command, GoOn, Pause, Stop
from core.events import Event, Measured, Paused, Wait, WentOn
from core.jobs import guard, process
from core.jobs.guard import Guards
from core.jobs.process import JobProcess
from core.settings import Settings, save
from tests.fake_nvml import FakeCard, FakeNvml
from tests.fakes import Obeys, new_run

Install = Callable[[FakeNvml], FakeNvml]


@pytest.fixture
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds pass faster than in life."""
    monkeypatch.setattr(process, "MEASURE_EVERY", 0.02)
    monkeypatch.setattr(guard, "LOOK_EVERY", 0.0)
    monkeypatch.setattr(guards, "SHORTEST", 0.4)


@pytest.mark.usefixtures("brisk")
def test_a_hot_card_makes_the_child_wait_until_it_is_cool(install: Install, tmp_path: Path) -> None:
    card = FakeCard(temperature=70, milliwatts=300_000)
    install(FakeNvml(card))
    save(replace(Settings(), temperature_limit=80))
    run = new_run(tmp_path)
    child = JobProcess(Obeys(), run=run)
    child.start()
    heard: list[Event] = []
    for event in child.events():
        heard.append(event)
        if isinstance(event, Measured) and event.temperature == 70 and not any(isinstance(e, Paused) for e in heard):
            card.temperature = 81
        elif isinstance(event, Paused):
            card.temperature = 72
        elif isinstance(event, WentOn):
            child.stop()
    waits = [event for event in heard if isinstance(event, (Paused, WentOn))]
    assert [type(event) for event in waits] == [Paused, WentOn]
    assert isinstance(waits[0], Paused) and waits[0].reason is Wait.TEMPERATURE
    hot = next(event for event in heard if isinstance(event, Measured) and event.temperature == 81)
    assert waits[1].time - hot.time > 0.35
    # what the card said is in the run's record: heat, power, how busy it was, and so the energy
    kept = run.history()
    assert {reading.temperature for reading in kept.memory} == {70, 81, 72}
    assert {(reading.power_watts, reading.utilisation) for reading in kept.memory} == {(300.0, 7)}
    seconds = kept.memory[-1].time - kept.memory[0].time
    assert kept.energy.kwh == pytest.approx(300 * seconds / 3.6e6)


@pytest.mark.usefixtures("brisk")
def test_what_the_user_says_reaches_the_guard_and_the_child(install: Install, tmp_path: Path) -> None:
    install(FakeNvml(FakeCard(temperature=90)))
    save(replace(Settings(), temperature_limit=80))
    child = JobProcess(Obeys(), run=new_run(tmp_path))
    child.start()
    waits, went_on = [], math.inf
    for event in child.events():
        if isinstance(event, (Paused, WentOn)):
            waits.append(type(event))
        if isinstance(event, Paused):
            child.send(GoOn())
        elif isinstance(event, WentOn):
            went_on = time.monotonic()
        elif time.monotonic() - went_on > 1:
            child.stop()
    # it is as hot as before, and training goes on: the user's word counts
    assert waits == [Paused, WentOn]


@pytest.fixture
def told() -> list[Command]:
    return []


@pytest.fixture
def guarded(tmp_path: Path, told: list[Command], monkeypatch: pytest.MonkeyPatch) -> Guards:
    """Guards of a run, with a look around at every reading; what they say is in `told`."""
    monkeypatch.setattr(guard, "LOOK_EVERY", 0.0)
    ticks = iter(range(10_000))
    return Guards(new_run(tmp_path), told.append, clock=lambda: float(next(ticks)))


def hot(guarded: Guards, seconds: int = 5) -> None:
    for _ in range(seconds):
        guarded.heard(Measured(used_bytes=1, total_bytes=2, on_card=True, temperature=90))


def test_settings_that_change_while_a_run_trains_hold_for_it(guarded: Guards, told: list[Command]) -> None:
    hot(guarded)
    assert told == []
    save(replace(Settings(), temperature_limit=85))
    hot(guarded)
    assert told == [Pause(reason=Wait.TEMPERATURE)]


def test_a_run_that_was_asked_to_stop_is_not_told_to_wait(guarded: Guards, told: list[Command]) -> None:
    save(replace(Settings(), temperature_limit=85))
    guarded.said(Stop())
    hot(guarded)
    assert told == []


def test_quiet_hours_come_from_the_settings(guarded: Guards, told: list[Command]) -> None:
    save(replace(Settings(), quiet_hours="00:00-23:59"))
    hot(guarded)
    assert told == [Pause(reason=Wait.QUIET_HOURS)] or time.localtime()[3:5] == (23, 59)


def test_without_room_for_the_next_checkpoint_training_waits(
    guarded: Guards, told: list[Command], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "free_bytes", lambda _path: 50_000_000)
    hot(guarded)
    assert told == [Pause(reason=Wait.DISK)]


def test_a_disk_that_cannot_be_asked_harms_nothing(
    guarded: Guards, told: list[Command], monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_path: Path) -> int:
        raise OSError("unplugged")

    monkeypatch.setattr(guard, "free_bytes", gone)
    hot(guarded)
    assert told == []
