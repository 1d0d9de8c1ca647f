"""Runs of a tiny model: all methods learn, stop keeps, resume goes on exactly, the record is true."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from core.engine.train import train
from core.events import Evaluated, Noted, Saved, StepDone
from core.jobs.talk import StopAsked
from core.plan import Method
from core.problems import Code, Trouble
from core.runs import RunFolder
from core.seals import COMPLETE
from tests.engine.conftest import Listener
from tests.tiny import make_tiny_model

MakeRun = Callable[..., RunFolder]


@pytest.mark.parametrize("method", list(Method))
@pytest.mark.parametrize("checkpointing", ["none", "full"])
def test_every_method_learns(make_run: MakeRun, method: Method, checkpointing: str) -> None:
    run = make_run(method=method, epochs=3.0, checkpointing=checkpointing)
    talk = Listener()
    result = train(run.path, talk, resume=False)
    assert result["last_loss"] < 0.7 * result["first_loss"]
    steps = talk.of(StepDone)
    assert [s.step for s in steps] == list(range(1, steps[-1].total_steps + 1))
    assert all(s.trained_tokens > 0 and s.gradient_norm is not None for s in steps)
    weights = load_file(run.adapter / "adapter_model.safetensors")
    assert any("lora_B" in name and float(w.abs().max()) > 0 for name, w in weights.items())


def test_the_adapter_brings_all_that_chat_needs(make_run: MakeRun) -> None:
    run = make_run()
    train(run.path, Listener(), resume=False)
    files = {p.name for p in run.adapter.iterdir()}
    assert {"adapter_config.json", "tokenizer.json", "chat_template.jinja", "generation_config.json"} <= files
    assert json.loads((run.adapter / "generation_config.json").read_text())["eos_token_id"] == 2


def test_validation_rows_are_held_back_and_evaluated(make_run: MakeRun) -> None:
    run = make_run(validation_share=0.25)
    talk = Listener()
    train(run.path, talk, resume=False)
    held_back = next(n.facts["rows"] for n in talk.of(Noted) if n.code == "validation_rows")
    assert held_back == 6
    evaluations = talk.of(Evaluated)
    assert evaluations and evaluations[-1].loss < evaluations[0].loss
    assert evaluations[0].perplexity == pytest.approx(torch.tensor(evaluations[0].loss).exp().item(), rel=1e-4)


def test_accumulation_gives_the_losses_of_one_large_batch(make_run: MakeRun) -> None:
    losses = []
    for batch, accumulation in ((4, 1), (1, 4)):
        talk = Listener()
        run = make_run(batch=batch, accumulation=accumulation, dropout=0.0, validation_share=0.0, steps=4)
        train(run.path, talk, resume=False)
        losses.append([s.loss for s in talk.of(StepDone)])
    assert losses[0] == pytest.approx(losses[1], rel=2e-2)


def test_stop_keeps_and_resume_goes_on_as_if_nothing_had_been(make_run: MakeRun) -> None:
    whole = Listener()
    train(make_run(epochs=2.0).path, whole, resume=False)
    run = make_run(epochs=2.0)
    first = Listener(stop_when=lambda e: isinstance(e, StepDone) and e.step == 7)
    with pytest.raises(StopAsked) as stopped:
        train(run.path, first, resume=False)
    kept = stopped.value.step
    assert kept in (7, 8) and run.checkpoint_step() == kept and run.has_adapter()
    second = Listener()
    train(run.path, second, resume=True)
    steps = second.of(StepDone)
    assert steps[0].step == kept + 1
    expected = {s.step: s.loss for s in whole.of(StepDone)}
    assert [s.loss for s in steps] == pytest.approx([expected[s.step] for s in steps], rel=1e-3)


def test_a_half_written_checkpoint_does_not_count(make_run: MakeRun) -> None:
    run = make_run(epochs=1.0, save_every=3)
    train(run.path, Listener(), resume=False)
    newest = run.checkpoint()
    assert newest is not None
    (newest / COMPLETE).unlink()
    older = run.checkpoint()
    assert older is not None and older != newest
    talk = Listener()
    train(run.path, talk, resume=True)
    assert talk.of(StepDone)[0].step == int(older.name.rpartition("-")[2]) + 1


def test_two_whole_checkpoints_are_kept(make_run: MakeRun) -> None:
    run = make_run(epochs=1.0, save_every=2)
    talk = Listener()
    train(run.path, talk, resume=False)
    assert len(talk.of(Saved)) > 3
    assert len(list(run.checkpoints.iterdir())) == 2
    assert not list(run.checkpoints.rglob("*.bin"))


def test_stop_before_the_first_step_leaves_no_checkpoint(make_run: MakeRun) -> None:
    run = make_run()
    talk = Listener()
    talk.stop_requested = True
    with pytest.raises(StopAsked):
        train(run.path, talk, resume=False)
    assert run.checkpoint() is None and not run.has_adapter()


def test_rows_longer_than_the_plan_are_told(make_run: MakeRun) -> None:
    talk = Listener()
    # the prompt takes 29 tokens, the answer 9 more
    train(make_run(tokens=33).path, talk, resume=False)
    codes = {n.code for n in talk.of(Noted)}
    assert codes & {"rows_truncated", "rows_skipped"}


def test_nothing_to_learn_is_a_problem(make_run: MakeRun) -> None:
    with pytest.raises(Trouble) as refused:
        train(make_run(tokens=16).path, Listener(), resume=False)
    assert refused.value.problem.code is Code.NOTHING_TO_LEARN


def test_unknown_targets_are_a_problem(make_run: MakeRun) -> None:
    with pytest.raises(Trouble) as refused:
        train(make_run(targets="no_such_module").path, Listener(), resume=False)
    assert refused.value.problem.code is Code.PLAN_INVALID


def test_a_model_without_template_trains_with_the_fallback(make_run: MakeRun, tmp_path: Path) -> None:
    base = make_tiny_model(tmp_path / "plain", template=None)
    talk = Listener()
    run = make_run(model=str(base))
    train(run.path, talk, resume=False)
    assert "template_fallback" in {n.code for n in talk.of(Noted)}
    assert "### Response" in (run.adapter / "chat_template.jinja").read_text()


@pytest.mark.parametrize("settings", [{"steps": 7}, {"epochs": 1.4}, {"epochs": 2.0, "packing": True}], ids=str)
def test_the_tokens_to_come_are_told(make_run: MakeRun, tmp_path: Path, settings: dict[str, Any]) -> None:
    """The time left hangs on them; without packing a part of an epoch begins with its longest rows."""
    path = tmp_path / "lengths.jsonl"
    rows = [{"instruction": f"What is {i}?", "output": "4" * (i * 7 % 50 + 1)} for i in range(21)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    usual: dict[str, Any] = {"data": (str(path),), "packing": False, "validation_share": 0.0, "save_every": 99}
    talk = Listener()
    train(make_run(**usual | settings).path, talk, resume=False)
    (planned,) = (note.facts["tokens"] for note in talk.of(Noted) if note.code == "tokens_planned")
    assert planned == sum(step.tokens for step in talk.of(StepDone))
