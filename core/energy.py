"""Energy that a card took while it was measured, from its power readings."""

from collections.abc import Iterable
from dataclasses import dataclass

from core.events import Measured

#: Seconds between two readings beyond which nobody measured: the computer slept, or the run was interrupted.
GAP = 10.0
_JOULES_A_KWH = 3.6e6


@dataclass
class Energy:
    """Adds up readings as they come; `joules` is None until two readings of power followed each other.

    It is the whole card's, also where only a part of it works, and what other programs use of it is included.
    """

    joules: float | None = None
    _before: Measured | None = None

    def add(self, reading: Measured) -> None:
        """Take the next reading: a trapezoid from the one before, nothing over a gap or when the clock jumped."""
        before, self._before = self._before, reading
        if before is None or before.power_watts is None or reading.power_watts is None:
            return
        seconds = reading.time - before.time
        if 0 <= seconds <= GAP:
            self.joules = (self.joules or 0.0) + seconds * (before.power_watts + reading.power_watts) / 2

    @property
    def kwh(self) -> float | None:
        """Kilowatt-hours so far."""
        return None if self.joules is None else self.joules / _JOULES_A_KWH


def energy_kwh(memory: Iterable[Measured]) -> float | None:
    """kWh that the card took over all of `memory`, None when it does not tell its power."""
    energy = Energy()
    for reading in memory:
        energy.add(reading)
    return energy.kwh
