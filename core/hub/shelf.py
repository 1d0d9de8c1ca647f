"""The models that are on this computer: those downloaded here, and those of the catalogue in other programs' caches."""

from dataclasses import dataclass
from pathlib import Path

from core.catalog import models
from core.files import tree_bytes
from core.hub.caches import cached
from core.hub.folder import looks_whole
from core.hub.origin_mark import origin_of
from core.hub.removal import is_ours


@dataclass(frozen=True)
class Shelved:
    """A whole model on a disk; `ours` can be removed with core.hub.remove, the others belong to somebody else.

    `model` is its id where it is known, or else the folder's path; `source` is one of core.settings.SOURCES, "starter",
    "cache" or "".
    """

    model: str
    folder: str
    bytes: int
    ours: bool
    source: str = ""
    licence: str = ""


def shelf(root: Path) -> tuple[Shelved, ...]:
    """What lies under the models folder `root` and in the caches, largest first. Reads headers, never weights."""
    found = [*_downloaded(root), *_in_caches()]
    return tuple(sorted(found, key=lambda one: (-one.bytes, one.model)))


def _downloaded(root: Path) -> list[Shelved]:
    known = {spec.id.replace("/", "--"): spec for spec in models()}
    found = []
    for folder in sorted(root.iterdir()) if root.is_dir() else ():
        if folder.name.startswith(".") or not looks_whole(folder):
            continue
        origin, spec = origin_of(folder), known.get(folder.name)
        model = str(origin.get("model") or (spec.id if spec else folder))
        licence = str(origin.get("licence") or (spec.licence if spec else ""))
        source = str(origin.get("source") or (spec.source if spec else ""))
        found.append(Shelved(model, str(folder), tree_bytes(folder), is_ours(folder, root), source, licence))
    return found


def _in_caches() -> list[Shelved]:
    found = []
    for spec in models():
        folder = next((one for one in cached(spec.repo, spec.modelscope) if looks_whole(one)), None)
        if folder is not None:
            found.append(Shelved(spec.id, str(folder), tree_bytes(folder), False, "cache", spec.licence))
    return found
