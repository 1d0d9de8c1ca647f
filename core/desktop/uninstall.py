"""Takes away what SoloTune keeps for this person, and says what it leaves; the program itself goes by its installer."""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from core.desktop import shortcut
from core.desktop.program import program
from core.files import tree_bytes
from core.hub.credentials import forget_token, kept_for
from core.hub.places import addresses
from core.hub.removal import is_ours, remove_folder
from core.problems import Code, Trouble
from core.runs import list_runs
from core.settings import cache_folder, load, measured_file, models_root, runs_root, settings_file

#: What is taken down beside the settings: the keyring's servers, and folders that were moved.
_NOTES = ("tokens-in-keyring.json", "moving.json", "moved.json")


@dataclass(frozen=True)
class Kept:
    """One thing on the disk: what it is ("shortcut", "cache", "runs", "models", "settings"), where, its bytes."""

    what: str
    path: str
    bytes: int


@dataclass(frozen=True)
class Uninstalled:
    """What was removed and what was left; `program` is the command that removes the program, empty without one."""

    removed: tuple[Kept, ...]
    left: tuple[Kept, ...]
    program: str


def uninstall(*, with_data: bool = False, by_run: bool = False) -> Uninstalled:
    """Remove shortcut and cache; `with_data` also runs, downloaded models and settings.

    Only what SoloTune made goes: of folders that the person chose, the runs and the downloads in them; models of
    other programs stay. `by_run` says that run.py removes the program afterwards. Raises
    Trouble(RUN_BUSY) while a run is being trained, before anything is removed, and OSError.
    """
    chosen = load()
    busy = next((run for run in list_runs(runs_root(chosen)) if run.is_busy()), None)
    if busy is not None:
        raise Trouble(Code.RUN_BUSY, path=busy.path)
    removed = [*_shortcuts(), *_gone("cache", cache_folder())]
    if with_data:
        for run in list_runs(runs_root(chosen)):
            removed += _gone("runs", run.path)
        _remove_if_empty(runs_root(chosen))
        removed += _models(models_root(chosen), alone=not chosen.models_folder)
        for address in kept_for() | set(addresses(chosen).values()):
            forget_token(address)
        for path in (measured_file(), settings_file(), *map(settings_file().with_name, _NOTES)):
            removed += _gone("settings", path)
        for folder in (measured_file().parent, settings_file().parent):
            _remove_if_empty(folder)
    folders = {"runs": runs_root(chosen), "models": models_root(chosen), "settings": settings_file()}
    left = tuple(kept for what, path in folders.items() if (kept := _kept(what, path)).bytes)
    return Uninstalled(tuple(removed), left, "" if by_run else remover(Path(program().root), Path(sys.prefix)))


def remover(root: Path, prefix: Path) -> str:
    """The command that removes the program in `root`, installed into the environment `prefix`."""
    if prefix == root / ".venv" and (root / "run.py").is_file():
        return "python run.py --uninstall"
    parts = prefix.parts
    if "pipx" in parts:
        return "pipx uninstall solotune"
    if "uv" in parts and "tools" in parts:
        return "uv tool uninstall solotune"
    return f'"{sys.executable}" -m pip uninstall solotune'


def _shortcuts() -> list[Kept]:
    """Remove the shortcut, unless it starts another SoloTune that is still there."""
    made = shortcut.installed()
    if made is not None and made.program.root != program().root and Path(made.program.alive).exists():
        return []
    return [Kept("shortcut", path, 0) for path in shortcut.remove()]


def _models(root: Path, *, alone: bool) -> list[Kept]:
    """Remove the downloads in the models folder; all of it where it is SoloTune's `alone`."""
    if alone:
        return _gone("models", root)
    ours = [path for path in root.iterdir() if is_ours(path, root)] if root.is_dir() else []
    return [Kept("models", str(path), remove_folder(path, root)) for path in ours]


def _gone(what: str, path: Path) -> list[Kept]:
    """Remove a file or a folder; nothing when it is not there."""
    if not path.exists() and not path.is_symlink():
        return []
    kept = _kept(what, path)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
    return [kept]


def _kept(what: str, path: Path) -> Kept:
    if path.is_symlink():
        return Kept(what, str(path), 0)
    return Kept(what, str(path), path.stat().st_size if path.is_file() else tree_bytes(path))


def _remove_if_empty(folder: Path) -> None:
    if folder.is_dir() and not folder.is_symlink() and not any(folder.iterdir()):
        folder.rmdir()
