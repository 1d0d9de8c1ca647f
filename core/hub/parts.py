"""Files on their way: what of them is here, and whether what is here is what was promised."""

import contextlib
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.files import write_text
from core.hub.origin_mark import ORIGIN, origin_of
from core.hub.source import RemoteFile

#: Names the files that have arrived, each with the mark of what was checked.
_ARRIVED = "arrived.json"


@dataclass
class Item:
    """A file on its way: where it goes, and how many of its bytes are here."""

    file: RemoteFile
    target: Path
    done: int = 0
    arrived: bool = False

    @property
    def part(self) -> Path:
        """Where it grows. The name tells its content from that of another version."""
        mark = hashlib.sha256(self.file.mark.encode()).hexdigest()[:12]
        return self.target.with_name(f"{self.target.name}.{mark}.part")


def parts_folder(target: Path) -> Path:
    """Where the files of a model arrive that will be in `target`."""
    return target.with_name(f".{target.name}.download")


def take_up(target: Path) -> None:
    """Make a downloaded folder that was damaged since the beginning of a new download. Raises OSError."""
    folder, marks = parts_folder(target), origin_of(target).get("files")
    if folder.exists() or not isinstance(marks, dict):
        return
    target.replace(folder)
    (folder / ORIGIN).unlink()
    write_text(folder / _ARRIVED, json.dumps(marks))


def take_stock(folder: Path, items: Sequence[Item]) -> None:
    """See what an earlier try has brought, and remove what nobody will go on with. Raises OSError."""
    known = _read(folder / _ARRIVED)
    for item in items:
        whole = item.target.is_file() and item.target.stat().st_size == item.file.bytes
        item.arrived = whole and known.get(item.file.path) == item.file.mark
        if item.part.is_file() and item.part.stat().st_size > item.file.bytes:
            item.part.unlink()
        item.done = item.file.bytes if item.arrived else item.part.stat().st_size if item.part.is_file() else 0
    ours = {path for item in items for path in (item.target, item.part)} | {folder / _ARRIVED}
    for path in folder.iterdir():
        # half files of another version
        if path not in ours and path.is_file():
            path.unlink()


def fits(item: Item) -> bool:
    """Whether what has arrived is what was promised, by its size and its hash. Raises OSError."""
    size = item.part.stat().st_size
    if size != item.file.bytes:
        return False
    if item.file.sha256:
        return _digest(item.part, hashlib.sha256()) == item.file.sha256.lower()
    if item.file.git:
        # git hashes a file with its kind and length in front of it
        head = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
        return _digest(item.part, head) == item.file.git.lower()
    return True


def note(folder: Path, item: Item, items: Sequence[Item]) -> None:
    """Give a file that fits its name, and take down that it is here. Raises OSError."""
    item.part.replace(item.target)
    write_text(folder / _ARRIVED, json.dumps({one.file.path: one.file.mark for one in items if one.arrived}))


def leave(folder: Path, items: Sequence[Item]) -> None:
    """Remove what a download that brought nothing would leave behind."""
    with contextlib.suppress(OSError):
        for item in items:
            if item.part.is_file() and not item.part.stat().st_size:
                item.part.unlink()
        # only an empty one goes
        folder.rmdir()


def done_with(folder: Path) -> None:
    """Remove what only a download needs."""
    (folder / _ARRIVED).unlink(missing_ok=True)


def _digest(path: Path, head: Any) -> str:
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            head.update(chunk)
    return str(head.hexdigest())


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
