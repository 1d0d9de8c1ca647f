"""`solotune recommend`: what it answers, as text and as JSON."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import typer

from core.cli import run
from core.cli.advise import parsed_budget

Ask = Callable[..., tuple[int, str]]


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    def asked(*words: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as end:
            run(["recommend", *words])
        return int(end.value.code or 0), capsys.readouterr().out

    return asked


def told(ask: Ask, *words: str) -> dict[str, Any]:
    code, out = ask(*words, "--json")
    assert code == 0
    return dict(json.loads(out))


@pytest.mark.parametrize(
    ("gb", "tier", "size", "method"),
    [
        ("4", "< 10 GB", (1e9, 3e9), "lora8"),
        ("6", "< 10 GB", (1e9, 3e9), "lora"),
        ("8", "< 10 GB", (1e9, 3e9), "lora"),
        ("10", "10-20 GB", (6e9, 10e9), "qlora"),
        ("12", "10-20 GB", (6e9, 10e9), "lora8"),
        ("16", "10-20 GB", (6e9, 10e9), "lora8"),
        ("20", "20-24 GB", (6e9, 10e9), "lora8"),
        ("22", "20-24 GB", (6e9, 10e9), "lora8"),
        ("24", ">= 24 GB", (12e9, 15e9), "qlora"),
        ("32", ">= 32 GB", (12e9, 15e9), "lora8"),
        ("48", ">= 48 GB", (12e9, 15e9), "lora"),
        ("80", ">= 80 GB", (30e9, 36e9), "lora8"),
    ],
)
def test_each_card_gets_its_tier(ask: Ask, gb: str, tier: str, size: tuple[float, float], method: str) -> None:
    """The documents' tiers where they speak; where the proposal does not fit, a step is told."""
    said = told(ask, "--vram", gb)
    assert (said["tier"], said["method"], said["fits"]) == (tier, method, True)
    assert size[0] <= said["parameters"] <= size[1]
    assert said["estimate_bytes"] <= float(gb) * 1e9
    first = said["reasons"][0]["facts"]["method"]
    assert (first == method) is ("stepped_method" not in [reason["code"] for reason in said["reasons"]])


def test_alternatives_tell_speed_and_quality(ask: Ask) -> None:
    said = told(ask, "--vram", "16")
    assert (said["speed"], said["quality"]) == (1.0, None)
    assert len(said["alternatives"]) >= 3
    for other in said["alternatives"]:
        assert other["speed"] > 0
        assert other["fits"]
        assert other["quality"]["text"]


def test_why_tells_the_rules_by_topic(ask: Ask) -> None:
    rules = told(ask, "--vram", "16", "--why")["rules"]
    assert {"vram", "rank", "alpha", "targets", "dropout", "learning_rate", "epochs", "method", "data"} <= set(rules)
    assert all(rule["text"] and rule["source"] for topic in rules.values() for rule in topic)
    assert "65B" in ask("--vram", "16", "--why")[1]
    assert "65B" not in ask("--vram", "16")[1]


def test_a_chosen_model_is_fitted(ask: Ask) -> None:
    said = told(ask, "--vram", "12", "--model", "Qwen/Qwen3-8B")
    assert (said["model"], said["fits"]) == ("Qwen/Qwen3-8B", True)
    assert not told(ask, "--vram", "12", "--model", "Qwen/Qwen3-32B")["fits"]


def test_a_budget_lists_ranks_and_targets(ask: Ask) -> None:
    said = told(ask, "--budget", "10M", "--model", "meta-llama/Llama-3.1-8B-Instruct")
    assert [(row["targets"], row["rank"], row["most_rank"]) for row in said["rows"]] == [
        ("minimal", 16, 23),
        ("standard", 16, 16),
        ("recommended", 8, 11),
        ("full", 3, 3),
    ]
    assert "recommended: rank 8" in ask("--budget", "10M", "--model", "meta-llama/Llama-3.1-8B-Instruct")[1]
    assert ask("--budget", "10", "--model", "meta-llama/Llama-3.1-8B-Instruct")[1]


@pytest.mark.parametrize(
    ("text", "n"),
    [("10M", 10**7), ("10e6", 10**7), ("10000000", 10**7), ("10,000,000", 10**7), ("0.5b", 5 * 10**8), ("1.5 k", 1500)],
)
def test_a_budget_is_read_as_people_write_it(text: str, n: int) -> None:
    assert parsed_budget(text) == n


@pytest.mark.parametrize("text", ["", "much", "-5M", "10X", "nan", "inf", "0", "1e99", "M"])
def test_other_budgets_are_wrong_usage(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        parsed_budget(text)


@pytest.mark.parametrize("words", [("--budget", "10M"), ("--vram", "8", "--card", "RTX 4090"), ("--budget", "x")])
def test_what_does_not_go_together_is_wrong_usage(ask: Ask, words: tuple[str, ...]) -> None:
    assert ask(*words)[0] == 2
