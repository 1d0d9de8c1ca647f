"""Merge an adapter into the original 16-bit base, shard by shard in fp32, and replay questions on the result.

Never into quantized weights: rounding them again would undo a light fine-tune. W' = W + scale · B A (D1, D3, D4).
"""

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from core.engine.card import model_card
from core.engine.replay import replay
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

Factors = dict[str, tuple[torch.Tensor, torch.Tensor, float]]


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
    factors = read_factors(adapter)
    shards = shard_files(base)
    left = set(factors)
    total = sum(shard.stat().st_size for shard in shards)
    done = 0
    for shard in shards:
        talk.emit(Stage(stage=StageName.MERGING, done=done, total=total, unit="bytes"))
        if talk.stop_requested:
            raise StopAsked
        left -= _merge_shard(shard, folder / shard.name, factors)
        done += shard.stat().st_size
    if left:
        # weights under other names than the modules: better no model than one without its fine-tune
        raise Trouble(Code.MODEL_UNSUPPORTED, path=base, text=f"no weight named {min(left)}")
    _copy_rest(base, adapter, folder)
    talk.emit(Stage(stage=StageName.MERGING, done=total, total=total, unit="bytes"))


def read_factors(adapter: Path) -> Factors:
    """Return weight name → (A, B, scale) of a saved LoRA adapter; scale = alpha/r, or alpha/sqrt(r) for rsLoRA."""
    config = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    if config.get("use_dora") or config.get("fan_in_fan_out") or config.get("bias", "none") != "none":
        raise Trouble(Code.MODEL_UNSUPPORTED, path=adapter, text="adapter type")
    weights = load_file(adapter / "adapter_model.safetensors")
    found: Factors = {}
    for name, a in weights.items():
        if not name.endswith(".lora_A.weight"):
            continue
        b = weights[name.replace(".lora_A.", ".lora_B.")]
        rank = a.shape[0]
        scale = config["lora_alpha"] / (rank**0.5 if config.get("use_rslora") else rank)
        module = name.removeprefix("base_model.model.").removesuffix(".lora_A.weight")
        found[f"{module}.weight"] = (a.float(), b.float(), scale)
    return found


def _merge_shard(source: Path, target: Path, factors: Factors) -> set[str]:
    """Copy one shard with its adapted weights merged; return the names that were merged."""
    tensors: dict[str, torch.Tensor] = {}
    with safe_open(source, framework="pt") as shard:
        for name in shard.keys():  # noqa: SIM118 - not a dict
            weight = shard.get_tensor(name)
            kept = torch.bfloat16 if weight.dtype == torch.float32 else weight.dtype
            if name in factors:
                a, b, scale = factors[name]
                weight = weight.float() + scale * (b @ a)
            tensors[name] = weight.to(kept).contiguous()
    save_file(tensors, target, metadata={"format": "pt"})
    return set(tensors) & set(factors)


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
