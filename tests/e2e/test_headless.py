"""The commands as a script calls them: real processes, and every way in which they can be interrupted."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from core.hub.folder import check_model_folder
from core.runs import RunFolder, RunState, list_runs
from tests.fakes import new_run
from tests.patience import PATIENCE, alive, child_of, waits_for

pytestmark = pytest.mark.skipif(os.name != "posix", reason="ends processes by signals")

#: More than can be done before what happens to a run after thirty steps has reached it.
STEPS = 300


class Running:
    """A command in a session of its own, as if in a terminal, with --json."""

    def __init__(self, *words: object) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "core", *map(str, words), "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )
        self.said: list[dict[str, Any]] = []

    def until(self, seen: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Read lines until one is `seen`, and return it."""
        assert self.process.stdout
        for line in self.process.stdout:
            self.said.append(json.loads(line))
            if seen(self.said[-1]):
                return self.said[-1]
        raise AssertionError(f"never seen; {self.said[-1:]} {self.process.communicate()[1]}")

    def child(self) -> psutil.Process:
        """The process that does the work."""
        return child_of(self.process.pid)

    def outcome(self, code: int) -> dict[str, Any]:
        """Wait for the end, which must be exit `code` without a traceback, and return the last line."""
        out, err = self.process.communicate(timeout=PATIENCE)
        self.said += [json.loads(line) for line in out.splitlines()]
        assert (self.process.returncode, "Traceback" in err) == (code, False), err
        return self.said[-1]

    def steps(self) -> list[int]:
        """The optimizer steps that were told."""
        return [line["step"] for line in self.said if line.get("kind") == "step"]


def step(number: int) -> Callable[[dict[str, Any]], bool]:
    return lambda line: line.get("kind") == "step" and line["step"] >= number


def answers(*words: object, **more: Any) -> dict[str, Any]:
    """Run a command that must do well and return its one JSON object."""
    done = subprocess.run(
        [sys.executable, "-m", "core", *map(str, words), "--json"],
        capture_output=True, text=True, encoding="utf-8", timeout=PATIENCE, check=False, **more,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    found = json.loads(line)
    assert isinstance(found, dict)
    return found


@pytest.fixture
def plan(tmp_path: Path, tiny_base: Path, one_answer: Path) -> Callable[..., Path]:
    """A plan file of the plan command, with some values changed as by hand."""

    def make(**values: Any) -> Path:
        path = tmp_path / "plan.json"
        told = answers("plan", one_answer, "--model", tiny_base, "-o", path)
        usual = {"steps": STEPS, "batch": 2, "accumulation": 1, "learning_rate": 1e-2, "save_every": 20,
                 "evaluate_every": 1000}  # fmt: skip
        path.write_text(json.dumps(told | usual | values))
        return path

    return make


@pytest.fixture
def runs(home: Path) -> Path:
    return home / "data" / "runs"


def test_from_data_to_a_merged_model(plan: Callable[..., Path], tmp_path: Path, runs: Path) -> None:
    train = Running("train", plan(steps=80))
    done = train.outcome(0)
    assert done["kind"] == "finished" and done["last_loss"] < 0.5 * done["first_loss"]
    assert train.steps() == list(range(1, 81))
    assert all("kind" in line for line in train.said)
    run = Path(done["run"])
    assert run.parent == runs and Path(done["adapter"]) == run / "adapter"

    told = answers("chat", run, "--say", "What is 3?", "--say", "What is 4?")
    assert [row["question"] for row in told["answers"]] == ["What is 3?", "What is 4?"]
    assert [row["after"] for row in told["answers"]] == ["It is 8.", "It is 8."]

    merged = answers("merge", run, "-o", tmp_path / "我的 model")
    assert merged["verified"] and merged["agreement"] == 1.0
    check_model_folder(Path(merged["folder"]))

    (row,) = answers("runs")["runs"]
    assert (row["path"], row["state"], row["step"], row["adapter"]) == (str(run), "finished", 80, True)
    leave_a_chat(run)


def leave_a_chat(run: Path) -> None:
    """Ctrl-C in a conversation ends it at once, without a word."""
    chat = subprocess.Popen(
        [sys.executable, "-m", "core", "chat", str(run)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        # shells start background jobs deaf to Ctrl-C, and the tests may be one
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    family = [child_of(chat.pid)]
    assert chat.stderr and chat.stderr.read(5) == "You: "  # until then Ctrl-C may come too early to be heard
    os.killpg(chat.pid, signal.SIGINT)
    out, err = chat.communicate(timeout=PATIENCE)
    assert (chat.returncode, out, err) == (130, "", "")
    waits_for(lambda: not any(alive(p) for p in family), "the end of the child")


def test_ctrl_c_saves_and_resume_goes_on_from_there(plan: Callable[..., Path]) -> None:
    train = Running("train", plan())
    train.until(step(30))
    os.killpg(train.process.pid, signal.SIGINT)
    stopped = train.outcome(130)
    assert stopped["kind"] == "stopped" and stopped["resumable"] and 30 <= stopped["step"] < STEPS
    run = RunFolder.open(Path(stopped["run"]))
    assert run.state() is RunState.STOPPED and run.checkpoint_step() == stopped["step"] and run.has_adapter()

    more = Running("train", "--resume", run.path)
    assert more.outcome(0)["steps"] == STEPS
    assert more.steps() == list(range(stopped["step"] + 1, STEPS + 1))
    history = run.history()
    assert [s.step for s in history.steps] == list(range(1, STEPS + 1)) and history.sessions == 1


def test_a_second_ctrl_c_insists(plan: Callable[..., Path]) -> None:
    """Both come while the child is still importing torch, and reach the child too."""
    train = Running("train", plan())
    train.until(lambda line: line.get("stage") == "starting")
    child = train.child()
    os.killpg(train.process.pid, signal.SIGINT)
    time.sleep(0.3)
    while alive(child):
        # two that come at once are heard as one
        os.killpg(train.process.pid, signal.SIGINT)
        time.sleep(0.3)
    told = train.outcome(1)
    assert told["problem"] == "worker_killed"
    assert RunFolder.open(Path(told["run"])).resumable()


def test_a_child_killed_at_any_moment_never_loses_the_run(plan: Callable[..., Path], runs: Path) -> None:
    """Before it has done anything, and while it writes a checkpoint, at two places of it."""
    words: tuple[object, ...] = ("train", plan(save_every=1, steps=60))
    kept = 0
    for stage, after, delay in (("starting", 0, 0.0), ("saving", 5, 0.002), ("saving", 9, 0.01)):
        train = Running(*words)
        if after:
            train.until(step(after))
        train.until(lambda line, wanted=stage: line.get("stage") == wanted)
        time.sleep(delay)
        train.child().kill()
        told = train.outcome(1)
        assert (told["problem"], told["facts"]["signal"]) == ("worker_killed", "SIGKILL")
        run = RunFolder.open(Path(told["run"]))
        assert run.checkpoint_step() >= kept
        assert not train.steps() or run.checkpoint_step() >= train.steps()[-1] - 2
        kept = run.checkpoint_step()
        words = ("train", "--resume", run.path)
    last = Running(*words)
    assert last.outcome(0)["steps"] == 60
    assert last.steps() == list(range(kept + 1, 61)) and kept >= 8
    assert [run.path for run in list_runs(runs)] == [run.path] and run.state() is RunState.FINISHED


def test_a_killed_parent_leaves_a_child_that_saves_and_ends(plan: Callable[..., Path], runs: Path) -> None:
    train = Running("train", plan(save_every=1000))
    train.until(step(30))
    child = train.child()
    train.process.kill()
    train.process.communicate()
    waits_for(lambda: not alive(child), "the end of the child")
    (run,) = list_runs(runs)
    assert run.state() is RunState.STOPPED
    kept = run.checkpoint_step()
    assert 30 <= kept < STEPS

    more = Running("train", "--resume", run.path)
    assert more.outcome(0)["steps"] == STEPS
    assert more.steps()[0] == kept + 1


def test_a_run_whose_model_has_vanished_says_so(runs: Path, tmp_path: Path, one_answer: Path) -> None:
    run = new_run(runs, model=str(tmp_path / "gone"), data=(str(one_answer),))
    told = Running("train", "--resume", run.path).outcome(1)
    assert told["problem"] == "model_missing" and str(tmp_path / "gone") in told["title"]
