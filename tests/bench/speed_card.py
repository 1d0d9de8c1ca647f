"""Trained tokens a second and peak memory beside TRL on the card at hand: real shapes, random weights, in turn.

python -m tests.bench.speed_card [--minutes 25] [--resume]    on a computer with an NVIDIA card; see tests/gpu/README.md
python -m tests.bench.speed_card --cpu                        the same code on a processor, a tiny model, proves nothing
python -m tests.bench.speed_card --list                       the cases, in the order in which they are measured

Every contender trains in a process of its own. The files are written after each of them, so that a run that is cut off
keeps what it has; --resume goes on with it.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from core import gpu  # noqa: E402
from core.cards import imagined  # noqa: E402
from core.files import write_text  # noqa: E402
from tests.bench.card import RESULTS, _version, facts_here  # noqa: E402
from tests.bench.speed_card_case import CONTENDERS, Case, Prepared, cases, halved, prepare  # noqa: E402
from tests.bench.speed_card_children import Children, Row  # noqa: E402
from tests.bench.speed_card_report import line, report  # noqa: E402

#: No contender takes longer than this many seconds, and so many must be left for another one to begin.
LONGEST, LEAST = 300.0, 60.0
#: So many failures in a row mean that something is wrong with the computer, not with the contenders.
PATIENCE = 3
#: The card that is planned for with --cpu, and the room of the pretended one where nobody says.
PRETENDED, PLENTY = "24 GB", 1 << 40

#: Lets a contender of a case train with these settings for at most so many seconds.
Measure = Callable[[Prepared, str, dict[str, Any], float], Row]


@dataclass
class Bench:
    """What was measured so far, and the file that holds it."""

    file: Path
    facts: dict[str, Any]
    measure: Measure
    rows: list[Row] = field(default_factory=list)
    prepared: dict[str, dict[str, Any]] = field(default_factory=dict)
    failures: int = 0

    def go_on(self) -> None:
        """Take over what the file has, but for what failed. Raises SystemExit when it is of another card."""
        if not self.file.exists():
            return
        told = json.loads(self.file.read_text(encoding="utf-8"))
        for name in ("card", "driver", "versions"):
            if told[name] != self.facts[name]:
                raise SystemExit(f"{self.file} is of another {name}: move it away, or name a folder with --out")
        self.rows = [row for row in told["rows"] if row["ended"] != "failed"]
        self.prepared = {each["key"]: each for each in told["cases"]}

    def batch(self, case: Prepared, name: str, number: int) -> int:
        """The micro-batch with which a contender is to train next in this round; 0 when there is nothing to do.

        What ran out of memory is tried with half of it, as its user would; the product has done so by itself.
        """
        mine = [row for row in self.rows if (row["key"], row["contender"]) == (case.case.key, name)]
        short = [row["batch"] for row in mine if row["ended"] == "does not fit"]
        if any(row["ended"] == "too slow" or (row["round"], row["ended"]) == (number, "trained") for row in mine):
            return 0
        if not short:
            return int(case.settings["batch"])
        return min(short) // 2 if CONTENDERS[name].by != "solotune" else 0

    def round(self, case: Prepared, number: int, names: Sequence[str], until: float, least: float) -> bool:
        """Let the contenders of a case train in turn; False when time or patience is over."""
        self.prepared[case.case.key] = case.facts()
        # nobody always comes first
        for name in random.Random(f"{number} {case.case.key}").sample(sorted(names), len(names)):
            while batch := self.batch(case, name, number):
                left = until - time.monotonic()
                if left < least or self.failures >= PATIENCE:
                    return False
                settings = halved(case.settings, batch) | CONTENDERS[name].settings
                row: Row = {"key": case.case.key, "contender": name, "round": number, "batch": batch}
                try:
                    row |= self.measure(case, name, settings, min(LONGEST, left))
                except TimeoutError:
                    if left < LONGEST:
                        return False
                    row |= {"ended": "too slow", "said": f"not done after {LONGEST:.0f} seconds"}
                except (RuntimeError, OSError, ValueError) as error:
                    row |= {"ended": "failed", "said": str(error)[-3000:]}
                self.keep(row)
                if row["ended"] == "failed":
                    break
        return True

    def keep(self, row: Row) -> None:
        """Add a row, tell it, and write both files."""
        self.failures = self.failures + 1 if row["ended"] == "failed" else 0
        self.rows.append(row)
        print(line(row), flush=True)
        told = self.told()
        self.file.parent.mkdir(parents=True, exist_ok=True)
        write_text(self.file, json.dumps(told, indent=1, ensure_ascii=False) + "\n")
        write_text(self.file.with_suffix(".md"), report(told))

    def told(self) -> dict[str, Any]:
        """Everything, as plain JSON values."""
        titles = {name: each.title for name, each in CONTENDERS.items()}
        return self.facts | {"titles": titles, "cases": list(self.prepared.values()), "rows": self.rows}


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; 0 when all cases were measured."""
    asked = _asked(arguments)
    grid = cases(("tiny/llama",), (256,)) if asked.cpu else cases()
    grid = tuple(case for case in grid if all(word in case.key for word in asked.only))
    if asked.list:
        print("\n".join(case.key for case in grid))
        return 0
    facts = facts_here(asked.card, pretend=asked.cpu)
    facts["versions"] |= {name: _version(name) for name in ("trl", "datasets", "liger-kernel")}
    folder = asked.out or (Path(tempfile.mkdtemp(prefix="speed-card-")) if asked.cpu else RESULTS)
    room = int(asked.room * 1e6) or PLENTY if asked.cpu else 0
    bench = Bench(folder / "speed_card.json", facts, Children(None if asked.cpu else asked.card, room))
    print(f"{facts['card']}, driver {facts['driver']}, {facts['versions']} -> {bench.file}", flush=True)
    if asked.resume:
        bench.go_on()
    whole = measured(bench, grid, asked)
    print(report(bench.told()))
    print("nothing is left" if whole else "cases are left: --resume goes on")
    return 0 if whole and all(row["ended"] != "failed" for row in bench.rows) else 1


def measured(bench: Bench, grid: Sequence[Case], asked: argparse.Namespace) -> bool:
    """Measure round by round, the cases of each in their order; False when something is left."""
    until = time.monotonic() + 60 * asked.minutes
    least = min(LEAST, 30 * asked.minutes)
    names = [name for name in CONTENDERS if not asked.contenders or name in asked.contenders.split(",")]
    with tempfile.TemporaryDirectory(prefix="speed-card-") as scratch:
        ready: dict[str, Prepared] = {}
        for number in range(asked.rounds):
            for case in grid:
                if time.monotonic() > until:
                    return False
                if case.key not in ready:
                    here = imagined(PRETENDED) if asked.cpu else _card(asked.card)
                    place = Path(scratch) / str(len(ready))
                    ready[case.key] = prepare(case, here, place, steps=asked.steps or 2 * asked.cpu)
                if not bench.round(ready[case.key], number, names, until, least):
                    return False
    return True


def _card(index: int) -> gpu.Card:
    return next(card for card in gpu.cards() if card.index == index)


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=25.0, help="begin nothing more after so many minutes")
    parser.add_argument("--resume", action="store_true", help="keep what the file already has")
    parser.add_argument("--rounds", type=int, default=2, help="how often all cases are measured, as far as time allows")
    parser.add_argument("--steps", type=int, default=0, help="steps that count, instead of what suits the length")
    parser.add_argument("--only", action="append", default=[], help="cases whose line has this word")
    parser.add_argument("--contenders", default="", help="short names, separated by commas: " + ", ".join(CONTENDERS))
    parser.add_argument("--card", type=int, default=0, help="the card's number, as nvidia-smi counts")
    parser.add_argument("--out", type=Path, help="folder of the results instead of tests/bench/results")
    parser.add_argument("--cpu", "--pretend", action="store_true", help="a tiny model on the processor")
    parser.add_argument("--room", type=float, default=0.0, help="with --cpu: MB that the pretended card has")
    parser.add_argument("--list", action="store_true", help="print the cases and measure nothing")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
