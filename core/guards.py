"""Guards: when training should wait for a cooler card, less power, the end of quiet hours, or room on the disk."""

import math
import re
from collections import deque
from dataclasses import dataclass
from datetime import datetime

from core.commands import Command, GoOn, Pause
from core.events import Event, Measured, Paused, Stage, StageName, Wait, WentOn

#: °C below the ceiling at which training goes on; readings in a row at or above it before it waits.
COOLER = 8
READINGS = 3
#: Seconds over which power is averaged, how many of them must be known, and the share of the ceiling to fall to.
POWER_WINDOW, POWER_KNOWN = 60.0, 30.0
POWER_SHARE = 0.9
#: Free space must grow to this share of what was missing before training goes on.
ROOMIER = 1.25
#: Shortest wait, and shortest time between two waits: a guard never flaps. Seconds.
SHORTEST = 30.0
#: How long a reason is let pass after the user said "go on" in spite of it. Quiet hours are until they end. Seconds.
LET_PASS = 600.0

#: The most urgent first.
_REASONS = (Wait.DISK, Wait.TEMPERATURE, Wait.POWER, Wait.QUIET_HOURS)
_HOURS = re.compile(r"\s*(\d{1,2})(?::(\d\d))?\s*[-–]\s*(\d{1,2})(?::(\d\d))?\s*")


@dataclass(frozen=True)
class QuietHours:
    """From `start` to `end`, minutes after midnight in local time; over midnight where the end comes first."""

    start: int
    end: int

    def hold(self, at: datetime) -> bool:
        """Whether `at` lies in these hours."""
        minute = 60 * at.hour + at.minute
        if self.start < self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end


def quiet_hours(text: str) -> QuietHours | None:
    """Read "22:00-07:00"; None for no text. Raises ValueError for anything else, and for hours that are no time."""
    if not text.strip():
        return None
    found = _HOURS.fullmatch(text)
    if found is None:
        raise ValueError(f"no hours: {text!r}")
    hour, minute, end_hour, end_minute = (int(part or 0) for part in found.groups())
    start, end = 60 * hour + minute, 60 * end_hour + end_minute
    if max(hour, end_hour) > 23 or max(minute, end_minute) > 59 or start == end:
        raise ValueError(f"no hours: {text!r}")
    return QuietHours(start, end)


@dataclass(frozen=True)
class Limits:
    """What makes training wait; 0 and None: nothing does.

    `temperature` in °C; `power` in watts, as a mean over a minute; `room_bytes` that must be free on the run's disk.
    """

    temperature: int = 0
    power: int = 0
    quiet: QuietHours | None = None
    room_bytes: int = 0


@dataclass(frozen=True)
class Moment:
    """What a guard sees: local time, seconds of a clock that never jumps, a reading, free bytes on the disk."""

    now: datetime
    clock: float
    card: Measured | None = None
    free_bytes: int | None = None


class Guard:
    """Decides once a second whether training should wait, and whether it may go on.

    A pause by the user is the user's to end. When the user goes on in spite of a guard, what held at that moment is
    let pass for a while. `limits` may change at any time.
    """

    def __init__(self, limits: Limits = Limits()) -> None:
        self.limits = limits
        self._own: Wait | None = None
        self._user = False
        self._waits = False  # the training said so: the step that was under way is over
        self._since = -math.inf
        self._hot = 0
        self._power: deque[tuple[float, float]] = deque()
        self._passes: dict[Wait, float] = {}
        self._seen = Moment(datetime.min, -math.inf)

    def decide(self, seen: Moment) -> Pause | GoOn | None:
        """What to tell the training now, None for nothing. A `Pause` while it waits names another reason."""
        self._look(seen)
        if self._user:
            return None
        reasons = [why for why in _REASONS if self._holds(why) and not self._passed(why)]
        if self._own in reasons:
            return None
        settled = seen.clock - self._since >= SHORTEST
        if self._own is not None:
            if not self._waits or not settled:
                return None
            return self._pause(reasons[0]) if reasons else self._go_on()
        if reasons and (settled or reasons[0] is Wait.DISK):
            return self._pause(reasons[0])
        return None

    def said(self, command: Command) -> None:
        """Take in what the user said to the training."""
        if isinstance(command, Pause):
            self._user, self._own = True, None
        elif isinstance(command, GoOn):
            for why in _REASONS:
                if why is self._own or self._holds(why):
                    self._passes[why] = math.inf if why is Wait.QUIET_HOURS else self._seen.clock + LET_PASS
            self._user, self._own, self._since = False, None, self._seen.clock

    def heard(self, event: Event) -> None:
        """Take in what the training said: it waits, it goes on, it began anew."""
        match event:
            case Paused(reason=Wait.USER):
                self._user, self._own = True, None
            case Paused() if not self._user:
                self._own, self._waits, self._since = event.reason, True, self._seen.clock
            case WentOn():
                self._user, self._own, self._since = False, None, self._seen.clock
            case Stage(stage=StageName.STARTING):
                self._user, self._own = False, None

    def _pause(self, why: Wait) -> Pause:
        # where it waits already, only the reason changes
        self._waits = self._waits and self._own is not None
        self._own, self._since = why, self._seen.clock
        return Pause(reason=why)

    def _go_on(self) -> GoOn:
        self._own, self._waits, self._since = None, False, self._seen.clock
        return GoOn()

    def _look(self, seen: Moment) -> None:
        self._seen = seen
        if seen.card is not None and seen.card.temperature is not None:
            hot = 0 < self.limits.temperature <= seen.card.temperature
            self._hot = self._hot + 1 if hot else 0
        if seen.card is not None and seen.card.power_watts is not None:
            self._power.append((seen.clock, seen.card.power_watts))
        while self._power and self._power[0][0] < seen.clock - POWER_WINDOW:
            self._power.popleft()
        if self.limits.quiet is None or not self.limits.quiet.hold(seen.now):
            self._passes.pop(Wait.QUIET_HOURS, None)

    def _passed(self, why: Wait) -> bool:
        return self._passes.get(why, -math.inf) > self._seen.clock

    def _holds(self, why: Wait) -> bool:
        """Whether `why` is a reason to wait, or to wait on where training waits for it."""
        waits = self._own is why
        match why:
            case Wait.TEMPERATURE:
                return self._is_hot(waits)
            case Wait.POWER:
                return self._takes_much(waits)
            case Wait.QUIET_HOURS:
                return self.limits.quiet is not None and self.limits.quiet.hold(self._seen.now)
            case _:
                free, needed = self._seen.free_bytes, self.limits.room_bytes
                return free is not None and free < needed * (ROOMIER if waits else 1)

    def _is_hot(self, waits: bool) -> bool:
        ceiling, card = self.limits.temperature, self._seen.card
        if not ceiling:
            return False
        if not waits:
            return self._hot >= READINGS
        # a card that does not answer may still be hot
        return card is None or card.temperature is None or card.temperature > ceiling - COOLER

    def _takes_much(self, waits: bool) -> bool:
        ceiling = self.limits.power
        if not ceiling or not self._power:
            return False
        mean = sum(watts for _clock, watts in self._power) / len(self._power)
        if waits:
            # what it still takes after a whole window of waiting is not training's
            over = self._waits and self._seen.clock - self._since >= POWER_WINDOW
            return not over and mean > POWER_SHARE * ceiling
        return mean > ceiling and self._seen.clock - self._power[0][0] >= POWER_KNOWN
