"""Trained tokens a second and peak memory beside TRL and LLaMA-Factory: the same rows, in turn, on the processor.

Run: python -m tests.bench.speed --data rows.json [--llamafactory PYTHON]. The starter model must have been fetched;
PYTHON is the interpreter of an environment with llamafactory==0.9.5 and the same torch, without torchvision, and with
an empty module `torchaudio`. Every contender trains in a process of its own, one after the other, round by round, so
that a busy machine is busy for all of them; ratios are taken within a round, and the median of them counts.

Steps are as many as the rows make, and WARM more: the first WARM steps do not count. Where rows of like length come
together the longest come first, so they are met again behind the first epoch.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil

from core.catalog import STARTER, spec_of
from core.data.inspect import inspect_files
from core.hub import find_folder
from core.plan import TrainingPlan
from core.planning import make_plan
from core.settings import load, models_root
from tests.bench.speed_contenders import MARK
from tests.bench.speed_report import write
from tests.engine.conftest import Listener

RESULTS = Path(__file__).parent / "results"
WARM = 2
#: Seconds between two looks at the memory of a contender.
LOOK = 0.02


@dataclass(frozen=True)
class Contender:
    """Who trains (`by`, a function of speed_contenders), and what is changed for it."""

    title: str
    by: str
    settings: dict[str, Any] = field(default_factory=dict)
    plan: Callable[[TrainingPlan], TrainingPlan] | None = None


@dataclass
class Run:
    """What one contender did in one round; the first WARM steps are in `steps` too."""

    steps: list[dict[str, Any]] = field(default_factory=list)
    before_bytes: int = 0
    peak_bytes: int = 0
    packages: dict[str, str] = field(default_factory=dict)

    def rate(self, clock: str = "seconds") -> float:
        """Trained tokens a second."""
        counted = self.steps[WARM:]
        return sum(step["trained"] for step in counted) / sum(step[clock] for step in counted)

    @property
    def epoch(self) -> int:
        """Trained tokens of all rows once."""
        return sum(step["trained"] for step in self.steps[:-WARM])

    @property
    def padding(self) -> float:
        """Computed tokens for each trained one."""
        counted = self.steps[WARM:]
        return sum(step["computed"] for step in counted) / sum(step["trained"] for step in counted)


def contenders(asked: argparse.Namespace) -> dict[str, Contender]:
    """By their short names. "default" is what a user gets who changes nothing but model, data, batch and length."""

    def same(plan: TrainingPlan) -> TrainingPlan:
        return replace(plan, batch=asked.batch, accumulation=asked.accumulation, tokens=asked.tokens, packing=False)

    off = {"checkpointing": "none"}
    return {
        "solotune": Contender("SoloTune, its defaults", "solotune"),
        "solotune-unpacked": Contender("SoloTune, unpacked", "solotune", plan=same),
        "solotune-recomputing": Contender(
            "SoloTune, unpacked, recomputing", "solotune", plan=lambda plan: replace(same(plan), checkpointing="full")
        ),
        "trl": Contender("TRL, its defaults", "trl"),
        "trl-keeping": Contender("TRL, not recomputing", "trl", off),
        "llamafactory": Contender("LLaMA-Factory, its defaults", "llamafactory"),
        "llamafactory-keeping": Contender("LLaMA-Factory, not recomputing", "llamafactory", off),
    }


def main() -> None:
    """Measure, print, and write results/speed.json and results/speed.md."""
    asked = _arguments()
    found = {name: one for name, one in contenders(asked).items() if not asked.only or name in asked.only.split(",")}
    if not asked.llamafactory:
        print("LLaMA-Factory is left out: no --llamafactory PYTHON was given.", flush=True)
        found = {name: one for name, one in found.items() if one.by != "llamafactory"}
    runs: dict[str, list[Run]] = {name: [] for name in found}
    with tempfile.TemporaryDirectory() as scratch:
        settings, plan = prepared(asked, Path(scratch))
        for number in range(asked.rounds):
            # nobody always comes first
            for name in random.Random(number).sample(sorted(found), len(found)):
                runs[name].append(measured(found[name], settings, plan, asked, Path(scratch)))
                last = runs[name][-1]
                print(
                    f"round {number + 1}: {found[name].title}: {last.rate():.1f} trained tokens/s, "
                    f"{last.peak_bytes / 1e9:.2f} GB", flush=True,
                )  # fmt: skip
            table = write(RESULTS, {name: one.title for name, one in found.items()}, runs, settings, plan)
    print(table)


def prepared(asked: argparse.Namespace, scratch: Path) -> tuple[dict[str, Any], TrainingPlan]:
    """Settings that are the same for all, and the product's own plan for the rows, which are written as a file."""
    from core.engine.rows import conversations

    data = (str(asked.data.resolve()),)
    whole = TrainingPlan(model=STARTER, data=data, validation_share=0.0)
    rows = [row.plain() for row in conversations(whole, Listener())[0]]
    wanted = asked.steps * asked.batch * asked.accumulation
    pairs = [
        {"instruction": row[0]["content"], "input": "", "output": row[1]["content"]}
        for row in rows if [turn["role"] for turn in row] == ["user", "assistant"]
    ]  # fmt: skip
    chosen = random.Random(0).sample(pairs, wanted)
    (scratch / "rows.json").write_text(json.dumps(chosen), encoding="utf-8")
    steps = asked.steps + WARM
    report = inspect_files((str(scratch / "rows.json"),))
    plan = make_plan(spec_of(STARTER), models_root(load()), report, None)
    plan = replace(plan, tokens=asked.tokens, steps=steps, validation_share=0.0, save_every=10**6, questions=())
    settings = {
        "rows": str(scratch / "rows.json"), "model": str(find_folder(STARTER, models_root(load()))),
        "batch": asked.batch, "accumulation": asked.accumulation, "tokens": asked.tokens, "steps": steps,
        "rank": plan.rank, "alpha": plan.alpha, "targets": list(plan.target_modules), "seed": plan.seed,
        "learning_rate": plan.learning_rate, "checkpointing": "default", "threads": asked.threads,
    }  # fmt: skip
    return settings, plan


def measured(
    one: Contender, settings: dict[str, Any], plan: TrainingPlan, asked: argparse.Namespace, scratch: Path
) -> Run:
    """Let a contender train in a process of its own. Raises RuntimeError with its last words when it fails."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        place = Path(folder)
        (one.plan(plan) if one.plan else plan).save(place / "plan.json")
        given = settings | one.settings
        given |= {"contender": one.by, "output": str(place / "output"), "plan": str(place / "plan.json")}
        (place / "settings.json").write_text(json.dumps(given), encoding="utf-8")
        python = str(asked.llamafactory) if one.by == "llamafactory" else sys.executable
        words = place / "words.txt"
        environment = os.environ | {
            "PYTHONPATH": str(Path(__file__).parents[2]), "HF_HUB_OFFLINE": "1", "OMP_WAIT_POLICY": "PASSIVE",
            "OMP_NUM_THREADS": str(asked.threads), "CUDA_VISIBLE_DEVICES": "", "TOKENIZERS_PARALLELISM": "false",
            "HF_DATASETS_CACHE": str(place / "datasets"), "PYTHONWARNINGS": "ignore",
        }  # fmt: skip
        command = [python, "-m", "tests.bench.speed_contenders", str(place / "settings.json")]
        with words.open("w") as file:
            child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=file, text=True, env=environment)
            run = _followed(child)
        if child.returncode or len(run.steps) < settings["steps"]:
            raise RuntimeError(f"{one.title}: {words.read_text(errors='replace')[-3000:]}")
        return run


def _followed(child: "subprocess.Popen[str]") -> Run:
    """Hear what the contender says and watch its memory from the beginning of its training on."""
    run = Run()
    begun = threading.Event()
    assert child.stdout is not None
    with _watching(child.pid, run, begun):
        for line in child.stdout:
            if not line.startswith(MARK):
                continue
            facts = json.loads(line.removeprefix(MARK))
            if "begins" in facts:
                begun.set()
            elif "packages" in facts:
                run.packages = facts["packages"]
            else:
                run.steps.append(facts)
        child.wait()
    return run


@contextmanager
def _watching(pid: int, run: Run, begun: threading.Event) -> Iterator[None]:
    over = threading.Event()

    def look() -> None:
        process = psutil.Process(pid)
        while not over.is_set():
            try:
                held = process.memory_info().rss
            except psutil.Error:
                return
            if begun.is_set():
                run.peak_bytes = max(run.peak_bytes, held)
            else:
                run.before_bytes = held
            time.sleep(LOOK)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a file with questions and answers")
    parser.add_argument("--llamafactory", type=Path, help="the interpreter of an environment with LLaMA-Factory")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--accumulation", type=int, default=1)
    parser.add_argument("--tokens", type=int, default=512)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", default="", help="short names of contenders, separated by commas")
    return parser.parse_args()


if __name__ == "__main__":
    main()
