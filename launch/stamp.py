"""Remembers what the Python environment was made from, so that later starts need no check."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import NamedTuple

from launch.sentences import SetupError

BUILDS = ("default", "cpu", "cu126", "cu128", "cu129", "cu130")

_MISLEADING = ("PYTHONPATH", "PYTHONHOME", "__PYVENV_LAUNCHER__", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT")


class Place(NamedTuple):
    """The folder of SoloTune and the places in it that the set-up uses."""

    root: Path

    @property
    def venv(self) -> Path:
        """The environment's folder."""
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        """The environment's Python."""
        return self.venv / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")

    @property
    def stamp(self) -> Path:
        """The record of the finished set-up."""
        return self.venv / "solotune-setup.json"

    @property
    def dev_stamp(self) -> Path:
        """The record of the installed test tools."""
        return self.venv / "solotune-dev.json"

    @property
    def lock(self) -> Path:
        """The file that one running set-up holds."""
        return self.root / ".venv.lock"

    def packages(self) -> Path | None:
        """Return the folder that pip installs into, once it exists."""
        found = [*self.venv.glob("lib/python*/site-packages"), *self.venv.glob("Lib/site-packages")]
        return found[0] if found else None


class Record(NamedTuple):
    """What an environment is for; the key is empty while its set-up is unfinished."""

    root: str
    python: str
    torch: str
    forced: bool = False
    key: str = ""


def clean_environment(**more: str) -> dict[str, str]:
    """Return this process's environment variables without those that lead Python or pip astray."""
    return {**{name: value for name, value in os.environ.items() if name not in _MISLEADING}, **more}


def running_python() -> str:
    """Return this Python's version as in "3.11"."""
    return f"{sys.version_info[0]}.{sys.version_info[1]}"


def make_key(place: Place, python: str, torch: str) -> str:
    """Return the hash of everything that a set-up depends on."""
    digest = hashlib.sha256()
    for name in ("constraints.txt", "pyproject.toml"):
        digest.update(read_needed(place, name) + b"\0")
    digest.update(f"{python}\0{torch}".encode())
    return digest.hexdigest()


def read_needed(place: Place, name: str) -> bytes:
    """Return the content of a file that every copy of SoloTune has."""
    try:
        return (place.root / name).read_bytes()
    except FileNotFoundError:
        raise SetupError("incomplete", file=name) from None


def read_record(path: Path) -> Record | None:
    """Return the record in a file, or None when there is no sound one."""
    try:
        return Record(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write_record(path: Path, record: Record) -> None:
    """Write a record so that the file is never seen half-written, even after a power cut."""
    beside = path.with_suffix(".new")
    with beside.open("w", encoding="utf-8") as out:
        json.dump(record._asdict(), out)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(path)


def wanted_build() -> str:
    """Return the PyTorch build that the environment variable SOLOTUNE_TORCH asks for, or nothing."""
    value = os.environ.get("SOLOTUNE_TORCH", "").strip().lower()
    if value and value not in BUILDS:
        raise SetupError("bad_choice", value=value, builds=", ".join(BUILDS))
    return value


def is_ready(place: Place, dev: bool, torch: str = "", python: str = "") -> bool:
    """Return whether the environment is complete for this folder, and for the build and Python if named."""
    record = read_record(place.stamp)
    if record is None or record.root != str(place.root):
        return False
    if torch not in ("", record.torch) or python not in ("", record.python):
        return False
    if record.key != make_key(place, record.python, record.torch):
        return False
    return _has_base_python(place) and (not dev or read_record(place.dev_stamp) == record)


def _has_base_python(place: Place) -> bool:
    try:
        text = (place.venv / "pyvenv.cfg").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False
    values = dict(line.split(" = ", 1) for line in text.splitlines() if " = " in line)
    # On Windows the environment's Python is a small program that stays when the real one is uninstalled.
    return place.python.exists() and Path(values.get("home", "")).is_dir()
