"""Which files of a published model are needed, and which names are safe to write."""

import re
from collections.abc import Iterable

from core.hub.source import RemoteFile
from core.problems import Code, Trouble

#: Settings, tokenizer and template, as transformers reads them.
_SETTINGS = frozenset({
    "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json", "vocab.json", "vocab.txt", "merges.txt", "tokenizer.model", "spiece.model",
    "sentencepiece.bpe.model", "chat_template.jinja", "chat_template.json",
})  # fmt: skip
#: One of them holds the words of a tokenizer.
TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json")
INDEX = "model.safetensors.index.json"
_SINGLE = "model.safetensors"
_LICENCE = re.compile(r"(licen[cs]e|notice|use_policy)[\w.-]*", re.IGNORECASE)
#: The same weights again in the form of their makers, and adapters to them.
_TWICE = re.compile(r"(consolidated|adapter|original|diffusion)[\w.-]*", re.IGNORECASE)
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
#: A name of the top folder that means the same on every system: no separators, no drive, no hidden file.
_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}")
#: Names that are devices on Windows.
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
#: No published model has more; a list from outside must not fill the memory.
MOST_FILES = 2000
#: Settings, tokenizers and licences are megabytes at most.
_MOST_BYTES = 200_000_000


def wanted(model: str, files: Iterable[RemoteFile]) -> tuple[RemoteFile, ...]:
    """The files to fetch: one set of safetensors, its index, settings, tokenizer and licence. Small ones come first.

    Names that could lead out of the folder are not among them. Raises Trouble: MODEL_PICKLE (weights are there, but
    only as pickles), MODEL_INCOMPLETE (no weights that a model can be opened from, no settings, or no tokenizer),
    DOWNLOAD_BROKEN (sizes that cannot be).
    """
    there = {file.path: file for file in files if safe_name(file.path)}
    small = [
        file
        for name, file in there.items()
        if (name in _SETTINGS or _LICENCE.fullmatch(name)) and not name.endswith(_PICKLES)
    ]
    weights = _weights(there)
    if not weights:
        if any(name.endswith(_PICKLES) for name in there):
            raise Trouble(Code.MODEL_PICKLE, model=model)
        raise Trouble(Code.MODEL_INCOMPLETE, model=model, missing=_SINGLE)
    if "config.json" not in there:
        raise Trouble(Code.MODEL_INCOMPLETE, model=model, missing="config.json")
    if there.keys().isdisjoint(TOKENIZERS):
        raise Trouble(Code.MODEL_INCOMPLETE, model=model, missing=TOKENIZERS[0])
    chosen = sorted((*small, *weights), key=lambda file: (file.bytes, file.path))
    if len(chosen) > MOST_FILES or any(file.bytes < 0 for file in chosen) or any(f.bytes > _MOST_BYTES for f in small):
        raise Trouble(Code.DOWNLOAD_BROKEN, what=model)
    return tuple(chosen)


def safe_name(name: str) -> bool:
    """Whether a name from outside is a file right in the target folder, on Linux, Windows and macOS alike."""
    return bool(_SAFE.fullmatch(name)) and not _DEVICES.fullmatch(name) and not name.endswith(".")


def _weights(there: dict[str, RemoteFile]) -> list[RemoteFile]:
    """One whole set of safetensors: the shards and their index, or else the single file."""
    tensors = {name: file for name, file in there.items() if name.endswith(".safetensors")}
    own = {name: file for name, file in tensors.items() if not _TWICE.fullmatch(name)}
    if INDEX in there:
        shards = [file for name, file in own.items() if name != _SINGLE]
        # an index beside a single file is left over from an upload
        if shards:
            return [there[INDEX], *shards]
    # shards without an index, or files of other names: nobody could say what they hold
    return [own[_SINGLE]] if _SINGLE in own else []
