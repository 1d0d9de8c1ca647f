"""The command behind a double-click: run.py where there is one, as it heals itself, else the installed package."""

import sys
from dataclasses import dataclass
from pathlib import Path

import core


@dataclass(frozen=True)
class Program:
    """What starts the window: `command` takes paths to open after it; `root` is the folder that holds SoloTune.

    `alive` is a file that goes when SoloTune goes: menus hide a shortcut without it.
    """

    command: tuple[str, ...]
    root: str
    alive: str


def program() -> Program:
    """What starts the SoloTune that runs now."""
    return program_of(Path(core.__file__).parents[1], Path(sys.prefix), _base_python(), Path(sys.executable))


def program_of(root: Path, prefix: Path, base: Path, python: Path) -> Program:
    """What starts the SoloTune in `root`, which runs on `python` in the environment `prefix`, made from `base`."""
    script = root / "run.py"
    if script.is_file() and prefix == root / ".venv":
        return Program((str(windowless(base)), str(script), "--window"), str(root), str(python))
    # -P, because the folder that a desktop starts programs in may hold a gui.py of its own
    return Program((str(windowless(python)), "-P", "-m", "gui"), str(root), str(python))


def windowless(python: Path) -> Path:
    """The Python beside this one that opens no console, where there is one (Windows)."""
    beside = python.with_name("pythonw.exe")
    return beside if python.name.lower() == "python.exe" and beside.is_file() else python


def _base_python() -> Path:
    return Path(getattr(sys, "_base_executable", "") or sys.executable)
