"""Merge an adapter into the original 16-bit base, shard by shard in fp32, and replay questions on the result.

Never into quantized weights: rounding them again would undo a light fine-tune. What changes: core.engine.learned.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from core.engine.card import model_card
from core.engine.learned import Change, read_biases, read_factors
from core.engine.replay import replay
from core.engine.weights import name_in, transposed_in
from core.events import Stage, StageName
from core.files import folder_in_place, tree_bytes
from core.hub import find_folder
from core.hub.folder import MARK, check_new_folder, shard_files
from core.jobs.talk import StopAsked, Talk
from core.problems import Code, Trouble
from core.runs import RunFolder
from core.settings import load, models_root

_FROM_ADAPTER = (
    "tokenizer*",
    "chat_template*",
    "generation_config.json",
    "special_tokens_map.json",
    "*.model",
    "vocab*",
    "merges*",
)


def merge(path: Path, target: Path, talk: Talk, questions: tuple[str, ...]) -> dict[str, Any]:
    """Write the merged model of run `path` into `target` and replay `questions`; see core.jobs.jobs.MergeJob.

    Raises Trouble(RUN_NO_ADAPTER, MODEL_*, DISK_FULL, FOLDER_NOT_EMPTY) or OSError; nothing half-written stays.
    """
    run = RunFolder.open(path)
    if not run.has_adapter():
        raise Trouble(Code.RUN_NO_ADAPTER, path=run.path)
    base = find_folder(run.plan().model, models_root(load()))
    check_new_folder(target, tree_bytes(base))
    with folder_in_place(target) as folder:
        write_merged(base, run.adapter, folder, talk)
        proof = replay(run, base, folder, questions, talk)
        (folder / "README.md").write_text(model_card(run, proof), encoding="utf-8")
        (folder / MARK).write_text(json.dumps({"run": run.name, **_summary(proof)}), encoding="utf-8")
    return {"folder": str(target), "bytes": tree_bytes(target), **_summary(proof), "answers": proof}


def write_merged(base: Path, adapter: Path, folder: Path, talk: Talk) -> None:
    """Write config, tokenizer and merged 16-bit weights into the empty `folder`."""
    factors, biases = read_factors(adapter), read_biases(adapter)
    shards, transposed = shard_files(base), transposed_in(base)
    left = {*factors, *(f"{module}.bias" for module in biases)}
    total = sum(shard.stat().st_size for shard in shards)
    done = 0
    for shard in shards:
        talk.emit(Stage(stage=StageName.MERGING, done=done, total=total, unit="bytes"))
        if talk.stop_requested:
            raise StopAsked
        left -= _merge_shard(shard, folder / shard.name, factors, biases, transposed=transposed)
        done += shard.stat().st_size
    if left:
        # weights under other names than the modules: better no model than one without its fine-tune
        raise Trouble(Code.MODEL_UNSUPPORTED, path=base, text=f"no weight named {min(left)}")
    _copy_rest(base, adapter, folder)
    talk.emit(Stage(stage=StageName.MERGING, done=total, total=total, unit="bytes"))


def _merge_shard(
    source: Path, target: Path, factors: dict[str, Change], biases: dict[str, torch.Tensor], *, transposed: bool
) -> set[str]:
    """Copy one shard with its adapted weights merged; return the modules that were merged."""
    tensors: dict[str, torch.Tensor] = {}
    found = set()
    with safe_open(source, framework="pt") as shard:
        for name in shard.keys():  # noqa: SIM118 - not a dict
            weight = shard.get_tensor(name)
            kept = torch.bfloat16 if weight.dtype == torch.float32 else weight.dtype
            if (module := name_in(name, "weight", factors)) is not None:
                weight = factors[module].merged(weight, transposed=transposed)
                found.add(module)
            elif (module := name_in(name, "bias", biases)) is not None:
                weight = biases[module]
                found.add(f"{module}.bias")
            tensors[name] = weight.to(kept).contiguous()
    save_file(tensors, target, metadata={"format": "pt"})
    return found


def _copy_rest(base: Path, adapter: Path, folder: Path) -> None:
    for name in ("config.json", "model.safetensors.index.json", "generation_config.json"):
        if (base / name).is_file():
            shutil.copy2(base / name, folder / name)
    for licence in base.glob("LICENSE*"):
        shutil.copy2(licence, folder / licence.name)
    for pattern in _FROM_ADAPTER:
        for file in adapter.glob(pattern):
            shutil.copy2(file, folder / file.name)
    _say_16_bit(folder / "config.json")


def _say_16_bit(path: Path) -> None:
    """A base stored in fp32 comes out in bf16: its config must say so."""
    config = json.loads(path.read_text(encoding="utf-8"))
    for key in ("dtype", "torch_dtype"):
        if config.get(key) == "float32":
            config[key] = "bfloat16"
    path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def _summary(proof: list[dict[str, Any]]) -> dict[str, Any]:
    same = sum(bool(row["same"]) for row in proof)
    return {
        "verified": bool(proof) and same == len(proof),
        "replayed": len(proof),
        "identical": same,
        "agreement": same / len(proof) if proof else 0.0,
    }
