"""Models that other programs have downloaded: the caches of Hugging Face and ModelScope, used where they lie."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def hub_cache() -> Path:
    """The cache of Hugging Face's libraries, as they find it themselves (huggingface_hub/constants.py)."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if chosen := os.environ.get(name):
            return _path(chosen)
    home = os.environ.get("HF_HOME")
    return (_path(home) if home else _cache() / "huggingface") / "hub"


def scope_cache() -> Path:
    """The cache of ModelScope's client."""
    chosen = os.environ.get("MODELSCOPE_CACHE")
    return _path(chosen) if chosen else Path.home() / ".cache" / "modelscope"


def cached(hub: str, scope: str) -> Iterator[Path]:
    """Folders in which the model with these ids may lie, the most likely first; whether it is whole, others say.

    A cache that cannot be read (made by another user, on a drive that is gone) holds nothing for us.
    """
    with suppress(OSError):
        yield from _in_hub(hub)
    with suppress(OSError):
        yield from _in_scope(scope)


def _in_hub(hub: str) -> Iterator[Path]:
    if hub:
        yield from _snapshots(hub_cache() / f"models--{hub.replace('/', '--')}")


def _in_scope(scope: str) -> Iterator[Path]:
    if not scope:
        return
    root, (owner, _, name) = scope_cache(), scope.partition("/")
    # the newest client, and the ones before it, which put ___ for a dot
    yield from _snapshots(root / "models" / f"{owner}--{name}")
    for above in (root / "models", root / "hub" / "models", root / "hub"):
        for spelled in dict.fromkeys((name, name.replace(".", "___"))):
            if (above / owner / spelled).is_dir():
                yield above / owner / spelled


def _snapshots(repository: Path) -> Iterator[Path]:
    """The versions in a repository's folder: what the main branch was last, then the newest."""
    found = repository / "snapshots"
    if not found.is_dir():
        return
    main = repository / "refs" / "main"
    if main.is_file() and (found / _first_line(main)).is_dir():
        yield found / _first_line(main)
    yield from sorted((path for path in found.iterdir() if path.is_dir()), key=lambda path: -path.stat().st_mtime)


def _first_line(path: Path) -> str:
    # a name, never a path: what stands in a cache may be anybody's
    return Path(path.read_text(encoding="utf-8", errors="replace")[:200].strip() or ".").name or "."


def _path(text: str) -> Path:
    return Path(os.path.expandvars(text)).expanduser()


def _cache() -> Path:
    chosen = os.environ.get("XDG_CACHE_HOME")
    return _path(chosen) if chosen else Path.home() / ".cache"
