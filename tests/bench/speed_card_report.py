"""What the speed bench found on a card: its rows as lines, as medians with ratios, and as a table."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from tests.bench.card import facts_here
from tests.bench.speed import WARM, Run

Row = dict[str, Any]
Told = Mapping[str, Any]

NOTES = f"""\
- Weights are random, made on the card in the shapes of the catalogue's models and in the format of the method (16 bits,
  int8, NF4 with double quantization); loading is not measured. The tokenizer knows letters only.
- Rows are made up: half of them of a sixteenth to a quarter of the longest length, the others of a quarter to all of
  it; a quarter to three quarters of each is its answer, and answers alone are trained.
- Everyone trains the same rows with the same rank, modules, dropout, rows a step and fused AdamW. SoloTune has the plan
  that it recommends for this card, model, method and these rows; TRL has its micro-batch, and half of it, and so on,
  where that runs out of memory ("does not fit"). SoloTune's own rehearsal steps down by itself.
- Trained tokens are labels behind the shift that are not -100, of the tensors that the model is fed with; computed ones
  are all of them, padding included. The first {WARM} steps do not count.
- Peaks are those from the beginning of training on: "allocated" and "reserved" by torch's allocator, "driver" the used
  memory of the card by NVML without what was used before. SoloTune's "reserved" holds what its rehearsal left there. As
  its user gets it, it sets expandable segments for the allocator, and takes Liger's kernels where they are installed.
- TRL holds adapters in bf16 where the base is shrunk, SoloTune always in fp32.
- Ratios are those of SoloTune to the other, taken round by round; the median counts.
"""


def run_of(row: Row) -> Run:
    """The steps of a row that trained, to be counted as those of the other speed bench."""
    return Run(steps=row["steps"], peak_bytes=row["memory"]["allocated_bytes"])


def line(row: Row) -> str:
    """One row: who, what, and what came of it."""
    who = f"{row['key']}, round {row['round'] + 1}, {row['contender']}, micro-batch {row['batch']}"
    if row["ended"] == "trained":
        run = run_of(row)
        return f"{who}: {run.rate():.0f} trained tokens/s, {run.peak_bytes / 1e9:.2f} GB, {row['took_seconds']} s"
    return f"{who}: {row['ended']}: {str(row.get('said') or row.get('oom')).strip()[-600:]}"


def found(told: Told, key: str) -> dict[str, dict[str, Any]]:
    """Medians of each contender of a case, by its short name; what never trained has its `ended` alone."""
    medians = {}
    for name in told["titles"]:
        mine = [row for row in told["rows"] if (row["key"], row["contender"]) == (key, name)]
        done = [row for row in mine if row["ended"] == "trained"]
        if done:
            medians[name] = {"ended": "trained"} | _medians(done)
            medians[name]["too_large"] = sorted({row["batch"] for row in mine if row["ended"] == "does not fit"})
        elif mine:
            medians[name] = {"ended": mine[-1]["ended"], "batch": mine[-1]["batch"]}
    return medians


def ratios(told: Told, key: str) -> dict[str, dict[str, dict[str, float]]]:
    """SoloTune's speed and peak over those of the others, medians over the rounds in which both trained."""
    runs = {
        (row["contender"], row["round"]): run_of(row)
        for row in told["rows"] if row["key"] == key and row["ended"] == "trained"
    }  # fmt: skip
    rounds = {number for _name, number in runs}
    told_of: dict[str, dict[str, dict[str, float]]] = {}
    for ours in (name for name in told["titles"] if name.startswith("solotune")):
        for other in (name for name in told["titles"] if not name.startswith("solotune")):
            pairs = [
                (runs[ours, number], runs[other, number])
                for number in sorted(rounds) if {(ours, number), (other, number)} <= runs.keys()
            ]  # fmt: skip
            if pairs:
                told_of.setdefault(ours, {})[other] = {
                    "speed": round(statistics.median(a.rate() / b.rate() for a, b in pairs), 3),
                    "peak": round(statistics.median(a.peak_bytes / max(1, b.peak_bytes) for a, b in pairs), 3),
                    "rounds": len(pairs),
                }
    return told_of


def report(told: Told) -> str:
    """Everything that was measured, as Markdown."""
    titles = told["titles"]
    lines = [
        "# Trained tokens a second and peak memory on a card, side by side", "",
        f"{told['card']}, driver {told['driver'] or 'none'}, {told['date']}. Run again: `python -m "
        "tests.bench.speed_card --help`.", "",
        "| model, method, longest row | contender | micro-batch | recomputes | trained tokens/s | computed tokens/s "
        "| allocated | reserved | driver | rounds |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    keys = [each["key"] for each in told["cases"]]
    for key in keys:
        for name, each in found(told, key).items():
            lines.append(f"| {key} | {titles[name]} | {_cells(each)} |")
    lines += ["", "| model, method, longest row | ratio | speed | peak, allocated |", "|---|---|---|---|"]
    for key in keys:
        for ours, others in ratios(told, key).items():
            for other, each in others.items():
                both = f"{titles[ours]} / {titles[other]}"
                lines.append(f"| {key} | {both} | {each['speed']:.2f} | {each['peak']:.2f} |")
    if told["card"] == facts_here(0, pretend=True)["card"]:
        lines.insert(2, "**A processor that pretends to be a card: this shows that the bench works, nothing else.**\n")
    versions = ", ".join(f"{name} {number}" for name, number in told["versions"].items() if number)
    return "\n".join([*lines, "", f"Versions: {versions}", "", NOTES])


def _medians(rows: Sequence[Row]) -> dict[str, Any]:
    def median(values: Any) -> float:
        return statistics.median(values)

    runs = [run_of(row) for row in rows]
    last = rows[-1]
    return {
        "trained_tokens_per_second": round(median(run.rate() for run in runs), 1),
        "computed_tokens_per_second": round(median(run.rate() * run.padding for run in runs), 1),
        "allocated_bytes": int(median(row["memory"]["allocated_bytes"] for row in rows)),
        "reserved_bytes": int(median(row["memory"]["reserved_bytes"] for row in rows)),
        "driver_bytes": int(median(row["driver"]["peak_bytes"] - row["driver"]["before_bytes"] for row in rows)),
        "plan": last["plan"],
        "rounds": len(rows),
    }


def _cells(each: Mapping[str, Any]) -> str:
    if each["ended"] != "trained":
        return f"{each['batch']} | | **{each['ended']}** | | | | | "
    plan, sizes = each["plan"], ("allocated_bytes", "reserved_bytes", "driver_bytes")
    batch = f"{plan['batch']} x {plan['accumulation']}"
    if each["too_large"]:
        batch += f" ({', '.join(map(str, each['too_large']))}: does not fit)"
    speeds = f"{each['trained_tokens_per_second']:,.0f} | {each['computed_tokens_per_second']:,.0f}"
    memory = " | ".join(f"{each[name] / 1e9:.2f} GB" for name in sizes)
    return f"{batch} | {plan['checkpointing']} | {speeds} | {memory} | {each['rounds']}"
