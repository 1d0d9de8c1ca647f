"""What the speed bench found, as JSON and as a table."""

import json
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from core.codec import to_plain
from core.plan import TrainingPlan

NOTES = """\
- Trained tokens are counted alike for all: labels behind the shift that are not -100, of the tensors the model is fed.
- Everyone trains the same rows with LoRA on a bf16 base (fp32 adapters, bf16 arithmetic), the same rank, modules, rows
  a step and length, dropout 0, fused AdamW. Only answers are trained.
- Rows differ by a token or two: TRL also trains the line break behind the end of the turn, and LLaMA-Factory's template
  ends the system text with a full stop. "tokens of all rows" is what each of them trains in the same rows.
- "Its defaults": TRL and LLaMA-Factory recompute activations (less memory, more time), take rows in random order and
  pad them to the longest of the micro-batch. "Not recomputing" is the same without the first. SoloTune's own plan packs
  the rows of a step and keeps activations; unpacked, it takes rows of like length together.
- Memory is the resident set of the training process, looked at every 20 ms; "before" is that just before training
  begins, with everything loaded.
- Ratios are those of SoloTune to the other, taken round by round; the median counts. Processor seconds, unlike seconds,
  do not see what else the machine does.
"""


class Measured(Protocol):
    """A contender in one round."""

    before_bytes: int
    peak_bytes: int
    packages: dict[str, str]
    steps: list[dict[str, Any]]

    def rate(self, clock: str = "seconds") -> float: ...
    @property
    def padding(self) -> float: ...
    @property
    def epoch(self) -> int: ...


Runs = Mapping[str, Sequence[Measured]]


def write(folder: Path, titles: Mapping[str, str], runs: Runs, settings: Mapping[str, Any], plan: TrainingPlan) -> str:
    """Write speed.json and speed.md into `folder`; returns the table."""
    done = min(map(len, runs.values()))
    even = {name: each[:done] for name, each in runs.items()}
    found = {name: _medians(each) | {"title": titles[name]} for name, each in even.items()}
    ratios = {
        name: {other: _ratios(each, even[other]) for other in even if not other.startswith("solotune")}
        for name, each in even.items() if name.startswith("solotune")
    }  # fmt: skip
    packages = {name: each[-1].packages for name, each in even.items()}
    hidden = {"rows", "model"}
    facts = {
        "cpu": _cpu(), "cores": os.cpu_count(), "threads": settings["threads"], "rounds": done, "packages": packages,
        "settings": {name: value for name, value in settings.items() if name not in hidden},
        "plan": {name: value for name, value in to_plain(plan).items() if name not in ("data", "questions")},
        "found": found, "ratios": ratios,
        "rounds_of": {name: [_round(run) for run in each] for name, each in even.items()},
    }  # fmt: skip
    folder.mkdir(exist_ok=True)
    (folder / "speed.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    text = _table(facts, titles)
    (folder / "speed.md").write_text(text, encoding="utf-8")
    return text


def _medians(runs: Sequence[Measured]) -> dict[str, float]:
    def median(values: Any) -> float:
        return statistics.median(values)

    return {
        "trained_tokens_per_second": round(median(run.rate() for run in runs), 2),
        "trained_tokens_per_cpu_second": round(median(run.rate("cpu_seconds") for run in runs), 2),
        "epoch_trained_tokens": int(median(run.epoch for run in runs)),
        "computed_per_trained": round(median(run.padding for run in runs), 3),
        "before_bytes": int(median(run.before_bytes for run in runs)),
        "peak_bytes": int(median(run.peak_bytes for run in runs)),
        "lowest_tokens_per_second": round(min(run.rate() for run in runs), 2),
        "highest_tokens_per_second": round(max(run.rate() for run in runs), 2),
    }


def _round(run: Measured) -> dict[str, float]:
    """Whatever the medians hide."""
    return {
        "trained_tokens_per_second": round(run.rate(), 2),
        "trained_tokens_per_cpu_second": round(run.rate("cpu_seconds"), 2),
        "peak_bytes": run.peak_bytes,
    }


def _ratios(ours: Sequence[Measured], theirs: Sequence[Measured]) -> dict[str, float]:
    pairs = list(zip(ours, theirs, strict=True))
    return {
        "speed": round(statistics.median(a.rate() / b.rate() for a, b in pairs), 3),
        "cpu_speed": round(statistics.median(a.rate("cpu_seconds") / b.rate("cpu_seconds") for a, b in pairs), 3),
        "peak": round(statistics.median(a.peak_bytes / b.peak_bytes for a, b in pairs), 3),
    }


def _table(facts: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    settings, plan = facts["settings"], facts["plan"]
    lines = [
        "# Trained tokens a second and peak memory, side by side", "",
        f"{facts['cpu']}, {facts['threads']} of {facts['cores']} cores; starter model (SmolLM2-135M-Instruct), LoRA "
        f"rank {settings['rank']} on {len(settings['targets'])} kinds of modules, {settings['batch']} rows x "
        f"{settings['accumulation']} a step, at most {settings['tokens']} tokens, {settings['steps']} steps, rounds: "
        f"{facts['rounds']} (medians). SoloTune's own plan: {plan['batch']} x {plan['accumulation']}, packed. "
        "Run again: `python -m tests.bench.speed --help`.", "",
        "| contender | trained tokens/s | lowest–highest | per processor second | computed/trained "
        "| tokens of all rows | before | peak |",
        "|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for name, each in facts["found"].items():
        lines.append(
            f"| {titles[name]} | {each['trained_tokens_per_second']:.1f} | {each['lowest_tokens_per_second']:.1f}–"
            f"{each['highest_tokens_per_second']:.1f} | {each['trained_tokens_per_cpu_second']:.1f} | "
            f"{each['computed_per_trained']:.2f} | {each['epoch_trained_tokens']:,} | "
            f"{each['before_bytes'] / 1e9:.2f} GB | "
            f"{each['peak_bytes'] / 1e9:.2f} GB |"
        )
    lines += ["", "| ratio | speed | by processor seconds | peak memory |", "|---|---|---|---|"]
    for name, others in facts["ratios"].items():
        for other, ratio in others.items():
            both = f"{titles[name]} / {titles[other]}"
            lines.append(f"| {both} | {ratio['speed']:.2f} | {ratio['cpu_speed']:.2f} | {ratio['peak']:.2f} |")
    lines += [
        "",
        "Versions: " + "; ".join(f"{titles[name]}: {_named(each)}" for name, each in facts["packages"].items()),
    ]
    return "\n".join([*lines, "", NOTES])


def _named(packages: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in packages.items() if number)


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    named = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return named or platform.processor() or platform.machine()
