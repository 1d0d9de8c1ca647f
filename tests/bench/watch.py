"""What the watchers are worth: false alarms, how soon trouble is seen, how far the time left is off, and what it costs.

Run: python -m tests.bench.watch [RUNS]. Prints JSON: false alarms by code over RUNS (1000) simulated healthy trainings
of 20 to 20,000 steps; steps from trouble to its observation over 50 trainings each; the worst error of `seconds_left`
over 100 trainings each from 5 % of the run on; milliseconds that one `observe` takes.
"""

import json
import random
import sys
import time
from collections import Counter
from statistics import median
from typing import Any

from core.watch import observe, seconds_left, spike
from tests.curves import TROUBLES, Curve, errors_of_time_left, first_seen, healthy, seen_at_all

PLANTED = 50
TIMED = 100


def false_alarms(runs: int) -> dict[str, Any]:
    """Codes that were seen in healthy trainings, each once a run."""
    found = Counter(code.value for seed in range(runs) for code in seen_at_all(healthy(seed)))
    return {"runs": runs, "rate": sum(found.values()) / runs, "codes": dict(found)}


def detection() -> dict[str, Any]:
    """How many steps after its beginning each trouble was seen."""
    found = {}
    for name, (make, code, start, within) in TROUBLES.items():
        seen = [first_seen(make(seed), code, start, 2 * within + 20) for seed in range(PLANTED)]
        late = [each.step - start for each in seen if each is not None]
        found[name] = {
            "code": code.value, "missed": PLANTED - len(late), "median_steps": median(late), "most_steps": max(late),
            "promised_steps": within, "in_time": sum(steps <= within for steps in late) / PLANTED,
        }  # fmt: skip
    return found


def time_left() -> dict[str, Any]:
    """Worst and median error by the length of the run."""
    found = {}
    for steps in (50, 100, 200, 400, 1000, 3000):
        chance, errors = random.Random(steps), []
        for seed in range(TIMED):
            curve = Curve(
                steps=steps, seed=seed, sorted_rows=chance.random() < 0.3, time_noise=chance.choice([0.02, 0.05, 0.1]),
                evaluation_steps=chance.choice([2.0, 5.0, 20.0]), forward=chance.uniform(0.36, 0.5),
                answers=chance.choice([0, 4, 10]), epochs=chance.choice([1, 3]), fixed=chance.choice([0.0, 0.2, 0.5]),
                pause=lambda at: 500.0 if at % 97 == 0 else 0.0,
            )  # fmt: skip
            errors += [abs(error) for error in errors_of_time_left(curve).values()]
        found[str(steps)] = {"worst": round(max(errors), 4), "median": round(median(errors), 4)}
    return found


def cost() -> dict[str, float]:
    """Milliseconds of processor time for one look at a run of 20,000 steps with ten answers a round."""
    found = {}
    for name, sorted_rows in (("packed", False), ("sorted", True)):
        curve = Curve(steps=20_000, answers=10, sorted_rows=sorted_rows, answer=lambda _step, n: f"answer {n} " * 40)
        history = curve.history()
        for what, look in (
            ("observe", observe),
            ("seconds_left", seconds_left),
            ("spike", lambda seen, _plan: spike(seen)),
        ):
            look(history, curve.plan)
            before = time.process_time()
            for _ in range(100):
                look(history, curve.plan)
            found[f"{what}_{name}"] = round((time.process_time() - before) * 10, 3)
    return found


def main() -> None:
    """Measure everything."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    told = {"milliseconds": cost(), "time_left": time_left(), "seen": detection(), "false_alarms": false_alarms(runs)}
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
