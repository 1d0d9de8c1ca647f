"""The bench of the card, on a processor: it measures, its results resume, fit and judge; no GPU figure is claimed."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from core.catalog import models
from core.codec import from_plain, to_plain
from core.engine.loading import load_base
from core.fit import Constants
from core.plan import Method
from tests.bench import card
from tests.bench.card_grid import GRID, PRETENDED, TINY, Combination
from tests.bench.card_judge import PREDICTORS, judge, speed, surprises, trap
from tests.bench.card_model import random_base, write_base
from tests.bench.card_one import measure, predict
from tests.bench.card_report import report
from tests.engine.pretend import PretendCard

FACTS = card.facts_here(0, pretend=True)
TRUE = Constants(context_bytes=520_000_000, allocator_bytes=700_000_000, live=1.05)
PARTS = {"weights": 5_000_000_000, "adapter": 80_000_000, "gradients": 80_000_000, "optimizer": 160_000_000,
         "workspace": 100_000_000, "overhead": 932_000_000}  # fmt: skip


def made_up(combination: Combination, place: int, *, miss: float = 0.0, tokens: float = 1000.0) -> dict[str, Any]:
    """A row as a card whose constants are TRUE would give it."""
    told = PARTS | {"activations": (2 + place) * 400_000_000, "logits": 300_000_000}
    live = told["activations"] + told["logits"]
    peak = sum(told.values()) - told["overhead"] - live + TRUE.allocator_bytes + TRUE.live * live
    seen = {"torch_bytes": round(peak * (1 + miss)), "outside_bytes": TRUE.context_bytes, "room_bytes": 80_000_000_000,
            "allocated_bytes": round(peak * 0.95)}  # fmt: skip
    return {
        "key": combination.key, "combination": to_plain(combination), "oom": False, "seconds": 1.0,
        "predicted": {"arithmetic": told, "dry_run": told}, "measured": seen,
        "built": {"bytes": 5_000_000_000, "adapted_bytes": 5_080_000_000},
        "trained": seen | {"tokens_per_second": tokens}, "watched": {"before_bytes": 0, "peak_bytes": 0},
    }  # fmt: skip


def rows_of_a_card(**more: Any) -> list[dict[str, Any]]:
    return [made_up(combination, place % 17, **more) for place, combination in enumerate(GRID)]


def test_the_grid_is_what_was_asked_for() -> None:
    catalogue = {spec.repo for spec in models()}
    assert {c.model for c in GRID} <= catalogue
    assert len({c.key for c in GRID}) == len(GRID) >= 36
    counting = [c for c in GRID if c.counts]
    assert len(counting) >= 24
    for half in (counting[::2], counting[1::2]):
        assert {c.method for c in half} == set(Method)
        assert {"none", "full"} < {c.checkpointing for c in half}
    for field in ("rank", "targets", "batch", "tokens", "optimizer", "loss", "dropout", "accumulation"):
        assert len({getattr(c, field) for c in GRID}) > 1, field
    # the first quarter of an hour already has what decides
    assert {c.method for c in GRID[:8]} == set(Method) and any(c.reentrant is False for c in GRID[:8])


def test_every_combination_survives_json() -> None:
    for combination in (*GRID, *PRETENDED):
        assert from_plain(Combination, json.loads(json.dumps(to_plain(combination)))) == combination


@pytest.mark.parametrize("method", list(Method))
def test_a_model_made_in_place_is_held_as_a_loaded_one(tmp_path: Path, method: Method) -> None:
    import torch

    where, facts = torch.device("cpu"), TINY["tiny/qwen3"]
    write_base(facts, tmp_path / "model")
    made, loaded = random_base(facts, method, where), load_base(tmp_path / "model", method, where)

    def described(model: Any) -> list[tuple[Any, ...]]:
        return [
            (name, type(p).__name__, tuple(p.shape), p.dtype, p.requires_grad, getattr(p, "quant_type", ""))
            for name, p in model.named_parameters()
        ]

    assert described(made) == described(loaded)
    assert [(n, b.dtype) for n, b in made.named_buffers()] == [(n, b.dtype) for n, b in loaded.named_buffers()]
    for flag in ("is_quantized", "is_loaded_in_4bit", "is_loaded_in_8bit", "quantization_method", "hf_device_map"):
        assert getattr(made, flag, None) == getattr(loaded, flag, None), flag
    assert made.get_output_embeddings().weight is made.get_input_embeddings().weight
    ids = torch.arange(12)[None]
    with torch.no_grad():
        assert made(input_ids=ids).logits.isfinite().all()
    for (name, ours), (_n, theirs) in zip(made.named_buffers(), loaded.named_buffers(), strict=True):
        assert torch.equal(ours, theirs), name


def test_one_combination_from_measuring_to_the_file_and_back(tmp_path: Path) -> None:
    """The whole way in this process: measured, written, judged, and not measured again."""
    asked, file = PRETENDED[1], tmp_path / "card_x.json"
    calls = []

    def here(combination: Combination, _seconds: float) -> dict[str, Any]:
        calls.append(combination.key)
        return {"predicted": predict(combination), **measure(combination, 0, PretendCard(1 << 40), steps=3)}

    told = card.measured_rows([asked], file, FACTS, here, minutes=1, resume=True)
    (row,) = told["rows"]
    assert json.loads(file.read_text()) == json.loads(json.dumps(told))
    assert not row["oom"] and len(row["trained"]["step_seconds"]) == 3 and row["trained"]["tokens_per_second"] > 0
    # the pretended card counts tensors, so that the dry run's sum without overhead must be near
    dry = row["predicted"]["dry_run"]
    assert row["measured"]["torch_bytes"] == pytest.approx(sum(dry.values()) - dry["overhead"], rel=0.1)
    card.measured_rows([asked], file, FACTS, here, minutes=1, resume=True)
    assert calls == [asked.key]
    card.measured_rows([asked], file, FACTS, here, minutes=1, resume=False)
    assert calls == [asked.key] * 2
    assert asked.key in report(told)


def test_what_does_not_fit_is_a_row_too() -> None:
    found = measure(PRETENDED[0], 0, PretendCard(2_000_000), steps=3)
    assert found["oom"] and "out of memory" in found["said"] and "trained" not in found
    assert found["measured"]["torch_bytes"] > 2_000_000


def test_failures_are_told_and_tried_again_and_three_are_enough(tmp_path: Path) -> None:
    file, calls = tmp_path / "card.json", []

    def broken(combination: Combination, _seconds: float) -> dict[str, Any]:
        calls.append(combination)
        raise RuntimeError("measure ended with 1: no kernel image")

    told = card.measured_rows(GRID, file, FACTS, broken, minutes=1, resume=True)
    assert len(calls) == card.PATIENCE and "no kernel image" in told["rows"][0]["failed"]
    assert not told["judgement"]["held"]
    card.measured_rows(GRID[:1], file, FACTS, lambda c, _s: made_up(c, 0), minutes=1, resume=True)
    (row,) = json.loads(file.read_text())["rows"]
    assert "failed" not in row


def test_measuring_some_again_keeps_the_others_but_never_mixes_versions(tmp_path: Path) -> None:
    file = tmp_path / "card.json"
    first = card.measured_rows(GRID[:3], file, FACTS, lambda c, _s: made_up(c, 0), minutes=1, resume=True)
    again = card.measured_rows(GRID[1:2], file, FACTS, lambda c, _s: made_up(c, 0, tokens=7.0), minutes=1, resume=False)
    assert [row["key"] for row in again["rows"]] == [row["key"] for row in first["rows"]]
    assert [row["trained"]["tokens_per_second"] for row in again["rows"]] == [1000.0, 7.0, 1000.0]
    with pytest.raises(SystemExit, match="another driver"):
        card.measured_rows(GRID[:1], file, FACTS | {"driver": "999"}, lambda c, _s: {}, minutes=1, resume=True)


def test_no_combination_begins_when_the_time_is_over(tmp_path: Path) -> None:
    told = card.measured_rows(GRID, tmp_path / "c.json", FACTS, lambda c, _s: made_up(c, 0), minutes=0, resume=False)
    assert len(told["rows"]) <= 1


def test_what_is_larger_than_the_card_is_not_tried(tmp_path: Path) -> None:
    small = FACTS | {"total_bytes": 24_000_000_000}
    told = card.measured_rows(GRID, tmp_path / "c.json", small, lambda c, _s: made_up(c, 0), minutes=1, resume=False)
    skipped = {row["key"] for row in told["rows"] if "skipped" in row}
    assert any("70B" in key for key in skipped) and GRID[1].key not in skipped
    assert report(told)


def test_constants_are_found_on_one_half_and_judged_on_the_other() -> None:
    found = judge(rows_of_a_card(), "made up")
    for predictor in PREDICTORS:
        fitted = Constants(**found[predictor]["fitted_on_half"])
        assert fitted.context_bytes == TRUE.context_bytes
        assert fitted.live == pytest.approx(TRUE.live, abs=0.02)
        assert found[predictor]["other_half"]["worst"] < 0.02 < found[predictor]["unfitted"]["worst"]
        both = (found[predictor]["other_half"]["rows"], found[predictor]["unfitted"]["rows"])
        assert len(both[0]) == len(both[1]) // 2 and both[0].keys() < both[1].keys()
    assert found["held"] and found["combinations"] == sum(c.counts for c in GRID)
    assert asdict(Constants(**found["arithmetic"]["constants"]))["samples"] == found["combinations"]


def test_a_promise_that_is_broken_is_not_held() -> None:
    rows = rows_of_a_card()
    assert judge(rows, "x")["held"]
    judged = [row for row in rows if from_plain(Combination, row["combination"]).counts]
    judged[1]["measured"]["torch_bytes"] *= 1.15
    assert not judge(rows, "x")["held"]
    assert not judge(rows_of_a_card()[:12], "x")["held"]


def test_running_out_of_memory_where_it_should_fit_breaks_the_promise() -> None:
    rows = rows_of_a_card()
    rows[0] |= {"oom": True}
    assert surprises(rows) == [GRID[0].key] and not judge(rows, "x")["held"]
    rows[0]["measured"] = rows[0]["measured"] | {"room_bytes": 1_000_000_000}
    assert not surprises(rows)


def test_the_trap_is_told_per_token_and_layer() -> None:
    wrong = next(c for c in GRID if c.reentrant is False)
    usual = replace(wrong, reentrant=None)
    assert usual in GRID
    rows = [made_up(wrong, 0), made_up(usual, 0)]
    assert (found := trap(rows)) and found["per_token_and_layer"] == 0
    expected = 6 * 4096 + 2 * 14336
    assert found["expected"] == expected
    rows[0]["measured"]["allocated_bytes"] += expected * 4096 * 32
    assert (found := trap(rows)) and found["per_token_and_layer"] == expected
    assert trap(rows[:1]) is None


def test_speed_tables_compare_what_differs_in_one_thing() -> None:
    rows = [made_up(c, 0, tokens=500.0 if c.method is Method.QLORA else 1000.0) for c in GRID]
    tables = speed(rows)
    assert {line["micro_batch_tokens"] for line in tables["shrunk"]} >= {1024, 4096, 8192}
    assert {line["method"] for line in tables["shrunk"]} == {"lora8", "qlora"}
    assert all(line["relative"] == (0.5 if line["method"] == "qlora" else 1.0) for line in tables["shrunk"])
    assert {line["checkpointing"] for line in tables["recomputation"]} >= {"4", "full"}
    assert tables["head"] and tables["padding"]


def test_the_name_of_a_card_names_its_file() -> None:
    assert card.slug("NVIDIA H100 80GB HBM3") == "nvidia-h100-80gb-hbm3"
    assert card.slug("///") == "card"
