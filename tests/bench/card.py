"""Predicted against measured peaks on the card at hand, its constants, the int8 trap and speed: a file of results.

python -m tests.bench.card [--minutes 9] [--resume]     on a computer with an NVIDIA card; see tests/gpu/README.md
python -m tests.bench.card --pretend                    the same code on a processor, tiny models, proves nothing
python -m tests.bench.card --list                       what would be measured, and what it should take
python -m tests.bench.card --judge FILE                 what a file of results says

Every combination runs in a process of its own. The file is written after each, so that a run that is cut off keeps
what it has; --resume goes on with it.
"""

import argparse
import json
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from core import gpu  # noqa: E402
from core.codec import to_plain  # noqa: E402
from core.files import write_text  # noqa: E402
from core.problems import Trouble  # noqa: E402
from core.vram import estimate  # noqa: E402
from tests.bench.card_grid import GRID, PRETENDED, Combination, shape_of  # noqa: E402
from tests.bench.card_judge import judge  # noqa: E402
from tests.bench.card_report import line, report  # noqa: E402

RESULTS = Path(__file__).with_name("results")
#: No combination takes longer than this many seconds; the first one of a fresh machine loads everything from disk.
LONGEST = 240.0
#: Seconds that must be left for another combination to begin.
LEAST = 25.0
#: So many failures in a row mean that something is wrong with the computer, not with the combinations.
PATIENCE = 3

Row = dict[str, Any]
#: Measures a combination in at most so many seconds.
Measure = Callable[[Combination, float], Row]


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; 0 when everything was measured and the promise holds (pretended: measured)."""
    asked = _asked(arguments)
    if asked.list:
        for place, combination in enumerate(GRID):
            print(f"{place:3} {_should_take(combination) / 1e9:6.1f} GB  {combination.key}")
        return 0
    if asked.judge:
        told = json.loads(asked.judge.read_text(encoding="utf-8"))
        told["judgement"] = judge(told["rows"], told["card"])
        write_text(asked.judge, json.dumps(told, indent=1, ensure_ascii=False) + "\n")
        print(report(told))
        return 0 if told["judgement"]["held"] else 1
    grid = [c for c in (PRETENDED if asked.pretend else GRID) if all(word in c.key for word in asked.only)]
    facts = facts_here(asked.card, pretend=asked.pretend)
    folder = asked.out or (Path(tempfile.mkdtemp(prefix="card-")) if asked.pretend else RESULTS)
    file = folder / f"card_{slug(facts['card'])}.json"
    print(f"{facts['card']}, driver {facts['driver']}, {facts['versions']} -> {file}", flush=True)
    children = Children(asked.card, asked.pretend)
    told = measured_rows(grid, file, facts, children, minutes=asked.minutes, resume=asked.resume)
    print(report(told))
    left = {c.key for c in grid} - {row["key"] for row in told["rows"] if "failed" not in row}
    print(f"{len(left)} of {len(grid)} combinations are left: --resume goes on" if left else "nothing is left")
    return 0 if not left and (asked.pretend or told["judgement"]["held"]) else 1


def measured_rows(
    grid: Sequence[Combination], file: Path, facts: dict[str, Any], measure: Measure, *, minutes: float, resume: bool
) -> dict[str, Any]:
    """Measure the grid in its order until the minutes are over and return what the file then holds.

    Rows of combinations that are not in the grid stay; `resume` passes over those that are there, unless they
    failed. The file is written after every row. Raises SystemExit when it is of another driver or other versions.
    """
    until = time.monotonic() + 60 * minutes
    kept = _kept(file, facts)
    if not resume:
        kept = {key: row for key, row in kept.items() if key not in {c.key for c in grid}}
    failures = 0
    told = facts | {"rows": []}
    for combination in grid:
        left = until - time.monotonic()
        if combination.key not in kept and left >= min(LEAST, 30 * minutes) and failures < PATIENCE:
            row = _one(combination, facts, measure, min(LONGEST, left))
            failures = failures + 1 if "failed" in row else 0
            kept[combination.key] = row
            print(line(row), flush=True)
        # in the grid's order whatever was measured first, rows of other grids (--only) after it
        order = [c.key for c in GRID if c.key in kept]
        order += [key for key in kept if key not in order]
        told["rows"] = [kept[key] for key in order]
        told["judgement"] = judge(told["rows"], facts["card"])
        file.parent.mkdir(parents=True, exist_ok=True)
        write_text(file, json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    if failures >= PATIENCE:
        print(f"stopped: {PATIENCE} failures in a row", flush=True)
    return told


class Children:
    """Measures in fresh processes: one with the card, and beside it one without that makes the predictions."""

    def __init__(self, card: int, pretend: bool) -> None:
        self._card, self._pretend = card, pretend

    def __call__(self, combination: Combination, seconds: float) -> Row:
        """Return what the two processes found. Raises RuntimeError with the last words of the one that failed."""
        with tempfile.TemporaryDirectory(prefix="card-") as name:
            folder = Path(name)
            told = {"combination": to_plain(combination), "card": self._card, "pretend": self._pretend}
            (folder / "asked.json").write_text(json.dumps(told), encoding="utf-8")
            until = time.monotonic() + seconds
            visible = "" if self._pretend else gpu.visible_device(self._card)
            started = {"measure": _start("measure", folder, visible), "predict": _start("predict", folder, "")}
            found: Row = {}
            try:
                for what, child in started.items():
                    found |= _answer(what, child, folder, until)
            finally:
                for child in started.values():
                    _end(child)
        return {"predicted": found.pop("predicted"), **found}


def facts_here(card: int, *, pretend: bool) -> dict[str, Any]:
    """What the numbers depend on: card, driver, versions, day."""
    names = ("torch", "transformers", "peft", "accelerate", "bitsandbytes", "triton")
    facts = {
        "card": "pretended card", "driver": "", "cuda": "", "total_bytes": 0,
        "versions": {name: _version(name) for name in names} | {"python": platform.python_version()},
        "system": platform.system(), "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }  # fmt: skip
    if pretend:
        return facts
    try:
        here = next(found for found in gpu.cards() if found.index == card)
    except (Trouble, StopIteration) as error:
        raise SystemExit(f"no card to measure: {error!r}; --pretend tries the code without one") from None
    return facts | {
        "card": here.name, "driver": here.driver, "cuda": here.cuda, "total_bytes": here.total_bytes,
        "capability": list(here.capability),
    }  # fmt: skip


def slug(name: str) -> str:
    """The card's name as part of a file's name."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "card"


def _one(combination: Combination, facts: dict[str, Any], measure: Measure, seconds: float) -> Row:
    """The row of one combination; what is far beyond the card is not tried, what went wrong is told."""
    row: Row = {"key": combination.key, "combination": to_plain(combination)}
    if facts["total_bytes"] and _should_take(combination) > 1.1 * facts["total_bytes"]:
        return row | {"skipped": "larger than the card"}
    try:
        return row | measure(combination, seconds)
    except (RuntimeError, subprocess.SubprocessError, OSError, ValueError) as error:
        return row | {"failed": str(error)[-3000:]}


def _start(what: str, folder: Path, visible: str) -> "subprocess.Popen[bytes]":
    environment = os.environ | {
        "CUDA_VISIBLE_DEVICES": visible, "CUDA_DEVICE_ORDER": "PCI_BUS_ID", "HF_HUB_OFFLINE": "1",
        "SOLOTUNE_HOME": str(folder / "home"),
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", "")))),
    }  # fmt: skip
    command = [sys.executable, "-m", "tests.bench.card_one", what, "asked.json", f"{what}.json"]
    with (folder / f"{what}.log").open("wb") as log:
        return subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip


def _answer(what: str, child: "subprocess.Popen[bytes]", folder: Path, until: float) -> Row:
    child.wait(timeout=max(1.0, until - time.monotonic()))
    answer = folder / f"{what}.json"
    if child.returncode or not answer.exists():
        words = (folder / f"{what}.log").read_text(encoding="utf-8", errors="replace")[-2500:]
        raise RuntimeError(f"{what} ended with {child.returncode}: {words}")
    found = json.loads(answer.read_text(encoding="utf-8"))
    return {"predicted": found} if what == "predict" else found


def _end(child: "subprocess.Popen[bytes]") -> None:
    if child.poll() is None:
        if hasattr(os, "killpg"):
            os.killpg(child.pid, signal.SIGKILL)
        child.kill()
        child.wait()


def _kept(file: Path, facts: dict[str, Any]) -> dict[str, Row]:
    """The rows of an earlier run by key; what failed is tried again."""
    if not file.exists():
        return {}
    told = json.loads(file.read_text(encoding="utf-8"))
    for name in ("card", "driver", "versions"):
        if told[name] != facts[name]:
            raise SystemExit(f"{file} is of another {name}, {told[name]}: move it away, or name a folder with --out")
    return {row["key"]: row for row in told["rows"] if "failed" not in row}


def _should_take(combination: Combination) -> int:
    return estimate(shape_of(combination.model), combination.plan()).total_bytes


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=9.0, help="begin nothing more after so many minutes")
    parser.add_argument("--resume", action="store_true", help="keep the rows that the file already has")
    parser.add_argument("--only", action="append", default=[], help="combinations whose line has this word")
    parser.add_argument("--card", type=int, default=0, help="the card's number, as nvidia-smi counts")
    parser.add_argument("--out", type=Path, help="folder of the results instead of tests/bench/results")
    parser.add_argument("--pretend", action="store_true", help="tiny models on the processor")
    parser.add_argument("--list", action="store_true", help="print the combinations and measure nothing")
    parser.add_argument("--judge", type=Path, help="judge a file of results again")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
