"""The plan's data fields: old files stay valid, every value survives the file, impossible ones are refused."""

import json
from pathlib import Path

import pytest

from core.codec import from_plain, to_plain
from core.data.clean import Cleaning, Mode, StepName
from core.data.columns import Columns
from core.plan import Mix, TrainingPlan, TrainingStage, load_plan
from core.problems import Code, Trouble

PLAN = TrainingPlan(
    "model",
    ("a.jsonl", "b.jsonl"),
    mix=(Mix("general.jsonl", 0.2),),
    weights=(1.0, 0.5),
    stages=(TrainingStage(("a.jsonl",), 2.0), TrainingStage(("b.jsonl", "a.jsonl"))),
    cleaning=Cleaning().switched(StepName.PRIVATE, Mode.ACT).excepting("00ff"),
    columns=Columns("问题", "回答"),
    passage=500,
)


def test_a_plan_survives_its_file(tmp_path: Path) -> None:
    PLAN.save(tmp_path / "plan.json")
    assert load_plan(tmp_path / "plan.json") == PLAN


def test_a_plan_of_before_has_no_mixes_stages_or_cleaning(tmp_path: Path) -> None:
    new = {"mix", "weights", "stages", "cleaning", "columns", "passage"}
    old = {name: value for name, value in to_plain(TrainingPlan("model", ("a.jsonl",))).items() if name not in new}
    plan = from_plain(TrainingPlan, old)
    assert plan == TrainingPlan("model", ("a.jsonl",)) and plan.cleaning is None and not plan.stages and not plan.mix


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"weights": [1.0]}, "weights"),
        ({"weights": [1.0, 0.0]}, "weights"),
        ({"mix": [{"file": "a.jsonl", "share": 0.1}]}, "mix"),
        ({"mix": [{"file": "g.jsonl", "share": 0.95}]}, "mix"),
        ({"mix": [{"file": "g.jsonl", "share": 0.5}, {"file": "h.jsonl", "share": 0.5}]}, "mix"),
        ({"mix": [{"file": "g.jsonl"}, {"file": "g.jsonl"}]}, "mix"),
        ({"stages": [{"files": ["a.jsonl"]}]}, "stages"),
        ({"stages": [{"files": ["a.jsonl", "b.jsonl", "c.jsonl"]}]}, "stages"),
        ({"stages": [{"files": []}]}, "stages"),
        ({"stages": [{"files": ["a.jsonl", "b.jsonl"], "epochs": 0.0}]}, "stages"),
        ({"steps": 10}, "steps"),
        ({"data": ["a.jsonl", "a.jsonl"], "stages": [{"files": ["a.jsonl"]}]}, "data"),
        ({"cleaning": {"similar": 0.1}}, "similar"),
        ({"cleaning": {"steps": [{"step": "nonsense", "mode": "act"}]}}, "nonsense"),
        ({"columns": {"question": "q"}}, "answer"),
        ({"passage": -1}, "passage"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, changed: dict[str, object], named: str) -> None:
    (tmp_path / "plan.json").write_text(json.dumps(to_plain(PLAN) | changed))
    with pytest.raises(Trouble) as refused:
        load_plan(tmp_path / "plan.json")
    assert refused.value.problem.code is Code.PLAN_INVALID
    assert named in refused.value.problem.facts["reason"]
