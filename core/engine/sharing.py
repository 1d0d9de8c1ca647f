"""One base shared out over the processes of a training (FSDP): each keeps a part of every layer, and borrows the rest.

Only the frozen layers are shared out; a layer is whole on a card for as long as it computes. What learns is on every
card, as are embeddings and head: optimizer, checkpoints and adapters are those of a training on one card. Every pass
through the base is one of all processes: all of them go through it equally often, or wait for each other for ever.
"""

import json
import os
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from peft import PeftModel
from torch import distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from transformers import PreTrainedModel, TrainingArguments

from core.choices import Initialisation
from core.codec import dumps, from_plain
from core.engine.device import device
from core.engine.encoding import IGNORED
from core.engine.processes import count, highest, shares
from core.engine.steps import Batch
from core.engine.targets import layers_path
from core.events import Failed
from core.jobs.talk import StopAsked, Talk
from core.plan import Method, TrainingPlan
from core.problems import Code, Problem, Trouble, diagnose

T = TypeVar("T", bound=Iterable[Batch])

#: Where a process says what broke it, for those that wait for it, and where those are counted that failed alike.
_BROKEN, _FAILED = "solotune/broken", "solotune/failed"
#: Seconds between two looks at whether another process broke, and those that a process has to end by itself then.
_LOOK_EVERY, _GRACE = 1.0, 5.0


def expect_shareable(plan: TrainingPlan) -> None:
    """Raise Trouble(SHARED_BITS, PLAN_INVALID) for plans whose base cannot be shared out, where that is asked for."""
    if not shares():
        return
    if plan.method is not Method.LORA:
        raise Trouble(Code.SHARED_BITS, held=plan.method.value)
    if plan.initialisation is Initialisation.EVA:
        raise Trouble(Code.PLAN_INVALID, reason="initialisation: eva needs the whole base, FSDP shares it out")


def loads_on() -> torch.device:
    """Where a base is loaded: on its card; on the processor where it is shared out, where files are not copied."""
    return torch.device("cpu") if shares() else device()


def share(model: PeftModel) -> None:
    """Share out the layers of the base and bring everything else to this process's card; nothing on one process.

    What learns becomes that of the first process. Called by all of them.
    """
    if not shares():
        return
    base = model.get_base_model()
    path = layers_path(base)
    layers = [*base.get_submodule(path).children()]
    parts = _parts(base, layers)
    rest = {parameter for parameter in model.parameters() if parameter not in parts}
    mesh = init_device_mesh(device().type, (count(),))
    for layer in layers:
        for parameter in layer.parameters():
            parameter.data = parameter.data.contiguous()
        fully_shard(layer, mesh=mesh, reshard_after_forward=True, ignored_params=rest)
    # what calls the layers knows which of them is next, and fetches it meanwhile
    root = fully_shard(base.get_submodule(path.rpartition(".")[0]), mesh=mesh, ignored_params=rest)
    root.register_forward_hook(_leave_nothing, always_call=True)
    for tensor in (*rest, *model.buffers()):
        tensor.data = tensor.data.to(device())
    own: dict[str, torch.Tensor] = getattr(model, "own_biases", {})
    own.update({name: bias.to(device()) for name, bias in own.items()})
    for parameter in model.parameters():
        if parameter.requires_grad:
            distributed.broadcast(parameter.data, src=0)
    # accelerate would take it for a model that it has to wrap, and refuse to
    model._is_accelerate_prepared = True


def _parts(base: PreTrainedModel, layers: list[nn.Module]) -> set[nn.Parameter]:
    """What is shared out: frozen parameters that belong to one layer and to nothing else."""
    of_layers = [{*layer.parameters()} for layer in layers]
    owners = Counter(parameter for each in of_layers for parameter in each)
    inside = {module for layer in layers for module in layer.modules()}
    outside = {each for module in base.modules() if module not in inside for each in module.parameters(recurse=False)}
    return {each for each, n in owners.items() if n == 1 and each.dim() and not each.requires_grad} - outside


def _leave_nothing(root: FSDPModule, _given: Any, found: Any) -> None:
    """After a pass that no backward pass follows, or that failed: what FSDP noted of it would mislead the next one."""
    if found is None or not torch.is_grad_enabled():
        root.reset_iter_state()


class Arguments(TrainingArguments):
    """Those of a model that lies where it belongs: parts of layers cannot be moved."""

    @property
    def place_model_on_device(self) -> bool | None:
        return False if shares() else None


def evened(batches: T, pad: int) -> T | list[Batch]:
    """The micro-batches of this process, with untrained ones up to the number that the others have.

    Where no base is shared out they come as they are.
    """
    if not shares():
        return batches
    mine = [*batches]
    row = torch.full((1, 2), pad)
    return mine + [{"input_ids": row, "labels": torch.full_like(row, IGNORED)}] * (highest(len(mine)) - len(mine))


@contextmanager
def all_or_none(talk: Talk) -> Iterator[None]:
    """While the block lasts a process that breaks ends those that wait for it; the first one tells what broke.

    Where no base is shared out each process ends by itself. Raises Trouble of what broke elsewhere.
    """
    if not shares():
        yield
        return
    store, over = _store(), threading.Event()
    threading.Thread(target=_watch, args=(store, over, talk), daemon=True).start()
    try:
        yield
    except StopAsked:
        # all of them stop at the same step
        raise
    except Exception as error:
        if found := _broken(store):
            raise Trouble(found.code, **found.facts) from error
        store.set(_BROKEN, dumps(diagnose(error)))
        raise
    finally:
        over.set()


def all_failed() -> bool:
    """Whether what failed here fails on all processes, so that none waits for another; they come here within seconds.

    True at once where no base is shared out. Asked once in a training.
    """
    if not shares():
        return True
    store, end = _store(), time.monotonic() + _GRACE
    store.add(_FAILED, 1)
    while store.add(_FAILED, 0) < count() and time.monotonic() < end:
        time.sleep(0.1)
    return store.add(_FAILED, 0) == count()


def _store() -> Any:
    """What processes can say to each other while one of them waits for another in a pass."""
    return distributed.distributed_c10d._get_default_store()


def _broken(store: Any) -> Problem | None:
    """What broke a process, if any."""
    return from_plain(Problem, json.loads(store.get(_BROKEN))) if store.check([_BROKEN]) else None


def _watch(store: Any, over: threading.Event, talk: Talk) -> None:
    """End this process when another one broke and this one waits for it where nothing can be raised."""
    while not over.wait(_LOOK_EVERY):
        try:
            found = _broken(store)
        except RuntimeError:
            # who keeps the store is gone: so will be all that it started
            return
        if found is not None and not over.wait(_GRACE):
            talk.emit(Failed(problem=found, resumable=True))
            os._exit(1)
