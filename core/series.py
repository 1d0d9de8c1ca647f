"""The series of a training: each event as named numbers, and the whole of a run as a CSV table."""

import csv
from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.events import Evaluated, Event, Measured, StepDone
from core.files import file_in_place
from core.history import RunHistory, read_tokens

_GB = 1e9

#: The columns of the table, one row a step; amounts of memory in bytes, temperature in °C.
COLUMNS = (
    "step", "time", "epoch", "loss", "validation_loss", "validation_perplexity", "learning_rate", "gradient_norm",
    "rows", "tokens", "trained_tokens", "seconds", "tokens_per_second", "rows_per_second", "peak_bytes", "memory_bytes",
    "temperature", "power_watts", "utilisation",
)  # fmt: skip


def scalars(event: Event) -> dict[str, float]:
    """What an event says in numbers, by the names under which TensorBoard shows them; what is not known is left out."""
    match event:
        case StepDone():
            found = {
                "train/loss": event.loss,
                "train/learning_rate": event.learning_rate,
                "train/gradient_norm": event.gradient_norm,
                "train/epoch": event.epoch,
                "speed/tokens_per_second": _rate(read_tokens(event), event.seconds),
                "speed/rows_per_second": _rate(event.rows, event.seconds),
                "memory/allocated_gb": event.peak_bytes and event.peak_bytes / _GB,
            }
        case Evaluated():
            found = {"validation/loss": event.loss, "validation/perplexity": event.perplexity}
        case Measured():
            found = {
                "memory/used_gb": event.used_bytes / _GB,
                "card/temperature": event.temperature,
                "card/power_watts": event.power_watts,
                "card/utilisation": event.utilisation,
            }
        case _:
            return {}
    return {name: float(value) for name, value in found.items() if value is not None}


def write_csv(history: RunHistory, path: Path) -> None:
    """Write all series of a run as CSV (UTF-8, COLUMNS): a row a step, empty where nothing is known. Raises OSError.

    Readings of the card are the newest ones before the end of the step.
    """
    with file_in_place(path) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(_rows(history))


def _rows(history: RunHistory) -> Iterator[dict[str, Any]]:
    checked = {each.step: each for each in history.evaluations}
    times = [reading.time for reading in history.memory]
    for step in history.steps:
        at = bisect_right(times, step.time)
        reading = history.memory[at - 1] if at else None
        check = checked.get(step.step)
        yield {
            "step": step.step,
            "time": datetime.fromtimestamp(step.time, UTC).isoformat(timespec="milliseconds"),
            "epoch": step.epoch,
            "loss": step.loss,
            "validation_loss": check and check.loss,
            "validation_perplexity": check and check.perplexity,
            "learning_rate": step.learning_rate,
            "gradient_norm": step.gradient_norm,
            "rows": step.rows,
            "tokens": read_tokens(step),
            "trained_tokens": step.trained_tokens,
            "seconds": step.seconds,
            "tokens_per_second": _rate(read_tokens(step), step.seconds),
            "rows_per_second": _rate(step.rows, step.seconds),
            "peak_bytes": step.peak_bytes,
            "memory_bytes": reading and reading.used_bytes,
            "temperature": reading and reading.temperature,
            "power_watts": reading and reading.power_watts,
            "utilisation": reading and reading.utilisation,
        }


def _rate(amount: int, seconds: float) -> float | None:
    return amount / seconds if amount and seconds > 0 else None
