"""The base models on offer, and ModelSpec from any config.json."""

import copy
import difflib
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.architecture import Architecture as Architecture
from core.assets import resource
from core.modelconfig import architecture_of, context_of, read_config
from core.moved import followed
from core.problems import Code, Trouble

STARTER = "smollm2-135m-instruct"


@dataclass(frozen=True)
class ModelSpec:
    """A base model: a catalogue entry, or a folder read from its config.json.

    `source` is "starter", "huggingface" or "folder"; `size_class` one of the documents' classes ("1.3B",
    "7B", "13B"), "3B" between them, or "small"/"large" outside of them. `repo` is the Hugging Face id and
    `modelscope` the ModelScope id ("" where none is known); both are empty for a folder, whose `id` is its
    path. `context` is the longest sequence in tokens, 0 when unknown. `download_bytes` and `published` (the
    parameters as published) are 0 for a folder.
    """

    id: str
    title: str
    architecture: Architecture
    source: str = "huggingface"
    size_class: str = ""
    licence: str = ""
    gated: bool = False
    languages: tuple[str, ...] = ()
    context: int = 0
    download_bytes: int = 0
    repo: str = ""
    modelscope: str = ""
    published: int = 0

    @property
    def parameters(self) -> int:
        """As published, or else as counted; what is counted of an architecture that is not `known` is a guess."""
        return self.published or self.architecture.parameters


#: Upper bounds of the size classes in parameters. Ruling (e) fixes 1-2B, 7-9B and 12-14B. Ours is what lies
#: between: 3B up to 6B is a class of its own, 6B counts as 7B, and 10-12B as 13B, because it needs the larger
#: tier.
_CLASSES = ((1e9, "small"), (3e9, "1.3B"), (6e9, "3B"), (10e9, "7B"), (15e9, "13B"))


def size_class(parameters: int) -> str:
    """The class of a parameter count: "1.3B", "7B", "13B", or "small", "3B", "large" around them."""
    return next((name for bound, name in _CLASSES if parameters < bound), "large")


@lru_cache(maxsize=1)
def models() -> tuple[ModelSpec, ...]:
    """Every model of resources/models.toml, smallest first."""
    return tuple(sorted((_from_entry(entry) for entry in _entries()), key=lambda spec: spec.parameters))


def config_of(spec: ModelSpec) -> dict[str, Any]:
    """A copy of the facts of the model's config.json, the language part on top: what a module is built from.

    Of a folder they are read anew, which raises what core.modelconfig.read_config raises. Raises
    Trouble(MODEL_UNKNOWN) for a spec that is neither a folder nor in the catalogue.
    """
    if spec.source == "folder":
        return read_config(Path(spec.id) / "config.json")
    found = next((entry["config"] for entry in _entries() if entry["repo"] == spec.repo), None)
    if found is None:
        raise Trouble(Code.MODEL_UNKNOWN, model=spec.id)
    return copy.deepcopy(found)


def spec_of(model: str) -> ModelSpec:
    """Return the spec of a catalogue id, a Hugging Face id in the catalogue, a model folder or a config.json.

    Ids are looked up without regard to case. Raises Trouble(MODEL_UNKNOWN) for any other name, MODEL_MISSING
    for a path where nothing is, and what spec_from_config raises.
    """
    known = _by_name().get(model.strip().lower())
    if known is not None:
        return known
    path = _path(model) if model.strip() else None
    if path is not None:
        path = followed(path)
    if path is not None and path.is_dir():
        return spec_from_config(path / "config.json")
    if path is not None and path.exists():
        return spec_from_config(path)
    if _names_a_path(model):
        raise Trouble(Code.MODEL_MISSING, path=model, model=model)
    raise Trouble(Code.MODEL_UNKNOWN, model=model, **_near(model))


def spec_from_config(config: Path) -> ModelSpec:
    """Read a config.json as a model in a folder.

    Raises Trouble: MODEL_INCOMPLETE (no such file), MODEL_CORRUPT (no JSON object, impossible numbers),
    MODEL_CUSTOM_CODE (would run code of its own), MODEL_UNSUPPORTED (no decoder of the Llama type).
    """
    folder = config.parent.absolute()
    facts = read_config(config)
    architecture = architecture_of(facts, config)
    return ModelSpec(
        id=str(folder),
        title=folder.name,
        architecture=architecture,
        source="folder",
        size_class=size_class(architecture.parameters),
        context=context_of(facts, config),
    )


@lru_cache(maxsize=1)
def _entries() -> tuple[dict[str, Any], ...]:
    """The [[model]] tables of resources/models.toml as they stand there."""
    return tuple(tomllib.loads(resource("models.toml").read_text(encoding="utf-8"))["model"])


@lru_cache(maxsize=1)
def _by_name() -> dict[str, ModelSpec]:
    """The catalogue by lower-case id, Hugging Face id and the latter's last part."""
    names: dict[str, ModelSpec] = {}
    for spec in models():
        for name in (spec.repo.rpartition("/")[2], spec.repo, spec.id):
            names[name.lower()] = spec
    return names


def _from_entry(entry: dict[str, Any]) -> ModelSpec:
    """One [[model]] table; `stored` counts the parameters on disk, where a tied head may lie twice."""
    architecture = architecture_of(entry["config"])
    published = int(entry["parameters"])
    return ModelSpec(
        id=entry.get("id", entry["repo"]),
        title=entry["title"],
        architecture=architecture,
        source=entry.get("source", "huggingface"),
        size_class=size_class(published),
        licence=entry["licence"],
        gated=entry.get("gated", False),
        languages=tuple(entry["languages"]),
        context=context_of(entry["config"]),
        download_bytes=entry.get("download_bytes", 2 * entry.get("stored", published)),
        repo=entry["repo"],
        modelscope=entry.get("modelscope", ""),
        published=published,
    )


def _near(model: str) -> dict[str, str]:
    """The model that was probably meant, as the fact `near`; empty where no name is like this one."""
    found = difflib.get_close_matches(model.strip().lower(), _by_name(), n=1, cutoff=0.75)
    return {"near": _by_name()[found[0]].id} if found else {}


def _path(model: str) -> Path | None:
    """`model` as a path, None where it cannot be one (null bytes, an unknown home, too long)."""
    try:
        path = Path(model).expanduser()
        path.stat()
    except FileNotFoundError:
        return path
    except (OSError, ValueError, RuntimeError):
        return None
    return path


def _names_a_path(model: str) -> bool:
    """Whether somebody meant a path: an organisation/name has one slash in its middle and nothing else."""
    return model.startswith(("/", ".", "~")) or model.count("/") > 1 or "\\" in model or model.endswith(".json")
