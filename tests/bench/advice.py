"""How long an estimate and a recommendation take; a slider move must stay below a millisecond.

Run: python -m tests.bench.advice. Prints medians in microseconds.
"""

import json
import statistics
import timeit
from collections.abc import Callable
from dataclasses import replace

from core import fitting
from core.catalog import models
from core.recommend import Recommendation, recommend
from core.shapes import shapes
from core.vram import estimate


def microseconds(work: Callable[[], object], times: int) -> float:
    """Median of five rounds."""
    return statistics.median(timeit.repeat(work, number=times, repeat=5)) / times * 1e6


def first_time() -> Recommendation:
    """Nothing is remembered from before but the files."""
    shapes.cache_clear()
    fitting._needs.cache_clear()
    return recommend(24 * 10**9, 22 * 10**9, "complex")


def main() -> None:
    """Print the medians."""
    advice = recommend(24 * 10**9, 24 * 10**9)
    model = max(models(), key=lambda m: m.parameters)
    plan = replace(advice.plan, checkpointing="full")
    figures = {
        "estimate": microseconds(lambda: estimate(model.architecture, plan), 1000),
        "recommend, first time": microseconds(first_time, 5),
        "recommend, all free": microseconds(lambda: recommend(24 * 10**9, 24 * 10**9), 50),
        "recommend, nothing free": microseconds(lambda: recommend(24 * 10**9, 0), 50),
    }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
