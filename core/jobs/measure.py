"""Memory and heat once a second, read by the parent: the card through NVML, or the child's own memory."""

import time
from collections.abc import Iterator

import psutil

from core import gpu
from core.events import Event, Measured, Noted

#: Readings in a row without an answer after which a card counts as lost: a driver may be busy for a moment.
MISSED = 3


class Meter:
    """Reads card `card`, or the memory of process `pid` on a computer without one.

    A card that was there once is never replaced, neither by the process nor by another card that moved up into its
    place: while it does not answer there is no reading.
    """

    def __init__(self, pid: int | None, card: int = 0) -> None:
        self._pid, self._card = pid, card
        self._uuid: str | None = None
        self._missed = 0

    @property
    def lost(self) -> bool:
        """Whether a card that was there has not answered for several readings."""
        return self._missed >= MISSED

    def read(self) -> Measured | None:
        """Return one reading, None when there is nothing to read (any more)."""
        card = gpu.read(self._card)
        if card is not None and self._uuid in (None, card.uuid):
            self._uuid, self._missed = card.uuid, 0
            return Measured(
                used_bytes=card.used_bytes, total_bytes=card.total_bytes, on_card=True,
                temperature=card.temperature, power_watts=card.power_watts, utilisation=card.utilisation,
            )  # fmt: skip
        if self._uuid is not None:
            self._missed += 1
            return None
        return self._of_process()

    def silent(self) -> bool:
        """Whether a card that was there gives no answer at this moment."""
        self.read()
        return self._missed > 0

    def _of_process(self) -> Measured | None:
        try:
            used = psutil.Process(self._pid).memory_info().rss
        except psutil.Error:
            return None
        if not used:  # it ended, and only its exit code is left
            return None
        return Measured(used_bytes=used, total_bytes=psutil.virtual_memory().total, on_card=False)


class Readings:
    """What a meter says as events, `every` so many seconds, and since when its card is lost."""

    def __init__(self, meter: Meter, every: float) -> None:
        self._meter, self._every = meter, every
        self._due = 0.0
        self._lost_at: float | None = None

    def new(self) -> Iterator[Event]:
        """Yield a reading when it is time, and a note when the card is lost; one that comes back is forgiven."""
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + self._every
        measured = self._meter.read()
        if measured is not None:
            yield measured
        if not self._meter.lost:
            self._lost_at = None
        elif self._lost_at is None:
            self._lost_at = now
            yield Noted(code="card_lost")

    @property
    def lost_for(self) -> float:
        """Seconds that the card has been lost for."""
        return 0.0 if self._lost_at is None else time.monotonic() - self._lost_at

    def silent(self) -> bool:
        """Whether a card that was there gives no answer at this moment."""
        return self._meter.silent()
