"""A run is a folder: plan.json says what was asked, events.jsonl what happened, adapter/ what came out."""

import re
import shutil
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from core import holder
from core.codec import CodecError
from core.commands import Command
from core.events import Event
from core.files import write_text
from core.history import RunHistory, fold, outcome
from core.plan import TrainingPlan, load_plan
from core.problems import Code, Trouble
from core.seals import COMPLETE, is_whole
from core.wire import decode_command, decode_event, encode


class RunState(StrEnum):
    """What a run folder says about itself."""

    NEW = "new"
    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class RunFolder:
    """One run on disk; properties name its parts, methods read them."""

    path: Path

    @property
    def plan_file(self) -> Path:
        return self.path / "plan.json"

    @property
    def events_file(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def log_file(self) -> Path:
        return self.path / "log.txt"

    @property
    def adapter(self) -> Path:
        return self.path / "adapter"

    @property
    def data(self) -> Path:
        """What the run learns from, and what cleaning did (core.data.kept)."""
        return self.path / "data"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def best(self) -> Path:
        """The adapter of the best evaluation, while the run goes on."""
        return self.path / "best"

    @property
    def start(self) -> Path:
        """What the adapter started from, where that was not nothing (core.engine.initial)."""
        return self.path / "start.safetensors"

    @property
    def tensorboard(self) -> Path:
        """What TensorBoard shows of the run (core.tracking)."""
        return self.path / "tensorboard"

    @property
    def capsule(self) -> Path:
        """What it takes to repeat the run, and where it ran (core.capsule)."""
        return self.path / "capsule.json"

    @property
    def repeats(self) -> Path:
        """Says which run this one repeats, with the rows that were kept then; not there for others."""
        return self.path / "repeats.json"

    @property
    def name(self) -> str:
        return self.path.name

    @classmethod
    def create(cls, root: Path, plan: TrainingPlan) -> "RunFolder":
        """Make `root/<time>_<model>` with its plan. Raises Trouble or OSError when the folder cannot be written."""
        stem = f"{time.strftime('%Y%m%d-%H%M%S')}_{_slug(Path(plan.model).name)}"
        for suffix in ("", *(f"-{n}" for n in range(2, 1000))):
            path = root / (stem + suffix)
            try:
                path.mkdir(parents=True)
            except FileExistsError:
                continue
            run = cls(path)
            plan.save(run.plan_file)
            return run
        raise Trouble(Code.READ_ONLY, path=root)

    @classmethod
    def open(cls, path: Path) -> "RunFolder":
        """Return the run at `path`. Raises Trouble(RUN_MISSING) when there is no plan in it."""
        run = cls(path.expanduser().absolute())
        if not run.plan_file.is_file():
            raise Trouble(Code.RUN_MISSING, path=path)
        return run

    def plan(self) -> TrainingPlan:
        """Read the plan. Raises Trouble(PLAN_INVALID)."""
        return load_plan(self.plan_file)

    def step_down(self, plan: TrainingPlan) -> None:
        """Put a smaller plan in the place of the one that was asked for, which is kept as asked.json."""
        asked = self.path / "asked.json"
        if not asked.exists():
            write_text(asked, self.plan_file.read_text(encoding="utf-8"))
        beside = self.plan_file.with_suffix(".part")
        plan.save(beside)
        beside.replace(self.plan_file)

    def events(self) -> Iterator[Event]:
        """Yield what happened; half a line at the end (power cut) and lines of newer versions are passed over."""
        if not self.events_file.is_file():
            return
        with self.events_file.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                try:
                    yield decode_event(line)
                except CodecError:
                    continue

    def history(self) -> RunHistory:
        """Fold the events."""
        return fold(self.events())

    def sealed(self) -> list[Path]:
        """Checkpoints that were whole on disk once, the newest first; they may be damaged by now."""
        return sorted((p.parent for p in self.checkpoints.glob(f"checkpoint-*/{COMPLETE}")), key=_step, reverse=True)

    def checkpoint(self) -> Path | None:
        """The newest checkpoint that is whole on disk, by a quick look; None without one."""
        return next(filter(is_whole, self.sealed()), None)

    def checkpoint_step(self) -> int:
        """The step Resume would go on from, 0 when there is no checkpoint."""
        found = self.checkpoint()
        return _step(found) if found else 0

    def has_adapter(self) -> bool:
        """Whether a whole adapter lies in the folder."""
        return (self.adapter / "adapter_model.safetensors").is_file()

    def state(self, history: RunHistory | None = None) -> RunState:
        """What became of the run; a run whose process is gone without a last word was interrupted."""
        if self.is_busy():
            return RunState.RUNNING
        said = outcome(history or self.history())
        if said == "running":
            return RunState.INTERRUPTED
        return RunState.NEW if said == "empty" else RunState(said)

    def resumable(self) -> bool:
        """Whether Resume makes sense: not finished, not busy. Without a checkpoint it starts from step 0."""
        return self.state() in (RunState.INTERRUPTED, RunState.FAILED, RunState.STOPPED)

    def is_busy(self) -> bool:
        """Whether a living process holds the run."""
        return holder.is_held(self.path)

    def owner(self) -> dict[str, Any] | None:
        """Who wrote busy.json, None when nobody holds the run."""
        return holder.owner(self.path)

    def hold(self, pid: int) -> None:
        """Mark the run as held by the process `pid` for as long as that lives."""
        holder.hold(self.path, pid)

    def release(self) -> None:
        """Take the mark away."""
        holder.release(self.path)

    def beginning(self) -> AbstractContextManager[None]:
        """Let nobody else begin while the block lasts, in which the run gets its holder. Raises Trouble(RUN_BUSY)."""
        return holder.beginning(self.path)

    def order(self, command: Command) -> None:
        """Leave a command for whoever trains this run; heard within a second or so. Raises OSError."""
        orders = self.path / "orders"
        orders.mkdir(exist_ok=True)
        write_text(orders / f"{time.time_ns()}.json", encode(command))

    def orders(self) -> Iterator[Command]:
        """Take the commands that were left, the oldest first: each is given to one process, once."""
        for path in sorted(self.path.glob("orders/*.json")):
            try:
                text = path.read_text(encoding="utf-8")
                path.unlink()
                yield decode_command(text)
            except (OSError, UnicodeDecodeError, CodecError):
                continue

    def delete(self) -> None:
        """Remove the folder. Raises Trouble(RUN_BUSY) while a process holds it."""
        if self.is_busy():
            raise Trouble(Code.RUN_BUSY, path=self.path)
        shutil.rmtree(self.path)


def list_runs(root: Path) -> list[RunFolder]:
    """Every run under `root`, newest first."""
    if not root.is_dir():
        return []
    found = [RunFolder(p) for p in root.iterdir() if (p / "plan.json").is_file()]
    return sorted(found, key=lambda run: run.name, reverse=True)


def _slug(text: str) -> str:
    return re.sub(r"[^\w.-]+", "-", text).strip("-.")[:60] or "model"


def _step(path: Path) -> int:
    tail = path.name.rpartition("-")[2]
    return int(tail) if tail.isdigit() else -1
