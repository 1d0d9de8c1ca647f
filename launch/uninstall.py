"""Takes SoloTune off this computer: its shortcuts, what it keeps if that is wished for, and its environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from launch.checks import remove, working_python
from launch.lock import setup_lock
from launch.sentences import say
from launch.stamp import Place, clean_environment

#: Tells the command line that the environment goes by run.py's hand.
BY_RUN = "SOLOTUNE_BY_RUN"


def uninstall(place: Place, words: list[str]) -> int:
    """Remove what SoloTune put on this computer for this person; return the exit code.

    `words` are the command line's own: what is kept and how big it is, is said there.
    """
    with setup_lock(place.lock, lambda: print(say("other_setup"), file=sys.stderr, flush=True)):
        if working_python(place, with_pip=False):
            command = [str(place.python), "-P", "-m", "core", *words]
            code = subprocess.run(command, env=clean_environment(**{BY_RUN: "1"})).returncode
            if code:
                # wrong words, or a training that still runs: nothing is half-removed
                return code
        else:
            _remove_shortcuts(place)
            print(say("left_unseen", folders=", ".join(map(str, usual_folders()))), file=sys.stderr, flush=True)
        size = _bytes(place.venv)
        remove(place.venv)
        for leftover in (*place.root.glob("*.egg-info"), place.root / "build"):
            shutil.rmtree(leftover, ignore_errors=True)
    print(say("uninstalled", size=f"{size / 10**9:.1f}", folder=place.root), file=sys.stderr, flush=True)
    return 0


def usual_folders() -> list[Path]:
    """Return where this person's runs, models and settings lie unless other folders were chosen (core.settings)."""
    home = os.environ.get("SOLOTUNE_HOME", "")
    if home:
        return [Path(home)]
    if sys.platform == "win32":
        return [Path(os.environ.get("LOCALAPPDATA", "")) / "SoloTune"]
    if sys.platform == "darwin":
        return [Path.home() / "Library" / "Application Support" / "SoloTune"]
    usual = {"XDG_DATA_HOME": ".local/share", "XDG_CONFIG_HOME": ".config"}
    return [Path(os.environ.get(name, "") or Path.home() / folder) / "SoloTune" for name, folder in usual.items()]


def _remove_shortcuts(place: Place) -> None:
    # Without a working environment there may still be a shortcut from better times.
    sys.path.insert(0, str(place.root))
    try:
        from core.desktop.shortcut import remove as remove_shortcut
    except ImportError:
        return
    remove_shortcut()


def _bytes(folder: Path) -> int:
    if folder.is_symlink() or not folder.is_dir():
        return 0
    found = (os.path.join(where, name) for where, _folders, names in os.walk(folder) for name in names)  # noqa: PTH118
    return sum(os.lstat(path).st_size for path in found)
