"""LivePeak: the bytes of live tensors after every operation of torch, and their peak in each phase of a pass."""

import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

#: CUDA's caching allocator hands out multiples of this.
BLOCK = 512


@dataclass(frozen=True)
class Moment:
    """What lives at one moment, in bytes: everything but standing tensors, and how much of it is gradients."""

    live: int = 0
    gradients: int = 0


class LivePeak(TorchDispatchMode):
    """Sums live storages; `standing` tensors (weights, inputs) count nothing.

    Memory is followed by storage: views cost nothing, and a storage leaves the sum when torch drops it. `at_start`
    and `worst` name the moments at which phases began and were largest.
    """

    def __init__(self, standing: Iterable[torch.Tensor]) -> None:
        super().__init__()
        self.live = self.gradients = 0
        self.at_start: dict[str, Moment] = {}
        self.worst: dict[str, Moment] = {}
        self._phase = ""
        # kept alive, or another storage could take the place of one that is gone
        self._standing = [tensor.untyped_storage() for tensor in standing]
        self._sizes = {storage._cdata: 0 for storage in self._standing}
        self._references: dict[int, weakref.ref[Any]] = {}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run the operation and count what it made."""
        out = func(*args, **(kwargs or {}))
        for made in tree_iter(out):
            if isinstance(made, torch.Tensor):
                self._add(made.untyped_storage())
        return out

    def begin(self, phase: str) -> None:
        """Call what follows `phase`."""
        self._phase = phase
        now = Moment(self.live, self.gradients)
        self.at_start[phase] = self.worst[phase] = now

    def adopt_gradient(self, parameter: torch.Tensor) -> None:
        """Count the gradient of `parameter`, which has just arrived, as one; for post-accumulate hooks."""
        if parameter.grad is not None:
            self.gradients += self._sizes.get(parameter.grad.untyped_storage()._cdata, 0)

    def forget_gradients(self) -> None:
        """Take the gradients out of their share; call it when they are dropped."""
        self.gradients = 0

    def _add(self, storage: torch.UntypedStorage) -> None:
        key = storage._cdata
        if key in self._sizes:
            return
        size = -(-storage.nbytes() // BLOCK) * BLOCK
        self._sizes[key] = size
        self._references[key] = weakref.ref(storage, lambda _gone: self._drop(key))
        self.live += size
        if self._phase and self.live > self.worst[self._phase].live:
            self.worst[self._phase] = Moment(self.live, self.gradients)

    def _drop(self, key: int) -> None:
        self.live -= self._sizes.pop(key, 0)
        self._references.pop(key, None)
