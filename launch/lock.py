"""Keeps two set-ups of the same folder from running at the same time."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_WAIT_SECONDS = 0.5
_NO_LOCKS_HERE = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}


@contextmanager
def setup_lock(path: Path, on_wait: Callable[[], None]) -> Iterator[int]:
    """Hold the lock at `path`, calling `on_wait` once if another process has it; yields the number of its open file.

    The system itself drops the lock of a process that dies, so none can become stale. A child that inherits the file
    holds the lock as well: the pip of a set-up that was killed is waited for, as two at once would spoil their work.
    """
    handle = _acquire(path, on_wait)
    try:
        yield handle.fileno()
    finally:
        # Windows deletes only a closed file; elsewhere it has to go while the lock is still held.
        if sys.platform != "win32":
            path.unlink(missing_ok=True)
        handle.close()
        if sys.platform == "win32":
            with suppress(OSError):
                path.unlink()


def _acquire(path: Path, on_wait: Callable[[], None]) -> BinaryIO:
    told = False
    while True:
        handle = path.open("a+b")
        if _try_lock(handle):
            if _is_at(path, handle):
                return handle
        elif not told:
            told = True
            on_wait()
        handle.close()
        time.sleep(_WAIT_SECONDS if told else 0)


def _is_at(path: Path, handle: BinaryIO) -> bool:
    # The file may have been removed by the previous holder between opening and locking.
    try:
        return os.path.samestat(path.stat(), os.fstat(handle.fileno()))
    except FileNotFoundError:
        return False


def _try_lock(handle: BinaryIO) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in _NO_LOCKS_HERE
    return True
