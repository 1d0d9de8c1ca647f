"""A run as one plain script: its settings in the open, its rows as tokens, and which of them each step learns."""

import json
import math
import shutil
from pathlib import Path
from pprint import pformat
from types import SimpleNamespace
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

from core.assets import resource
from core.choices import Initialisation
from core.engine.adapters import SCHEDULES, layer_patterns
from core.engine.best import Best
from core.engine.encoding import ChatFormat
from core.engine.loading import load_tokenizer
from core.engine.parts import Parts
from core.engine.rows import encode_rows, prepare_rows
from core.engine.saving import pad_id
from core.engine.targets import find_targets
from core.files import file_in_place
from core.hub import find_folder
from core.jobs.talk import Talk
from core.plan import TrainingPlan
from core.problems import Code, Trouble
from core.runs import RunFolder
from core.settings import load, models_root

ROWS, STEPS, START = "rows.jsonl", "steps.json", "start.safetensors"


def write_script(path: Path, target: Path, talk: Talk) -> dict[str, Any]:
    """Write the run in `path` as the script `target`, with files of the same stem beside it.

    Returns `script`, `rows`, `steps` (how many of each) and `files`. Raises Trouble(RUN_NO_ADAPTER) for a run with a
    start of its own that did not begin yet, and what reading rows raises.
    """
    run = RunFolder.open(path)
    plan = run.plan()
    started = plan.initialisation is not Initialisation.DEFAULT
    if started and not run.start.is_file():
        raise Trouble(Code.RUN_NO_ADAPTER, path=run.path)
    folder = find_folder(plan.model, models_root(load()))
    chat = ChatFormat(load_tokenizer(folder), plan.system)
    kept = run.data if run.data.is_dir() else None
    data = encode_rows(prepare_rows(plan, talk, kept, begun=True), plan, chat, talk)
    packs = plan.packing and not any(note.code == "packing_not_used" for note in run.history().notes)
    # nothing of the model decides the order of rows
    nobody: Any = torch.nn.Linear(1, 1)
    nobody.config, nobody.device = SimpleNamespace(model_type=""), torch.device("cpu")
    parts = Parts(run, plan, chat, data, nobody, tiled=False, packs=packs)
    steps, warmup = _steps(parts, talk)
    names = {key: f"{target.stem}.{name}" for key, name in (("ROWS", ROWS), ("STEPS", STEPS), ("START", START))}
    settings = _settings(plan, folder, chat, warmup) | names | ({} if started else {"START": ""})
    lines = (
        {"text": chat.tokenizer.decode(row.ids), "ids": row.ids.tolist(), "labels": row.labels.tolist()}
        for row in data.train
    )
    _write(target.with_name(names["ROWS"]), "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    _write(target.with_name(names["STEPS"]), json.dumps(steps) + "\n")
    if started:
        shutil.copyfile(run.start, target.with_name(names["START"]))
    _write(target, _script(target.name, settings))
    files = [target.name, *(name for key, name in names.items() if settings[key])]
    return {"script": str(target), "rows": len(data.train), "steps": len(steps), "files": files}


def _script(name: str, settings: dict[str, Any]) -> str:
    text = resource("train_script.py").read_text(encoding="utf-8")
    said = "\n".join(f"{key} = {pformat(value, width=100, sort_dicts=False)}" for key, value in settings.items())
    for key, value in (("NAME", name), ("ROWS", settings["ROWS"]), ("STEPS", settings["STEPS"])):
        text = text.replace(f"{{{key}}}", value)
    return text.replace("# ruff: noqa\n# {SETTINGS}", said)


def _settings(plan: TrainingPlan, folder: Path, chat: ChatFormat, warmup: int) -> dict[str, Any]:
    """The constants at the top of the script."""
    with torch.device("meta"):
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
        base: PreTrainedModel = AutoModelForCausalLM.from_config(config, trust_remote_code=False)
    found, (ranks, alphas) = find_targets(base, plan), layer_patterns(base, plan)
    every = {"none": 0, "full": 1}.get(plan.checkpointing)
    return {
        "MODEL": plan.model,
        "METHOD": plan.method.value,
        "SEED": plan.seed,
        "BATCH": plan.batch,
        "PAD": pad_id(chat),
        "LORA": {
            "r": plan.rank,
            "lora_alpha": plan.alpha,
            "lora_dropout": plan.dropout,
            "target_modules": list(found.names),
            "fan_in_fan_out": found.transposed,
            "use_rslora": plan.rslora,
            "use_dora": plan.dora,
            "rank_pattern": ranks,
            "alpha_pattern": alphas,
            "bias": plan.bias.value,
        },
        "LORA_PLUS": plan.lora_plus,
        "NOISE": plan.neftune,
        "SUBTRACT_START": plan.initialisation is Initialisation.PISSA,
        "OPTIMIZER": plan.optimizer.value,
        "LEARNING_RATE": plan.learning_rate,
        "WEIGHT_DECAY": plan.weight_decay,
        "SCHEDULE": SCHEDULES[plan.schedule],
        "WARMUP_STEPS": warmup,
        "CHECKPOINT_EVERY": int(plan.checkpointing) if every is None else every,
    }


def _steps(parts: Parts, talk: Talk) -> tuple[list[list[int]], int]:
    """The rows of every step in the order of the run, by their place among its rows; and the steps of warm-up."""
    trainer = parts.trainer(talk, Best(parts.run.best, 0, parts.run.history()))
    loader = trainer.get_train_dataloader()
    most = trainer.set_initial_training_values(trainer.args, loader)[-1]
    steps: list[list[int]] = []
    for epoch in range(math.ceil(most / len(loader))):
        loader.set_epoch(epoch)
        # only the places: the rows themselves need not be laid out
        steps += [[int(place) for place in batch] for batch in loader.batch_sampler]
    return steps[:most], trainer.args.get_warmup_steps(most)


def _write(path: Path, text: str) -> None:
    with file_in_place(path) as beside:
        beside.write_text(text, encoding="utf-8", errors="backslashreplace")
