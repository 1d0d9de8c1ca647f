"""Where base models come from and where they lie on this computer."""

from pathlib import Path

from core.catalog import ModelSpec, spec_of
from core.hub.folder import looks_whole
from core.hub.source import Convert, Source, Tell
from core.problems import Code, Trouble


def source_of(spec: ModelSpec) -> Source:
    """Return the source that brings `spec` onto this computer. Raises Trouble(MODEL_UNKNOWN) for plain folders."""
    if spec.source == "starter":
        from core.hub.starter import StarterSource

        return StarterSource()
    if spec.source == "huggingface":
        from core.hub.huggingface import HuggingFaceSource

        return HuggingFaceSource(spec.id)
    raise Trouble(Code.MODEL_UNKNOWN, model=spec.id)


def local_folder(spec: ModelSpec, root: Path) -> Path | None:
    """Where the model's files lie under the models folder `root`, or in its own folder; None when not here."""
    folder = Path(spec.id) if spec.source == "folder" else root / _folder_name(spec.id)
    if folder.is_file():
        folder = folder.parent
    return folder if looks_whole(folder) else None


def find_folder(model: str, root: Path) -> Path:
    """Return the folder of a catalogue id or path. Raises Trouble(MODEL_*) when its files are not here."""
    spec = spec_of(model)
    folder = local_folder(spec, root)
    if folder is not None:
        return folder
    if spec.source == "folder":
        # says what is missing, better than "not here"
        from core.hub.folder import check_model_folder

        check_model_folder(Path(spec.id))
    raise Trouble(Code.MODEL_MISSING, model=spec.id, path=root / _folder_name(spec.id))


def fetch(model: str, root: Path, tell: Tell, convert: Convert) -> Path:
    """Bring a catalogue model under `root` and return its folder; nothing half-written stays on failure.

    Raises Trouble(NO_NETWORK, DOWNLOAD_BROKEN, DISK_FULL, GATED_MODEL, MODEL_UNKNOWN).
    """
    spec = spec_of(model)
    found = local_folder(spec, root)
    if found is not None:
        return found
    return source_of(spec).fetch(root / _folder_name(spec.id), tell, convert)


def _folder_name(model_id: str) -> str:
    return model_id.replace("/", "--")
