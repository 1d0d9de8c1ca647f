"""A model on its way from the first of its sources that gives it."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from core.events import Stage, StageName
from core.hub.answers import patiently
from core.hub.download import Download, attended
from core.hub.network import client_of_hub, expect_online
from core.hub.origin_mark import origin_of
from core.hub.parts import take_up
from core.hub.places import origins
from core.hub.source import Listing, Origin, Tell
from core.modelconfig import read_config
from core.problems import Code, Trouble
from core.settings import Settings

#: Answers after which another source may have better ones.
_ELSEWHERE = (Code.NO_NETWORK, Code.SOURCE_BUSY, Code.MODEL_UNKNOWN, Code.MODEL_INCOMPLETE, Code.DOWNLOAD_BROKEN)


def listed(model: str, settings: Settings, token: str = "", source: str = "") -> tuple[Origin, Listing]:
    """The first source that lists the model, and its list. Raises Trouble; with none, that of the first source."""
    expect_online(settings)
    first: Trouble | None = None
    for origin in origins(model, settings, token, source):
        try:
            return origin, origin.listing()
        except Trouble as trouble:
            if trouble.problem.code not in _ELSEWHERE:
                raise
            first = first or trouble
    raise first or Trouble(Code.MODEL_UNKNOWN, model=model)


def bring(
    model: str, target: Path, settings: Settings, tell: Tell, *, token: str = "", source: str = "",
    paused: Callable[[], bool] = lambda: False,
) -> Path:  # fmt: skip
    """Fetch a model into `target`. Raises Trouble, OSError, and what `tell` raises; what has arrived is kept."""
    expect_online(settings)
    with _alone(target):
        _make_way(target)
        return _brought(model, target, settings, tell, token, source, paused)


def _brought(
    model: str, target: Path, settings: Settings, tell: Tell, token: str, source: str, paused: Callable[[], bool]
) -> Path:
    # servers are asked in a thread: one that does not answer must not keep the user from cancelling
    origin, found = attended(
        lambda: listed(model, settings, token, source),
        lambda: tell(Stage(stage=StageName.DOWNLOADING, unit="bytes")),
    )
    return Download(origin, found, target, tell, paused).run()


def config_at(origin: Origin, found: Listing) -> dict[str, Any]:
    """The facts of a listed model's config.json; {} where the server does not give it out. Raises Trouble(MODEL_*).

    Raises what core.modelconfig.read_config does for a model that could not be trained.
    """
    file = next(file for file in found.files if file.path == "config.json")
    try:
        got = patiently(origin, lambda: client_of_hub().get(
            origin.address(file, found.revision), headers=dict(origin.headers()), timeout=20.0
        ).raise_for_status())  # fmt: skip
    except Trouble as trouble:
        if trouble.problem.code in (Code.GATED_MODEL, Code.TOKEN_REFUSED):
            return {}
        raise
    with tempfile.TemporaryDirectory(prefix="solotune-") as scratch:
        path = Path(scratch) / "config.json"
        path.write_bytes(got.content)
        return read_config(path)


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Hold the download of `target`, which two processes would only spoil for each other. Raises DOWNLOAD_BUSY."""
    target.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(target.with_name(f".{target.name}.lock"), blocking=False)
    try:
        # the system lets go of it when the process ends in whatever way
        lock.acquire()
    except Timeout:
        raise Trouble(Code.DOWNLOAD_BUSY, path=target) from None
    try:
        yield
    finally:
        lock.release()
        Path(lock.lock_file).unlink(missing_ok=True)


def _make_way(target: Path) -> None:
    """See that nothing of the user's is where the model will be. Raises Trouble(READ_ONLY, FOLDER_NOT_EMPTY)."""
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise Trouble(Code.READ_ONLY, path=target, reason="in the way")
    if not target.is_dir() or not any(target.iterdir()):
        return
    if not origin_of(target):
        raise Trouble(Code.FOLDER_NOT_EMPTY, path=target)
    take_up(target)
    if target.exists():
        raise Trouble(Code.FOLDER_NOT_EMPTY, path=target)
