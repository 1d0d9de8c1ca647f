"""Runs pip and other helpers as child processes, with a log and visible progress."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TextIO

from launch.progress import Progress, percentage
from launch.stamp import clean_environment

_TICK_SECONDS = 1.0


class Outcome(NamedTuple):
    """How a child process ended, and everything it printed."""

    code: int
    output: str


def pip_environment(packages: Path | None) -> dict[str, str]:
    """Return the environment for the pip of an environment with this site-packages folder."""
    settings = {
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        # torch is gigabytes: a line that breaks goes on where it broke, as far as this pip can (25.1)
        "PIP_RESUME_RETRIES": "20",
        "PIP_USER": "0",
        # the last guard of the Python that the environment was made from: nothing is ever installed there
        "PIP_REQUIRE_VIRTUALENV": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8",
    }
    if packages is not None and _pip_version(packages) >= (24, 1):
        settings["PIP_PROGRESS_BAR"] = "raw"
    return clean_environment(**settings)


def without_window() -> int:
    """Return the flags with which Windows opens no console for a child of a program that has none itself."""
    if sys.platform == "win32" and sys.__stderr__ is None:
        return subprocess.CREATE_NO_WINDOW
    return 0


def run_logged(
    command: list[str], log: Path, progress: Progress, cwd: Path, env: dict[str, str], lock: int = -1
) -> Outcome:
    """Run a command to its end, showing its progress and adding its output to the log; it holds the `lock` as well."""
    with log.open("a", encoding="utf-8") as out:
        out.write(f"$ {' '.join(command)}\n")
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            cwd=cwd,
            env=env,
            creationflags=without_window(),
            # a group of its own, because pip and venv have children as well, which have to end with them
            start_new_session=True,
            pass_fds=(lock,) if lock >= 0 and sys.platform != "win32" else (),
        )
        try:
            output = _follow(process, out, progress)
        except BaseException:
            _stop(process)
            raise
        return Outcome(process.wait(), output)


def _follow(process: subprocess.Popen[str], out: TextIO, progress: Progress) -> str:
    lines: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=_pump, args=(process, lines), daemon=True).start()
    kept: list[str] = []
    while True:
        try:
            line = lines.get(timeout=_TICK_SECONDS)
        except queue.Empty:
            progress.tick()
            continue
        if line is None:
            return "".join(kept)
        progress.pip_line(line)
        if not percentage(line):
            kept.append(line)
            out.write(line)


def _pump(process: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    if process.stdout is not None:
        with process.stdout as printed:
            for line in printed:
                lines.put(line)
    lines.put(None)


def _stop(process: subprocess.Popen[str]) -> None:
    _signal_all(process, signal.SIGTERM)
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if sys.platform != "win32":
        _signal_all(process, signal.SIGKILL)


def _signal_all(process: subprocess.Popen[str], number: signal.Signals) -> None:
    if sys.platform == "win32":
        process.terminate()
        return
    # the group outlives its first process for as long as one of its children lives
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _pip_version(packages: Path) -> tuple[int, ...]:
    for info in packages.glob("pip-*.dist-info"):
        digits = info.name.removeprefix("pip-").removesuffix(".dist-info").split(".")[:2]
        if all(part.isdigit() for part in digits):
            return tuple(int(part) for part in digits)
    return (0,)
