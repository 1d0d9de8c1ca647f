"""Training on several processes, as `accelerate launch` starts them: who writes, what all decide alike, what they sum.

Every process has a card of its own with the model on it, whole or in part (core.engine.sharing), and learns its share
of the rows of each step. Nothing is written but by the first of them, and whatever one decides by its own clock or
memory all decide together.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from accelerate import PartialState
from accelerate.data_loader import prepare_data_loader
from torch import distributed
from torch.utils.data import DataLoader
from transformers import TrainingArguments

from core.commands import Command
from core.engine.broken import Break
from core.engine.device import device
from core.events import Event
from core.jobs.talk import Talk
from core.launcher import launched
from core.problems import Code, Trouble

T = TypeVar("T")

#: What can break a step, the gravest last.
_BREAKS = (Break.STOP, Break.GRADIENT, Break.LOSS, Break.MEMORY)

#: By what accelerate says how a model is shared out, and what says so to us alone: at its own word accelerate and
#: transformers would share out the model their way, with all that learns.
_DEEPSPEED, _FSDP, _SHARED = "ACCELERATE_USE_DEEPSPEED", "ACCELERATE_USE_FSDP", "SOLOTUNE_FSDP"
#: Numbers that go over the wire together: 16 MiB of fp32. Hundreds of small matrices one by one would wait for it.
_TOGETHER = 1 << 22


def join() -> None:
    """Meet the other processes of this training, where there are any.

    Raises Trouble(SHARED_MODEL) for DeepSpeed, which needs a training loop of its own.
    """
    if _is_set(_DEEPSPEED):
        raise Trouble(Code.SHARED_MODEL, way="DeepSpeed")
    if _is_set(_FSDP):
        os.environ[_SHARED] = os.environ.pop(_FSDP)
    if not distributed.is_initialized() and launched():
        PartialState(cpu=device().type == "cpu")
        if device().type == "cuda":
            torch.cuda.set_device(device())


def _is_set(name: str) -> bool:
    return os.environ.get(name, "false").lower() in ("true", "1")


def shares() -> bool:
    """Whether the processes share out the base among them (FSDP); one alone has nothing to share."""
    return count() > 1 and _is_set(_SHARED)


def count() -> int:
    """How many processes train together."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def place() -> int:
    """Which of them this is, from 0."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def is_first() -> bool:
    """Whether this is the process that writes and tells."""
    return place() == 0


def wait() -> None:
    """Wait until all processes are here."""
    highest(0)


def highest(number: int) -> int:
    """The highest of the numbers that the processes give; all of them have to ask."""
    if count() == 1:
        return number
    said = torch.tensor([number], device=device())
    distributed.all_reduce(said, distributed.ReduceOp.MAX)
    return int(said.item())


def from_first(found: Callable[[], T]) -> T:
    """What `found` finds on the first process, on all of them; it must be picklable."""
    if count() == 1:
        return found()
    box = [found() if is_first() else None]
    distributed.broadcast_object_list(box, src=0, device=device())
    return box[0]  # type: ignore[return-value]


@contextmanager
def first_alone() -> Iterator[None]:
    """The first process does what is inside before the others do: they find what it wrote."""
    if not is_first():
        wait()
    yield
    if is_first():
        wait()


def sum_gradients(model: torch.nn.Module) -> None:
    """Add up the gradients of all processes, which hold shares of the whole step's mean loss.

    A process that saw no trained token takes part with zeros.
    """
    if count() == 1:
        return
    learned = [parameter for parameter in model.parameters() if parameter.requires_grad]
    for parameter in learned:
        parameter.grad = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
    for group in _groups([parameter.grad for parameter in learned if parameter.grad is not None]):
        flat = torch.cat([gradient.reshape(-1) for gradient in group])
        distributed.all_reduce(flat)
        parts = flat.split([gradient.numel() for gradient in group])
        for gradient, summed in zip(group, parts, strict=True):
            gradient.copy_(summed.view_as(gradient))


def _groups(tensors: list[torch.Tensor]) -> Iterator[list[torch.Tensor]]:
    """The tensors in their order, as many together as belong on the wire together, of one format each."""
    group: list[torch.Tensor] = []
    for tensor in tensors:
        full = sum(each.numel() for each in group) + tensor.numel() > _TOGETHER
        if group and (full or tensor.dtype is not group[0].dtype):
            yield group
            group = []
        group.append(tensor)
    if group:
        yield group


class Shared:
    """A Talk of one of several processes: the first one tells, and a stop that one hears all hear at the same step.

    Before each step a training asks for `pause`: there the processes agree. Pausing itself is for one process.
    """

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._stop = False

    def emit(self, event: Event) -> None:
        if is_first():
            self._talk.emit(event)

    @property
    def stop_requested(self) -> bool:
        return self._stop

    @property
    def pause(self) -> None:
        self._stop = bool(highest(self._talk.stop_requested))

    def next_command(self) -> Command:
        return self._talk.next_command()


def shared(talk: Talk) -> Talk:
    """The talk of this process, where there are several one that they share."""
    return Shared(talk) if count() > 1 else talk


def written_once(saved: Callable[[int, Callable[[], Any]], bool]) -> Callable[[int, Callable[[], Any]], bool]:
    """`saved` (core.engine.obedience) on one process; on several the first one writes and nobody waits for room."""

    def once(_step: int, write: Callable[[], Any]) -> bool:
        if is_first():
            write()
        return True

    return once if count() > 1 else saved


def agreed(found: Break | None, cause: BaseException | None) -> tuple[Break | None, BaseException | None]:
    """What broke a step on any of the processes, and why: a step that breaks on one breaks on all.

    Raises `cause` where the others wait in the middle of a pass, and nothing can be agreed on.
    """
    if found is Break.MEMORY and cause is not None and shares():
        raise cause
    worst = highest(0 if found is None else 1 + _BREAKS.index(found))
    if not worst:
        return None, None
    if _BREAKS[worst - 1] is Break.MEMORY and cause is None:
        cause = torch.cuda.OutOfMemoryError("CUDA out of memory on another process")
    return _BREAKS[worst - 1], cause


def whole_steps(rows: Any, sampler: Any, collate: Callable[[Any], Any], args: TrainingArguments) -> Any:
    """The data loader of one of several processes: every process reads all rows of a step, in the order of `sampler`.

    accelerate's own way of sharing out repeats rows where a step is not full; so no row is seen twice.
    """
    loader = DataLoader(rows, batch_size=args.train_batch_size, sampler=sampler, collate_fn=collate)
    return prepare_data_loader(
        loader, device(), num_processes=1, process_index=0, put_on_device=True, use_seedable_sampler=True,
        data_seed=args.data_seed,
    )  # fmt: skip
