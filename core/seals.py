"""Seals: what a folder says of its own files, by which damage is noticed before anybody relies on them."""

import hashlib
import json
from pathlib import Path
from typing import Any

from core.files import sync_folder, sync_tree, write_text

#: Written into a folder once every byte of it is on disk; without it the folder does not count.
COMPLETE = "complete.json"


def seal(folder: Path, **facts: object) -> None:
    """Flush `folder` to the disk, then mark it whole, with `facts` and size and SHA-256 of every file. Raises OSError.

    After a power cut either the mark is there, and all that it speaks of, or it is not.
    """
    sync_tree(folder)
    files = {
        p.relative_to(folder).as_posix(): p for p in sorted(folder.rglob("*")) if p.is_file() and p.name != COMPLETE
    }
    known = {name: {"bytes": path.stat().st_size, "sha256": _digest(path)} for name, path in files.items()}
    sync_folder(folder)
    write_text(folder / COMPLETE, json.dumps({**facts, "files": known}, indent=1))
    sync_folder(folder)
    sync_folder(folder.parent)


def is_whole(folder: Path) -> bool:
    """Whether `folder` is sealed and its files are as long as then: a quick look that reads none of them."""
    known = _known(folder)
    return known is not None and all(_size(folder / name) == facts.get("bytes") for name, facts in known.items())


def is_sound(folder: Path) -> bool:
    """Whether `folder` is sealed and every byte of its files is as it was then."""
    known = _known(folder)
    if known is None or not is_whole(folder):
        return False
    try:
        return all(_digest(folder / name) == facts.get("sha256") for name, facts in known.items())
    except OSError:
        return False


def _known(folder: Path) -> dict[str, dict[str, Any]] | None:
    """Files of the seal by name, none in those of older versions; None without a seal that can be read."""
    try:
        said = json.loads((folder / COMPLETE).read_text(encoding="utf-8"))
        files = said.get("files", {})
        return {str(name): dict(facts) for name, facts in files.items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return None


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
