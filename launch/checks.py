"""Checks of the folder, the disk and the environment that come before a set-up."""

from __future__ import annotations

import errno
import importlib.util
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from launch.child import without_window
from launch.sentences import NEWEST, OLDEST, SetupError
from launch.stamp import Place, clean_environment, running_python

_GB = 10**9
_PROBE_SECONDS = 120
_PATIENCE_SECONDS = 5


def check_writable(folder: Path) -> None:
    """Raise a SetupError unless files can be made in the folder."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return
    except OSError as error:
        key = "disk_ran_out" if error.errno == errno.ENOSPC else "read_only"
        raise SetupError(key, folder=folder) from error


def check_space(folder: Path, need: int) -> None:
    """Raise a SetupError unless the folder's disk has this many GB free."""
    free = shutil.disk_usage(folder).free / _GB
    if free < need:
        raise SetupError("disk_full", need=need, free=f"{free:.1f}", folder=folder)


def check_venv_module() -> None:
    """Raise a SetupError unless this Python can make environments; some systems package that apart."""
    if not all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")):
        raise SetupError("python_no_venv", version=running_python())


def working_python(place: Place, with_pip: bool = True) -> str:
    """Return the version of the environment's Python, or nothing if it (or its pip) does not work.

    Half-made or half-removed, an environment may lack pyvenv.cfg: its Python works then, but is the one that it was
    made from, and whatever pip installs goes there. So it has to say that it is at home in this folder.
    """
    probe = "import sys; print('%d.%d' % sys.version_info[:2]); print(sys.prefix)"
    if with_pip:
        probe = "import pip._internal.cli.main; " + probe
    try:
        done = subprocess.run(
            [str(place.python), "-P", "-c", probe],
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=_PROBE_SECONDS,
            env=clean_environment(PYTHONIOENCODING="utf-8"),
            creationflags=without_window(),
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    version, _, prefix = done.stdout.strip().partition("\n")
    at_home = done.returncode == 0 and bool(prefix) and Path(prefix).resolve() == place.venv.resolve()
    return version if at_home and _is_supported(version) else ""


def remove(folder: Path) -> None:
    """Remove an environment, or whatever is in its place."""
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    elif folder.exists():
        _remove_tree(folder)


def _remove_tree(folder: Path) -> None:
    # What was left behind by a set-up that was ended may still write for a moment.
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            shutil.rmtree(folder)
            return
        except OSError as error:
            if time.monotonic() > until:
                raise SetupError("in_use", folder=folder) from error
        time.sleep(0.2)


def _is_supported(version: str) -> bool:
    return version in [f"{OLDEST[0]}.{minor}" for minor in range(OLDEST[1], NEWEST[1] + 1)]
