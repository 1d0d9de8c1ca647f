"""`check --will-it-learn`: a plan judged in the terminal, by what training would make of every row."""

import json
from pathlib import Path
from typing import Any

import pytest

from core.cli import run
from core.plan import TrainingPlan


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    rows = [{"instruction": f"What is {i}?", "output": f"It is the number {i} of many."} for i in range(30)]
    path.write_text("".join(json.dumps(row) + "\n" for row in [*rows, *rows[:6]]), encoding="utf-8")
    return path


def said(capfd: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
    """Run a command; its exit code and standard output."""
    with pytest.raises(SystemExit) as left:
        run([str(word) for word in words])
    assert isinstance(left.value.code, int)
    return left.value.code, capfd.readouterr().out


def test_a_plan_is_judged_by_what_training_makes_of_its_rows(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, tiny_base: Path, data: Path
) -> None:
    checks = tmp_path / "checks.jsonl"
    other = '{"instruction": "Where does the river end?", "output": "Far away, in the sea."}\n'
    checks.write_text(data.read_text(encoding="utf-8").splitlines()[0] + "\n" + other * 2, encoding="utf-8")
    # names beside the plan, as somebody would write them
    TrainingPlan(str(tiny_base), (data.name,), validation=checks.name).save(tmp_path / "plan.json")
    code, out = said(capfd, "check", "--plan", tmp_path / "plan.json", "--json")
    told: dict[str, Any] = json.loads(out)["learn"]
    found = {check["code"]: check for check in told["checks"]}
    assert code == 0 and not told["blocked"] and told["plan"]["data"] == [str(data)]
    levels = [check["level"] for check in told["checks"]]
    assert levels == sorted(levels, key=("blocker", "warning", "note", "good").index) and levels[0] == "warning"
    # 36 answers of 27 or 28 bytes, each with the token that ends it
    trained = sum(len(json.loads(line)["output"]) + 1 for line in data.read_text(encoding="utf-8").splitlines())
    assert found["learn_trained_few"]["facts"]["trained"] == trained
    assert found["learn_overlap"]["facts"]["rows"] == 1
    assert found["learn_exact"]["facts"]["rows"] == 6
    steps = found["learn_exact"]["fix"]["plan"]["cleaning"]["steps"]
    assert steps == [{"step": "exact", "mode": "act"}] and found["learn_exact"]["fix"]["text"] == "Keep one of each"


def test_a_run_that_would_learn_nothing_is_a_failure(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, data: Path
) -> None:
    TrainingPlan("Qwen/Qwen3-0.6B", (str(data),), steps=1).save(tmp_path / "plan.json")
    code, out = said(capfd, "check", "--plan", tmp_path / "plan.json")
    lines = out[out.index("Will it learn?") :].splitlines()
    assert code == 1 and lines[1].startswith("  Must be put right: Nothing would be learned")
    assert lines[2].startswith("    → Set the warm-up to") and lines[2].endswith("(warmup: 0.0)")


def test_the_recommended_plan_is_judged_for_a_model_that_is_not_here(
    capfd: pytest.CaptureFixture[str], data: Path
) -> None:
    code, out = said(capfd, "check", data, "--will-it-learn", "--model", "Qwen/Qwen3-0.6B", "--json")
    told = json.loads(out)
    codes = {check["code"] for check in told["learn"]["checks"]}
    # what check would clean is cleaned in the plan that is judged
    assert code == 0 and told["kept"] == 30 and "learn_exact" not in codes and "rows_few" in codes
    assert told["learn"]["plan"]["model"] == "Qwen/Qwen3-0.6B" and told["learn"]["plan"]["cleaning"]


@pytest.mark.parametrize(
    "words",
    ["check", "check DATA --will-it-learn", "check DATA --plan DATA", "check --plan DATA --steps exact"],
)
def test_what_cannot_be_judged_is_wrong_usage(capfd: pytest.CaptureFixture[str], data: Path, words: str) -> None:
    assert said(capfd, *words.replace("DATA", str(data)).split())[0] == 2
