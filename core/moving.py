"""Moves the folder of the runs or of the models so that a break-off at any moment loses nothing.

On one drive every entry is renamed. To another drive all of it is copied, read back and compared with what was read
first; only then do the copies take their names. What lay in the old folder goes last, after the settings name the new
one (`clear`). A record beside the settings tells a later start what was broken off.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from core.events import Stage, StageName
from core.files import free_bytes, sync_folder, write_text
from core.moved import remember
from core.problems import Code, Trouble
from core.settings import settings_file

#: Where copies lie inside the new folder until all of them are compared.
STAGING = ".solotune-moving"
#: Free bytes that stay on the new drive beside what is moved.
SPARE = 200_000_000
_CHUNK = 1 << 20
#: Seconds by which the time of a copy may differ: FAT counts in twos.
_CLOCK = 2.0

#: Tells progress. Raises to cancel.
Tell = Callable[[Stage], None]


@dataclass(frozen=True)
class Move:
    """What moves: `kind` is "runs" or "models", `entries` are the names that lay in `source` at first."""

    kind: str
    source: str
    target: str
    entries: tuple[str, ...] = ()


def objection(source: Path, target: Path, other: Path) -> str:
    """Why `source` cannot move to `target`: "same", "inside", "taken" (names are there already), or "" when it can.

    `other` is the folder of the other kind: neither may lie in the other.
    """
    old, new, beside = (path.resolve() for path in (source, target, other))
    if old == new:
        return "same"
    if new.is_relative_to(old) or old.is_relative_to(new) or new.is_relative_to(beside) or beside.is_relative_to(new):
        return "inside"
    return "taken" if set(names_in(source)) & set(names_in(target)) else ""


def names_in(folder: Path) -> tuple[str, ...]:
    """The names in a folder, none where it cannot be read."""
    try:
        return tuple(sorted(entry.name for entry in os.scandir(folder)))
    except OSError:
        return ()


def size_of(folder: Path) -> int:
    """Bytes of all files in a folder; what a link points to stays where it is and does not count."""
    return sum(path.stat().st_size for path in _files(folder, names_in(folder)) if not path.is_symlink())


def move(kind: str, source: Path, target: Path, tell: Tell) -> int:
    """Bring all that lies in `source` to `target` and return its bytes; nothing is deleted from `source` yet.

    Whatever `tell` or the disk raises undoes it: then everything is where it was. Going on with a move that was killed
    is calling it again. Raises OSError, Trouble(DISK_FULL, FOLDER_NOT_EMPTY).
    """
    # what was killed before may have been half done
    known = unfinished()
    if known is not None:
        undo(known)
    names = names_in(source)
    taken = sorted(set(names) & set(names_in(target)))
    if taken:
        raise Trouble(Code.FOLDER_NOT_EMPTY, path=target / taken[0])
    plan = Move(kind, str(source), str(target), names)
    target.mkdir(parents=True, exist_ok=True)
    _record().parent.mkdir(parents=True, exist_ok=True)
    write_text(_record(), json.dumps(asdict(plan), indent=2) + "\n")
    try:
        size = size_of(source)
        if _same_drive(source, target):
            for name in names:
                (source / name).rename(target / name)
            tell(Stage(stage=StageName.MOVING, done=size, total=size, unit="bytes"))
        else:
            _copied(source, target, names, size, tell)
        sync_folder(target)
    except BaseException:
        undo(plan)
        raise
    return size


def clear(move: Move) -> int:
    """Delete from the old folder what has its copy in the new one; returns the bytes that stayed there all the same.

    A file stays that was written after it was copied. Ends the move. Raises OSError.
    """
    source, target = Path(move.source), Path(move.target)
    left = 0
    for path in list(_files(source, move.entries)):
        copy = target / path.relative_to(source)
        if _alike(path, copy):
            path.unlink()
        else:
            left += path.lstat().st_size
    for name in move.entries:
        folder = source / name
        if folder.is_dir() and not folder.is_symlink():
            for inner in sorted((p for p in folder.rglob("*") if p.is_dir() and not p.is_symlink()), reverse=True):
                with suppress(OSError):
                    inner.rmdir()
            with suppress(OSError):
                folder.rmdir()
    with suppress(OSError):
        source.rmdir()
    remember(move.source, move.target)
    forget()
    return left


def undo(move: Move) -> None:
    """Put back what a move that did not end has done: everything lies in the old folder again. Raises OSError."""
    source, target = Path(move.source), Path(move.target)
    shutil.rmtree(target / STAGING, ignore_errors=True)
    for name in move.entries:
        old, new = source / name, target / name
        if not os.path.lexists(new):
            continue
        if not os.path.lexists(old):
            source.mkdir(parents=True, exist_ok=True)
            new.rename(old)
        elif new.is_dir() and not new.is_symlink():
            shutil.rmtree(new)
        else:
            new.unlink()
    forget()


def unfinished() -> Move | None:
    """The move that was broken off, None when there is none."""
    try:
        found = json.loads(_record().read_text(encoding="utf-8"))
        return Move(found["kind"], found["source"], found["target"], tuple(map(str, found["entries"])))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def forget() -> None:
    """The move came to its end."""
    _record().unlink(missing_ok=True)


def _copied(source: Path, target: Path, names: tuple[str, ...], size: int, tell: Tell) -> None:
    free = free_bytes(target)
    if free < size + SPARE:
        raise Trouble(Code.DISK_FULL, path=target, needed_bytes=size + SPARE, free_bytes=free)
    staging = target / STAGING
    staging.mkdir()
    marks: dict[Path, bytes] = {}
    done = 0
    for path in _files(source, names):
        copy = staging / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink():
            copy.symlink_to(path.readlink())
            continue
        before = path.stat()
        digest = hashlib.blake2b()
        with path.open("rb") as read, copy.open("xb") as written:
            while chunk := read.read(_CHUNK):
                written.write(chunk)
                digest.update(chunk)
                done += len(chunk)
                tell(Stage(stage=StageName.MOVING, done=min(done, size), total=size, unit="bytes"))
            written.flush()
            os.fsync(written.fileno())
            _forget_pages(written.fileno())
        shutil.copystat(path, copy)
        if path.stat().st_mtime_ns != before.st_mtime_ns:
            raise OSError(f"{path} was written while it was copied")
        marks[copy] = digest.digest()
    for folder in _folders(source, names):
        (staging / folder.relative_to(source)).mkdir(parents=True, exist_ok=True)
    done = 0
    for copy, mark in marks.items():
        digest = hashlib.blake2b()
        with copy.open("rb") as read:
            while chunk := read.read(_CHUNK):
                digest.update(chunk)
                done += len(chunk)
                tell(Stage(stage=StageName.COMPARING, done=min(done, size), total=size, unit="bytes"))
        if digest.digest() != mark:
            raise OSError(f"{copy} does not hold what was written to it")
    for name in names:
        (staging / name).rename(target / name)
    staging.rmdir()


def _files(folder: Path, names: tuple[str, ...]) -> Iterator[Path]:
    """Files and links below `folder`; what links point to is not looked into."""
    for name in names:
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            yield from (p for p in sorted(path.rglob("*")) if p.is_symlink() or not p.is_dir())
        elif os.path.lexists(path):
            yield path


def _folders(folder: Path, names: tuple[str, ...]) -> Iterator[Path]:
    for name in names:
        if (folder / name).is_dir() and not (folder / name).is_symlink():
            yield folder / name
            yield from (p for p in (folder / name).rglob("*") if p.is_dir() and not p.is_symlink())


def _alike(path: Path, copy: Path) -> bool:
    try:
        old, new = path.lstat(), copy.lstat()
    except OSError:
        return False
    return path.is_symlink() or (old.st_size == new.st_size and abs(old.st_mtime - new.st_mtime) <= _CLOCK)


def _same_drive(source: Path, target: Path) -> bool:
    return not source.exists() or source.stat().st_dev == target.stat().st_dev


def _forget_pages(number: int) -> None:
    """Have the copy read back from the drive instead of from memory, where the system can be asked to."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(number, 0, 0, os.POSIX_FADV_DONTNEED)


def _record() -> Path:
    return settings_file().with_name("moving.json")
