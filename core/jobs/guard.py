"""The guards at work: a run's card, disk and the clock against the user's settings, once a second."""

import contextlib
import threading
import time
from collections.abc import Callable
from datetime import datetime

from core.commands import Command, Stop
from core.events import Event, Measured
from core.files import free_bytes
from core.guards import Guard, Limits, Moment, quiet_hours
from core.runs import RunFolder
from core.settings import Settings, load

#: Seconds between two looks at the settings and at the disk.
LOOK_EVERY = 10.0


def limits_of(settings: Settings, room: int = 0) -> Limits:
    """The user's limits; `room` bytes must stay free."""
    return Limits(
        temperature=settings.temperature_limit,
        power=settings.power_limit,
        quiet=quiet_hours(settings.quiet_hours),
        room_bytes=room,
    )


class Guards:
    """Stands beside one training in its `run`; `tell` sends a command to it.

    Works wherever the events of a training pass by once a second with a reading among them. May be called from any
    thread.
    """

    def __init__(
        self,
        run: RunFolder,
        tell: Callable[[Command], None],
        *,
        now: Callable[[], datetime] = datetime.now,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._run, self._tell, self._now, self._clock = run, tell, now, clock
        self._guard = Guard()
        self._free: int | None = None
        self._due = -LOOK_EVERY
        self._over = False
        self._lock = threading.Lock()

    def said(self, command: Command) -> None:
        """Take in what the user said to the training; a training that was asked to stop is left in peace."""
        with self._lock:
            self._over = self._over or isinstance(command, Stop)
            self._guard.said(command)

    def heard(self, event: Event) -> None:
        """Take in what happened; at every reading decide, and tell the training."""
        with self._lock:
            self._guard.heard(event)
            if self._over or not isinstance(event, Measured):
                return
            clock = self._clock()
            if clock >= self._due:
                self._due = clock + LOOK_EVERY
                self._look_around()
            command = self._guard.decide(Moment(self._now(), clock, event, self._free))
        if command is not None:
            self._tell(command)

    def _look_around(self) -> None:
        """Read the settings and the disk; what cannot be read stays as it was."""
        # the catalogue and the arithmetic come along: a job must not wait for them to start
        from core.disk import room_bytes

        with contextlib.suppress(OSError):
            self._free = free_bytes(self._run.path)
            self._guard.limits = limits_of(load(), room_bytes(self._run))
