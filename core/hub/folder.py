"""Is this model folder whole, and safe to open? Answered from names, sizes and headers, without loading weights."""

import json
import os
from pathlib import Path
from typing import Any

from core.files import free_bytes
from core.hub.chat_template import check_template
from core.hub.headers import check_shard
from core.hub.wanted import INDEX, TOKENIZERS
from core.modelconfig import architecture_of, language_part
from core.problems import Code, Trouble

#: Marks a merged folder as written here, so that a second merge may replace it.
MARK = "solotune.json"
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
#: Settings that transformers reads, and where in them it looks for code to import.
_SETTINGS = (
    "config.json", "tokenizer_config.json", "generation_config.json", "processor_config.json",
    "preprocessor_config.json",
)  # fmt: skip
#: No file system has longer names; asked for one, it answers with an error of its own.
_NAME_LIMIT = 200
_CODE = ("auto_map", "custom_generate", "custom_pipelines")
#: Settings are kilobytes, and the index of a model of many experts ten megabytes. Read, they take ten times as much.
_JSON_LIMIT = 30_000_000
#: What tokenizers are made of, 35 MB at most today: libraries read it whole.
_TOKENIZERS = (
    "tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "merges.txt", "added_tokens.json",
    "special_tokens_map.json", "spiece.model", "sentencepiece.bpe.model", "tekken.json", "tiktoken.model",
)  # fmt: skip
_TOKENIZER_LIMIT = 200_000_000
#: How many times as many parameters a config may claim as the files hold: a tied head may be left out of them.
_CLAIMS = 2


def check_model_folder(folder: Path) -> None:
    """Raise Trouble when the folder cannot be used.

    MODEL_MISSING (no such folder), MODEL_INCOMPLETE (config, tokenizer or shards missing, file cut short),
    MODEL_CORRUPT (unreadable config or header, more claimed than there is), MODEL_PICKLE (only pickled weights),
    MODEL_CUSTOM_CODE, MODEL_OUTSIDE (a file is a link that leads out of the folder), MODEL_TEMPLATE.
    """
    if not folder.is_dir():
        raise Trouble(Code.MODEL_MISSING, path=folder, model=folder.name)
    _check_links(folder)
    config = _read_json(folder / "config.json")
    for name in _SETTINGS:
        if _names_code(config if name == "config.json" else _read_json(folder / name, needed=False)):
            raise Trouble(Code.MODEL_CUSTOM_CODE, path=folder)
    if any(part.get("quantization_config") for part in (config, language_part(config))):
        raise Trouble(Code.MODEL_UNSUPPORTED, path=folder, text="already quantized")
    if (folder / "adapter_config.json").exists():
        # transformers puts the adapter beside a model on it without a word: the base would not be the base
        raise Trouble(Code.MODEL_UNSUPPORTED, path=folder, text="adapter in it")
    _check_claims(folder, language_part(config), sum(check_shard(shard) for shard in _shards(folder)))
    if not any((folder / name).is_file() for name in TOKENIZERS):
        raise Trouble(Code.MODEL_INCOMPLETE, path=folder, missing=TOKENIZERS[0])
    for path in (folder / name for name in _TOKENIZERS):
        if path.is_file() and path.stat().st_size > _TOKENIZER_LIMIT:
            raise Trouble(Code.MODEL_CORRUPT, path=path)
    check_template(folder)


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


def shard_names(index: Path) -> list[str]:
    """The files that an index names, in order; each a plain name. Raises Trouble(MODEL_CORRUPT)."""
    return sorted(set(_weight_map(index).values()))


def _shards(folder: Path) -> list[Path]:
    index = folder / INDEX
    if index.is_file():
        shards = [folder / name for name in shard_names(index)]
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
        if not isinstance(name, str) or Path(name).name != name or len(name) > _NAME_LIMIT:
            raise Trouble(Code.MODEL_CORRUPT, path=index)
    return names


def _check_claims(folder: Path, facts: dict[str, Any], numbers: int) -> None:
    """A config may not ask for more memory than its weights fill: what they lack would be made up, at any size."""
    try:
        claimed = architecture_of(facts, folder / "config.json")
    except Trouble as trouble:
        # what cannot be trained says so in its place; what cannot be at all is said here
        if trouble.problem.code is Code.MODEL_CORRUPT:
            raise
        return
    least = claimed.parameters if claimed.known else claimed.vocabulary * claimed.hidden
    if least > _CLAIMS * numbers:
        text = f"claims {least:,} numbers, holds {numbers:,}"
        raise Trouble(Code.MODEL_CORRUPT, path=folder / "config.json", text=text)


def _check_links(folder: Path) -> None:
    """No file may be a link to somewhere else, but into the store of the Hugging Face cache that the folder is in."""
    homes = [folder.resolve()]
    if folder.parent.name == "snapshots" and folder.parent.parent.name.startswith("models--"):
        repository = folder.parent.parent.resolve()
        homes += [repository / "blobs", repository.parent / "blobs"]
    for path in folder.iterdir():
        # realpath comes to an end with links that lead to themselves
        if path.is_symlink() and not any(Path(os.path.realpath(path)).is_relative_to(home) for home in homes):
            raise Trouble(Code.MODEL_OUTSIDE, path=folder, name=path.name)


def _names_code(facts: Any, depth: int = 0) -> bool:
    """Whether settings name program code of the model's own, in any part of them."""
    if depth > 3 or not isinstance(facts, dict):
        return False
    if any(facts.get(key) for key in _CODE):
        return True
    return any(_names_code(part, depth + 1) for part in facts.values())


def _read_json(path: Path, *, needed: bool = True) -> dict[str, Any]:
    if not path.is_file():
        if not needed:
            return {}
        raise Trouble(Code.MODEL_INCOMPLETE, path=path.parent, missing=path.name)
    try:
        if path.stat().st_size > _JSON_LIMIT:
            raise ValueError("too large")
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        raise Trouble(Code.MODEL_CORRUPT, path=path) from None
    if not isinstance(found, dict):
        raise Trouble(Code.MODEL_CORRUPT, path=path)
    return found
