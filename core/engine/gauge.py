"""Gauges: what a piece of work takes on a card, measured by torch's allocator and the driver, under a cap."""

import gc
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

import torch

from core import gpu
from core.tiers import kept_bytes, reserve_bytes

#: Left out of the allocator's cap: the CUDA context grows while kernels are loaded. Not fitted on a GPU yet.
CONTEXT_GROWTH = 128 << 20


@dataclass(frozen=True)
class Need:
    """Peak of a piece of work in bytes: by torch's allocator (reserved), and what the process took outside of it."""

    torch_bytes: int
    outside_bytes: int = 0

    @property
    def total_bytes(self) -> int:
        return self.torch_bytes + self.outside_bytes


class Gauge(Protocol):
    """Measures work; `room_bytes` is what this process may take in all, the reserve already left out."""

    @property
    def room_bytes(self) -> int: ...

    @property
    def need(self) -> Need:
        """What the last measured work took."""
        ...

    def measuring(self) -> AbstractContextManager[None]:
        """Measure and cap what happens inside: more than the room ends in torch.OutOfMemoryError."""
        ...

    def release(self) -> None:
        """Give back what nobody uses any more."""
        ...

    def so_far(self) -> Need:
        """The peak since the last measured work began, whatever came after it included."""
        ...

    def let_go(self) -> None:
        """Lift the cap to all that was free at first."""
        ...


def gauge_of(where: torch.device, card: int) -> Gauge | None:
    """The gauge of a CUDA device, which NVML counts as `card`; None on a processor, whose memory has no cap."""
    return CardGauge(card) if where.type == "cuda" else None


class CardGauge:
    """Measures torch's first CUDA device.

    What the process takes beside torch's allocator (context, libraries) is the free memory before CUDA started less
    what is free now and what the allocator holds; programs that come and go meanwhile blur it.
    """

    def __init__(self, card: int) -> None:
        before = None if torch.cuda.is_initialized() else gpu.read(card)
        torch.zeros(1, device="cuda")
        free, self._total = torch.cuda.mem_get_info()
        self._free = before.total_bytes - before.used_bytes if before else free + torch.cuda.memory_reserved()
        self._need = Need(0)

    @property
    def room_bytes(self) -> int:
        return max(0, self._free - reserve_bytes())

    @property
    def need(self) -> Need:
        return self._need

    @contextmanager
    def measuring(self) -> Iterator[None]:
        self.release()
        torch.cuda.reset_peak_memory_stats()
        self._cap(self.room_bytes - self._outside() - CONTEXT_GROWTH)
        try:
            yield
        finally:
            self._need = self.so_far()

    def so_far(self) -> Need:
        return Need(torch.cuda.max_memory_reserved(), self._outside())

    def release(self) -> None:
        gc.collect()
        torch.cuda.empty_cache()

    def let_go(self) -> None:
        # never beyond it: on Windows the driver would go on in the computer's memory, many times slower
        self._cap(self._free - kept_bytes() - self._outside())

    def _cap(self, size: int) -> None:
        torch.cuda.set_per_process_memory_fraction(min(1.0, max(0.01, size / self._total)))

    def _outside(self) -> int:
        free, _total = torch.cuda.mem_get_info()
        return max(0, self._free - free - torch.cuda.memory_reserved())
