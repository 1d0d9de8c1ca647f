"""The weights of a model folder by the names of the model's modules, one tensor at a time."""

from collections.abc import Collection, Iterator
from pathlib import Path

import torch
from safetensors import safe_open
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.pytorch_utils import Conv1D

from core.hub.folder import shard_files


def original_weights(folder: Path, modules: Collection[str]) -> Iterator[tuple[str, torch.Tensor]]:
    """Module name → its weight as the folder's files have it. Modules without a weight there do not come."""
    for shard in shard_files(folder):
        with safe_open(shard, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118 - not a dict
                module = name_in(name, "weight", modules)
                if module is not None:
                    yield module, file.get_tensor(name)


def transposed_in(folder: Path) -> bool:
    """Whether the folder's linear weights lie as (in, out), as GPT-2's do; a quantized base has them turned."""
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder, local_files_only=True))
    return any(isinstance(module, Conv1D) for module in model.modules())


def name_in(name: str, kind: str, modules: Collection[str]) -> str | None:
    """The module of `modules` that a file's tensor `name` belongs to as its `kind` ("weight", "bias").

    Files of families before Llama leave out the first part of the path (GPT-2: "h.0…" for "transformer.h.0…").
    """
    module = name.removesuffix(f".{kind}")
    if module == name:
        return None
    if module in modules:
        return module
    return next((one for one in modules if one.partition(".")[2] == module), None)
