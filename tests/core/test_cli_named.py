"""What people type: runs by their names, misspelled names that are guessed, and help that fits a terminal."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from core.cli import run
from core.plan import TrainingPlan
from core.runs import RunFolder
from core.settings import load, runs_root

Said = tuple[int, str, str]
Command = Callable[..., Said]


@pytest.fixture
def solotune(capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command in this process; its exit status, standard output and standard error."""

    def command(*words: object) -> Said:
        with pytest.raises(SystemExit) as left:
            run([str(word) for word in words])
        assert isinstance(left.value.code, int)
        return left.value.code, *capsys.readouterr()

    return command


@pytest.fixture
def two_runs() -> tuple[RunFolder, RunFolder]:
    """An older and a newer run where runs are kept; neither has an adapter."""
    older = RunFolder.create(runs_root(load()), TrainingPlan(model="older", data=("rows.jsonl",)))
    newer = older.path.with_name("29990101-000000_newer")
    newer.mkdir()
    TrainingPlan(model="newer", data=("rows.jsonl",)).save(newer / "plan.json")
    return older, RunFolder(newer)


def table_of(solotune: Command, named: object, tmp_path: Path) -> Said:
    return solotune("export-csv", named, "-o", tmp_path / "table.csv", "--json")


def test_a_run_goes_by_its_name_its_folder_or_last(
    solotune: Command, two_runs: tuple[RunFolder, RunFolder], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older, newer = two_runs
    monkeypatch.chdir(tmp_path)
    for named, meant in ((older.name, older), (older.path, older), ("last", newer)):
        code, out, _err = solotune("pause", named, "--json")
        assert (code, json.loads(out)["problem"]) == (1, "run_idle")
        assert json.loads(out)["facts"]["path"] == str(meant.path)


def test_a_folder_that_is_there_comes_before_a_name(
    solotune: Command, two_runs: tuple[RunFolder, RunFolder], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    TrainingPlan(model="mine", data=("rows.jsonl",)).save(_made(tmp_path / "last") / "plan.json")
    code, out, _err = solotune("pause", "last", "--json")
    assert (code, json.loads(out)["facts"]["path"]) == (1, str(tmp_path / "last"))


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


@pytest.mark.parametrize("named", ["last", "nothing", "../nothing"])
def test_a_run_that_is_not_there_is_a_problem(solotune: Command, tmp_path: Path, named: str) -> None:
    code, out, _err = table_of(solotune, named, tmp_path)
    assert (code, json.loads(out)["problem"]) == (1, "run_missing")
    assert not (tmp_path / "table.csv").exists()


def test_a_misspelled_field_of_a_plan_is_guessed(solotune: Command, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text('{"model": "smollm2-135m-instruct", "data": ["rows.jsonl"], "learning_rat": 1, "zzz": 2}')
    code, _out, err = solotune("train", plan)
    assert code == 1
    assert "unknown field: learning_rat (did you mean learning_rate?), zzz." in err


def test_a_misspelled_model_is_guessed(solotune: Command) -> None:
    for typed, meant in (("smolm2-135m-instruct", "smollm2-135m-instruct"), ("Qwen2.5-7B-Instuct", "qwen2.5-7b")):
        code, _out, err = solotune("estimate", "--model", typed)
        assert code == 1 and "Did you mean" in err and meant in err.lower().split("did you mean")[1]
    assert "Did you mean" not in solotune("estimate", "--model", "zzz")[2]


def test_missing_rows_are_said_before_a_run_is_made(
    solotune: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.cli.work.find_folder", lambda model, root: tmp_path)
    (tmp_path / "rows.jsonl").touch()
    for more in ({"data": ["gone.jsonl"]}, {"validation": "gone.jsonl"}, {"mix": [{"file": "gone.jsonl"}]}):
        plan = tmp_path / "plan.json"
        plan.write_text(json.dumps({"model": "smollm2-135m-instruct", "data": ["rows.jsonl"], **more}))
        code, out, _err = solotune("train", plan, "--json")
        assert (code, json.loads(out)["problem"]) == (1, "data_missing")
        assert json.loads(out)["facts"]["path"] == str(tmp_path / "gone.jsonl")
    assert not runs_root(load()).exists() or not any(runs_root(load()).iterdir())


def test_the_list_of_commands_fits_a_terminal(solotune: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is cut off, and the name of the program is the one that people type."""
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _err = solotune("--help")
    assert code == 0 and out.startswith("Usage: solotune ")
    commands = out.partition("Commands:")[2].strip().splitlines()
    assert len(commands) > 20 and not [line for line in commands if line.endswith("...")]
