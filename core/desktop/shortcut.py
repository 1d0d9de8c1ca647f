"""Makes, refreshes and removes the shortcut of this computer's kind, and knows what it put where."""

import contextlib
import json
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType

from core.desktop.program import Program, program
from core.files import write_text

#: Counts up when what `place` writes changes, so that shortcuts of earlier versions are written anew.
FORM = 1


@dataclass(frozen=True)
class Shortcut:
    """A shortcut that was made: the program behind it, its files, the form they have."""

    program: Program
    files: tuple[str, ...]
    form: int = FORM


def install() -> Shortcut:
    """Make the shortcut for the SoloTune that runs now, in the place of any other. Raises OSError."""
    made = Shortcut(program(), tuple(str(path) for path in _system().place(program())))
    path = _record_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(asdict(made), indent=2) + "\n")
    return made


def installed() -> Shortcut | None:
    """The shortcut that was made last and is still there."""
    try:
        found = json.loads(_record_file().read_text(encoding="utf-8"))
        behind = found["program"]
        recorded = Program(tuple(map(str, behind["command"])), str(behind["root"]), str(behind["alive"]))
        made = Shortcut(recorded, tuple(map(str, found["files"])), int(found["form"]))
    except (OSError, ValueError, KeyError, TypeError, ImportError):
        return None
    return made if made.files and Path(made.files[0]).exists() else None


def refresh() -> bool:
    """Write a shortcut anew whose SoloTune was moved or renewed; another one that lives is left alone.

    Returns whether it was written. Raises OSError.
    """
    made, now = installed(), program()
    if made is None or (made.program == now and made.form == FORM):
        return False
    if made.program.root != now.root and Path(made.program.alive).exists():
        return False
    install()
    return True


def remove() -> list[str]:
    """Remove every file of a shortcut; returns those that were there. Raises OSError."""
    made = installed()
    system = _system()
    gone = []
    for path in dict.fromkeys((*(Path(name) for name in (made.files if made else ())), *system.places())):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.is_file() or path.is_symlink():
            path.unlink()
        else:
            continue
        gone.append(str(path))
    # without its libraries (launch.uninstall) the settings' folder is not known
    with contextlib.suppress(ImportError):
        _record_file().unlink(missing_ok=True)
    if gone and hasattr(system, "tell"):
        system.tell()
    return gone


def _record_file() -> Path:
    from core.settings import settings_file

    return settings_file().with_name("shortcut.json")


def _system() -> ModuleType:
    """The module for this computer's system."""
    if sys.platform == "win32":
        from core.desktop import windows as system
    elif sys.platform == "darwin":
        from core.desktop import mac as system
    else:
        from core.desktop import linux as system
    return system
