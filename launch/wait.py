"""Waits until the window that asked for a repair is gone: Windows locks the files of a program that runs."""

from __future__ import annotations

import os
import sys
import time

#: Names the process to wait for (core/doctor/repair.py).
AFTER = "SOLOTUNE_AFTER"
_SECONDS = 60.0


def wait_for_window(seconds: float = _SECONDS) -> bool:
    """Wait for the process that the environment names, if any; return whether it is gone."""
    pid = os.environ.pop(AFTER, "")
    until = time.monotonic() + seconds
    while pid.isdigit() and is_alive(int(pid)):
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def is_alive(pid: int) -> bool:
    """Return whether there is a process of this number."""
    if sys.platform == "win32":
        return _is_alive_on_windows(pid)
    try:
        os.kill(pid, 0)
    except OSError:
        # gone, or somebody else's by now: the one that asked was ours
        return False
    return True


def _is_alive_on_windows(pid: int) -> bool:
    # os.kill would end the process there
    import ctypes

    synchronize, still_there = 0x100000, 0x102
    kernel = ctypes.windll.kernel32  # type: ignore[attr-defined,unused-ignore]
    handle = kernel.OpenProcess(synchronize, False, pid)
    if not handle:
        return False
    try:
        return bool(kernel.WaitForSingleObject(handle, 0) == still_there)
    finally:
        kernel.CloseHandle(handle)
