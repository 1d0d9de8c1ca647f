"""Runs pip and other helpers as child processes, with a log and visible progress."""

from __future__ import annotations

import queue
import subprocess
import threading
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
        "PIP_USER": "0",
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8",
    }
    if packages is not None and _pip_version(packages) >= (24, 1):
        settings["PIP_PROGRESS_BAR"] = "raw"
    return clean_environment(**settings)


def run_logged(command: list[str], log: Path, progress: Progress, cwd: Path, env: dict[str, str]) -> Outcome:
    """Run a command to its end, showing its progress and adding its output to the log."""
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
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _pip_version(packages: Path) -> tuple[int, ...]:
    for info in packages.glob("pip-*.dist-info"):
        digits = info.name.removeprefix("pip-").removesuffix(".dist-info").split(".")[:2]
        if all(part.isdigit() for part in digits):
            return tuple(int(part) for part in digits)
    return (0,)
