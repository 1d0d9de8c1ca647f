"""Steps on the tiny model: how rows lie makes no difference, a broken step leaves no trace, the best adapter stays."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from core.engine import trainer as trainers
from core.engine.steps import Layout, tensors
from core.engine.train import train
from core.events import Evaluated, Noted, Saved, StepDone
from core.jobs.talk import StopAsked
from core.plan import Loss, Method
from core.problems import Code, Trouble, diagnose
from core.runs import RunFolder
from tests.engine.conftest import Listener

MakeRun = Callable[..., RunFolder]


@pytest.fixture
def mixed(tmp_path: Path) -> str:
    """Rows of very different lengths."""
    path = tmp_path / "mixed.jsonl"
    rows = [{"instruction": f"Tell me {i}", "output": "and so on " * (1 + 3 * i % 8)} for i in range(24)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def losses_of(run: RunFolder, *, resume: bool = False) -> list[float]:
    talk = Listener()
    train(run.path, talk, resume=resume)
    return [step.loss for step in talk.of(StepDone)]


@pytest.mark.parametrize(("method", "loss"), [("lora", "chunked"), ("lora", "plain"), ("lora8", "chunked"),
                                              ("qlora", "chunked")])  # fmt: skip
def test_how_rows_lie_makes_no_difference(make_run: MakeRun, mixed: str, method: str, loss: str) -> None:
    """Alone, padded, packed two by two or all into one sequence: the same losses, but for the rounding of 16 bits."""
    ways = ({"batch": 1, "accumulation": 8, "packing": False}, {"batch": 4, "accumulation": 2, "packing": False},
            {"batch": 4, "accumulation": 2}, {"batch": 1, "accumulation": 8, "tokens": 512})  # fmt: skip
    settings: dict[str, Any] = {"data": (mixed,), "dropout": 0.0, "validation_share": 0.0, "steps": 4, "save_every": 99}
    settings |= {"method": Method(method), "loss": Loss(loss), "learning_rate": 1e-3, "weights": (1.0,)}
    # the same rows in every step: packed steps are drawn from all rows, others from rows of like length
    found = [losses_of(make_run(**settings | {"epochs": 1.0, "accumulation": 24 // way["batch"]} | way | {
        "accumulation": 24 // way["batch"]})) for way in ways]  # fmt: skip
    for other in found[1:]:
        assert other == pytest.approx(found[0], rel=0.02 if method == "lora8" else 0.01)


def test_positions_begin_again_and_no_row_is_predicted_from_another() -> None:
    rows = [{"input_ids": [5, 6, 7], "labels": [5, 6, 7]}, {"input_ids": [8, 9], "labels": [8, 9]}]
    one = tensors([rows], pad=0)
    assert one["input_ids"].tolist() == [[5, 6, 7, 8, 9, 0, 0, 0]]
    assert one["labels"].tolist() == [[-100, 6, 7, -100, 9, -100, -100, -100]]
    assert one["position_ids"].tolist() == [[0, 1, 2, 0, 1, 2, 3, 4]]
    two = tensors([[row] for row in rows], pad=0)
    assert "position_ids" not in two and two["labels"].tolist() == [[-100, 6, 7], [-100, 9, -100]]
    laid = Layout(0, 2, 8, packing=True)([row | {"place": at} for at, row in enumerate(rows)])
    assert sorted(laid["places"]) == [0, 1] and laid["tokens"] == 5


def stop_inside_step(monkeypatch: pytest.MonkeyPatch, talk: Listener, number: int) -> None:
    """Ask to stop after the first of the micro-batches of step `number` (from 1)."""
    real, seen = trainers.SoloTrainer._summed_loss, []

    def loss(self: Any, batch: Any) -> torch.Tensor:
        if self.model.training and self.state.global_step == number - 1:
            seen.append(1)
            talk.stop_requested = True
        return real(self, batch)

    monkeypatch.setattr(trainers.SoloTrainer, "_summed_loss", loss)


@pytest.mark.parametrize("method", list(Method))
def test_stopped_in_the_middle_of_a_step_it_resumes_exactly_dropout_included(
    make_run: MakeRun, method: Method, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"method": method, "batch": 2, "accumulation": 3, "tokens": 48, "dropout": 0.1, "epochs": 2.0,
                "save_every": 99, "evaluate_every": 99}  # fmt: skip
    whole = losses_of(make_run(**settings))
    run, talk = make_run(**settings), Listener()
    with monkeypatch.context() as patched, pytest.raises(StopAsked) as stopped:
        stop_inside_step(patched, talk, 4)
        train(run.path, talk, resume=False)
    assert stopped.value.step == run.checkpoint_step() == 3
    assert [step.loss for step in talk.of(StepDone)] == whole[:3]
    assert losses_of(run, resume=True) == whole[3:]


def test_out_of_memory_in_a_step_keeps_all_that_was_learned(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"batch": 2, "accumulation": 2, "epochs": 2.0, "save_every": 99, "evaluate_every": 99}
    whole = losses_of(make_run(**settings))
    run, talk, real = make_run(**settings), Listener(), trainers.SoloTrainer._summed_loss

    def full(self: Any, batch: Any) -> torch.Tensor:
        if self.model.training and self.state.global_step == 3:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return real(self, batch)

    with monkeypatch.context() as patched, pytest.raises(torch.cuda.OutOfMemoryError) as broken:
        patched.setattr(trainers.SoloTrainer, "_summed_loss", full)
        train(run.path, talk, resume=False)
    assert diagnose(broken.value).code is Code.GPU_MEMORY and run.checkpoint_step() == 3
    assert losses_of(run, resume=True) == whole[3:]


@pytest.mark.parametrize("what", ["loss", "gradient"])
def test_numbers_that_are_none_never_reach_the_adapter(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    run, talk, real = make_run(save_every=3, evaluate_every=99), Listener(), trainers.SoloTrainer._summed_loss

    def broken(self: Any, batch: Any) -> torch.Tensor:
        loss = real(self, batch)
        if not self.model.training or self.state.global_step < 4:
            return loss
        if what == "loss":
            return loss * float("nan")
        loss.register_hook(lambda gradient: gradient * float("inf"))
        return loss

    with monkeypatch.context() as patched, pytest.raises(Trouble) as found:
        patched.setattr(trainers.SoloTrainer, "_summed_loss", broken)
        train(run.path, talk, resume=False)
    problem, data = found.value.problem, run.plan().data[0]
    assert problem.code is Code.NOT_A_NUMBER and (problem.facts["what"], problem.facts["step"]) == (what, 5)
    # two of the file's 24 rows
    assert [file for file, _line in problem.facts["rows"]] == [data] * 2
    assert all(1 <= line <= 24 for _file, line in problem.facts["rows"])
    assert talk.of(StepDone)[-1].step == 4 and run.checkpoint_step() == 3


def asked(path: Path, numbers: range, factor: int) -> str:
    rows = [{"instruction": f"What is {i}?", "output": f"It is {i * factor % 10}."} for i in numbers]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def test_an_overfitting_run_ends_early_with_its_best_adapter(make_run: MakeRun, tmp_path: Path) -> None:
    """20 rows are learned by heart: validation gets worse, three evaluations are waited for, the best one counts."""
    data, held = asked(tmp_path / "few.jsonl", range(20), 7), asked(tmp_path / "held.jsonl", range(20, 26), 1)
    run = make_run(data=(data,), validation=held, epochs=40.0, patience=3, evaluate_every=5, save_every=500)
    talk = Listener()
    result = train(run.path, talk, resume=False)
    evaluations = talk.of(Evaluated)
    best = min(evaluations, key=lambda each: each.loss)
    steps = talk.of(StepDone)
    assert steps[-1].step == result["steps"] == best.step + 15 < steps[-1].total_steps
    notes = {note.code: note.facts for note in talk.of(Noted)}
    assert notes["stopped_early"] == {"step": steps[-1].step, "waited": 3}
    assert notes["best_kept"]["step"] == best.step and notes["best_kept"]["last_loss"] > best.loss
    kept = load_file(run.adapter / "adapter_model.safetensors")
    beside = load_file(run.best / "adapter_model.safetensors")
    assert kept.keys() == beside.keys() and all(torch.equal(kept[name], beside[name]) for name in kept)
    assert talk.of(Saved)[-1].path == "adapter"
