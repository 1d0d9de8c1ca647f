"""What a run will write is known before it starts, and what must stay free while it runs."""

from dataclasses import replace
from pathlib import Path

import pytest

from core import disk
from core.catalog import spec_of
from core.disk import RESERVE_BYTES, checkpoint_bytes, expect_room, room_bytes, room_to_save, run_bytes
from core.plan import Optimizer, TrainingPlan
from core.problems import Code, Trouble
from core.seals import COMPLETE
from core.vram import adapter_parameters
from core.wording import explain
from tests.fakes import new_run

SEVEN = spec_of("qwen2.5-7b-instruct").architecture
PLAN = TrainingPlan(model="qwen2.5-7b-instruct", data=("x.jsonl",), rank=64, targets="full")


def test_a_large_adapter_takes_gigabytes_of_disk_and_its_8_bit_optimizer_half() -> None:
    numbers = adapter_parameters(SEVEN, PLAN)
    assert 12.0 * numbers < checkpoint_bytes(SEVEN, PLAN) < 12.1 * numbers
    small = replace(PLAN, optimizer=Optimizer.ADAMW8BIT)
    assert checkpoint_bytes(SEVEN, small) < 0.51 * checkpoint_bytes(SEVEN, PLAN)
    assert run_bytes(SEVEN, PLAN) > 3 * checkpoint_bytes(SEVEN, PLAN) > 5e9


def test_rows_are_kept_with_the_run(tmp_path: Path) -> None:
    data = tmp_path / "rows.jsonl"
    data.write_bytes(b"x" * 1000)
    with_rows = replace(PLAN, data=(str(data), "no\0path", str(tmp_path / "missing")))
    assert run_bytes(SEVEN, with_rows) == run_bytes(SEVEN, PLAN) + 1000


def test_too_little_room_is_said_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needed = run_bytes(SEVEN, PLAN) + RESERVE_BYTES
    monkeypatch.setattr(disk, "free_bytes", lambda _path: needed)
    expect_room(tmp_path / "runs", PLAN)
    monkeypatch.setattr(disk, "free_bytes", lambda _path: needed - 1)
    with pytest.raises(Trouble) as refused:
        expect_room(tmp_path / "runs", PLAN)
    problem = refused.value.problem
    assert problem.code is Code.DISK_FULL
    assert problem.facts == {"path": str(tmp_path / "runs"), "needed_bytes": needed, "free_bytes": needed - 1}
    assert "GB of disk space" in explain(problem).title
    assert not (tmp_path / "runs").exists()
    expect_room(tmp_path, replace(PLAN, model="nobody/knows"))


def test_a_checkpoint_is_tried_only_where_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "free_bytes", lambda _path: RESERVE_BYTES + 500)
    assert room_to_save(tmp_path, 500) and not room_to_save(tmp_path, 501)


def test_what_must_stay_free_is_the_next_checkpoint(tmp_path: Path) -> None:
    run = new_run(tmp_path, model="qwen2.5-7b-instruct")
    assert room_bytes(run) == checkpoint_bytes(SEVEN, run.plan()) + RESERVE_BYTES
    newest = run.checkpoints / "checkpoint-4"
    newest.mkdir(parents=True)
    (newest / "optimizer.pt").write_bytes(b"x" * 1000)
    (newest / COMPLETE).write_bytes(b"{}")
    assert room_bytes(run) == 1002 + RESERVE_BYTES
    assert room_bytes(new_run(tmp_path, model="nobody/knows")) == RESERVE_BYTES
