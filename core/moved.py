"""Where the folders went that a person has moved: a plan names a model by the path that it had then."""

import json
from pathlib import Path

from core.files import write_text
from core.settings import settings_file

#: Moves that are remembered, the newest ones.
_MOST = 50


def remember(source: str, target: str) -> None:
    """Take down that what lay in the folder `source` is in `target` from now on. Raises OSError."""
    moves = [*_moves(), (source, target)][-_MOST:]
    write_text(_file(), json.dumps(moves, ensure_ascii=False, indent=1) + "\n")


def followed(path: Path) -> Path:
    """Where `path` is now, if it lay in a folder that was moved since; else `path` as it is."""
    if path.exists():
        return path
    now = path
    for source, target in _moves():
        if now.is_relative_to(source):
            now = Path(target) / now.relative_to(source)
    return now if now.exists() else path


def _moves() -> list[tuple[str, str]]:
    """From where to where, the oldest first; none where the file cannot be read."""
    try:
        found = json.loads(_file().read_text(encoding="utf-8"))
        return [(str(source), str(target)) for source, target in found]
    except (OSError, ValueError, TypeError, RecursionError):
        return []


def _file() -> Path:
    return settings_file().with_name("moved.json")
