"""Waiting in tests: until something is true however slow the machine is, and for children that come and go."""

import time
from collections.abc import Callable

import psutil

#: Seconds after which what was waited for will not come any more; no test passes sooner or later because of it.
PATIENCE = 150.0


def waits_for(true: Callable[[], object], what: str = "what was waited for") -> None:
    """Wait until something is true."""
    until = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < until, f"{what} did not come within {PATIENCE:g} s"
        time.sleep(0.02)


def alive(process: psutil.Process) -> bool:
    """Whether a process runs; one that ended stays in the list where nobody collects it."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def child_of(pid: int) -> psutil.Process:
    """The one child of process `pid` that multiprocessing started and that lives; waits for it."""
    found: list[psutil.Process] = []

    def there() -> bool:
        found[:] = [child for child in psutil.Process(pid).children() if "spawn_main" in _words(child)]
        return len(found) == 1

    waits_for(there, f"the child of {pid}")
    return found[0]


def _words(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""  # it ended while it was looked at
