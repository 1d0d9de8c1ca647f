"""One combination on a card, in a process of its own: predicted, rehearsed as the product does, then trained.

python -m tests.bench.card_one measure|predict <asked.json> <answer.json>; tests/bench/card.py starts it.
"""

import json
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from core import gpu
from core.codec import from_plain
from core.events import Event, StepDone
from core.problems import Code, diagnose
from core.vram import estimate
from tests.bench.card_grid import Combination, facts_of, shape_of

#: Samples of NVML per second, and steps that are trained after the rehearsal; the first ones are not timed.
HERTZ, STEPS, WARM = 50, 5, 2
#: Rows that are held back: what an evaluation takes must be in the peak.
_VALIDATION = 2


class Told:
    """A Talk that keeps what each step said."""

    stop_requested, pause = False, None

    def __init__(self) -> None:
        self.steps: list[StepDone] = []

    def emit(self, event: Event) -> None:
        if isinstance(event, StepDone):
            self.steps.append(event)


class Watch(threading.Thread):
    """Used memory of the card as NVML sees it, many times a second; 0 where there is no NVML."""

    def __init__(self, card: int) -> None:
        super().__init__(daemon=True)
        self._card, self._over = card, threading.Event()
        self.before = self.peak = self._used()

    def run(self) -> None:
        while not self._over.wait(1 / HERTZ):
            self.peak = max(self.peak, self._used())

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, _kind: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None) -> None:
        self._over.set()
        self.join()

    def _used(self) -> int:
        found = gpu.read(self._card)
        return found.used_bytes if found else 0


def predict(combination: Combination) -> dict[str, Any]:
    """Both predictions before anything was fitted: parts in bytes by name."""
    from core.engine.dryrun import dry_run

    plan = combination.plan()
    found = dry_run(facts_of(combination.model), plan)
    return {
        "arithmetic": estimate(shape_of(combination.model), plan).items(),
        "dry_run": found.estimate.items(),
        "phases": found.phases,
        "dry_run_seconds": round(found.seconds, 2),
        "trained_parameters": found.trained_parameters,
    }


def measure(combination: Combination, card: int = 0, gauge: Any = None, steps: int = STEPS) -> dict[str, Any]:
    """Rehearse and train on the card that NVML counts as `card`, or under `gauge`; all sizes in bytes.

    `oom`: it did not fit; `measured` then says how far it came. `watched` is the card's used memory by NVML.
    """
    found: dict[str, Any] = {"oom": False}
    started = time.monotonic()
    with Watch(card) as watch, tempfile.TemporaryDirectory(prefix="card-") as folder:
        gauge = gauge or _gauge(card)
        try:
            _work(combination, gauge, Path(folder), steps, found)
        except Exception as error:
            if diagnose(error).code is not Code.GPU_MEMORY:
                raise
            found |= {"oom": True, "said": str(error)[:300]}
            found.setdefault("measured", _need(gauge))
    found["watched"] = {"before_bytes": watch.before, "peak_bytes": watch.peak}
    found["seconds"] = round(time.monotonic() - started, 1)
    return found


def _work(combination: Combination, gauge: Any, folder: Path, steps: int, found: dict[str, Any]) -> None:
    from transformers import set_seed

    from core.engine.adapters import attach_new_adapter
    from core.engine.best import Best
    from core.engine.device import device
    from core.engine.encoding import ChatFormat
    from core.engine.fused import fuse
    from core.engine.loading import keep_trainable, load_base, recompute
    from core.engine.parts import Parts, tiles
    from core.engine.rows import Rows
    from core.history import RunHistory
    from core.runs import RunFolder
    from tests.bench.card_model import random_base, write_base
    from tests.tiny import make_tiny_tokenizer

    plan, talk, facts = combination.plan(steps), Told(), facts_of(combination.model)
    set_seed(plan.seed)
    run = RunFolder.create(folder, plan)
    rows = _rows(combination, int(facts["vocab_size"]))
    if combination.folder:
        write_base(facts, folder / "model")
    with gauge.measuring():
        begun = time.monotonic()
        if combination.folder:
            base = load_base(folder / "model", plan.method, device())
        else:
            base = random_base(facts, plan.method, device())
        found["built"] = {"bytes": _allocated(), "seconds": round(time.monotonic() - begun, 1)}
        keep_trainable(base)
        model = attach_new_adapter(base, plan)
        fuse(model)
        if combination.reentrant is None:
            recompute(base, plan)
        else:
            base.activation_checkpointing_enable({"use_reentrant": combination.reentrant}, every_n_layers=1)
            base.enable_input_require_grads()
        found["built"]["adapted_bytes"] = _allocated()
        data = Rows(rows, rows[-_VALIDATION:])
        chat, tiled = ChatFormat(make_tiny_tokenizer()), tiles(model, plan, rows)
        parts = Parts(run, plan, chat, data, model, tiled=tiled, packs=False)
        parts.rehearse(talk)
    found["measured"] = _need(gauge)
    gauge.let_go()
    with _quick_saving():
        parts.trainer(talk, Best(run.best, 0, RunHistory())).train()
    found["trained"] = _need(gauge, gauge.so_far()) | _speed(talk.steps)


def _rows(combination: Combination, words: int) -> list[Any]:
    """Made-up rows, the longest of `tokens` tokens; see Combination for the lengths of the others."""
    import numpy as np

    from core.engine.encoding import Encoded

    chance = np.random.default_rng(0)
    count = combination.batch * combination.accumulation
    rows = []
    for place in range(count + _VALIDATION):
        shorter = 0 if combination.even else place % count
        ids = chance.integers(0, words, combination.tokens - shorter, dtype=np.int32)
        rows.append(Encoded(ids, ids.copy()))
    return rows


def _need(gauge: Any, need: Any = None) -> dict[str, int]:
    import torch

    need = need or gauge.need
    told = {"torch_bytes": need.torch_bytes, "outside_bytes": need.outside_bytes, "room_bytes": gauge.room_bytes}
    if torch.cuda.is_available():
        stats = torch.cuda.memory_stats()
        told |= {
            "allocated_bytes": torch.cuda.max_memory_allocated(),
            "requested_bytes": stats.get("requested_bytes.all.peak", 0),
            "retries": stats.get("num_alloc_retries", 0),
        }
    return told


def _allocated() -> int:
    import torch

    return torch.cuda.memory_allocated() if torch.cuda.is_available() else 0


def _speed(steps: list[StepDone]) -> dict[str, Any]:
    timed = sorted(step.seconds for step in steps[WARM:]) or [0.0]
    middle = timed[len(timed) // 2]
    tokens = steps[-1].trained_tokens if steps else 0
    return {
        "step_seconds": [round(step.seconds, 4) for step in steps],
        "tokens_per_second": round(tokens / middle, 1) if middle else 0.0,
    }


def _gauge(card: int) -> Any:
    from core.engine.gauge import CardGauge

    return CardGauge(card)


@contextmanager
def _quick_saving() -> Iterator[None]:
    """Checkpoints are measured in the rehearsal; a disk that flushes slowly need not be waited for again."""
    from core import seals

    kept = seals.sync_tree
    seals.sync_tree = lambda _folder: None
    try:
        yield
    finally:
        seals.sync_tree = kept


def main(what: str, asked: str, answer: str) -> None:
    """Do `what` for the combination in the file `asked` and write the answer."""
    from core.jobs.worker import prepare_libraries

    prepare_libraries()
    warnings.simplefilter("ignore")
    told = json.loads(Path(asked).read_text(encoding="utf-8"))
    combination = from_plain(Combination, told["combination"])
    if what == "predict":
        found = predict(combination)
    else:
        gauge = None
        if told.get("pretend"):
            from tests.engine.pretend import PretendCard

            gauge = PretendCard(1 << 40)
        found = measure(combination, told.get("card", 0), gauge)
    beside = Path(answer).with_suffix(".part")
    beside.write_text(json.dumps(found), encoding="utf-8")
    beside.replace(answer)


if __name__ == "__main__":
    main(*sys.argv[1:4])
