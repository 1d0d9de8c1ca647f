"""How files are learned together: a value that fits any files, a plan made of it, and files read beside."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.arrangement import Arrangement, arranged, arrangement_of, fitting, in_order
from core.catalog import STARTER, spec_of
from core.codec import from_plain
from core.data.prepare import examine, prepare
from core.data.rows import DataReport, Shape
from core.data.shared import Shared
from core.jobs.extras import ExtrasJob
from core.plan import Mix, TrainingPlan, TrainingStage
from core.planning import plan_for, total_steps
from core.wizard import WizardState, arrange, choose_data, choose_plan
from tests.core.test_prepare import Hears, Write, pairs, write

__all__ = ["write"]  # a fixture

PLAN = TrainingPlan("model", ("a", "b", "c"), steps=7)
FULL = Arrangement((("b", 2.0),), in_order(("a", "b", "c"), 3), (Mix("general", 0.2),), "checks")


def test_a_plan_takes_an_arrangement_and_gives_it_back() -> None:
    plan = arranged(PLAN, FULL)
    assert plan.weights == (1.0, 2.0, 1.0) and plan.steps == 0
    assert [(stage.files, stage.epochs) for stage in plan.stages] == [(("a",), 1), (("b",), 1), (("c",), 3)]
    assert arrangement_of(plan) == FULL
    assert arrangement_of(PLAN) == Arrangement() and arranged(PLAN, Arrangement()) == PLAN


def test_other_files_drop_what_has_gone_and_come_last() -> None:
    found = fitting(FULL, ("a", "c", "new"))
    assert found.weights == () and [stage.files for stage in found.stages] == [("a",), ("c",), ("new",)]
    assert fitting(FULL, ("a",)).stages == ()
    assert fitting(FULL, ("a", "general", "checks")).beside == ()
    assert FULL.weighing("b", 1.0).weights == () and FULL.weighing("a", 0.5).weight("a") == 0.5


def test_the_wizard_keeps_the_arrangement_through_reading_planning_and_fixes() -> None:
    report = DataReport(("a", "b"), 300, 300, Shape.ALPACA, by_file=(100, 200))
    state = choose_data(WizardState(model=spec_of(STARTER)), report)
    once = plan_for(state)
    staged = arrange(state, Arrangement(stages=in_order(("a", "b"), 2), mix=(Mix("m"),)))
    plan = plan_for(staged)
    assert plan.stages == staged.arrangement.stages and plan.mix == (Mix("m"),)
    assert plan.save_every == max(1, -(-total_steps(plan, (100, 200)) // 5)) and total_steps(once, (100, 200)) > 0
    assert choose_data(staged, replace(report, files=("b", "c"))).arrangement.stages == (
        TrainingStage(("b",), 2), TrainingStage(("c",)),
    )  # fmt: skip
    assert choose_data(staged, replace(report, files=("other",))).arrangement == Arrangement()
    with_plan = choose_plan(staged, plan)
    assert with_plan.arrangement == arrangement_of(plan) and with_plan.arrangement.mix == (Mix("m"),)
    alone = arrange(with_plan, Arrangement())
    assert alone.plan == replace(plan, stages=(), mix=())
    with pytest.raises(ValueError):
        arrange(with_plan, Arrangement(mix=(Mix("m", 0.6), Mix("n", 0.6))))


def test_files_beside_are_read_as_training_reads_them(write: Write, tmp_path: Path) -> None:
    rows = pairs(30, 1)
    data = (write("a.jsonl", rows),)
    near, other_answer = (rows[3][0], rows[3][1] + " also"), (rows[9][0], "Something else entirely, said at length.")
    checks = write("checks.jsonl", [*pairs(10, 2), *rows[:2], near, other_answer])
    general = write("general.jsonl", pairs(50, 3))
    examine(data, None, keep=tmp_path / "kept.jsonl")
    job = ExtrasJob(str(tmp_path / "kept.jsonl"), (general, str(tmp_path / "missing.jsonl")), checks)
    told: dict[str, Any] = json.loads(json.dumps(job.run(Hears())))
    assert told["rows"] == {general: 50, checks: 14}
    assert told["problems"][str(tmp_path / "missing.jsonl")]["code"] == "data_missing"
    found = from_plain(Shared, told["shared"])
    plan = TrainingPlan("model", data, validation=checks)
    assert (found.checked, found.rows, found.exact) == (14, prepare(plan).shared, 2)
    assert [touch.row.line for touch in found.touches] == [11, 12, 13, 14]
    assert [touch.like.line for touch in found.touches if touch.like] == [1, 2, 4, 10]
