"""The results of tests/bench/card.py as text: a line for each row, then errors, constants, trap and speed."""

from typing import Any

from tests.bench.card_judge import FEWEST, MEDIAN, PREDICTORS, WORST

Row = dict[str, Any]


def line(row: Row) -> str:
    """One row: predicted and measured peak and what came of it."""
    if "failed" in row or "skipped" in row:
        what = "FAILED" if "failed" in row else "skipped"
        return f"{what:>8}  {row['key']}: {str(row.get('failed') or row.get('skipped')).strip()[-600:]}"
    seen = row["measured"]
    told = " ".join(f"{name} {sum(row['predicted'][name].values()) / 1e9:.2f}" for name in PREDICTORS)
    found = f"torch {seen['torch_bytes'] / 1e9:.2f} + {seen['outside_bytes'] / 1e9:.2f}"
    if "allocated_bytes" in seen:
        found += f" (allocated {seen['allocated_bytes'] / 1e9:.2f})"
    nvml = (row["watched"]["peak_bytes"] - row["watched"]["before_bytes"]) / 1e9
    end = "OUT OF MEMORY" if row["oom"] else f"{row['trained']['tokens_per_second']:.0f} tokens/s"
    return f"{row['seconds']:6.1f} s  {row['key']}: GB predicted {told}; measured {found}, NVML {nvml:.2f}; {end}"


def report(told: dict[str, Any]) -> str:
    """Everything that a file of results says."""
    found = told["judgement"]
    lines = [line(row) for row in told["rows"]]
    for predictor in PREDICTORS:
        part = found[predictor]
        for name in ("unfitted", "other_half"):
            lines.append(
                f"{predictor}, {name}: median {_share(part[name]['median'])}, worst {_share(part[name]['worst'])}"
            )
            lines += [f"    {_share(miss):>8}  {key}" for key, miss in part[name]["rows"].items()]
        lines.append(f"{predictor}, fitted on half: {_constants(part['fitted_on_half'])}")
        lines.append(f"{predictor}, fitted on all:  {_constants(part['constants'])}")
    lines.append(f"measured / predicted (median): {found['parts']}")
    lines.append(f"training beyond its rehearsal: {found['growth']}")
    lines.append(f"int8 trap: {found['trap'] or 'not measured'}")
    for name, table in found["speed"].items():
        lines.append(f"speed, {name}: {'' if table else 'not measured'}")
        lines += [f"    {row['relative']:6.3f} of {row['against']}  {row['key']}" for row in table]
    lines += [f"ran out of memory unexpectedly: {key}" for key in found["out_of_memory"]]
    asked = f"{FEWEST} combinations, median {_share(MEDIAN)}, worst {_share(WORST)}"
    lines.append(f"{found['combinations']} combinations; {'HELD' if found['held'] else 'NOT held'}: {asked}, dry run")
    return "\n".join(lines)


def _share(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:+.1f} %"


def _constants(told: dict[str, Any]) -> str:
    return (
        f"context {told['context_bytes'] / 1e6:.0f} MB, allocator {told['allocator_bytes'] / 1e6:.0f} MB, "
        f"live x {told['live']:.3f}, band {told['band']:.3f}, {told['samples']} samples"
    )
