"""The capsule: all that it takes to repeat a run, kept in its folder, and how another computer differs from then.

It names no user and no place that the plan does not name.
"""

import hashlib
import json
import os
import platform
from contextlib import suppress
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from core import codec, gpu
from core.data.kept import mark, order_of
from core.files import write_text
from core.plan import TrainingPlan
from core.problems import Trouble
from core.runs import RunFolder

#: Packages that have a hand in what is learned.
PACKAGES = (
    "solotune", "torch", "transformers", "peft", "bitsandbytes", "accelerate", "safetensors", "tokenizers", "numpy",
)  # fmt: skip
#: The longest header that safetensors allows.
_MOST_BYTES = 100_000_000
#: Files of a model folder that are read whole; of weights the header and the size have to do.
_SMALL = (".json", ".jinja", ".model", ".txt")


@dataclass(frozen=True)
class Place:
    """Where a run was trained: versions by name (Python's among them), system, card, driver and CUDA; "" for none."""

    versions: dict[str, str]
    system: str
    card: str = ""
    card_bytes: int = 0
    driver: str = ""
    cuda: str = ""
    processes: int = 1


@dataclass(frozen=True)
class Capsule:
    """The plan (seed included), marks of the data files and of the model's files by name, and every place in turn."""

    plan: dict[str, Any]
    data: dict[str, str]
    model: dict[str, str]
    places: tuple[Place, ...] = field(default=())


@dataclass(frozen=True)
class Difference:
    """Something that is not as it was: `what` ("data", "model", "version", "card", "driver", "system"), which, how."""

    what: str
    name: str
    before: str
    now: str


def keep_capsule(run: RunFolder, folder: Path) -> None:
    """Write the capsule of `run`, whose base lies in `folder`; a run that went on elsewhere keeps both places.

    Never raises: without it a run is still a run.
    """
    with suppress(OSError):
        now, before = capsule_of(run.plan(), folder, run), read_capsule(run)
        known = before.places if before else ()
        places = known if known and known[-1] == now.places[0] else (*known, *now.places)
        write_text(run.capsule, json.dumps(codec.to_plain(replace(now, places=places)), ensure_ascii=True, indent=1))


def read_capsule(run: RunFolder) -> Capsule | None:
    """The capsule of a run; None when there is none that can be read."""
    try:
        said = json.loads(run.capsule.read_text(encoding="utf-8"))
        return codec.from_plain(Capsule, said, strict=False)
    except (OSError, ValueError, RecursionError):
        return None


def capsule_of(plan: TrainingPlan, folder: Path, run: RunFolder | None = None) -> Capsule:
    """What it takes to repeat `plan` on the base in `folder`, here and now; `run` knows the marks of its data."""
    order = order_of(run.data, plan) if run else None
    named = (*plan.data, plan.validation, *(mix.file for mix in plan.mix))
    data = order.files if order else {name: mark(Path(name)) for name in named if name}
    return Capsule(codec.to_plain(plan), dict(data), model_marks(folder), (place_of(plan.card),))


def model_marks(folder: Path) -> dict[str, str]:
    """Marks of the files of a model folder by name: the small ones whole, of weights header and size."""
    found = {}
    for path in sorted(folder.iterdir()):
        if path.suffix == ".safetensors":
            found[path.name] = _header_mark(path)
        elif path.suffix in _SMALL and path.is_file():
            found[path.name] = mark(path)
    return found


def place_of(card: int) -> Place:
    """This computer, with the card of that number."""
    versions = {"python": platform.python_version()}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            versions[name] = version(name)
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    processes = int(os.environ.get("WORLD_SIZE") or 1)
    found = None
    with suppress(Trouble):
        found = next((each for each in gpu.cards() if each.index == card), None)
    if found is None:
        return Place(versions, system, processes=processes)
    return Place(versions, system, found.name, found.total_bytes, found.driver, found.cuda, processes)


def differences(then: Capsule, now: Capsule) -> tuple[Difference, ...]:
    """What differs now from then, what changes most of what is learned first. A name without a mark is not there."""
    found = [Difference("data", *each) for each in _unlike(then.data, now.data)]
    found += [Difference("model", *each) for each in _unlike(then.model, now.model)]
    if not then.places or not now.places:
        return tuple(found)
    before, here = then.places[-1], now.places[-1]
    for what in ("card", "processes", "driver", "cuda", "system"):
        old, new = str(getattr(before, what)), str(getattr(here, what))
        found += [Difference(what, what, old, new)] if old != new else []
    return (*found, *(Difference("version", *each) for each in _unlike(before.versions, here.versions)))


def _unlike(then: dict[str, str], now: dict[str, str]) -> list[tuple[str, str, str]]:
    names = (*then, *(name for name in now if name not in then))
    return [(n, then.get(n, ""), now.get(n, "")) for n in names if then.get(n, "") != now.get(n, "")]


def _header_mark(path: Path) -> str:
    """A mark of names, shapes and places of the tensors in a safetensors file, and of its size; none of its numbers."""
    said = hashlib.blake2b(digest_size=16)
    try:
        said.update(f"{path.stat().st_size}\0".encode())
        with path.open("rb") as file:
            length = file.read(8)
            said.update(length + file.read(min(int.from_bytes(length, "little"), _MOST_BYTES)))
    except OSError:
        return ""
    return said.hexdigest()
