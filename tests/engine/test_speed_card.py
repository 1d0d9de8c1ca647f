"""The speed bench of a card, on a processor: cases, rows, turns, what does not fit, files; no GPU figure is claimed."""

import argparse
import itertools
import json
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import pytest

from core.cards import imagined
from core.catalog import models
from core.plan import Method
from tests.bench import speed_card
from tests.bench.card import facts_here
from tests.bench.card_one import Watch
from tests.bench.speed import WARM
from tests.bench.speed_card import PATIENCE, Bench, measured
from tests.bench.speed_card_case import LENGTHS, SIZES, Case, Prepared, cases, halved, prepare, row_lengths
from tests.bench.speed_card_children import followed, heard
from tests.bench.speed_card_one import contend
from tests.bench.speed_card_report import found, ratios, report
from tests.bench.speed_contenders import MARK

FACTS = facts_here(0, pretend=True)
TINY = Case("tiny/llama", Method.LORA, 256)


def asked(**more: Any) -> argparse.Namespace:
    usual = {"minutes": 1.0, "rounds": 1, "steps": 1, "contenders": "", "cpu": True, "card": 0}
    return argparse.Namespace(**(usual | more))


def trained(settings: dict[str, Any], *, rate: float = 1000.0, peak: int = 10_000_000_000) -> dict[str, Any]:
    """What a contender says that trains 1000 tokens a step, half of what it computes."""
    step = {"seconds": 1000 / rate, "cpu_seconds": 1.0, "trained": 1000, "computed": 2000, "loss": None}
    plan = {name: settings[name] for name in ("batch", "accumulation", "tokens")} | {"checkpointing": "none"}
    return {
        "ended": "trained", "steps": [step] * settings["steps"], "plan": plan, "took_seconds": 1.0, "packages": {},
        "memory": {"allocated_bytes": peak, "reserved_bytes": peak}, "driver": {"before_bytes": 0, "peak_bytes": peak},
    }  # fmt: skip


def test_the_first_cases_say_most() -> None:
    grid = cases()
    assert len(set(grid)) == len(grid) == len(SIZES) * len(Method) * len(LENGTHS) == 27
    assert {case.model for case in grid} <= {spec.repo for spec in models()}
    three, nine = grid[:3], grid[:9]
    for name in ("model", "method", "tokens"):
        assert len({getattr(case, name) for case in three}) == 3, name
    for one, other in itertools.combinations(("model", "method", "tokens"), 2):
        assert len({(getattr(case, one), getattr(case, other)) for case in nine}) == 9, (one, other)


def test_half_of_the_rows_are_short_and_the_longest_is_as_long_as_the_case_says() -> None:
    found = row_lengths(2048, 64)
    assert found == row_lengths(2048, 64) != row_lengths(2048, 64, seed=1)
    assert max(found) == 2048 and min(found) >= 2048 // 16
    assert sum(length <= 2048 // 4 for length in found) == 32


@pytest.mark.parametrize(("memory", "method"), [("80", Method.LORA), ("24", Method.QLORA), ("24", Method.LORA)])
def test_the_plan_is_the_recommended_one_and_cuts_no_row(tmp_path: Path, memory: str, method: Method) -> None:
    ready = prepare(Case(SIZES[2], method, 4096), imagined(memory), tmp_path)
    assert ready.plan.packing and ready.plan.tokens == 4096 and ready.plan.method is method
    assert ready.predicted_bytes < int(memory) << 30
    # less room, less speed
    assert (ready.plan.checkpointing == "none") == (memory == "80")
    rows = json.loads(Path(ready.settings["rows"]).read_text())
    assert len(rows) == (ready.plan.steps - WARM) * ready.plan.effective_batch
    letters = [len(row["instruction"]) + len(row["output"]) for row in rows]
    # around them the template has some forty tokens, the same for every row
    assert 4096 - max(letters) == pytest.approx(40, abs=20)
    shares = sorted(len(row["output"]) / length for row, length in zip(rows, letters, strict=True))
    assert 0.2 < shares[0] < 0.4 < 0.6 < shares[-1] < 0.8


def test_half_a_micro_batch_keeps_the_rows_of_a_step() -> None:
    settings = {"batch": 4, "accumulation": 4, "steps": 3}
    assert halved(settings, 2) == {"batch": 2, "accumulation": 8, "steps": 3}
    assert halved(settings, 4) == settings


def test_one_case_from_training_to_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole way in this process: the product and TRL train, TRL with recomputation off finds no room."""
    trl = pytest.importorskip("trl", reason="TRL is a dependency of development")
    from core.engine.trainer import SoloTrainer

    for trainer in (SoloTrainer, trl.SFTTrainer):
        # contenders are watched for good, in processes of their own
        monkeypatch.setattr(trainer, "training_step", trainer.training_step)
    turns = []

    def here(case: Prepared, name: str, settings: dict[str, Any], _seconds: float) -> dict[str, Any]:
        turns.append((name, settings["batch"]))
        folder = tmp_path / f"{len(turns)}"
        folder.mkdir()
        case.plan.save(folder / "plan.json")
        row: dict[str, Any] = {"steps": []}
        more = {
            "contender": name.partition("-")[0], "device": "cpu", "plan": str(folder / "plan.json"),
            "output": str(folder / "output"), "room_bytes": 1 << 20 if name == "trl-keeping" else 1 << 40,
        }  # fmt: skip
        with warnings.catch_warnings(action="ignore"):
            contend(settings | more, lambda **said: heard(row, said))
        return row | {"driver": {"before_bytes": 0, "peak_bytes": 0}, "took_seconds": 1.0}

    bench = Bench(tmp_path / "results" / "speed_card.json", FACTS, here)
    assert measured(bench, [TINY], asked(contenders="solotune,trl,trl-keeping"))
    told = json.loads(bench.file.read_text())
    assert told == json.loads(json.dumps(bench.told()))
    rows = {row["contender"]: row for row in told["rows"] if row["ended"] == "trained"}
    assert rows.keys() == {"solotune", "trl"}
    for row in rows.values():
        assert len(row["steps"]) == 1 + WARM and row["memory"]["allocated_bytes"] > 1 << 20
    ours, theirs = (rows[name]["steps"][0] for name in ("solotune", "trl"))
    # one step is all rows: the same answers, of which TRL learns the line break behind the end too
    assert theirs["trained"] == ours["trained"] + 16 and theirs["computed"] > ours["computed"] > ours["trained"]
    assert rows["solotune"]["plan"]["packing"] and rows["trl"]["plan"]["checkpointing"] == "full"
    short = [row for row in told["rows"] if row["ended"] == "does not fit"]
    assert [row["batch"] for row in short] == [4, 2, 1] and "out of memory" in short[0]["oom"]
    table = bench.file.with_suffix(".md").read_text()
    assert "TRL, not recomputing | 1 | | **does not fit**" in table and "pretends" in table
    assert "SoloTune, its defaults / TRL, its defaults" in table
    count, again = len(turns), Bench(bench.file, FACTS, here)
    again.go_on()
    assert measured(again, [TINY], asked(contenders="solotune,trl,trl-keeping")) and len(turns) == count


def test_what_does_not_fit_is_tried_with_half_of_it_and_remembered(tmp_path: Path) -> None:
    turns = []

    def tight(_case: Prepared, name: str, settings: dict[str, Any], _seconds: float) -> dict[str, Any]:
        turns.append((name, settings["batch"], settings["accumulation"]))
        if settings["batch"] > 1:
            return {"ended": "does not fit", "oom": "CUDA out of memory"}
        return trained(settings, rate=500.0)

    bench = Bench(tmp_path / "speed_card.json", FACTS, tight)
    assert measured(bench, [TINY], asked(contenders="solotune,trl", rounds=2))
    assert [turn for turn in turns if turn[0] == "trl"] == [
        ("trl", 4, 4),
        ("trl", 2, 8),
        ("trl", 1, 16),
        ("trl", 1, 16),
    ]
    # the product steps down by itself: when it says so, nothing is left to try
    assert [turn for turn in turns if turn[0] == "solotune"] == [("solotune", 4, 4)]
    each = found(bench.told(), TINY.key)
    assert each["trl"]["rounds"] == 2 and each["trl"]["too_large"] == [2, 4]
    assert "1 x 16 (2, 4: does not fit)" in report(bench.told())


def test_ratios_are_taken_round_by_round(tmp_path: Path) -> None:
    rates = iter([4000.0, 1000.0, 3000.0, 1000.0])

    def timed(_case: Prepared, name: str, settings: dict[str, Any], _seconds: float) -> dict[str, Any]:
        return trained(settings, rate=next(rates), peak=5 * 10**9 if name == "solotune" else 10**10)

    bench = Bench(tmp_path / "speed_card.json", FACTS, timed)
    bench.prepared[TINY.key] = {"key": TINY.key}
    ready = prepare(TINY, imagined("24"), tmp_path, steps=1)
    for number in range(2):
        for name in ("solotune", "trl"):
            bench.round(ready, number, [name], time.monotonic() + 9, 0.0)
    (others,) = ratios(bench.told(), TINY.key).values()
    assert others == {"trl": {"speed": 3.5, "peak": 0.5, "rounds": 2}}
    (first, _second) = found(bench.told(), TINY.key).values()
    assert first["trained_tokens_per_second"] == 3500 and first["computed_tokens_per_second"] == 7000


def test_failures_are_told_tried_again_and_three_are_enough(tmp_path: Path) -> None:
    turns = []

    def broken(_case: Prepared, name: str, _settings: dict[str, Any], _seconds: float) -> dict[str, Any]:
        turns.append(name)
        raise RuntimeError("ended with 1: no kernel image")

    bench = Bench(tmp_path / "speed_card.json", FACTS, broken)
    assert not measured(bench, [TINY], asked()) and len(turns) == PATIENCE
    assert "no kernel image" in bench.rows[0]["said"] and "**failed**" in report(bench.told())
    again = Bench(bench.file, FACTS, lambda _case, _name, settings, _seconds: trained(settings))
    again.go_on()
    assert measured(again, [TINY], asked()) and {row["ended"] for row in again.rows} == {"trained"}
    with pytest.raises(SystemExit, match="another driver"):
        Bench(bench.file, FACTS | {"driver": "999"}, broken).go_on()


def test_what_is_too_slow_is_told_once_but_not_where_the_budget_cut_it_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = []

    def slow(_case: Prepared, name: str, _settings: dict[str, Any], _seconds: float) -> dict[str, Any]:
        turns.append(name)
        raise TimeoutError

    cut = Bench(tmp_path / "cut.json", FACTS, slow)
    assert not measured(cut, [TINY], asked(minutes=1.0)) and len(turns) == 1 and not cut.rows
    monkeypatch.setattr(speed_card, "LONGEST", 30.0)
    bench = Bench(tmp_path / "speed_card.json", FACTS, slow)
    assert measured(bench, [TINY], asked(rounds=2)) and len(turns) == 1 + 4
    assert "**too slow**" in report(bench.told())
    bench.go_on()
    assert measured(bench, [TINY], asked(rounds=2)) and len(turns) == 1 + 4


def test_nothing_begins_when_the_time_is_over(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "speed_card.json", FACTS, lambda *_given: pytest.fail("began"))
    assert not measured(bench, [TINY], asked(minutes=0.0)) and not bench.rows


def test_a_contender_is_heard_and_ended_when_its_time_is_over() -> None:
    def child(code: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, start_new_session=True
        )  # fmt: skip

    said = json.dumps({"oom": "CUDA out of memory", "memory": {"allocated_bytes": 7}})
    row = followed(child(f"print('noise'); print({MARK + said!r})"), Watch(0), 20.0)
    assert row["ended"] == "does not fit" and row["memory"] == {"allocated_bytes": 7}
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        followed(child("import time; time.sleep(60)"), Watch(0), 0.3)
    assert time.monotonic() - begun < 50
