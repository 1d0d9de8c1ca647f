"""Where base models come from and where they lie on this computer."""

from collections.abc import Callable
from pathlib import Path

from core.catalog import ModelSpec, spec_of
from core.files import tree_bytes
from core.hub.caches import cached
from core.hub.folder import check_model_folder, looks_whole
from core.hub.network import expect_online
from core.hub.origin_mark import origin_of
from core.hub.parts import parts_folder
from core.hub.source import Convert, Listing, Tell
from core.problems import Code, Trouble
from core.settings import Settings, load


def local_folder(spec: ModelSpec, root: Path) -> Path | None:
    """Where the model's files lie: under the models folder `root`, in its own folder, or in another program's cache.

    None when it is not here. What lies in a cache is used there and never copied.
    """
    if spec.source == "folder":
        folder = Path(spec.id)
        folder = folder.parent if folder.is_file() else folder
        return folder if looks_whole(folder) else None
    if looks_whole(folder := root / folder_name(spec.id)):
        return folder
    return next((found for found in cached(spec.repo, spec.modelscope) if looks_whole(found)), None)


def find_folder(model: str, root: Path) -> Path:
    """Return the folder of an id or path. Raises Trouble(MODEL_*) when its files are not here."""
    try:
        spec = spec_of(model)
    except Trouble:
        found = _fetched_by_id(model, root)
        if found is None:
            raise
        return found
    folder = local_folder(spec, root)
    if folder is not None:
        return folder
    if spec.source == "folder":
        # says what is missing, better than "not here"
        check_model_folder(Path(spec.id))
    raise Trouble(Code.MODEL_MISSING, model=spec.id, path=root / folder_name(spec.id))


def listing(model: str, settings: Settings, *, token: str = "", source: str = "") -> Listing:
    """What would be fetched of `model`: every file with its exact size, from the source that would be taken.

    `model` is an id of the catalogue or owner/name, `token` one that the user typed, `source` another source than that
    of the settings. Raises Trouble(OFFLINE, NO_NETWORK, SOURCE_BUSY, MODEL_UNKNOWN, MODEL_PICKLE, MODEL_INCOMPLETE,
    GATED_MODEL, TOKEN_REFUSED, DOWNLOAD_BROKEN).
    """
    from core.hub.bring import listed

    return listed(model, settings, token, source)[1]


def fetch(
    model: str, root: Path, tell: Tell, convert: Convert, *, settings: Settings | None = None, token: str = "",
    source: str = "", paused: Callable[[], bool] = lambda: False,
) -> Path:  # fmt: skip
    """Bring a model under `root` and return its folder; one that is here, or in a cache, is not fetched again.

    What has arrived of it stays when this fails or `tell` raises, and the next call goes on there; see `listing` for
    `model`, `token` and `source`. Raises Trouble as `listing` does, and DISK_FULL, FOLDER_NOT_EMPTY, READ_ONLY.
    """
    from core.hub.bring import bring

    settings = settings or load()
    try:
        return find_folder(model, root)
    except Trouble as trouble:
        if trouble.problem.code not in (Code.MODEL_MISSING, Code.MODEL_UNKNOWN):
            raise
    try:
        spec = spec_of(model)
    except Trouble:
        spec = None
    if spec is not None and spec.source == "starter":
        from core.hub.starter import StarterSource

        expect_online(settings, hub=False)
        return StarterSource().fetch(root / folder_name(spec.id), tell, convert)
    target = root / folder_name(spec.id if spec else model.strip())
    return bring(model, target, settings, tell, token=token, source=source, paused=paused)


def waiting_bytes(model: str, root: Path) -> int:
    """How much of a download that was broken off lies under `root` already. Bytes."""
    folder = parts_folder(root / folder_name(_id_of(model)))
    return tree_bytes(folder) if folder.is_dir() else 0


def remove(model: str, root: Path) -> int:
    """Delete a model that was downloaded under `root`, or what there is of it, and return the bytes that frees.

    `model` is an id or the folder. Raises Trouble(NOT_OURS) for any other place: a cache, a folder of the user's.
    """
    from core.hub.removal import remove_folder

    path = Path(model).expanduser()
    inside = path.is_absolute() and path.parent == root
    return remove_folder(path if inside else root / folder_name(_id_of(model)), root)


def folder_name(model_id: str) -> str:
    """The name of a model's folder under the models folder."""
    return model_id.replace("/", "--")


def _id_of(model: str) -> str:
    try:
        spec = spec_of(model)
    except Trouble:
        from core.hub.places import is_id

        if is_id(model):
            return model.strip()
        raise
    if spec.source == "folder":
        raise Trouble(Code.NOT_OURS, path=spec.id)
    return spec.id


def _fetched_by_id(model: str, root: Path) -> Path | None:
    """The folder of a model that is in no catalogue and was fetched by its id."""
    from core.hub.places import is_id

    if not is_id(model):
        return None
    folder = root / folder_name(model.strip())
    if origin_of(folder) and looks_whole(folder):
        return folder
    return next((found for found in cached(model.strip(), model.strip()) if looks_whole(found)), None)
