"""What the rows of tests/bench/card.py say: constants fitted on half of them, errors on the other, trap and speed."""

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any

from core.codec import from_plain
from core.fit import UNFITTED, Constants, Sample, fit, measured, predicted
from core.plan import Loss, Method
from tests.bench.card_grid import Combination, shape_of

#: What issue 3 asks for: the median and the worst miss after fitting, and how many combinations.
MEDIAN, WORST, FEWEST = 0.03, 0.08, 24
#: The dry run is the authority; the arithmetic stands in for it while sliders move.
PREDICTORS = ("dry_run", "arithmetic")

Row = dict[str, Any]


def combination_of(row: Row) -> Combination:
    """The combination that a row measured."""
    return from_plain(Combination, row["combination"])


def sample_of(row: Row, predictor: str, card: str) -> Sample:
    """A measured row as the product keeps finished runs: what was predicted, what was seen."""
    parts = row["predicted"][predictor]
    live = parts["activations"] + parts["logits"]
    return Sample(
        card=card,
        fixed_bytes=sum(parts.values()) - parts["overhead"] - live,
        live_bytes=live,
        torch_bytes=row["measured"]["torch_bytes"],
        outside_bytes=row["measured"]["outside_bytes"],
        time=0.0,
    )


def judge(rows: Sequence[Row], card: str) -> dict[str, Any]:
    """Everything that the rows say, as plain JSON values; `held` is whether the dry run keeps issue 3's promise."""
    sound = [row for row in rows if "measured" in row and not row["oom"] and combination_of(row).counts]
    found: dict[str, Any] = {"combinations": len(sound), "out_of_memory": surprises(rows)}
    for predictor in PREDICTORS:
        samples = [sample_of(row, predictor, card) for row in sound]
        constants = fit(samples[::2])
        others = list(zip(sound[1::2], samples[1::2], strict=True))
        found[predictor] = {
            "unfitted": _errors(zip(sound, samples, strict=True), UNFITTED),
            "fitted_on_half": asdict(constants),
            "other_half": _errors(others, constants),
            # what the product may take over: from every row
            "constants": asdict(fit(samples)),
        }
    other = found["dry_run"]["other_half"]
    found["held"] = (
        len(sound) >= FEWEST
        and not found["out_of_memory"]
        and abs(other["median"]) <= MEDIAN
        and other["worst"] <= WORST
    )
    found |= {"parts": parts(sound), "growth": growth(rows), "trap": trap(rows), "speed": speed(rows)}
    return found


def surprises(rows: Iterable[Row]) -> list[str]:
    """Combinations that ran out of memory although the dry run, unfitted, saw them fit."""
    return [
        row["key"]
        for row in rows
        if row.get("oom") and combination_of(row).counts
        and sum(row["predicted"]["dry_run"].values()) <= row["measured"]["room_bytes"]
    ]  # fmt: skip


def parts(rows: Iterable[Row]) -> dict[str, float]:
    """Median of measured over predicted for what can be told apart: weights, weights and adapter, all but overhead."""
    ratios: dict[str, list[float]] = {"weights": [], "with_adapter": [], "allocated_peak": []}
    for row in rows:
        seen, told = row["measured"], row["predicted"]["dry_run"]
        if not seen.get("allocated_bytes") or combination_of(row).folder:
            continue
        ratios["weights"].append(row["built"]["bytes"] / told["weights"])
        ratios["with_adapter"].append(row["built"]["adapted_bytes"] / (told["weights"] + told["adapter"]))
        ratios["allocated_peak"].append(seen["allocated_bytes"] / (sum(told.values()) - told["overhead"]))
    return {name: round(statistics.median(values), 4) for name, values in ratios.items() if values}


def growth(rows: Iterable[Row]) -> dict[str, Any]:
    """How far training went beyond the rehearsal that was to prove it: the worst share, and who left the room."""
    shares: list[tuple[float, str]] = []
    left = []
    for row in rows:
        if "trained" not in row:
            continue
        before, after = (_total(row[name]) for name in ("measured", "trained"))
        shares.append((round(after / before - 1, 4), row["key"]))
        left += [row["key"]] * (after > row["measured"]["room_bytes"])
    return {"worst": max(shares, default=(0.0, "")), "beyond_the_room": left}


def trap(rows: Iterable[Row]) -> dict[str, Any] | None:
    """int8 with the other kind of recomputation: the extra bytes per token and layer beside 6H + 2I (or None)."""
    known = {row["key"]: row for row in rows if "measured" in row}
    for row in known.values():
        asked = combination_of(row)
        if asked.method is not Method.LORA8 or asked.reentrant is not False:
            continue
        usual = known.get(replace(asked, reentrant=None).key)
        if usual is None:
            continue
        shape = shape_of(asked.model)
        name = "allocated_bytes" if "allocated_bytes" in row["measured"] else "torch_bytes"
        peaks = {"reentrant_bytes": usual["measured"][name], "other_bytes": row["measured"][name]}
        more = peaks["other_bytes"] - peaks["reentrant_bytes"]
        return peaks | {
            "key": row["key"],
            "oom": row["oom"],
            "per_token_and_layer": round(more / (asked.batch * asked.tokens * shape.layers), 1),
            "expected": 6 * shape.hidden + 2 * shape.intermediate,
        }
    return None


def speed(rows: Iterable[Row]) -> dict[str, list[dict[str, Any]]]:
    """Tables of tokens per second: what recomputation, shrunk weights and the head cost, everything else equal."""
    timed = [(combination_of(row), row["trained"]["tokens_per_second"]) for row in rows if "trained" in row]
    return {
        "recomputation": _table(timed, "checkpointing", "none", lambda c: replace(c, checkpointing="none")),
        "shrunk": _table(timed, "method", Method.LORA, lambda c: replace(c, method=Method.LORA)),
        "head": _table(timed, "loss", Loss.PLAIN, lambda c: replace(c, loss=Loss.PLAIN)),
        "padding": _table(timed, "even", True, lambda c: replace(c, even=True)),
    }


def _table(
    timed: list[tuple[Combination, float]], name: str, usual: object, like: Callable[[Combination], Combination]
) -> list[dict[str, Any]]:
    """A line for each measured pair that differs in `name` alone; `relative` is the speed against `usual`."""
    known = {combination.key: tokens for combination, tokens in timed}
    lines = []
    for combination, tokens in timed:
        base = known.get(like(combination).key)
        if not base or getattr(combination, name) == usual:
            continue
        lines.append(
            {
                "key": combination.key, name: str(getattr(combination, name)), "against": str(usual),
                "micro_batch_tokens": combination.batch * combination.tokens,
                "tokens_per_second": tokens, "relative": round(tokens / base, 3),
            }
        )  # fmt: skip
    return lines


def _errors(pairs: Iterable[tuple[Row, Sample]], constants: Constants) -> dict[str, Any]:
    """Misses of the predicted totals, predicted / measured - 1: median of their sizes, the worst size, each row's."""
    each = {row["key"]: round(predicted(seen, constants) / measured(seen, constants) - 1, 4) for row, seen in pairs}
    sizes = [abs(miss) for miss in each.values()]
    return {
        "median": round(statistics.median(sizes), 4) if sizes else None,
        "worst": max(sizes, default=None),
        "rows": each,
    }


def _total(need: dict[str, int]) -> int:
    return need["torch_bytes"] + need["outside_bytes"]
