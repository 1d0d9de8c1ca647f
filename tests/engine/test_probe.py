"""The probe on a pretended card: what fits runs unchanged, what does not is stepped down, told, and trained."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.engine.gauge import gauge_of
from core.engine.train import train
from core.events import Evaluated, Noted, Saved, StepDone
from core.fit import constants_of
from core.jobs.talk import StopAsked
from core.plan import load_plan
from core.problems import Code, Trouble
from core.runs import RunFolder
from core.settings import measured_file
from core.wording import note_words
from tests.engine.conftest import Listener
from tests.engine.pretend import PretendCard

MakeRun = Callable[..., RunFolder]
PLENTY = 1 << 40


def notes(talk: Listener) -> dict[str, dict[str, Any]]:
    return {note.code: note.facts for note in talk.of(Noted)}


def taken(make_run: MakeRun, **settings: Any) -> int:
    """What a run takes where there is plenty."""
    card = PretendCard(PLENTY)
    train(make_run(steps=1, **settings).path, Listener(), resume=False, gauge=card)
    assert card.needs[0] is not None
    return card.needs[0]


def test_a_plan_that_fits_is_proven_and_learns_as_without_a_probe(make_run: MakeRun) -> None:
    plain, probed = Listener(), Listener()
    settings = {"epochs": 1.0, "validation_share": 0.25, "dropout": 0.1, "batch": 3, "accumulation": 2}
    train(make_run(**settings).path, plain, resume=False)
    run = make_run(**settings)
    card = PretendCard(PLENTY)
    train(run.path, probed, resume=False, gauge=card)
    assert [s.loss for s in probed.of(StepDone)] == [s.loss for s in plain.of(StepDone)]
    assert [e.loss for e in probed.of(Evaluated)] == [e.loss for e in plain.of(Evaluated)]
    assert len(card.needs) == 1 and card.free
    told = notes(probed)["probe_fits"]
    assert told["measured_bytes"] == card.needs[0] and told["left_bytes"] == PLENTY - told["measured_bytes"]
    assert "probe_stepped" not in notes(probed)
    assert not (run.path / "probe").exists() and not (run.path / "asked.json").exists()


def test_the_rehearsal_says_nothing_of_its_own_steps(make_run: MakeRun) -> None:
    talk = Listener()
    train(make_run(steps=3).path, talk, resume=False, gauge=PretendCard(PLENTY))
    assert [s.step for s in talk.of(StepDone)] == [1, 2, 3]
    assert all("probe" not in s.path for s in talk.of(Saved))


def test_the_longest_rows_are_rehearsed(make_run: MakeRun, tmp_path: Path) -> None:
    """One long row among short ones decides; where it comes does not."""
    rows = [{"instruction": f"What is {i}?", "output": f"It is {i}."} for i in range(30)]
    rows[17]["output"] = "It is " + "very " * 60 + "long."
    data = tmp_path / "long.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    settings = {"batch": 1, "accumulation": 1, "validation_share": 0.0}
    long = taken(make_run, data=(str(data),), **settings)
    assert long > 1.5 * taken(make_run, **settings)


def test_what_does_not_fit_is_stepped_down_and_trains_to_the_end(make_run: MakeRun) -> None:
    small = taken(make_run, batch=2, accumulation=8)
    assert small < taken(make_run, batch=8, accumulation=2)
    run, talk, card = make_run(batch=8, accumulation=2, epochs=2.0), Listener(), PretendCard(int(1.02 * small))
    result = train(run.path, talk, resume=False, gauge=card)
    asked, done = load_plan(run.path / "asked.json"), run.plan()
    assert (asked.batch, asked.accumulation) == (8, 2)
    assert done.batch <= 2 and done.effective_batch == asked.effective_batch
    assert card.needs[0] is None and card.needs[-1] is not None and card.needs[-1] <= card.room_bytes
    assert result["steps"] == talk.of(StepDone)[-1].total_steps
    told = notes(talk)
    assert {"probe_stepped", "stepped_batch", "probe_fits"} <= told.keys()
    assert told["stepped_batch"]["before"] == 8 and told["stepped_batch"]["after"] == done.batch


def test_a_stepped_run_goes_on_with_what_it_was_stepped_to(make_run: MakeRun) -> None:
    small = taken(make_run, batch=2, accumulation=8)
    run = make_run(batch=8, accumulation=2, epochs=4.0)
    stop = Listener(stop_when=lambda e: isinstance(e, StepDone) and e.step == 2)
    with pytest.raises(StopAsked):
        train(run.path, stop, resume=False, gauge=PretendCard(int(1.02 * small)))
    stepped, asked = run.plan(), (run.path / "asked.json").read_text()
    talk = Listener()
    train(run.path, talk, resume=True, gauge=PretendCard(int(1.02 * small)))
    assert run.plan() == stepped and (run.path / "asked.json").read_text() == asked
    assert "probe_stepped" not in notes(talk)
    assert talk.of(StepDone)[0].step == 3


def test_at_the_end_of_the_ladder_it_is_said(make_run: MakeRun) -> None:
    with pytest.raises(Trouble) as caught:
        train(make_run(batch=2).path, Listener(), resume=False, gauge=PretendCard(20_000))
    assert caught.value.problem.code is Code.GPU_MEMORY
    assert caught.value.problem.facts["free_bytes"] == 20_000


def test_other_trouble_in_the_rehearsal_is_not_taken_for_memory(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: Any, **_kwargs: Any) -> Any:
        raise RuntimeError("a kernel is broken")

    monkeypatch.setattr("core.engine.trainer.tiled_loss", broken)
    card = PretendCard(PLENTY)
    with pytest.raises(RuntimeError, match="kernel"):
        train(make_run().path, Listener(), resume=False, gauge=card)
    assert len(card.needs) == 1


def test_stop_is_heard_during_the_rehearsal(make_run: MakeRun) -> None:
    run, talk = make_run(), Listener(stop_when=lambda e: getattr(e, "stage", "") == "loading")
    with pytest.raises(StopAsked):
        train(run.path, talk, resume=False, gauge=PretendCard(PLENTY))
    assert not (run.path / "probe").exists() and not run.has_adapter()


def test_a_finished_run_is_learned_from(make_run: MakeRun) -> None:
    card = PretendCard(PLENTY)
    result = train(make_run(steps=2).path, Listener(), resume=False, gauge=card)
    assert result["proven_bytes"] == result["peak_bytes"] == card.needs[0] and result["predicted_bytes"] > 0
    (line,) = measured_file().read_text().splitlines()
    told = json.loads(line)
    assert told["torch_bytes"] == card.needs[0]
    assert constants_of(told["card"], measured_file()).samples == 1


def test_notes_of_the_probe_have_words() -> None:
    facts = {"measured_bytes": 9_600_000_000, "room_bytes": 11_000_000_000, "left_bytes": 1_400_000_000,
             "predicted_bytes": 9_800_000_000, "tokens": 812, "batch": 4}  # fmt: skip
    words = note_words(Noted(code="probe_fits", facts=facts))
    assert "9.6 GB" in words and "11.0 GB" in words and "9.8 GB" in words
    stepped = note_words(Noted(code="stepped_batch", facts={"before": 8, "after": 4, "accumulation": 4}))
    assert "8" in stepped and "4" in stepped and stepped != "stepped batch"


def test_a_processor_has_no_gauge() -> None:
    import torch

    assert gauge_of(torch.device("cpu"), 0) is None
