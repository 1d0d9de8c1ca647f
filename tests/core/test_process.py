"""One mechanism for every job: whatever a child does, the parent gets exactly one last event."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from core.cli import app
from core.commands import GoOn, Pause, Say, Stop
from core.events import (
    Event,
    Failed,
    Finished,
    Last,
    Measured,
    Noted,
    Paused,
    Saved,
    Stage,
    StageName,
    StepDone,
    Stopped,
    WentOn,
)  # fmt: skip
from core.jobs.process import JobProcess
from core.jobs.talk import StopAsked, Talk
from core.problems import Code, Trouble
from core.runs import RunFolder, RunState
from core.settings import Settings, save
from tests.fakes import Ends, Says, Waits, happenings, last_of, new_run
from tests.patience import PATIENCE, alive, waits_for


def test_events_arrive_in_order_and_finish_once() -> None:
    events = happenings(Says(50))
    assert [e.facts["i"] for e in events if isinstance(e, Noted)] == list(range(50))
    assert [e for e in events if isinstance(e, Last)] == [events[-1]]
    assert isinstance(events[-1], Finished) and events[-1].result == {"said": 50}


def test_a_flood_of_events_loses_nothing() -> None:
    assert sum(isinstance(e, Noted) for e in happenings(Says(20_000))) == 20_000


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("exit", Code.WORKER_CRASHED),
        ("silent", Code.WORKER_SILENT),
        ("crash", Code.WORKER_CRASHED),
        ("kill", Code.WORKER_KILLED),
        ("raise", Code.UNKNOWN),
        ("trouble", Code.DATA_EMPTY),
        ("memory", Code.GPU_MEMORY),
    ],
)
def test_every_way_to_die_has_its_problem(how: str, code: Code) -> None:
    last = last_of(Ends(how))
    assert isinstance(last, Failed)
    assert last.problem.code is code


def test_the_log_keeps_the_last_words(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    last = last_of(Ends("kill"), run)
    assert isinstance(last, Failed) and last.resumable
    assert "last words" in last.problem.facts["last_words"]
    assert "last words" in run.log_file.read_text()


def test_asking_is_enough_for_a_good_child() -> None:
    process = JobProcess(Waits())
    process.start()
    events = process.events()
    next(events)
    process.stop()
    last = list(events)[-1]
    assert isinstance(last, Stopped) and last.step == 7


@pytest.mark.parametrize("stubborn", [False, True])
def test_a_deaf_child_is_ended(stubborn: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.jobs.process.TERMINATE_GRACE", 0.5)
    process = JobProcess(Waits(deaf=True, stubborn=stubborn), grace=0.5)
    process.start()
    process.stop()
    last = list(process.events())[-1]
    assert isinstance(last, Failed) and last.problem.code is Code.WORKER_KILLED


def test_a_run_is_recorded_and_measured(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    events = happenings(Says(3), run)
    kept = list(run.events())
    assert [type(e) for e in kept] == [type(e) for e in events]
    measured = [e for e in kept if isinstance(e, Measured)]
    # a process that has just begun may hold next to nothing
    assert measured and all(0 < each.used_bytes < each.total_bytes for each in measured)
    assert run.state() is RunState.FINISHED


def test_a_run_is_held_by_its_child_only(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    process = JobProcess(Waits(), run=run)
    process.start()
    events = process.events()
    next(events)
    assert run.is_busy() and run.state() is RunState.RUNNING
    with pytest.raises(Trouble) as refused:
        JobProcess(Waits(), run=run).start()
    assert refused.value.problem.code is Code.RUN_BUSY
    process.stop()
    list(events)
    assert not run.is_busy()


def test_commands_to_a_dead_child_are_no_error() -> None:
    process = JobProcess(Ends("kill"))
    process.start()
    list(process.events())
    process.send(Say(messages=()))
    process.stop()


@dataclass(frozen=True)
class Counts:
    """Takes steps until asked to stop, and waits between two of them while a pause lasts."""

    def run(self, talk: Talk) -> dict[str, Any]:
        step, waits = 0, False
        while not talk.stop_requested:
            time.sleep(0.005)
            pause = talk.pause
            if pause is not None and not waits:
                talk.emit(Paused(step=step, reason=pause.reason))
            elif pause is None and waits:
                talk.emit(WentOn(step=step))
            waits = pause is not None
            if not waits:
                step += 1
                talk.emit(StepDone(step=step, total_steps=10**6, epoch=0.0, loss=1.0, learning_rate=0.0))
        raise StopAsked(step)


PARENT = """
import sys
from pathlib import Path
from core.jobs.process import JobProcess
from core.runs import RunFolder
from tests.core.test_process import Counts
from tests.fakes import Waits
if __name__ == "__main__":
    run = RunFolder(Path(sys.argv[1]))
    job = Counts() if sys.argv[2] == "counts" else Waits(mark=str(run.path / "mark"))
    process = JobProcess(job, run=run)
    process.start()
    for event in process.events():
        print(process.pid, flush=True)
        if sys.argv[3:] and getattr(event, "step", 0) > 40:
            process.leave()
    print("over", flush=True)
"""


def parent_of(run: RunFolder, *how: str) -> tuple["subprocess.Popen[bytes]", psutil.Process]:
    """A program that trains `run`, and its child; it says in the file "said" when it ends."""
    script, said = run.path.parent / "parent.py", run.path.parent / "said"
    script.write_text(PARENT)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    with said.open("w") as out:
        parent = subprocess.Popen([sys.executable, str(script), str(run.path), *how], stdout=out, env=environment)
    waits_for(lambda: "\n" in said.read_text(), "the first event")
    return parent, psutil.Process(int(said.read_text().split()[0]))


def test_a_child_outlives_a_killed_window_long_enough_to_save(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    parent, child = parent_of(run, "waits")
    waits_for(lambda: any(isinstance(e, Stage) and e.stage is StageName.TRAINING for e in run.events()))
    assert run.is_busy()
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    waits_for(lambda: not alive(child), "the end of the child")
    assert (run.path / "mark").read_text() == "saved"
    # with the parent gone the child wrote the record itself
    assert [e for e in run.events() if isinstance(e, Saved)]
    assert run.state() is RunState.STOPPED


@pytest.mark.parametrize("how", ["killed", "left"])
def test_a_training_goes_on_alone_and_hears_orders(tmp_path: Path, how: str) -> None:
    run = new_run(tmp_path)
    run.order(Stop())  # of another time
    if how == "killed":
        save(replace(Settings(), keep_training=True))
    parent, child = parent_of(run, "counts", *(["leave"] if how == "left" else []))
    waits_for(lambda: run.history().step > 40)
    if how == "killed":
        os.kill(parent.pid, signal.SIGKILL)
    parent.wait(PATIENCE)
    assert how == "killed" or (parent.returncode == 0 and (tmp_path / "said").read_text().endswith("over\n"))
    # the end of a terminal is no reason either
    os.kill(child.pid, signal.SIGHUP)
    behind = run.history().step
    waits_for(lambda: run.history().step > behind + 100)
    assert run.state() is RunState.RUNNING
    with pytest.raises(Trouble):
        JobProcess(Counts(), run=run).start()
    assert app(["pause", str(run.path)], standalone_mode=False) == 0
    assert run.history().waiting
    waiting_at = run.history().step
    time.sleep(0.3)
    assert run.history().step == waiting_at
    assert app(["resume", str(run.path)], standalone_mode=False) == 0
    waits_for(lambda: run.history().step > waiting_at)
    assert app(["stop", str(run.path)], standalone_mode=False) == 0
    waits_for(lambda: not alive(child), "the end of the child")
    with pytest.raises(Trouble) as refused:
        app(["stop", str(run.path)], standalone_mode=False)
    assert refused.value.problem.code is Code.RUN_IDLE
    history = run.history()
    # not a step is missing or there twice, whoever wrote it down
    kept = [event.step for event in run.events() if isinstance(event, StepDone)]
    assert kept == list(range(1, len(kept) + 1))
    assert isinstance(history.last, Stopped) and run.state() is RunState.STOPPED and not run.is_busy()
    # measured by the window at first, then by the child
    assert len(history.memory) >= 2 and history.memory[-1].used_bytes > 1_000_000


def test_orders_reach_a_training_through_its_window(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    process, seen = JobProcess(Counts(), run=run), list[Event]()
    process.start()
    for event in process.events():
        seen.append(event)
        if isinstance(event, StepDone) and event.step == 10:
            run.order(Pause())
        elif isinstance(event, Paused):
            run.order(GoOn())
        elif isinstance(event, WentOn):
            run.order(Stop())
    assert [type(e) for e in seen if isinstance(e, (Paused, WentOn))] == [Paused, WentOn]
    assert isinstance(seen[-1], Stopped) and not list(run.orders())
