"""A run keeps what it takes to repeat it, and says how another computer differs from where it was trained."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from core.capsule import Difference, capsule_of, differences, keep_capsule, model_marks, read_capsule
from core.plan import load_plan
from core.runs import RunFolder
from core.wording.capsule import difference_lines
from tests.fakes import new_run

LLAMA = {
    "model_type": "llama", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 100,
}  # fmt: skip


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(LLAMA))
    header = json.dumps({"w": {"dtype": "F32", "shape": [90_000], "data_offsets": [0, 360_000]}}).encode()
    (folder / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + b"\0" * 360_000)
    (folder / "tokenizer.json").write_text("{}")
    return folder


@pytest.fixture
def run(tmp_path: Path, model: Path) -> RunFolder:
    (tmp_path / "rows.jsonl").write_text('{"instruction": "a", "output": "b"}\n')
    return new_run(tmp_path / "runs", model=str(model), data=(str(tmp_path / "rows.jsonl"),), seed=7)


def test_a_capsule_is_read_back_and_grows_by_another_place(
    run: RunFolder, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_capsule(run, model)
    keep_capsule(run, model)
    found = read_capsule(run)
    assert found is not None and len(found.places) == 1 and found.plan["seed"] == 7
    assert found.places[0].versions["torch"] and found.data[run.plan().data[0]] and set(found.model) == {
        "config.json", "model.safetensors", "tokenizer.json",
    }  # fmt: skip
    monkeypatch.setattr("core.capsule.version", lambda _name: "0.0")
    keep_capsule(run, model)
    again = read_capsule(run)
    assert again is not None and [place.versions["torch"] for place in again.places][1] == "0.0"


def test_what_differs_is_said(run: RunFolder, model: Path) -> None:
    then = capsule_of(run.plan(), model)
    assert differences(then, capsule_of(run.plan(), model)) == ()
    Path(run.plan().data[0]).write_text("other")
    weights = model / "model.safetensors"
    weights.write_bytes(weights.read_bytes() + b"\0")
    now = capsule_of(run.plan(), model)
    now = replace(
        now, places=(replace(now.places[0], card="RTX 5090", versions={**now.places[0].versions, "torch": "9"}),)
    )
    found = differences(then, now)
    assert [(each.what, each.name) for each in found] == [
        ("data", run.plan().data[0]), ("model", "model.safetensors"), ("card", "card"), ("version", "torch"),
    ]  # fmt: skip
    lines = difference_lines(found, rows_kept=False)
    assert (
        "rows.jsonl is not what it was: other rows" in lines[0] and lines[2] == "Another card: – then, RTX 5090 here."
    )
    assert "were kept" in difference_lines([Difference("data", "x", "1", "")], rows_kept=True)[0]


def test_numbers_of_the_weights_are_not_read(model: Path) -> None:
    before = model_marks(model)
    weights = model / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] = 1
    weights.write_bytes(data)
    assert model_marks(model) == before
    (model / "config.json").write_text("{}")
    assert {name for name, mark in model_marks(model).items() if mark != before[name]} == {"config.json"}


def test_a_damaged_capsule_is_none(run: RunFolder) -> None:
    assert read_capsule(run) is None
    run.capsule.write_text('{"plan"')
    assert read_capsule(run) is None


def test_a_run_is_made_once_more(run: RunFolder, model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from core.cli import run as command

    keep_capsule(run, model)
    with pytest.raises(SystemExit):
        command(["repeat", str(run.path), "--only-make"])
    said = capfd.readouterr()
    assert said.out, said.err
    made = RunFolder.open(Path(said.out.strip()))
    assert load_plan(made.plan_file) == run.plan() and made.path != run.path
    assert "are those of then" in said.err
