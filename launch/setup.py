"""Makes the Python environment of SoloTune, or completes and repairs one."""

from __future__ import annotations

import os
import platform
import re
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from launch.checks import check_space, check_venv_module, check_writable, remove, working_python
from launch.child import pip_environment, run_logged
from launch.diagnose import classify, classify_error
from launch.heal import forget_broken
from launch.lock import setup_lock
from launch.progress import Progress
from launch.sentences import SetupError, say
from launch.stamp import (
    Place,
    Record,
    is_ready,
    make_key,
    read_needed,
    read_record,
    running_python,
    wanted_build,
    write_record,
)
from launch.torchbuild import detect_build, needed_gb, requirement
from launch.wait import wait_for_window


def ensure(place: Place, dev: bool, repair: bool) -> None:
    """Make sure that the environment is complete, with the test tools if `dev` is set."""
    if not repair and _is_usable(place, dev):
        return
    wait_for_window()
    check_writable(place.root)
    held = setup_lock(place.lock, _tell_of_other)
    with _system_errors_as_problems(place.root), _termination_as_interrupt(), held as lock:
        if repair or not _is_usable(place, dev):
            _set_up(place, dev, repair, lock)


def pick_build(old: Record | None, repair: bool) -> tuple[str, bool]:
    """Return the PyTorch build to install, and whether the person forced it."""
    wanted = wanted_build()
    if wanted:
        return wanted, True
    if old is not None and old.forced and not repair:
        return old.torch, True
    return detect_build(), False


def torch_pin(constraints: str) -> str:
    """Return the version of PyTorch that the constraints name, or nothing."""
    match = re.search(r"^torch\s*==\s*([\w.]+)", constraints, re.MULTILINE)
    return match[1] if match else ""


#: How a system or a closed terminal asks a program to end.
_ENDS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


class _Job(NamedTuple):
    place: Place
    log: Path
    progress: Progress
    version: str
    lock: int


def _is_usable(place: Place, dev: bool) -> bool:
    record = read_record(place.stamp)
    if record is None or not is_ready(place, dev, wanted_build()):
        return False
    # A start with another Python is no reason to make the environment anew, unless its own is gone.
    return record.python == running_python() or working_python(place, with_pip=False) == record.python


def _set_up(place: Place, dev: bool, repair: bool, lock: int) -> None:
    old = read_record(place.stamp)
    complete = old if not repair and is_ready(place, False, wanted_build()) else None
    build, forced = (complete.torch, complete.forced) if complete else pick_build(old, repair)
    version = torch_pin(read_needed(place, "constraints.txt").decode("utf-8"))
    python = _reusable(place, old, build)
    check_space(place.root, _space(place, build, version, bool(python)))
    progress = Progress(2 + bool(version))
    progress.line(say("first_use"))
    if not python:
        check_venv_module()
        remove(place.venv)
    place.venv.mkdir(exist_ok=True)
    record = Record(str(place.root), python or running_python(), build, forced)
    if not (complete and python):
        # When only the test tools are to come, a failure must not cost the person a working program.
        write_record(place.stamp, record)
    job = _Job(place, _log_file(place), progress, version, lock)
    try:
        _make_venv(job, bool(python))
        _install(job, build, dev)
        _finish(place, record, dev)
    finally:
        job.progress.clear()
    job.progress.line(say("ready"))


def _reusable(place: Place, old: Record | None, build: str) -> str:
    # Builds for CUDA 12 and 13 share file paths, so another build needs a new environment.
    if old is not None and (old.root != str(place.root) or old.torch != build):
        return ""
    return working_python(place)


def _space(place: Place, build: str, version: str, reuse: bool) -> int:
    packages = place.packages()
    installed = reuse and packages is not None and any(packages.glob("torch-*.dist-info"))
    return 1 if installed or not version else needed_gb(platform.system(), build)


def _make_venv(job: _Job, reuse: bool) -> None:
    job.progress.step(say("step_venv"))
    packages = job.place.packages()
    if not reuse:
        # An environment made from another one would lean on it, so this takes the Python beneath.
        base = getattr(sys, "_base_executable", "") or sys.executable
        _run(job, [base, "-m", "venv", str(job.place.venv)])
    elif packages is not None:
        forget_broken(packages)


def _install(job: _Job, build: str, dev: bool) -> None:
    if job.version:
        job.progress.step(say("step_torch", version=job.version, build=build))
        _pip(job, requirement(job.version, build, platform.system()))
    job.progress.step(say("step_dev" if dev else "step_project"))
    _pip(job, ["-e", ".[dev]" if dev else "."])


def _pip(job: _Job, arguments: list[str]) -> None:
    install = ["-P", "-m", "pip", "install", "-c", "constraints.txt"]
    _run(job, [str(job.place.python), *install, *arguments])


def _run(job: _Job, command: list[str]) -> None:
    env = pip_environment(job.place.packages())
    done = run_logged(command, job.log, job.progress, job.place.root, env, job.lock)
    if done.code:
        raise SetupError(
            classify(done.output) or "failed",
            step=job.progress.step_name,
            log=job.log,
            folder=job.place.root,
            version=running_python(),
            pip=f"{job.place.python} -m pip",
        )


def _finish(place: Place, record: Record, dev: bool) -> None:
    if hasattr(os, "sync"):
        # After a power cut the stamp must not be there without the packages that it vouches for.
        os.sync()
    complete = record._replace(key=make_key(place, record.python, record.torch))
    if dev:
        write_record(place.dev_stamp, complete)
    write_record(place.stamp, complete)


def _log_file(place: Place) -> Path:
    log = place.venv / "setup.log"
    try:
        log.open("a", encoding="utf-8").close()
    except OSError:
        log = Path(tempfile.gettempdir()) / "solotune-setup.log"
    return log


@contextmanager
def _system_errors_as_problems(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        key = classify_error(error)
        if not key:
            raise
        raise SetupError(key, folder=folder) from error


@contextmanager
def _termination_as_interrupt() -> Iterator[None]:
    # Ended plainly, this process would leave pip running on its own.
    before = {number: signal.getsignal(number) for number in _ENDS}
    for number, handler in before.items():
        # nohup has this one ignored, and means it
        if handler is not signal.SIG_IGN:
            signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _tell_of_other() -> None:
    print(say("other_setup"), file=sys.stderr, flush=True)
