"""A run keeps what it learns from: the same rows come back, whatever becomes of the files that they came from."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from core.data import kept as of_run
from core.data.clean import Cleaning, Mode, StepName
from core.data.clean.written import ROWS
from core.data.inspect import read_conversations
from core.data.kept import MIXED, ORDER, VALIDATION, changed, kept, mark, order_of
from core.data.prepare import prepare
from core.data.prepared import Prepared
from core.plan import Mix, TrainingPlan, TrainingStage
from tests.core.test_prepare import Write, pairs, plan_of, said, write

__all__ = ["write"]


@pytest.fixture
def plan(write: Write) -> TrainingPlan:
    """Two stages of rows of which some come more than once, rows that are mixed in, and rows to check with."""
    basic = write(
        "basic.jsonl", [*pairs(40, 1), ("你好？", "请拨打 13812345678。"), ("Odd \u2028\x85?", "\ud800 <\t>")]
    )
    expert = write("expert.jsonl", pairs(20, 2))
    stages = (TrainingStage((basic,), 2.0), TrainingStage((expert, basic), 0.5))
    mix = (Mix(write("general.jsonl", pairs(50, 3)), 0.2),)
    return plan_of(basic, expert, stages=stages, mix=mix, weights=(0.5, 1.5), validation_share=0.1)


def same(found: Prepared, other: Prepared | None) -> bool:
    """Whether two sets are the same row for row, and rows that come more than once are one object in both."""
    assert other is not None
    ways = [[[id(row) for row in stage.rows] for stage in one.stages] for one in (found, other)]
    first = [[stage.index(row) for row in stage] for stage in ways[0]]
    return (
        replace(found, report=other.report, clean_report=other.clean_report) == other
        and first == [[stage.index(row) for row in stage] for stage in ways[1]]
        and len({i for stage in ways[0] for i in stage}) == len({i for stage in ways[1] for i in stage})
    )


@pytest.mark.parametrize("cleaning", [None, Cleaning().switched(StepName.PRIVATE, Mode.ACT)])
def test_the_rows_come_back_without_the_files(plan: TrainingPlan, cleaning: Cleaning | None, tmp_path: Path) -> None:
    plan, folder = replace(plan, cleaning=cleaning), tmp_path / "run" / "data"
    found = prepare(plan, folder=folder)
    assert found.kept and same(found, kept(folder, plan))
    # each with the file and the line that it came from
    mixed = [json.loads(line) for line in (folder / MIXED).read_text(encoding="utf-8").splitlines()]
    assert {row["file"] for row in mixed} == {plan.mix[0].file} and all(row["line"] for row in mixed)
    assert len(mixed) == len({row["line"] for row in mixed})
    checks, _report = read_conversations((str(folder / VALIDATION),))
    assert said(checks) == said(found.validation) and len(checks) == 6
    for name in (*plan.data, plan.mix[0].file):
        Path(name).unlink()
    assert same(found, kept(folder, plan))
    everything = "".join(path.read_text(encoding="utf-8") for path in folder.iterdir())
    assert ("13812345678" in everything) == (cleaning is None)
    order = order_of(folder, plan)
    assert order is not None and changed(order) == dict.fromkeys((*plan.data, plan.mix[0].file), False)


def test_a_changed_file_is_noticed_and_other_wishes_mean_other_rows(plan: TrainingPlan, tmp_path: Path) -> None:
    found = prepare(plan, folder=tmp_path / "data")
    order = order_of(tmp_path / "data", plan)
    assert order is not None and changed(order) == {}
    with Path(plan.data[1]).open("a") as file:
        file.write("\n")
    assert changed(order) == {plan.data[1]: True} and same(found, kept(tmp_path / "data", plan))
    # what is learned is the same with another rate; with another seed it is not
    assert kept(tmp_path / "data", replace(plan, learning_rate=1e-5, tokens=64)) is not None
    assert kept(tmp_path / "data", replace(plan, seed=7)) is None
    # an older version did not know every value
    path = tmp_path / "data" / ORDER
    written = json.loads(path.read_text(encoding="utf-8"))
    del written["asked"]["passage"]
    path.write_text(json.dumps(written), encoding="utf-8")
    assert kept(tmp_path / "data", plan) is not None
    assert kept(tmp_path / "data", replace(plan, passage=100)) is None


@pytest.mark.parametrize("name", [ROWS, MIXED, VALIDATION, ORDER])
def test_a_damaged_copy_is_none(plan: TrainingPlan, tmp_path: Path, name: str) -> None:
    prepare(plan, folder=tmp_path / "data")
    path = tmp_path / "data" / name
    path.write_bytes(path.read_bytes()[:-20])
    assert kept(tmp_path / "data", plan) is None


def test_of_too_many_rows_only_the_marks_are_kept(
    plan: TrainingPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_run, "MOST_BYTES", 1000)
    assert not prepare(plan, folder=tmp_path / "data").kept
    assert [path.name for path in (tmp_path / "data").iterdir()] == [ORDER] and kept(tmp_path / "data", plan) is None
    order = order_of(tmp_path / "data", plan)
    assert order is not None and order.files[plan.data[0]] == mark(Path(plan.data[0])) != ""


def test_the_mark_of_a_folder_is_that_of_all_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.jsonl").write_text("a")
    before = mark(folder)
    (folder / "deep" / "b.jsonl").write_text("b")
    after = mark(folder)
    (folder / "deep" / "b.jsonl").rename(folder / "b.jsonl")
    assert len({before, after, mark(folder)}) == 3 and mark(folder / "none") == ""


def test_rows_of_every_kind_come_back(tmp_path: Path) -> None:
    """Running text, thoughts, calls of tools with their results, and definitions of tools."""
    call = {"id": "1", "type": "function", "function": {"name": "rain", "arguments": {"where": "Köln", "n": [1, 2.5]}}}
    talk = [
        {"role": "user", "content": "Rain?"},
        {"role": "assistant", "content": "", "reasoning_content": "Look it up.", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "no"},
        {"role": "assistant", "content": "No."},
    ]
    tools = [{"type": "function", "function": {"name": "rain", "parameters": {"type": "object", "properties": {}}}}]
    (tmp_path / "talk.jsonl").write_text(json.dumps({"messages": talk, "tools": tools}), encoding="utf-8")
    (tmp_path / "book.txt").write_text("天黑了。\r\nOne sentence after the other. \n\n" * 40, encoding="utf-8")
    plan = plan_of(str(tmp_path / "talk.jsonl"), str(tmp_path / "book.txt"), passage=200, validation_share=0.0)
    found = prepare(plan, folder=tmp_path / "data")
    first, *others = found.train
    assert first.tools and first.messages[1].calls and first.messages[1].thought
    assert others and all(row.is_running for row in others)
    assert same(found, kept(tmp_path / "data", plan))
