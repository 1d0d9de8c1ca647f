"""Guards: they wait when they should, never flap, and never overrule the user."""

import itertools
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.commands import GoOn, Pause
from core.events import Measured, Paused, Stage, StageName, Wait, WentOn
from core.guards import LET_PASS, SHORTEST, Guard, Limits, Moment, QuietHours, quiet_hours

NOON = datetime(2026, 6, 1, 12)
Said = list[tuple[int, Pause | GoOn]]


class Clocked:
    """A guard, and a training that does at once what it says, second by second."""

    def __init__(self, limits: Limits, start: datetime = NOON, *, slow: bool = False) -> None:
        self.guard, self.start, self.slow = Guard(limits), start, slow
        self.second = 0
        self.waiting: Wait | None = None
        self.said: Said = []

    def see(
        self,
        seconds: int,
        heat: int | None = None,
        watts: Callable[[bool], float] | None = None,
        free: int | None = None,
        jump: timedelta = timedelta(),
        every: int = 1,
    ) -> Said:
        """Look `every` second; return what was said in that time, with seconds since the beginning."""
        before = len(self.said)
        for _ in range(0, seconds, every):
            self.second += every
            power = watts(self.waiting is not None) if watts else None
            reading = Measured(used_bytes=1, total_bytes=2, on_card=True, temperature=heat, power_watts=power)
            now = self.start + timedelta(seconds=self.second) + jump
            command = self.guard.decide(Moment(now, float(self.second), reading, free))
            if command is not None:
                self.said.append((self.second, command))
                if not self.slow:
                    self.obey(command)
        return self.said[before:]

    def obey(self, command: Pause | GoOn) -> None:
        if isinstance(command, Pause):
            self.waiting = command.reason
            self.guard.heard(Paused(step=1, reason=command.reason))
        elif self.waiting is not None:
            self.waiting = None
            self.guard.heard(WentOn(step=1))

    def user(self, command: Pause | GoOn) -> None:
        self.guard.said(command)
        self.obey(command)


def pause(why: Wait) -> Pause:
    return Pause(reason=why)


# ---- temperature -----------------------------------------------------------------------------------------------------


def test_a_hot_card_waits_until_it_is_eight_degrees_cooler() -> None:
    run = Clocked(Limits(temperature=85))
    assert run.see(60, heat=84) == []
    assert run.see(2, heat=90) == []  # a single reading may be wrong
    assert run.see(1, heat=85) == [(63, pause(Wait.TEMPERATURE))]
    assert run.see(100, heat=78) == []
    assert run.see(5, heat=77) == [(164, GoOn())]


def test_a_wait_is_never_shorter_than_half_a_minute_and_neither_is_what_follows() -> None:
    run = Clocked(Limits(temperature=85))
    run.see(3, heat=90)
    assert run.see(60, heat=40) == [(33, GoOn())]
    run = Clocked(Limits(temperature=85))
    run.see(3, heat=90)
    run.see(30, heat=40)
    assert run.see(60, heat=90) == [(63, pause(Wait.TEMPERATURE))]


def test_a_long_step_is_waited_for_before_the_wait_begins() -> None:
    """Pause is heard between two steps: the card gets no cooler before."""
    run = Clocked(Limits(temperature=85), slow=True)
    assert run.see(3, heat=90) == [(3, pause(Wait.TEMPERATURE))]
    assert run.see(200, heat=60) == []
    run.obey(pause(Wait.TEMPERATURE))
    assert run.see(40, heat=60) == [(233, GoOn())]


def test_a_card_that_stops_answering_is_not_taken_for_a_cool_one() -> None:
    run = Clocked(Limits(temperature=85))
    run.see(3, heat=90)
    assert run.see(100, heat=None) == []


def test_limits_hold_at_once_when_they_are_changed() -> None:
    run = Clocked(Limits())
    assert run.see(100, heat=99, watts=lambda _waits: 400.0) == []
    run.guard.limits = Limits(temperature=85)
    assert run.see(5, heat=99) == [(103, pause(Wait.TEMPERATURE))]
    run.guard.limits = Limits()
    assert run.see(40, heat=99) == [(133, GoOn())]


@given(st.lists(st.integers(60, 100), min_size=50, max_size=400))
def test_no_temperatures_make_it_flap(heats: list[int]) -> None:
    run = Clocked(Limits(temperature=85))
    for heat in heats:
        run.see(1, heat=heat)
    kinds = [type(command) for _second, command in run.said]
    assert kinds == [Pause, GoOn] * (len(kinds) // 2) + [Pause] * (len(kinds) % 2)
    seconds = [second for second, _command in run.said]
    assert all(later - earlier >= SHORTEST for earlier, later in itertools.pairwise(seconds))


# ---- power -----------------------------------------------------------------------------------------------------------


def test_power_is_held_as_a_mean() -> None:
    taken: list[float] = []

    def watts(waits: bool) -> float:
        taken.append(40.0 if waits else 350.0)
        return taken[-1]

    run = Clocked(Limits(power=250))
    said = run.see(3600, watts=watts)
    assert said[0] == (31, pause(Wait.POWER))
    mean = sum(taken) / len(taken)
    # a ceiling, not a target; and the hour is not slept away
    assert 150 < mean <= 250
    seconds = [second for second, _command in said]
    assert min(later - earlier for earlier, later in itertools.pairwise(seconds)) >= SHORTEST


def test_power_below_the_ceiling_on_average_is_let_be() -> None:
    run = Clocked(Limits(power=300))
    peaks = iter([290.0, 305.0] * 300)
    assert run.see(600, watts=lambda _waits: next(peaks)) == []


def test_a_card_that_idles_above_the_ceiling_does_not_wait_for_ever() -> None:
    run = Clocked(Limits(power=50))
    said = run.see(300, watts=lambda _waits: 60.0)
    assert [type(command) for _second, command in said][:2] == [Pause, GoOn]


# ---- quiet hours -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("22:00-07:00", QuietHours(1320, 420)),
        (" 9 – 17:30 ", QuietHours(540, 1050)),
        ("0:00-23:59", QuietHours(0, 1439)),
        ("", None),
        ("  ", None),
    ],
)
def test_hours_are_read(text: str, hours: QuietHours | None) -> None:
    assert quiet_hours(text) == hours


@pytest.mark.parametrize("text", ["24:00-7:00", "22:60-7", "7-7", "22:00", "at night", "22:00-07:00-08:00", "-1-2"])
def test_what_is_no_hours_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no hours"):
        quiet_hours(text)


def test_training_waits_over_midnight_and_goes_on_in_the_morning() -> None:
    run = Clocked(Limits(quiet=QuietHours(1320, 420)), datetime(2026, 6, 1, 21, 59, 30))
    said = run.see(10 * 3600, every=10)
    morning = int((datetime(2026, 6, 2, 7) - run.start).total_seconds())
    assert said == [(30, pause(Wait.QUIET_HOURS)), (morning, GoOn())]


def test_a_clock_that_jumps_does_not_confuse_it() -> None:
    """Summer time, another time zone, or a clock that was wrong: the wall decides, and the shortest wait stays."""
    run = Clocked(Limits(quiet=QuietHours(1320, 420)))
    assert run.see(60) == []
    assert run.see(10, jump=timedelta(hours=11)) == [(61, pause(Wait.QUIET_HOURS))]
    assert run.see(40, jump=timedelta(hours=-3)) == [(91, GoOn())]
    assert run.see(60, jump=timedelta(hours=11)) == [(121, pause(Wait.QUIET_HOURS))]
    assert run.see(60, jump=timedelta(days=-400)) == [(171, GoOn())]


# ---- the disk, and several reasons at once ---------------------------------------------------------------------------


def test_a_low_disk_waits_for_a_little_more_than_was_missing() -> None:
    run = Clocked(Limits(room_bytes=1000))
    assert run.see(10, free=1000) == []
    assert run.see(1, free=999) == [(11, pause(Wait.DISK))]
    assert run.see(100, free=1249) == []
    assert run.see(5, free=1250) == [(112, GoOn())]
    # no room cannot wait, however short ago it went on
    assert run.see(5, free=0) == [(117, pause(Wait.DISK))]


def test_the_next_reason_takes_over_without_a_step_between() -> None:
    run = Clocked(Limits(temperature=85, quiet=QuietHours(1320, 420)), datetime(2026, 6, 1, 21, 58))
    assert run.see(200, heat=90) == [(3, pause(Wait.TEMPERATURE))]
    assert run.see(3600, heat=40) == [(201, pause(Wait.QUIET_HOURS))]
    assert run.waiting is Wait.QUIET_HOURS


# ---- the user --------------------------------------------------------------------------------------------------------


def test_a_pause_by_the_user_is_never_ended_by_a_guard() -> None:
    run = Clocked(Limits(temperature=85, room_bytes=10))
    run.see(3, heat=90, free=100)
    run.user(Pause())
    assert run.see(1000, heat=40, free=100) == []
    assert run.see(1000, heat=99, free=0) == []
    assert run.waiting is Wait.USER


def test_a_pause_that_another_window_asked_for_is_the_user_s_too() -> None:
    guard = Guard(Limits(temperature=85))
    guard.heard(Paused(step=3))
    cool = Measured(used_bytes=1, total_bytes=2, on_card=True, temperature=40)
    assert all(guard.decide(Moment(NOON, float(second), cool)) is None for second in range(100))


def test_who_goes_on_in_spite_of_a_guard_is_left_in_peace_for_a_while() -> None:
    run = Clocked(Limits(temperature=85))
    run.see(10, heat=90)
    run.user(GoOn())
    assert run.see(int(LET_PASS) - 1, heat=90) == []
    assert run.see(40, heat=90) == [(10 + int(LET_PASS), pause(Wait.TEMPERATURE))]


def test_quiet_hours_that_were_overruled_come_back_the_next_night() -> None:
    run = Clocked(Limits(quiet=QuietHours(1320, 420)), datetime(2026, 6, 1, 23))
    assert run.see(60) == [(1, pause(Wait.QUIET_HOURS))]
    run.user(GoOn())
    said = run.see(24 * 3600, every=30)
    assert said == [(23 * 3600, pause(Wait.QUIET_HOURS))]


def test_going_on_after_an_own_pause_overrules_what_holds_then() -> None:
    run = Clocked(Limits(quiet=QuietHours(1320, 420)), datetime(2026, 6, 1, 21))
    run.see(10)
    run.user(Pause())
    run.see(2 * 3600, every=10)
    run.user(GoOn())
    assert run.see(3600, every=10) == []


def test_other_reasons_still_hold_when_one_was_overruled() -> None:
    run = Clocked(Limits(temperature=85, room_bytes=100))
    run.see(10, heat=90, free=200)
    run.user(GoOn())
    assert run.see(5, heat=90, free=50) == [(11, pause(Wait.DISK))]


def test_a_training_that_begins_anew_is_told_again() -> None:
    run = Clocked(Limits(temperature=85))
    run.see(3, heat=90)
    run.guard.heard(Stage(stage=StageName.STARTING))
    run.waiting = None
    assert run.see(60, heat=90) == [(33, pause(Wait.TEMPERATURE))]


def test_a_wait_that_was_found_is_ended_when_its_reason_is_gone() -> None:
    """A window that finds a training waiting for a guard of another window takes that over."""
    run = Clocked(Limits(temperature=85))
    run.guard.heard(Paused(step=3, reason=Wait.TEMPERATURE))
    assert run.see(60, heat=80) == []
    assert [command for _second, command in run.see(60, heat=60)] == [GoOn()]
