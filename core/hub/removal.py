"""Taking a downloaded model off the disk, and nothing but that."""

import shutil
from pathlib import Path

from core.catalog import models
from core.files import tree_bytes
from core.hub.origin_mark import origin_of
from core.hub.parts import parts_folder
from core.problems import Code, Trouble


def is_ours(folder: Path, root: Path) -> bool:
    """Whether this app made the folder: it lies right in `root`, is no link, and is named or marked as a download."""
    if folder.parent != root or folder.is_symlink() or not folder.is_dir():
        return False
    named = folder.name in {spec.id.replace("/", "--") for spec in models()}
    return bool(origin_of(folder)) or (named and (folder / "config.json").is_file())


def remove_folder(folder: Path, root: Path) -> int:
    """Delete a downloaded model and what is on its way to it. Returns the freed bytes. Raises Trouble(NOT_OURS)."""
    doomed = [path for path in (folder, parts_folder(folder)) if path.exists() or path.is_symlink()]
    if not doomed or folder.parent != root or (folder in doomed and not is_ours(folder, root)):
        raise Trouble(Code.NOT_OURS, path=folder)
    if any(path.is_symlink() for path in doomed):
        raise Trouble(Code.NOT_OURS, path=folder)
    freed = sum(tree_bytes(path) for path in doomed)
    for path in doomed:
        # renamed first: what is half deleted must not look like a model
        gone = path.with_name(f".{path.name.lstrip('.')}.removed")
        shutil.rmtree(gone, ignore_errors=True)
        path.replace(gone)
        shutil.rmtree(gone)
    return freed
