"""Memory and heat once a second, read by the parent: the card through NVML, or the child's own memory."""

import psutil

from core import gpu
from core.events import Measured


class Meter:
    """Reads card `card`, or the memory of process `pid` when there is no card."""

    def __init__(self, pid: int | None, card: int = 0) -> None:
        self._pid, self._card = pid, card

    def read(self) -> Measured | None:
        """Return one reading, None when there is nothing to read any more."""
        card = gpu.read(self._card)
        if card is not None:
            return Measured(
                used_bytes=card.used_bytes, total_bytes=card.total_bytes, on_card=True,
                temperature=card.temperature, power_watts=card.power_watts, utilisation=card.utilisation,
            )  # fmt: skip
        try:
            used = psutil.Process(self._pid).memory_info().rss
        except psutil.Error:
            return None
        if not used:  # it ended, and only its exit code is left
            return None
        return Measured(used_bytes=used, total_bytes=psutil.virtual_memory().total, on_card=False)
