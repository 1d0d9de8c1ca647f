"""Arithmetic against the dry run over a grid of models and plans, as a table that is kept.

Run: python -m tests.bench.estimate_grid [--quick]. The whole grid writes results/estimate_grid.md and .json beside this
file; both exit with 1 when the bounds are broken. Every factor of a plan takes all of its values equally often in each
model, in an order of its own: no combination was chosen by hand. Adapters are fp32 under autocast, as the engine's are,
or bf16; sequences are packed unless the plan or the model says no.
"""

import argparse
import json
import platform
import random
import statistics
import sys
import time
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from core.fit import UNFITTED
from core.modelconfig import architecture_of
from core.plan import Loss, Method, Optimizer, TrainingPlan
from core.vram import estimate
from tests.bench.families import FAMILIES

RESULTS = Path(__file__).with_name("results")
#: Bounds on the error of the total: in the median, and at worst.
MEDIAN, WORST = 0.01, 0.03
#: 0.5B to 36B: dense and mixture, fused and not, with windows, without an attention kernel, with scaled logits.
MODELS = (
    "Qwen2.5-0.5B", "Qwen3-0.6B", "Llama-3.2-1B", "Gemma-3-1B", "EXAONE-4.0-1.2B", "SmolLM3-3B", "OLMoE-1B-7B",
    "Qwen2.5-7B", "OLMo-2-7B", "Llama-3.1-8B", "Qwen3-8B", "Granite-3.3-8B", "Command-R7B", "Gemma-2-9B",
    "GLM-4-9B-0414", "Phi-4", "Mistral-Small-24B", "Qwen3-30B-A3B", "gpt-oss-20b", "Qwen2.5-32B",
)  # fmt: skip
#: What their layers save was looked at while the formulae were made, their worst moments were not.
HELD_OUT = (
    "ERNIE-4.5-0.3B",
    "Phi-3.5-mini",
    "Yi-1.5-6B",
    "Hunyuan-7B",
    "Falcon3-7B",
    "Gemma-7B",
    "Aya-8B",
    "Gemma-3-12B",
    "Mixtral-8x7B",
    "Seed-OSS-36B",
    "Llama-3.3-70B",
)
#: Plans for each model, and for each that is held out.
PLANS, FEWER = 12, 4
#: Most tokens in a micro-batch.
MOST_TOKENS = 32_768
FACTORS: dict[str, tuple[Any, ...]] = {
    "method": tuple(Method),
    "rank": (8, 16, 64, 128),
    "targets": ("minimal", "standard", "recommended", "full"),
    "tokens": (256, 512, 1024, 2048, 4096, 8192),
    "batch": (1, 2, 4, 8),
    "checkpointing": ("none", "4", "2", "full"),
    "loss": tuple(Loss),
    "optimizer": tuple(Optimizer),
    "dropout": (0.0, 0.05),
    "accumulation": (1, 4),
    "adapter_bytes": (4, 2),
    "packing": (True, True, False),
}


@dataclass(frozen=True)
class Case:
    """One model and plan, what both levels say of it in bytes, and the dry run's phases."""

    model: str
    factors: dict[str, Any]
    arithmetic: int
    dry_run: int
    arithmetic_live: int
    dry_run_live: int
    phases: dict[str, int]
    seconds: float

    @property
    def error(self) -> float:
        """Of the total, relative to the dry run; positive where arithmetic says more."""
        return self.arithmetic / self.dry_run - 1

    @property
    def bare_error(self) -> float:
        """The same without the card's constants, which both levels share."""
        shared = UNFITTED.overhead_bytes
        return (self.arithmetic - shared) / (self.dry_run - shared) - 1

    @property
    def live_error(self) -> float:
        """Of activations, logits and gradients alone."""
        return self.arithmetic_live / self.dry_run_live - 1


def plans(model: str, count: int) -> Iterator[dict[str, Any]]:
    """Yield `count` combinations of factors; the same ones for the same model, always."""
    chance = random.Random(model)
    columns: dict[str, list[Any]] = {}
    for name, values in FACTORS.items():
        first = chance.randrange(len(values))
        column = [values[(first + i) % len(values)] for i in range(count)]
        chance.shuffle(column)
        columns[name] = column
    for row in zip(*columns.values(), strict=True):
        chosen = dict(zip(columns, row, strict=True))
        while chosen["batch"] * chosen["tokens"] > MOST_TOKENS:
            chosen["batch"] //= 2
        yield chosen


def run(model: str, factors: dict[str, Any]) -> Case:
    """Ask both levels."""
    from core.engine.dryrun import dry_run

    facts = FAMILIES[model]
    of_plan = {name: value for name, value in factors.items() if name != "adapter_bytes"}
    plan = TrainingPlan(model=model, data=("any",), alpha=16, **of_plan)
    quick = estimate(architecture_of(facts), plan, adapter_bytes=factors["adapter_bytes"])
    found = dry_run(facts, plan, adapter_bytes=factors["adapter_bytes"])
    alive = ("activations", "logits", "gradients")
    live = [sum(each.items()[part] for part in alive) for each in (quick, found.estimate)]
    return Case(
        model, factors, quick.total_bytes, found.estimate.total_bytes, live[0], live[1], found.phases, found.seconds
    )


def summary(errors: Iterable[float]) -> dict[str, float]:
    """Median and worst of the absolute errors, and the mean of the errors themselves (which way they lean)."""
    every = list(errors)
    return {
        "median": statistics.median(map(abs, every)),
        "worst": max(map(abs, every)),
        "lean": statistics.mean(every),
    }


def report(cases: list[Case], seconds: float) -> str:
    """The table that is kept."""
    out = [c for c in cases if c.model in HELD_OUT]
    versions = {name: version(name) for name in ("torch", "transformers", "peft", "bitsandbytes")}
    lines = [
        "# Arithmetic against the dry run",
        "",
        f"{len(cases)} combinations of {len({c.model for c in cases})} models and "
        f"{len(FACTORS)} factors; written by `python -m tests.bench.estimate_grid` in {seconds:.0f} s.",
        f"Python {platform.python_version()}, " + ", ".join(f"{name} {number}" for name, number in versions.items()),
        "",
        "Errors are arithmetic / dry run - 1. `lean` is their mean: positive where arithmetic says more. "
        f"The bound is on the total: median <= {MEDIAN:.0%}, worst <= {WORST:.0%}.",
        "",
        "| what | median | worst | lean |",
        "|---|---|---|---|",
        _row("total", (c.error for c in cases)),
        _row("total without the card's constants", (c.bare_error for c in cases)),
        _row("activations, logits and gradients alone", (c.live_error for c in cases)),
        *([_row("total, models held out", (c.error for c in out))] if out else []),
        *(
            [_row("activations, logits and gradients alone, models held out", (c.live_error for c in out))]
            if out
            else []
        ),
        "",
        "| model | combinations | median | worst | lean | live median | live worst |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [_grouped(name, [c for c in cases if c.model == name]) for name in dict.fromkeys(c.model for c in cases)]
    lines += ["", "| factor | combinations | median | worst | lean | live median | live worst |"]
    lines += ["|---|---|---|---|---|---|---|"]
    for factor, values in FACTORS.items():
        for value in dict.fromkeys(values):
            some = [c for c in cases if c.factors[factor] == value]
            lines += [_grouped(f"{factor} = {value}", some)] if some else []
    return "\n".join([*lines, ""])


def _row(name: str, errors: Iterable[float]) -> str:
    found = summary(errors)
    return f"| {name} | {found['median']:.1%} | {found['worst']:.1%} | {found['lean']:+.1%} |"


def _grouped(name: str, cases: list[Case]) -> str:
    total, live = summary(c.error for c in cases), summary(c.live_error for c in cases)
    return (
        f"| {name} | {len(cases)} | {total['median']:.1%} | {total['worst']:.1%} | {total['lean']:+.1%} "
        f"| {live['median']:.1%} | {live['worst']:.1%} |"
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the grid, print its table, and say by the exit status whether the bounds hold."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="two plans for each of twelve models, nothing written")
    parser.add_argument("--model", action="append", choices=MODELS + HELD_OUT, help="only this one, nothing written")
    asked = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    names = asked.model or (MODELS[:12] if asked.quick else MODELS + HELD_OUT)
    started, cases = time.perf_counter(), []
    for name in names:
        for factors in plans(name, 2 if asked.quick else FEWER if name in HELD_OUT else PLANS):
            case = run(name, factors)
            cases.append(case)
            told = " ".join(str(value) for value in factors.values())
            print(f"{case.error:+7.1%} live {case.live_error:+7.1%} {name}: {told}", file=sys.stderr, flush=True)
    text = report(cases, time.perf_counter() - started)
    print(text)
    if not (asked.quick or asked.model):
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "estimate_grid.md").write_text(text, encoding="utf-8")
        kept = [asdict(case) | {"error": case.error, "live_error": case.live_error} for case in cases]
        (RESULTS / "estimate_grid.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    total = summary(case.error for case in cases)
    return int(total["median"] > MEDIAN or total["worst"] > WORST)


if __name__ == "__main__":
    sys.exit(main())
