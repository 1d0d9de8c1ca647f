"""PretendCard: a gauge for processors that counts live tensors and runs out of memory as a card does."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from core.engine.gauge import Need
from core.engine.livepeak import LivePeak


class PretendCard:
    """`room_bytes` of memory; every storage that torch's operations make inside `measuring` takes some of it.

    `needs` lists what each measured piece of work took at its worst, None where it ran out.
    """

    def __init__(self, room_bytes: int) -> None:
        self.room_bytes = room_bytes
        self.needs: list[int | None] = []
        self.free = False
        self._need = Need(0)

    @property
    def need(self) -> Need:
        return self._need

    @contextmanager
    def measuring(self) -> Iterator[None]:
        meter = _Capped(self.room_bytes)
        meter.begin("work")
        self.needs.append(None)
        try:
            with meter:
                yield
            self.needs[-1] = meter.worst["work"].live
        finally:
            self._need = Need(meter.worst["work"].live)

    def release(self) -> None:
        gc.collect()

    def so_far(self) -> Need:
        return self._need

    def let_go(self) -> None:
        self.free = True


class _Capped(LivePeak):
    def __init__(self, room_bytes: int) -> None:
        super().__init__([])
        self._room = room_bytes

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        out = super().__torch_dispatch__(func, types, args, kwargs)
        if self.live > self._room:
            raise torch.OutOfMemoryError(f"CUDA out of memory: {self.live} of {self._room} bytes (a pretended card)")
        return out
