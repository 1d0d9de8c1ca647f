"""`solotune watch RUN` and what `solotune train` says meanwhile: observations as sentences and as JSON."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from core.cli import run
from core.cli.coach import Coach
from core.events import Finished
from core.runs import RunFolder
from core.wire import encode
from tests.curves import Curve, overfit


def folder_of(curve: Curve, root: Path, upto: int | None = None) -> RunFolder:
    """A run folder with everything that such a training told."""
    made = RunFolder.create(root, curve.plan)
    lines = [encode(event) for event in curve.events(upto)]
    made.events_file.write_text("\n".join([*lines, encode(Finished())]), encoding="utf-8")
    return made


def said(capfd: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
    """Run a command; its exit code and standard output."""
    with pytest.raises(SystemExit) as left:
        run([str(word) for word in words])
    assert isinstance(left.value.code, int)
    return left.value.code, capfd.readouterr().out


def test_a_run_that_overfits_is_told_with_what_helps(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    made = folder_of(overfit(0), tmp_path)
    code, out = said(capfd, "watch", made.path)
    assert code == 0
    assert "Trouble (steps 160 to 400): The model begins to learn the rows by heart: it overfits." in out
    assert "  → Set the epochs to 3" in out and "at step 120." in out and "Nothing stands out" not in out
    told: dict[str, Any] = json.loads(said(capfd, "watch", made.path, "--json")[1])
    assert told["best"]["step"] == 120 and told["state"] == "finished" and told["seconds_left"] is None
    found = {each["code"]: each for each in told["observations"]}
    assert found["overfitting"]["now"] and found["overfitting"]["action"] == "stop_keep_best"
    assert found["overfitting"]["remedies"][0] == {
        "name": "fix_epochs", "text": "Set the epochs to 3", "plan": {"epochs": 3.0},
    }  # fmt: skip


def test_a_healthy_run_has_nothing_that_stands_out(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out = said(capfd, "watch", folder_of(Curve(steps=120), tmp_path).path)
    assert code == 0 and "It learns well" in out and out.splitlines()[-1] == "Nothing stands out."


def test_a_run_that_is_not_there_is_a_problem(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out = said(capfd, "watch", tmp_path / "nothing", "--json")
    assert code == 1 and json.loads(out)["problem"] == "run_missing"


def test_training_in_a_terminal_says_each_thing_once(tmp_path: Path) -> None:
    curve, out = overfit(0), io.StringIO()
    coach = Coach(RunFolder.create(tmp_path, curve.plan), out)
    for event in curve.events(390):
        coach.hear(event)
    lines = out.getvalue().splitlines()
    assert [line.count("it overfits") for line in lines].count(1) == 1 and len(lines) == 2
    assert coach.left() == pytest.approx(10 * 0.28 + 0.28 * 9, rel=0.5)


def test_samples_are_told_question_by_question(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    curve = Curve(steps=40, answers=2, answer=lambda step, question: f"answer {question} at {step}")
    made = folder_of(curve, tmp_path)
    code, out = said(capfd, "samples", made.path)
    assert code == 0 and out.count("? ") == 2
    assert "  base: answer 1 at 0\n" in out and "  step 40: answer 1 at 40\n" in out
    told = json.loads(said(capfd, "samples", made.path, "--json")[1])
    first = told["questions"][0]
    assert first["base"] == {"answer": "answer 0 at 0", "cut": False}
    assert [each["step"] for each in first["rounds"]] == list(range(4, 41, 4))
    assert "no questions" in said(capfd, "samples", folder_of(Curve(steps=20), tmp_path).path)[1]
