"""A person goes from the first page to a merged model, and through every accident on the way."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from core.events import StepDone
from core.hub.folder import check_model_folder
from core.runs import RunFolder, RunState, list_runs
from core.wizard import Step, go
from gui.main_window import MainWindow
from tests.e2e.person import Person
from tests.patience import alive, waits_for

Dialogs = dict[str, object]


def goes_to_plan(person: Person, dialogs: Dialogs, model: Path, data: Path) -> None:
    """GPU, Model, Data: choose the practice mode, a folder and a file."""
    person.clicks("next")
    dialogs["folder"] = model
    person.clicks("choose_folder")
    person.clicks("next")
    dialogs["files"] = [str(data)]
    person.clicks("browse_data")
    person.waits_to_see("data_report")
    person.clicks("next")
    person.waits_for(lambda: person.find("rank").isEnabled())


def sets(person: Person, **values: object) -> None:
    """Type values into the plan's fields, unfolding the advanced ones."""
    if not person.sees("learning_rate"):
        person.clicks("advanced")
    for name, value in values.items():
        person.types(name, str(value))


def trains_long(person: Person) -> None:
    """A plan of many small steps, so that there is time for accidents; one checkpoint in five of the way."""
    sets(person, epochs="100", batch="1", accumulation="1", learning_rate="0.001")
    person.clicks("next")
    person.clicks("start")


def child_of(run: RunFolder) -> psutil.Process:
    """The process that trains a run; the window may have other children, that come and go."""
    owner = run.owner()
    assert owner is not None
    return psutil.Process(owner["pid"])


def newest(runs: Path) -> RunFolder:
    return list_runs(runs)[0]


def test_from_the_first_page_to_a_merged_model(
    window: MainWindow, person: Person, dialogs: Dialogs, tiny_base: Path, tmp_path: Path, runs: Path
) -> None:
    # no two rows are the same: the window cleans duplicates away
    rows = ({"instruction": f"What is {i}?", "output": "It is 8."} for i in range(40))
    data = tmp_path / "rows.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    goes_to_plan(person, dialogs, tiny_base, data)
    assert window.state.step is Step.PLAN
    sets(person, learning_rate="0.01", epochs="10")
    person.clicks("next")
    person.clicks("start")
    person.waits_for(lambda: window.state.run_state is RunState.FINISHED, minutes=2)
    history = newest(runs).history()
    assert history.last_loss is not None and history.first_loss is not None
    assert history.last_loss < 0.7 * history.first_loss
    assert history.memory and history.evaluations

    person.clicks("next")
    person.waits_to_see("question", minutes=2)
    person.types("question", "What is 4?")
    person.clicks("ask")
    person.waits_for(lambda: "It is 8." in person.reads("talk_tuned"), minutes=1)
    person.waits_for(lambda: "It is" in person.reads("talk_base"), minutes=1)
    assert "It is 8." not in person.reads("talk_base")

    person.clicks("next")
    person.clicks("merge")
    person.waits_to_see("proof", minutes=2)
    assert "10 of 10" in person.reads("proof")
    merged = newest(runs).path / "merged"
    check_model_folder(merged)
    assert json.loads((merged / "solotune.json").read_text())["verified"]


def test_the_plan_is_checked_with_the_models_own_modules(
    window: MainWindow, person: Person, dialogs: Dialogs, tiny_base: Path, one_answer: Path, qtbot: QtBot
) -> None:
    window.desk.dry_runs = True
    goes_to_plan(person, dialogs, tiny_base, one_answer)
    person.waits_for(lambda: "Estimated" in person.reads("memory_source"))
    person.waits_for(lambda: "Checked" in person.reads("memory_source"))
    person.clicks("rank")
    qtbot.keyClick(person.find("rank"), Qt.Key.Key_Up)
    assert window.state.plan is not None and window.state.plan.rank == 32
    assert "Checked" not in person.reads("memory_source")
    person.waits_for(lambda: "Checked" in person.reads("memory_source"))
    person.clicks("next")
    person.waits_for(lambda: window.desk.runner.idle)


def test_a_killed_child_is_told_and_resume_goes_on(
    window: MainWindow, person: Person, dialogs: Dialogs, tiny_base: Path, one_answer: Path, runs: Path
) -> None:
    goes_to_plan(person, dialogs, tiny_base, one_answer)
    trains_long(person)
    person.waits_for(lambda: bool(list_runs(runs)) and newest(runs).checkpoint() is not None, minutes=2)
    child_of(newest(runs)).kill()
    person.waits_to_see("problem_card")
    person.waits_to_see("resume")
    kept, reached = newest(runs).checkpoint_step(), newest(runs).history().step
    assert 0 < kept <= reached
    person.clicks("resume")
    person.waits_for(lambda: newest(runs).history().step > reached, minutes=4)
    person.clicks("stop")
    person.waits_to_see("resume", minutes=2)
    steps = [e.step for e in newest(runs).events() if isinstance(e, StepDone)]
    # steps behind the checkpoint are taken twice where the kill came after them
    again = len(steps) - 1 - steps[::-1].index(kept + 1)
    assert steps[again:] == list(range(kept + 1, steps[-1] + 1))


def test_stop_and_save_then_resume(
    window: MainWindow, person: Person, dialogs: Dialogs, tiny_base: Path, one_answer: Path, runs: Path
) -> None:
    goes_to_plan(person, dialogs, tiny_base, one_answer)
    trains_long(person)
    person.waits_for(lambda: bool(list_runs(runs)) and newest(runs).history().step > 3, minutes=2)
    person.clicks("stop")
    person.waits_to_see("resume", minutes=2)
    run = newest(runs)
    assert run.state() is RunState.STOPPED and run.checkpoint_step() == run.history().step
    assert window.state.has_adapter and person.find("next").isEnabled()


WINDOW = """
import os, sys, time
os.environ["QT_QPA_PLATFORM"] = "offscreen"
from pathlib import Path
if __name__ == "__main__":
    import core.gpu
    from core.problems import Code, Trouble
    from core.plan import TrainingPlan
    from core.runs import RunFolder
    from PySide6.QtWidgets import QApplication
    from gui.app import Studio
    model, data, root = sys.argv[1:]
    plan = TrainingPlan(model=model, data=(data,), batch=1, accumulation=1, tokens=128, epochs=50.0, targets="full",
                        save_every=20, evaluate_every=500, validation_share=0.0)
    run = RunFolder.create(Path(root), plan)
    app = QApplication([])
    studio = Studio(app)
    studio.show()
    studio.window.open_run(run.path, True)
    print(run.path, flush=True)
    sys.exit(app.exec())
"""


def test_a_killed_window_loses_nothing(
    window: MainWindow, person: Person, tiny_base: Path, one_answer: Path, runs: Path, tmp_path: Path
) -> None:
    script = tmp_path / "window.py"
    script.write_text(WINDOW)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, str(script), str(tiny_base), str(one_answer), str(runs)]
    other = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert other.stdout
    run = RunFolder(Path(other.stdout.readline().strip()))
    person.waits_for(lambda: run.checkpoint_step() >= 20, minutes=2)
    child = child_of(run)
    os.kill(other.pid, signal.SIGKILL)
    other.wait()
    other.stdout.close()
    waits_for(lambda: not alive(child), "the end of the child")
    saved = run.checkpoint_step()
    assert run.state() in (RunState.STOPPED, RunState.INTERRUPTED) and saved == run.history().step > 20

    window.open_run(run.path, False)
    person.waits_for(lambda: window.state.step is Step.TRAIN)
    person.clicks("resume")
    person.waits_for(lambda: run.history().step > saved, minutes=2)
    person.clicks("stop")
    person.waits_to_see("resume")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.json", b"", "empty"),
        ("numbers.json", b"[1, 2, 3]", "does not recognise"),
        ("half.json", b'[{"instruction": "a", "output": "b"}, {"instr', "cannot be read"),
        ("gone.jsonl", None, "no file"),
    ],
)
def test_bad_data_gets_one_clear_sentence_and_the_way_on(
    window: MainWindow, person: Person, dialogs: Dialogs, tiny_base: Path, tmp_path: Path,
    name: str, content: bytes | None, words: str, one_answer: Path,
) -> None:  # fmt: skip
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    person.clicks("next")
    dialogs["folder"] = tiny_base
    person.clicks("choose_folder")
    person.clicks("next")
    dialogs["files"] = [str(path)]
    person.clicks("browse_data")
    person.waits_to_see("problem_card")
    assert words in person.reads("problem_card").lower()
    assert not person.find("next").isEnabled()
    dialogs["files"] = [str(one_answer)]
    person.clicks("problem_action" if person.sees("problem_action") else "browse_data")
    person.waits_to_see("data_report")


def test_bad_model_folders_are_refused_with_the_reason(
    person: Person, dialogs: Dialogs, tmp_path: Path, tiny_base: Path, qtbot: QtBot
) -> None:
    import shutil

    empty, pickle = tmp_path / "empty", tmp_path / "pickle"
    empty.mkdir()
    shutil.copytree(tiny_base, pickle)
    (pickle / "model.safetensors").rename(pickle / "pytorch_model.bin")
    person.clicks("next")
    for folder, words in ((empty, "config.json"), (pickle, "run code")):
        dialogs["folder"] = folder
        person.clicks("choose_folder")
        person.waits_to_see("problem_card")
        assert words in person.reads("problem_card")
        assert not person.find("next").isEnabled()


def test_folders_that_cannot_be_written_are_said_and_nothing_is_lost(
    window: MainWindow, person: Person, dialogs: Dialogs, tiny_base: Path, one_answer: Path, tmp_path: Path, runs: Path
) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("")
    goes_to_plan(person, dialogs, tiny_base, one_answer)
    sets(person, epochs="1")
    person.clicks("next")
    window.desk.settings = replace(window.desk.settings, runs_folder=str(blocked / "runs"))
    person.clicks("start")
    person.waits_to_see("problem_card")
    assert str(blocked) in person.reads("problem_card")
    window.desk.settings = replace(window.desk.settings, runs_folder="")
    person.clicks("start")
    person.waits_for(lambda: window.state.run_state is RunState.FINISHED, minutes=2)
    window.propose(go(window.state, Step.EXPORT))
    window.page("export").set_target(blocked / "merged")
    person.clicks("merge")
    person.waits_for(lambda: person.sees("problem_card") and str(blocked) in person.reads("problem_card"))
    assert blocked.read_text() == "" and newest(runs).has_adapter()
