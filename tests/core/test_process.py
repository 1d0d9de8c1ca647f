"""One mechanism for every job: whatever a child does, the parent gets exactly one last event."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from core.commands import Say
from core.events import Failed, Finished, Last, Measured, Noted, Saved, Stopped
from core.jobs.process import JobProcess
from core.problems import Code, Trouble
from core.runs import RunState
from tests.fakes import Ends, Says, Waits, happenings, last_of, new_run


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
    assert measured and 1_000_000 < measured[0].used_bytes < measured[0].total_bytes
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


PARENT = """
import sys
from pathlib import Path
from core.jobs.process import JobProcess
from core.runs import RunFolder
from tests.fakes import Waits
if __name__ == "__main__":
    run = RunFolder(Path(sys.argv[1]))
    process = JobProcess(Waits(mark=str(run.path / "mark")), run=run)
    process.start()
    for event in process.events():
        print(process.pid, flush=True)
"""


def test_a_child_outlives_a_killed_window_long_enough_to_save(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    root = Path(__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": str(root)}
    parent = subprocess.Popen([sys.executable, str(script), str(run.path)], stdout=subprocess.PIPE, env=environment)
    assert parent.stdout
    child = psutil.Process(int(parent.stdout.readline()))
    while not any(e.__class__.__name__ == "Stage" and e.stage == "training" for e in run.events()):  # type: ignore[attr-defined]
        time.sleep(0.05)
    assert run.is_busy()
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    child.wait(10)
    assert (run.path / "mark").read_text() == "saved"
    # with the parent gone the child wrote the record itself
    assert [e for e in run.events() if isinstance(e, Saved)]
    assert run.state() is RunState.STOPPED
