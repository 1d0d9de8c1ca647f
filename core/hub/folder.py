"""Is this model folder whole, and safe to open? Answered from names, sizes and headers, without loading weights."""

import json
import struct
from pathlib import Path
from typing import Any

from core.files import free_bytes
from core.problems import Code, Trouble

#: Marks a merged folder as written here, so that a second merge may replace it.
MARK = "solotune.json"
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
#: safetensors itself refuses headers above 100 MB.
_HEADER_LIMIT = 100_000_000


def check_model_folder(folder: Path) -> None:
    """Raise Trouble when the folder cannot be used.

    MODEL_MISSING (no such folder), MODEL_INCOMPLETE (config, tokenizer or shards missing, file cut short),
    MODEL_CORRUPT (unreadable config or header), MODEL_PICKLE (only pickled weights), MODEL_CUSTOM_CODE.
    """
    if not folder.is_dir():
        raise Trouble(Code.MODEL_MISSING, path=folder, model=folder.name)
    config = _read_json(folder / "config.json")
    if config.get("auto_map"):
        raise Trouble(Code.MODEL_CUSTOM_CODE, path=folder)
    if config.get("quantization_config"):
        raise Trouble(Code.MODEL_UNSUPPORTED, path=folder, text="already quantized")
    for shard in _shards(folder):
        _check_shard(shard)
    if not any((folder / name).is_file() for name in ("tokenizer.json", "tokenizer.model", "vocab.json")):
        raise Trouble(Code.MODEL_INCOMPLETE, path=folder, missing="tokenizer.json")


def check_new_folder(target: Path, needed: int) -> None:
    """Raise Trouble when no model of `needed` bytes can be written into `target`.

    READ_ONLY (a file is in the way), FOLDER_NOT_EMPTY (with something that was not written here), DISK_FULL.
    """
    if target.exists() and not target.is_dir():
        raise Trouble(Code.READ_ONLY, path=target, reason="in the way")
    if target.is_dir() and any(target.iterdir()) and not (target / MARK).is_file():
        raise Trouble(Code.FOLDER_NOT_EMPTY, path=target)
    free = free_bytes(target)
    if free < needed * 1.05:
        raise Trouble(Code.DISK_FULL, path=target, needed_bytes=int(needed * 1.05), free_bytes=free)


def looks_whole(folder: Path) -> bool:
    """Whether check_model_folder has nothing to say."""
    try:
        check_model_folder(folder)
    except (Trouble, OSError):
        return False
    return True


def shard_files(folder: Path) -> list[Path]:
    """The safetensors files that hold the weights, in order. Raises Trouble as check_model_folder."""
    return _shards(folder)


def _shards(folder: Path) -> list[Path]:
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        names = sorted(set(_weight_map(index).values()))
        shards = [folder / name for name in names]
        missing = next((s for s in shards if not s.is_file()), None)
        if missing:
            raise Trouble(Code.MODEL_INCOMPLETE, path=folder, missing=missing.name)
        return shards
    single = folder / "model.safetensors"
    if single.is_file():
        return [single]
    others = sorted(folder.glob("*.safetensors"))
    if not others and any(True for pattern in _PICKLES for _ in folder.glob(pattern)):
        raise Trouble(Code.MODEL_PICKLE, path=folder)
    raise Trouble(Code.MODEL_INCOMPLETE, path=folder, missing="model.safetensors")


def _weight_map(index: Path) -> dict[str, str]:
    names = _read_json(index).get("weight_map")
    if not isinstance(names, dict) or not names:
        raise Trouble(Code.MODEL_CORRUPT, path=index)
    for name in names.values():
        # an index is untrusted: its names must stay inside the folder
        if not isinstance(name, str) or Path(name).name != name:
            raise Trouble(Code.MODEL_CORRUPT, path=index)
    return names


def _check_shard(path: Path) -> None:
    """Compare the file's size with what its header promises; a download that was cut short shows here."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(8)
        length = struct.unpack("<Q", head)[0] if len(head) == 8 else _HEADER_LIMIT + 1
        if length > min(_HEADER_LIMIT, size):
            raise Trouble(Code.MODEL_CORRUPT, path=path)
        try:
            header = json.loads(file.read(length))
            end = max((v["data_offsets"][1] for k, v in header.items() if k != "__metadata__"), default=0)
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
            raise Trouble(Code.MODEL_CORRUPT, path=path) from None
    if size != 8 + length + end:
        raise Trouble(Code.MODEL_INCOMPLETE, path=path.parent, missing=path.name)


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise Trouble(Code.MODEL_INCOMPLETE, path=path.parent, missing=path.name)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        raise Trouble(Code.MODEL_CORRUPT, path=path) from None
    if not isinstance(found, dict):
        raise Trouble(Code.MODEL_CORRUPT, path=path)
    return found
