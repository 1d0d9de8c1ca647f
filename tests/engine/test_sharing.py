"""A base that two processes share out (FSDP) learns what one process learns with twice the rows, and nobody waits."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from core.catalog import spec_from_config
from core.engine.asked import questions_of
from core.engine.loading import attach_saved_adapter
from core.engine.train import train
from core.events import Evaluated, Failed, Finished, Noted, Sampled, Side, StepDone
from core.plan import Method, TrainingPlan
from core.problems import Code, Trouble
from core.runs import RunFolder
from core.vram import shared_bytes
from tests.engine.conftest import Listener
from tests.engine.test_together import launch, steps
from tests.fakes import new_run


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path) -> TrainingPlan:
    """Four rows in a step and one in the last step of an epoch; five rows to check with, which two cannot halve."""
    path = tmp_path_factory.mktemp("data") / "rows.jsonl"
    rows = [{"instruction": f"What is {i}?", "output": "Well: " + "4" * (i * 7 % 50 + 1)} for i in range(22)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return TrainingPlan(
        model=str(tiny_base), data=(str(path),), targets="full", batch=2, accumulation=1, tokens=128, epochs=1.5,
        save_every=4, evaluate_every=4, dropout=0.0, learning_rate=5e-3, validation_share=5 / 22, packing=False,
        checkpointing="full", questions=("What is 3?", "What is 12?"),
    )  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def two(home: Path, plan: TrainingPlan) -> RunFolder:
    """The run of two processes, as `accelerate launch --use_fsdp` starts them."""
    plan.save(home / "plan.json")
    done = launch(home, "train", home / "plan.json", "--json", way="--use_fsdp", module="tests.engine.one_of_two")
    assert done.returncode == 0, done.stderr[-3000:]
    return RunFolder.open(Path(json.loads(done.stdout.splitlines()[-1])["run"]))


def test_losses_and_answers_are_those_of_one_process_with_the_whole_base(
    two: RunFolder, plan: TrainingPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With recomputation, a step with a row for one process only, and unequal shares of an evaluation."""
    monkeypatch.setattr("core.engine.workshop.questions_of", questions_of)
    monkeypatch.setattr("core.engine.samples.ANSWER_TOKENS", 12)
    one = RunFolder.create(tmp_path, replace(plan, accumulation=2))
    talk = Listener()
    train(one.path, talk, resume=False)
    events = list(two.events())
    learned = steps(talk.events)
    assert min(event.rows for event in events if isinstance(event, StepDone)) == 1
    assert steps(events) == pytest.approx(learned, rel=1e-2) and len(learned) > 6
    checked = [each.loss for each in events if isinstance(each, Evaluated)]
    assert checked == pytest.approx([each.loss for each in talk.of(Evaluated)], rel=1e-2) and len(checked) > 1
    asked = [(each.step, each.side, each.question) for each in events if isinstance(each, Sampled)]
    assert asked == [(each.step, each.side, each.question) for each in talk.of(Sampled)]
    before = {each.question: each.answer for each in events if isinstance(each, Sampled) and each.side is Side.BASE}
    assert before == {each.question: each.answer for each in talk.of(Sampled) if each.side is Side.BASE}
    assert isinstance(events[-1], Finished) and not two.is_busy()


def test_each_process_holds_half_of_every_layer(two: RunFolder, home: Path, tiny_base: Path) -> None:
    found = [json.loads((home / f"held-{process}.json").read_text()) for process in (0, 1)]
    whole = found[0]["whole"]
    assert sum(each["held"] for each in found) == whole == found[1]["whole"] > 100_000
    assert all(each["held"] == pytest.approx(whole / 2, rel=0.02) for each in found)
    # the prediction adds what is on every card, and layers at work: both of the two that there are
    architecture = spec_from_config(tiny_base / "config.json").architecture
    beside = 2 * architecture.parameters - whole
    assert shared_bytes(architecture, 2) == pytest.approx(beside + found[0]["held"] + whole, rel=1e-3)


def test_the_adapter_is_whole_and_fits_the_base(two: RunFolder, tiny_base: Path) -> None:
    base = AutoModelForCausalLM.from_pretrained(tiny_base, dtype=torch.bfloat16)
    saved = load_file(two.adapter / "adapter_model.safetensors")
    linear = 7 * base.config.num_hidden_layers
    assert len(saved) == 2 * linear and all(torch.isfinite(each).all() for each in saved.values())
    tuned = attach_saved_adapter(base, two.adapter)
    ours = dict(tuned.named_parameters())
    assert all(torch.equal(ours[name.replace(".weight", ".default.weight")], each) for name, each in saved.items())
    assert any(each.any() for name, each in saved.items() if ".lora_B." in name)


def test_a_process_that_breaks_does_not_leave_the_other_waiting(home: Path, plan: TrainingPlan) -> None:
    """The second process runs out of memory within a pass that the first one waits in; the first one says why.

    What fails on both of them, here the answers, is no reason to end.
    """
    plan.save(home / "breaks.json")
    done = launch(
        home, "train", home / "breaks.json", way="--use_fsdp", module="tests.engine.one_of_two", BREAKS="1:12"
    )
    assert done.returncode != 0
    assert done.stderr.count("The card ran out of memory.") == 1
    runs = [RunFolder.open(path) for path in (home / "data" / "runs").iterdir()]
    (failed,) = [run for run in runs if isinstance(list(run.events())[-1], Failed)]
    events = list(failed.events())
    assert [each.code for each in events if isinstance(each, Noted)].count("samples_failed") == 1
    assert isinstance(events[-1], Failed) and events[-1].problem.code is Code.GPU_MEMORY
    assert failed.checkpoint_step() == 4 and not failed.is_busy()
    # whoever resumes it computes one row after the other
    assert (failed.plan().batch, failed.plan().accumulation) == (1, 2)
    assert events[-2].code == "memory_smaller" and events[-2].facts["step"] == 4


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"method": Method.QLORA}, Code.SHARED_BITS),
        ({"method": Method.LORA8}, Code.SHARED_BITS),
        ({"initialisation": "eva"}, Code.PLAN_INVALID),
    ],
)
def test_what_cannot_be_shared_out_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], code: Code
) -> None:
    monkeypatch.setenv("SOLOTUNE_FSDP", "true")
    monkeypatch.setattr("core.engine.processes.count", lambda: 2)
    with pytest.raises(Trouble) as told:
        train(new_run(tmp_path, **settings).path, Listener(), resume=False)
    assert told.value.problem.code is code


def test_one_process_alone_has_nothing_to_share(make_run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOLOTUNE_FSDP", "false")
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    talk = Listener()
    train(make_run(steps=1).path, talk, resume=False)
    assert talk.of(StepDone) and "ACCELERATE_USE_FSDP" not in os.environ
