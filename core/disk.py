"""Room on the disk: what a run will write, whether there is enough of it, and how much must stay free."""

import contextlib
from pathlib import Path

from core.architecture import Architecture
from core.catalog import spec_of
from core.choices import Initialisation
from core.files import free_bytes, tree_bytes
from core.plan import Optimizer, TrainingPlan
from core.problems import Code, Trouble
from core.runs import RunFolder
from core.vram import adapter_parameters

#: Whole checkpoints that are kept; there is one more while the next one is written.
KEEP = 2
#: Adapters beside them: the best one by validation, its successor while that is written, and the finished one. What an
#: adapter started from is one more where that was not nothing.
ADAPTERS = 3
#: Tokenizers, logs, events and curves of a long run. Bytes.
RECORDS_BYTES = 100_000_000
#: What is never used up: a system without any free space works badly. Bytes.
RESERVE_BYTES = 100_000_000
#: Bytes a number of the adapter: itself in 32 bits, and its optimizer's two averages in 32 or 8 bits (with a scale for
#: every 256 of them).
_WEIGHT = 4
_STATES = {Optimizer.ADAMW: 8.0, Optimizer.ADAMW8BIT: 2 * (1 + 4 / 256)}
#: Scheduler, random states, configuration and the tables of an 8-bit optimizer in a checkpoint.
_REST_BYTES = 300_000


def checkpoint_bytes(architecture: Architecture, plan: TrainingPlan) -> int:
    """Size of one checkpoint of `plan`: the adapter, its optimizer, and little else."""
    return round(adapter_parameters(architecture, plan) * (_WEIGHT + _STATES[plan.optimizer])) + _REST_BYTES


def run_bytes(architecture: Architecture, plan: TrainingPlan) -> int:
    """The most that a run of `plan` holds on the disk at one time: checkpoints, adapters, kept rows, records."""
    begun = plan.initialisation is not Initialisation.DEFAULT
    adapters = (ADAPTERS + begun) * _WEIGHT * adapter_parameters(architecture, plan)
    rows = 0
    for name in (*plan.data, *(mix.file for mix in plan.mix)):
        with contextlib.suppress(OSError, ValueError):
            rows += Path(name).stat().st_size
    return (KEEP + 1) * checkpoint_bytes(architecture, plan) + adapters + rows + RECORDS_BYTES


def expect_room(root: Path, plan: TrainingPlan) -> None:
    """Make sure that a run of `plan` under `root` will find room. Raises Trouble(DISK_FULL), OSError.

    Of a model that cannot be read nothing is said here.
    """
    try:
        needed = run_bytes(spec_of(plan.model).architecture, plan) + RESERVE_BYTES
    except Trouble:
        return
    free = free_bytes(root)
    if free < needed:
        raise Trouble(Code.DISK_FULL, path=root, needed_bytes=needed, free_bytes=free)


def room_to_save(folder: Path, needed_bytes: int) -> bool:
    """Whether `needed_bytes` can be written below `folder` and the reserve stays. Raises OSError."""
    return free_bytes(folder) >= needed_bytes + RESERVE_BYTES


def room_bytes(run: RunFolder) -> int:
    """What must be free beside a living run: its next checkpoint and the reserve.

    A checkpoint is as large as the newest one, or as the arithmetic says before there is one. Raises OSError.
    """
    newest = run.checkpoint()
    if newest is not None:
        return tree_bytes(newest) + RESERVE_BYTES
    with contextlib.suppress(Trouble):
        plan = run.plan()
        return checkpoint_bytes(spec_of(plan.model).architecture, plan) + RESERVE_BYTES
    return RESERVE_BYTES
