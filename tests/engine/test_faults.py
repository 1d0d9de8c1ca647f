"""Accidents that befall a training, with real processes: whatever happens, it goes on and nothing is lost."""

import itertools
import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import pytest

from core.commands import Pause
from core.engine.obedience import Pausing
from core.engine.train import train
from core.events import (
    Event,
    Failed,
    Finished,
    Noted,
    Paused,
    Saved,
    StepDone,
    Stopped,
    Wait,
    WentOn,
)
from core.files import free_bytes
from core.jobs.jobs import TrainJob
from core.jobs.process import JobProcess
from core.jobs.talk import Talk
from core.runs import RunFolder, RunState
from core.seals import COMPLETE
from core.watch.remaining import seconds_left
from tests.engine.conftest import Listener
from tests.fakes import new_run
from tests.patience import PATIENCE, waits_for

#: 66 steps of four rows, dropout included: a life that begins anew must draw the same random numbers.
PLAN = {"batch": 2, "accumulation": 2, "epochs": 11.0, "save_every": 3, "evaluate_every": 99, "validation_share": 0.0,
        "learning_rate": 1e-3, "dropout": 0.1, "rank": 4}  # fmt: skip
SHORT = PLAN | {"steps": 9}


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path) -> Callable[..., RunFolder]:
    """A run of 24 rows, anywhere."""
    rows = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    rows.write_text("".join(json.dumps({"instruction": f"What is {i}?", "output": f"It is {i % 3}."}) + "\n"
                            for i in range(24)))  # fmt: skip

    def made(folder: Path | None = None, **plan: Any) -> RunFolder:
        settings = {"model": str(tiny_base), "data": (str(rows),)} | (plan or SHORT)
        return new_run(folder or tmp_path_factory.mktemp("runs"), **settings)

    return made


@pytest.fixture(scope="module")
def whole(make: Callable[..., RunFolder]) -> list[float]:
    """Losses of the run that nothing happens to."""
    return losses(make(**PLAN), resume=False)


@pytest.fixture(scope="module")
def short(make: Callable[..., RunFolder]) -> list[float]:
    """Losses of a run of nine steps."""
    return losses(make(), resume=False)


@pytest.fixture(scope="module", autouse=True)
def quick_births() -> Iterator[None]:
    """Children come out of a process that has loaded torch already: twenty of them need not load it again."""
    real = multiprocessing.get_context
    context = real("forkserver")
    context.set_forkserver_preload(["core.engine.train", __name__])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(multiprocessing, "get_context", lambda _method=None: context)
        yield
    forkserver._forkserver._stop()  # type: ignore[attr-defined]


def losses(run: RunFolder, *, resume: bool) -> list[float]:
    talk = Listener()
    train(run.path, talk, resume=resume)
    return [step.loss for step in talk.of(StepDone)]


def begun(run: RunFolder, job: TrainJob | None = None, *, resume: bool = False) -> JobProcess:
    process = JobProcess(job or TrainJob(str(run.path), resume=resume), run=run)
    process.start()
    return process


@dataclass(frozen=True)
class Mortal(TrainJob):
    """A training whose process ends as hard as it gets, `seconds` after something: it said so many `steps`, or that it
    `saved` that step, or opened so many `files` of checkpoints for writing.

    It does so itself: how slow the computer is, and who else is busy, makes no difference to where it happens.
    """

    steps: int = 0
    saved: int = 0
    files: int = 0
    seconds: float = 0.0

    def run(self, talk: Any) -> dict[str, Any]:
        steps, files = itertools.count(1), itertools.count(1)

        def hear(event: Event) -> None:
            talk.emit(event)
            told = isinstance(event, StepDone) and next(steps) == self.steps
            if told or (isinstance(event, Saved) and event.step == self.saved):
                self._end()

        def touched(what: str, arguments: Any) -> None:
            writes = what == "os.rename" or (what == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR))
            if writes and "/checkpoint-" in str(arguments[0]) and next(files) == self.files:
                self._end()

        if self.files:
            sys.addaudithook(touched)
        return super().run(Altered(talk, hear))

    def _end(self) -> None:
        if self.seconds:
            # the next steps, and what is being written, go on meanwhile
            threading.Thread(target=lambda: (time.sleep(self.seconds), self._kill()), daemon=True).start()
        else:
            self._kill()

    def _kill(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class Altered:
    """A Talk through which events go another way."""

    def __init__(self, talk: Talk, emit: Callable[[Event], None]) -> None:
        self._talk, self.emit = talk, emit

    def __getattr__(self, name: str) -> Any:
        return getattr(self._talk, name)


def test_killed_twenty_times_it_learns_the_same(make: Callable[..., RunFolder], whole: list[float]) -> None:
    """Half of the kills come while a checkpoint is being written, the others after any moment of a step."""
    run, chance, torn = make(**PLAN), random.Random(5), 0
    for life in range(20):
        newest = at = run.checkpoint_step()
        if life % 2:
            how = {"steps": chance.randint(1, 5), "seconds": chance.choice((0.0, chance.uniform(0.0, 0.02)))}
        else:
            how = {"files": 1 + life}
        for event in begun(run, Mortal(str(run.path), resume=life > 0, **how)).events():
            if isinstance(event, StepDone):
                # what was saved is where it begins, and there is no gap
                assert event.step == at + 1
                at = event.step
            elif isinstance(event, Saved):
                newest = event.step
        assert isinstance(event, Failed) and event.resumable and run.resumable()
        torn += any(not (folder / COMPLETE).exists() for folder in run.checkpoints.glob("checkpoint-*"))
        assert run.checkpoint_step() >= newest
    assert torn >= 10, "hardly a kill came in the middle of saving"
    assert isinstance(list(begun(run, resume=True).events())[-1], Finished)
    assert [step.loss for step in run.history().steps] == whole


@pytest.fixture(scope="module")
def stopped(make: Callable[..., RunFolder]) -> RunFolder:
    """A run with checkpoints after 3 and 6 steps, and no more."""
    run = make()
    assert isinstance(list(begun(run, Mortal(str(run.path), saved=6)).events())[-1], Failed)
    assert [folder.name for folder in run.sealed()] == ["checkpoint-6", "checkpoint-3"]
    return run


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def garble(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "names", "kept"),
    [
        (cut, ("checkpoint-6/optimizer.pt",), 3),
        (garble, ("checkpoint-6/adapter_model.safetensors",), 3),
        (Path.unlink, ("checkpoint-6/rng_state.pth",), 3),
        (garble, ("checkpoint-6/optimizer.pt", "checkpoint-3/optimizer.pt"), 0),
    ],
)
def test_a_damaged_checkpoint_gives_way_to_the_one_before(
    stopped: RunFolder, short: list[float], tmp_path: Path, damage: Callable[[Path], object], names: tuple[str, ...],
    kept: int,
) -> None:  # fmt: skip
    run = RunFolder(tmp_path / "run")
    shutil.copytree(stopped.path, run.path)
    for name in names:
        damage(run.checkpoints / name)
    talk = Listener()
    train(run.path, talk, resume=True)
    told = [note.facts for note in talk.of(Noted) if note.code == "checkpoint_damaged"]
    assert [facts["step"] for facts in told] == [6, 3][: len(names)] and told[-1]["to"] == kept
    assert [(step.step, step.loss) for step in talk.of(StepDone)] == list(enumerate(short, 1))[kept:]


@dataclass(frozen=True)
class Filling(TrainJob):
    """A training on a disk that is full when it has done four steps, and again after seven."""

    def run(self, talk: Any) -> dict[str, Any]:
        def hear(event: Event) -> None:
            if isinstance(event, StepDone) and event.step in (4, 7):
                fill(ballast(Path(self.run_folder).parent))
            talk.emit(event)

        return super().run(Altered(talk, hear))


@dataclass(frozen=True)
class Cramped(Filling):
    """One that tries to save however little room there is, and tries again soon."""

    def run(self, talk: Any) -> dict[str, Any]:
        from core.engine import obedience

        obedience.room_bytes = lambda _run: 0
        obedience._TRY_EVERY = 0.2
        return super().run(talk)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 130 MB: what always stays free, and a little more."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=130m", "tmpfs", str(disk)]
    if sys.platform != "linux" or subprocess.run(mounted, capture_output=True).returncode:
        pytest.skip("no disk can be mounted here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def ballast(disk: Path) -> Path:
    return disk / "ballast"


def fill(file: Path) -> None:
    with file.open("wb") as opened:
        os.posix_fallocate(opened.fileno(), 0, free_bytes(file.parent))


@pytest.mark.parametrize("job", [Filling, Cramped])
def test_a_full_disk_makes_it_wait_and_costs_nothing(
    make: Callable[..., RunFolder], short: list[float], small_disk: Path, job: type[TrainJob],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Whether the room is measured or the write fails: it waits, goes on with room, and ends when asked without any."""
    # the guard looks at the disk too, and may make it wait before it wants to save
    monkeypatch.setattr("core.jobs.guard.LOOK_EVERY", 1e9)
    run = make(small_disk)
    process, seen = begun(run, job(str(run.path))), list[Event]()
    for event in process.events():
        seen.append(event)
        if isinstance(event, Paused):
            assert event.reason is Wait.DISK and run.checkpoint_step() == event.step - 3
            assert {folder.name for folder in run.checkpoints.iterdir()} <= {"checkpoint-3", "checkpoint-6"}
            if event.step == 6:
                ballast(small_disk).unlink()
            else:
                process.stop()
    assert [type(e) for e in seen if isinstance(e, (Paused, WentOn))] == [Paused, WentOn, Paused]
    last = seen[-1]
    assert isinstance(last, Stopped) and last.resumable and last.step == 6, last
    ballast(small_disk).unlink()
    assert losses(run, resume=True) == short[6:]
    assert run.has_adapter()


def test_writing_waits_for_room_and_for_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.engine.obedience._TRY_EVERY", 0.01)
    run, talk, tries = new_run(tmp_path), Listener(), []

    def write() -> None:
        tries.append(1)
        if len(tries) < 3:
            raise RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 576 vs 534")

    assert Pausing(talk, run).saved(4, write) and len(tries) == 3
    assert [type(event) for event in talk.events] == [Paused, WentOn] and talk.events[0].reason is Wait.DISK

    def broken() -> None:
        raise PermissionError("somebody else's folder")

    with pytest.raises(PermissionError):
        Pausing(talk, run).saved(4, broken)
    talk.stop_requested, tries[:] = True, []
    assert not Pausing(talk, run).saved(4, write) and len(tries) == 1


def test_a_pause_that_changes_its_reason_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A card that is hot, then the user's own wish, then nothing; a checkpoint is kept first."""
    monkeypatch.setattr("core.engine.obedience._LOOK_EVERY", 0.0)
    hot, user = Pause(reason=Wait.TEMPERATURE), Pause()
    reasons = iter([hot, hot, hot, user, user, None])

    class Changing(Listener):
        @property
        def pause(self) -> Any:
            return next(reasons)

        @pause.setter
        def pause(self, _value: Any) -> None:
            pass

    class Trainer:
        state = type("State", (), {"global_step": 4})
        kept = 0

        def keep(self) -> None:
            self.kept += 1

    talk, trainer = Changing(), Trainer()
    Pausing(talk, new_run(tmp_path))(trainer)
    assert [event.reason for event in talk.of(Paused)] == [Wait.TEMPERATURE, Wait.USER]
    assert isinstance(talk.events[-1], WentOn) and talk.events[-1].step == 4 and trainer.kept == 1


@dataclass(frozen=True)
class OddClock(TrainJob):
    """A training on a computer whose clock is set back by two hours after step 3, and on by a day after step 6."""

    def run(self, talk: Any) -> dict[str, Any]:
        real, shift = time.time, [0.0]
        time.time = lambda: real() + shift[0]

        def hear(event: Event) -> None:
            # events know the clock's own function: what it says is moved here
            talk.emit(replace(event, time=event.time + shift[0]))
            if isinstance(event, StepDone):
                shift[0] = {3: -7200.0, 6: 86400.0}.get(event.step, shift[0])

        return super().run(Altered(talk, hear))


def test_a_clock_that_jumps_changes_no_duration(make: Callable[..., RunFolder], short: list[float]) -> None:
    run, seen, left = make(), list[Event](), list[float | None]()
    began = time.monotonic()
    process = begun(run, OddClock(str(run.path)))
    plan = run.plan()
    for event in process.events():
        seen.append(event)
        if isinstance(event, StepDone):
            left.append(seconds_left(run.history(), plan))
    took = time.monotonic() - began
    assert isinstance(seen[-1], Finished) and run.state() is RunState.FINISHED
    history = run.history()
    assert [step.loss for step in history.steps] == short and [step.step for step in history.steps] == [*range(1, 10)]
    assert 0 < sum(step.seconds for step in history.steps) < took
    # less than either jump, on the slowest computer
    assert all(0 <= known < 3600 for known in left if known is not None) and left[4] is not None
    assert history.waiting is None and history.tokens_per_second
    assert history.memory


#: Leaves the training alone after step 2, and says when it has.
PARENT = """
import sys
from core.jobs.process import JobProcess
from core.runs import RunFolder
from pathlib import Path
from tests.fakes import RunsOut
if __name__ == "__main__":
    run = RunFolder(Path(sys.argv[1]))
    process = JobProcess(RunsOut(str(run.path), mark=str(run.path / "left")), run=run)
    process.start()
    for event in process.events():
        if event.__class__.__name__ == "StepDone" and event.step == 2:
            process.leave()
    (run.path / "left").touch()
"""


def test_left_alone_it_mends_itself(make: Callable[..., RunFolder], short: list[float], tmp_path: Path) -> None:
    """The window is gone, then memory runs out at step 5: a fresh process goes on with smaller micro-batches."""
    run = make(**SHORT | {"dropout": 0.0})
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    subprocess.run([sys.executable, str(script), str(run.path)], env=environment, check=True, timeout=PATIENCE)
    waits_for(lambda: run.history().last is not None and not run.is_busy(), "the end of the run")
    history, events = run.history(), list(run.events())
    assert isinstance(history.last, Finished), history.last
    assert [step.step for step in events if isinstance(step, StepDone)] == list(range(1, 10))
    assert [note.facts["step"] for note in history.notes if note.code == "memory_stepped"] == [4]
    assert (run.plan().batch, run.plan().accumulation) == (1, 4) and run.has_adapter()
    assert len(history.memory) >= 2
