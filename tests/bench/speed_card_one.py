"""One contender of the speed bench on a card, in a process of its own: trains a model made in place, and tells it.

python -m tests.bench.speed_card_one <settings.json>; tests/bench/speed_card.py starts it. Each line of standard output
that counts begins with MARK and is JSON: `begins` once, then every step, then what it took. Running out of memory is
told as `oom`.
"""

import contextlib
import json
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tests.bench import speed_contenders
from tests.bench.speed_contenders import Watch, say

PACKAGES = (*speed_contenders.PACKAGES, "bitsandbytes", "datasets", "triton", "liger-kernel")

Tell = Callable[..., None]


class Enough(BaseException):
    """The last step is done; what comes after training is not measured."""


class CardWatch(Watch):
    """A watch that waits for the card before it reads the clock, and never in the middle of a step."""

    def __init__(self, steps: int, tell: Tell) -> None:
        super().__init__(steps)
        self._tell = tell
        self._seen: list[Any] = []
        self.before: dict[str, int] = {}

    def begins(self) -> None:
        self.before = _begin_again()
        # what a rehearsal was fed with does not count
        self.computed, self._seen = 0, []
        self._tell(begins=True)
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def see(self, labels: Any) -> None:
        # asking for the number would let the processor wait for the card
        self._seen.append((labels[:, 1:] != -100).sum())
        self.computed += labels.numel()

    def step(self, loss: float | None = None) -> None:
        _wait()
        wall, cpu = time.perf_counter(), time.process_time()
        trained = sum(int(seen) for seen in self._seen)
        self._tell(
            seconds=wall - self._wall, cpu_seconds=cpu - self._cpu, trained=trained, computed=self.computed, loss=loss
        )
        self.computed, self._seen = 0, []
        self._left -= 1
        if not self._left:
            raise Enough
        self._wall, self._cpu = time.perf_counter(), time.process_time()


def contend(settings: dict[str, Any], tell: Tell) -> None:
    """Train what the settings say and tell how it went.

    With `room_bytes` a pretended card of that size counts and runs out of memory; for processors.
    """
    from core.problems import Code, diagnose

    watch = CardWatch(settings["steps"], tell)
    gauge = None
    if room := settings.get("room_bytes", 0):
        from tests.engine.pretend import PretendCard

        gauge = PretendCard(room)
    try:
        {"solotune": _solotune, "trl": _trl}[settings["contender"]](settings, watch, gauge)
    except Enough:
        pass
    except Exception as error:
        if diagnose(error).code is not Code.GPU_MEMORY:
            raise
        tell(oom=str(error)[:300])
    tell(memory=_memory(watch, gauge), plan=_plan_at_the_end(settings), packages=_versions())


def _solotune(settings: dict[str, Any], watch: CardWatch, gauge: Any) -> None:
    """The product from reading the rows to its last step, rehearsal included; only weights are made, not loaded."""
    from core.engine import parts, train

    folder = Path(settings["model"])

    def made(_folder: Path, method: Any, where: Any, _dtype: Any = None) -> Any:
        return _made(settings, method, where)

    with _instead(train, "find_folder", lambda *_asked: folder), _instead(parts, "load_base", made):
        speed_contenders.solotune(settings, watch, gauge)


def _trl(settings: dict[str, Any], watch: CardWatch, gauge: Any) -> None:
    from core.engine.device import device
    from core.engine.loading import load_tokenizer
    from core.plan import Method

    with gauge.measuring() if gauge else contextlib.nullcontext():
        model = _made(settings, Method(settings["method"]), device())
        speed_contenders.trl(settings, watch, model, load_tokenizer(Path(settings["model"])))


def _made(settings: dict[str, Any], method: Any, where: Any) -> Any:
    """The base as core.engine.loading.load_base would load it: 16 bits, int8, or NF4 with double quantization."""
    from tests.bench.card_model import random_base

    facts = json.loads((Path(settings["model"]) / "config.json").read_text(encoding="utf-8"))
    return random_base(facts, method, where)


@contextlib.contextmanager
def _instead(module: Any, name: str, value: Any) -> Iterator[None]:
    kept = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, kept)


def _begin_again() -> dict[str, int]:
    """Forget the peaks so far; what is held now, and the peak of all before it (the product rehearses)."""
    import torch

    if not torch.cuda.is_available():
        return {}
    torch.cuda.synchronize()
    found = {"before_bytes": torch.cuda.memory_allocated(), "prepared_bytes": torch.cuda.max_memory_allocated()}
    torch.cuda.reset_peak_memory_stats()
    return found


def _wait() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _memory(watch: CardWatch, gauge: Any) -> dict[str, int]:
    """Peaks since training began, by torch's allocator; of a pretended card the tensors of all the work."""
    import torch

    if not torch.cuda.is_available():
        return {"allocated_bytes": gauge.need.torch_bytes if gauge else 0, "reserved_bytes": 0}
    return watch.before | {
        "allocated_bytes": torch.cuda.max_memory_allocated(),
        "reserved_bytes": torch.cuda.max_memory_reserved(),
        "retries": torch.cuda.memory_stats().get("num_alloc_retries", 0),
    }


def _plan_at_the_end(settings: dict[str, Any]) -> dict[str, Any]:
    """How rows were laid and what was recomputed: the product may have stepped down from the plan it was given."""
    from core.plan import load_plan

    for file in Path(settings["output"]).glob("*/plan.json"):
        plan = load_plan(file)
        return {
            "batch": plan.batch, "accumulation": plan.accumulation, "tokens": plan.tokens,
            "checkpointing": plan.checkpointing, "packing": plan.packing,
        }  # fmt: skip
    recomputes = "full" if settings["checkpointing"] == "default" else "none"
    return {name: settings[name] for name in ("batch", "accumulation", "tokens")} | {"checkpointing": recomputes}


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def main(file: str) -> None:
    """Do what the settings in `file` say and end at once."""
    given = json.loads(Path(file).read_text(encoding="utf-8"))
    warnings.simplefilter("ignore")
    if given["contender"] == "solotune":
        from core.jobs.worker import prepare_libraries

        # as the product's own processes begin: among others it sets how torch's allocator grows
        prepare_libraries()
    contend(given, say)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
