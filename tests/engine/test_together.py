"""The same plan on two processes that `accelerate launch` starts learns what one process learns with twice the rows."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from core.engine.train import train
from core.events import Evaluated, Event, Finished, StepDone
from core.plan import TrainingPlan
from core.problems import Code, Trouble
from core.runs import RunFolder
from tests.engine.conftest import Listener
from tests.fakes import new_run

ROOT = Path(__file__).resolve().parents[2]


def launch(
    home: Path, *words: object, way: str = "--multi_gpu", module: str = "core", **more: str
) -> subprocess.CompletedProcess[str]:
    """Start `solotune` on two processes of the processor; `more` goes into their environment."""
    environment = os.environ | {
        "SOLOTUNE_HOME": str(home), "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "CUDA_VISIBLE_DEVICES": "",
    } | more  # fmt: skip
    command = [sys.executable, "-m", "accelerate.commands.launch", way, "--num_processes=2",
               "--num_machines=1", "--mixed_precision=no", "--dynamo_backend=no", "--main_process_port=0",
               "-m", module, *map(str, words)]  # fmt: skip
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280)


def steps(events: list[Event]) -> dict[int, float | None]:
    return {event.step: event.loss for event in events if isinstance(event, StepDone)}


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path) -> TrainingPlan:
    """21 rows of all lengths, four in a step, 17 of them trained: the last step of an epoch is not full."""
    path = tmp_path_factory.mktemp("data") / "rows.jsonl"
    rows = [{"instruction": f"What is {i}?", "output": "Well: " + "4" * (i * 7 % 50 + 1)} for i in range(21)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return TrainingPlan(
        model=str(tiny_base), data=(str(path),), targets="full", batch=2, accumulation=1, tokens=128, epochs=1.5,
        save_every=4, evaluate_every=4, dropout=0.0, learning_rate=5e-3, validation_share=0.2, packing=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory, plan: TrainingPlan) -> RunFolder:
    """The run of two processes."""
    home = tmp_path_factory.mktemp("home")
    plan.save(home / "plan.json")
    done = launch(home, "train", home / "plan.json", "--json")
    assert done.returncode == 0, done.stderr[-3000:]
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["kind"] for each in told].count("finished") == 1
    return RunFolder.open(Path(told[-1]["run"]))


def test_losses_are_those_of_one_process_with_twice_the_rows(
    two: RunFolder, plan: TrainingPlan, tmp_path: Path
) -> None:
    one = RunFolder.create(tmp_path, replace(plan, accumulation=2))
    talk = Listener()
    train(one.path, talk, resume=False)
    events = list(two.events())
    assert list(steps(events)) == list(range(1, len(steps(talk.events)) + 1))
    assert list(steps(events).values()) == pytest.approx(list(steps(talk.events).values()), rel=1e-2)
    checked = [each.loss for each in events if isinstance(each, Evaluated)]
    assert checked == pytest.approx([each.loss for each in talk.of(Evaluated)], rel=1e-2) and len(checked) > 1
    rows = [(each.rows, each.tokens, each.trained_tokens) for each in events if isinstance(each, StepDone)]
    assert rows == [(each.rows, each.tokens, each.trained_tokens) for each in talk.of(StepDone)]
    assert min(rows)[0] < 4 and len(rows) == len(steps(events)), "each step is told once, the short one too"
    assert isinstance(events[-1], Finished) and two.has_adapter() and not two.is_busy()


def test_two_processes_go_on_from_their_checkpoint(two: RunFolder, plan: TrainingPlan) -> None:
    before = steps(list(two.events()))
    newest, *_older = two.sealed()
    shutil.rmtree(newest)
    shutil.rmtree(two.adapter)
    lines = two.events_file.read_text(encoding="utf-8").splitlines()
    two.events_file.write_text("\n".join(lines[:-1]) + "\n", encoding="utf-8")
    begun = two.checkpoint_step()
    assert 0 < begun < max(before)
    done = launch(two.path.parents[2], "train", "--resume", two.path)
    assert done.returncode == 0, done.stderr[-3000:]
    again = [event for event in list(two.events())[len(lines) - 1 :] if isinstance(event, StepDone)]
    assert {each.step: each.loss for each in again} == {step: before[step] for step in before if step > begun}
    assert two.has_adapter()


def test_deepspeed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", "true")
    with pytest.raises(Trouble) as told:
        train(new_run(tmp_path).path, Listener(), resume=False)
    assert told.value.problem.code is Code.SHARED_MODEL
