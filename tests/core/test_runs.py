"""A run is a folder: created whole, read back from any state, never lost."""

import json
import os
import threading
from pathlib import Path

import psutil
import pytest

from core.events import Finished, Stage, StageName, Stopped
from core.files import folder_in_place, write_text
from core.plan import TrainingPlan, load_plan
from core.problems import Code, Trouble
from core.runs import RunFolder, RunState, list_runs
from core.seals import COMPLETE
from core.wire import encode
from tests.fakes import new_run


def checkpoint(run: RunFolder, step: int, *, whole: bool = True) -> Path:
    folder = run.checkpoints / f"checkpoint-{step}"
    folder.mkdir(parents=True)
    if whole:
        (folder / COMPLETE).write_text("{}")
    return folder


def write(run: RunFolder, *lines: str) -> None:
    run.events_file.write_text("".join(line + "\n" for line in lines))


def test_runs_of_one_second_get_names_of_their_own(tmp_path: Path) -> None:
    runs = [new_run(tmp_path, model="Qwen/中文 model") for _ in range(3)]
    assert len({run.path for run in runs}) == 3
    assert {run.path for run in list_runs(tmp_path)} == {run.path for run in runs}
    assert all(run.plan() == runs[0].plan() for run in runs)


def test_the_newest_whole_checkpoint_counts(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    assert run.checkpoint() is None and run.checkpoint_step() == 0
    checkpoint(run, 9)
    checkpoint(run, 100)
    checkpoint(run, 200, whole=False)
    assert run.checkpoint_step() == 100


def test_states(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    assert run.state() is RunState.NEW
    write(run, encode(Stage(stage=StageName.LOADING)), '{"kind":"st')
    assert run.state() is RunState.INTERRUPTED and run.resumable()
    run.hold(os.getpid())
    assert run.state() is RunState.RUNNING and not run.resumable()
    run.release()
    write(run, encode(Stage(stage=StageName.LOADING)), encode(Stopped(step=1)))
    assert run.state() is RunState.STOPPED and run.resumable()
    write(run, encode(Finished()))
    assert run.state() is RunState.FINISHED and not run.resumable()


def test_a_process_id_that_was_given_away_again_holds_nothing(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    mine = {"pid": os.getpid(), "created": psutil.Process().create_time() - 1000}
    (run.path / "busy.json").write_text(json.dumps(mine))
    assert not run.is_busy()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"pid": "x"}', '{"pid": -5, "created": 0}'])
def test_a_broken_mark_holds_nothing(tmp_path: Path, text: str) -> None:
    run = new_run(tmp_path)
    (run.path / "busy.json").write_text(text)
    assert not run.is_busy()


def test_of_two_that_begin_at_once_the_second_finds_it_busy(tmp_path: Path) -> None:
    """Both have looked, and found the run free, before either of them holds it."""
    run, entered, refused = new_run(tmp_path), threading.Event(), list[Code]()

    def second() -> None:
        try:
            with run.beginning():
                entered.set()
        except Trouble as trouble:
            refused.append(trouble.problem.code)

    with run.beginning():
        beside = threading.Thread(target=second)
        beside.start()
        assert not entered.wait(0.3)
        # another process than this one: who holds a run may begin in it
        run.hold(os.getppid())
    beside.join()
    assert refused == [Code.RUN_BUSY] and not entered.is_set()
    run.release()
    with run.beginning():
        assert not run.is_busy()


def test_where_nothing_can_be_locked_it_begins_all_the_same(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    (run.path / "busy.lock").mkdir()
    with run.beginning():
        run.hold(os.getppid())
    with pytest.raises(Trouble), run.beginning():
        pass


def test_a_folder_without_a_plan_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(Trouble) as refused:
        RunFolder.open(tmp_path)
    assert refused.value.problem.code is Code.RUN_MISSING


def test_a_held_run_is_not_deleted(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    run.hold(os.getpid())
    with pytest.raises(Trouble):
        run.delete()
    run.release()
    run.delete()
    assert not run.path.exists()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Expecting value"),
        ("[1]", "expected an object"),
        ('{"model": "m", "data": ["d"], "rnak": 1}', "unknown field: rnak"),
        ('{"model": "m", "data": ["d"], "rank": 0}', "rank: 0 is outside"),
        ('{"model": "m", "data": ["d"], "learning_rate": NaN}', "learning_rate"),
        ('{"model": "m", "data": []}', "data"),
        ('{"model": "m", "data": ["d"], "checkpointing": "some"}', "checkpointing"),
        ("[" * 100_000, ""),
    ],
)
def test_a_wrong_plan_says_what_is_wrong(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "plan.json"
    path.write_text(text)
    with pytest.raises(Trouble) as refused:
        load_plan(path)
    assert refused.value.problem.code is Code.PLAN_INVALID
    assert reason in refused.value.problem.facts["reason"]


def test_target_presets_and_names() -> None:
    assert TrainingPlan(model="m", data=("d",), targets="minimal").target_modules == ("q_proj", "v_proj")
    assert TrainingPlan(model="m", data=("d",), targets="a, b").target_modules == ("a", "b")


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "model"
    with pytest.raises(RuntimeError), folder_in_place(target) as folder:
        (folder / "half").write_text("x")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    for text in ("one", "two"):
        with folder_in_place(target) as folder:
            (folder / "file").write_text(text)
        assert (target / "file").read_text() == text
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_text(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "\ud800")
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]
