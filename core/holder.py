"""Holder of a folder: the one living process that may work in it, named in busy.json."""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock, Timeout

from core.files import write_text
from core.problems import Code, Trouble

#: Seconds to wait for another process that is just beginning; that takes it moments.
_PATIENCE = 30.0


def owner(folder: Path) -> dict[str, Any] | None:
    """Who wrote busy.json, None when nobody holds `folder`."""
    try:
        found = json.loads((folder / "busy.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def is_held(folder: Path) -> bool:
    """Whether a living process holds `folder`."""
    found = owner(folder)
    if found is None:
        return False
    try:
        # a pid is reused after a restart of the computer: the start time tells the two apart
        process = psutil.Process(int(found["pid"]))
        # a process that ended stays in the list where nobody collects it (containers)
        ended = process.status() == psutil.STATUS_ZOMBIE
        return not ended and abs(process.create_time() - float(found["created"])) < 2
    except (psutil.Error, KeyError, TypeError, ValueError, OverflowError):
        return False


def hold(folder: Path, pid: int) -> None:
    """Mark `folder` as held by the process `pid` for as long as that lives. Raises OSError."""
    try:
        created = psutil.Process(pid).create_time()
    except psutil.Error:
        return  # it ended already
    write_text(folder / "busy.json", json.dumps({"pid": pid, "created": created}))


def release(folder: Path) -> None:
    """Take the mark away. Raises OSError."""
    (folder / "busy.json").unlink(missing_ok=True)


@contextlib.contextmanager
def beginning(folder: Path) -> Iterator[None]:
    """Let nobody else begin in `folder` while the block lasts, in which it gets its holder.

    Two that look at the same moment would both find it free. Raises Trouble(RUN_BUSY) when another process holds it.
    """
    lock = FileLock(folder / "busy.lock", timeout=_PATIENCE)
    try:
        lock.acquire()
    except Timeout:
        raise Trouble(Code.RUN_BUSY, path=folder) from None
    except (NotImplementedError, OSError):
        pass  # a disk that knows no locks, or takes no more files
    try:
        if is_held(folder) and (owner(folder) or {}).get("pid") != os.getpid():
            raise Trouble(Code.RUN_BUSY, path=folder)
        yield
    finally:
        lock.release()
