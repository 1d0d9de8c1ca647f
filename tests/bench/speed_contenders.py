"""One contender of the speed bench in a process of its own: trains, and says when it begins and how every step went.

Run by tests.bench.speed. Each line of standard output that counts begins with MARK and is JSON: `begins` once, then for
every optimizer step its seconds, processor seconds, trained tokens (labels behind the shift that are not -100, of the
tensors that the model is fed with) and computed tokens (padding included). It ends itself after the last step.

The environment of LLaMA-Factory has none of the product's packages: imports are inside.
"""

import json
import os
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

MARK = "@speed "
PACKAGES = ("torch", "transformers", "peft", "accelerate", "trl", "llamafactory")


def say(**facts: Any) -> None:
    """Tell the bench something, past whatever standard output has become."""
    os.write(_OUT, (MARK + json.dumps(facts) + "\n").encode())


class Watch:
    """Counts what a trainer is fed with, and tells it at the end of each step."""

    def __init__(self, steps: int) -> None:
        self._left = steps
        self.trained = self.computed = 0
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def begins(self) -> None:
        """Training starts now."""
        say(begins=True)
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def see(self, labels: Any) -> None:
        """Count a micro-batch by its labels (sequences, longest)."""
        self.trained += int((labels[:, 1:] != -100).sum())
        self.computed += labels.numel()

    def step(self, loss: float | None = None) -> None:
        """An optimizer step is done; the last one ends the process."""
        wall, cpu = time.perf_counter(), time.process_time()
        say(
            seconds=wall - self._wall, cpu_seconds=cpu - self._cpu, trained=self.trained, computed=self.computed,
            loss=loss,
        )  # fmt: skip
        self.trained = self.computed = 0
        self._left -= 1
        if not self._left:
            say(packages={name: _version(name) for name in PACKAGES})
            # what comes after training is not measured
            os._exit(0)
        self._wall, self._cpu = time.perf_counter(), time.process_time()


def callback(watch: Watch) -> Any:
    """The watch as a callback of transformers' Trainer."""
    from transformers import TrainerCallback

    class Watching(TrainerCallback):  # type: ignore[misc, unused-ignore]
        def on_train_begin(self, *_args: Any, **_kwargs: Any) -> None:
            watch.begins()

        def on_step_end(self, *_args: Any, **_kwargs: Any) -> None:
            watch.step()

    return Watching()


def watched(trainer: type, watch: Watch) -> None:
    """Let the watch see what `trainer` feeds its model with."""
    made = trainer.training_step

    def training_step(self: Any, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        for batch in inputs.get("micro_batches", [inputs]):
            watch.see(batch["labels"])
        return made(self, model, inputs, *args, **kwargs)

    trainer.training_step = training_step  # type: ignore[attr-defined]


def solotune(settings: dict[str, Any], watch: Watch, gauge: Any = None) -> None:
    """The product: its own plan for this data where it is asked for its defaults; runs as `solotune train` does."""
    from core.engine.train import train
    from core.engine.trainer import SoloTrainer
    from core.events import Event, Stage, StageName, StepDone
    from core.plan import load_plan
    from core.runs import RunFolder
    from tests.engine.conftest import Listener

    class Told(Listener):
        begun = False

        def emit(self, event: Event) -> None:
            super().emit(event)
            if isinstance(event, Stage) and event.stage is StageName.TRAINING and not self.begun:
                self.begun = True
                watch.begins()
            if isinstance(event, StepDone):
                watch.step(event.loss)

    watched(SoloTrainer, watch)
    run = RunFolder.create(Path(settings["output"]), load_plan(Path(settings["plan"])))
    train(run.path, Told(), resume=False, gauge=gauge)


def trl(settings: dict[str, Any], watch: Watch, model: Any = None, tokenizer: Any = None) -> None:
    """TRL's SFTTrainer on prompts and completions (so it trains answers only), as it comes but for `settings`.

    It trains `model`, or else loads what the settings name.
    """
    from datasets import Dataset
    from peft import LoraConfig
    from trl import SFTConfig, SFTTrainer

    rows = [
        {"prompt": [{"role": "user", "content": row["instruction"]}],
         "completion": [{"role": "assistant", "content": row["output"]}]}
        for row in json.loads(Path(settings["rows"]).read_text(encoding="utf-8"))
    ]  # fmt: skip
    more = {} if settings["checkpointing"] == "default" else {"gradient_checkpointing": False}
    arguments = SFTConfig(
        output_dir=settings["output"], per_device_train_batch_size=settings["batch"], max_length=settings["tokens"],
        gradient_accumulation_steps=settings["accumulation"],
        max_steps=settings["steps"], learning_rate=settings["learning_rate"], seed=settings["seed"],
        model_init_kwargs=None if model else {"dtype": "bfloat16"}, use_cpu=settings.get("device", "cpu") == "cpu",
        report_to="none", disable_tqdm=True, save_strategy="no", **more,
    )  # fmt: skip
    adapter = LoraConfig(
        r=settings["rank"], lora_alpha=settings["alpha"], lora_dropout=settings.get("dropout", 0.0),
        target_modules=settings["targets"], task_type="CAUSAL_LM",
    )  # fmt: skip
    watched(SFTTrainer, watch)
    SFTTrainer(
        model or settings["model"], args=arguments, train_dataset=Dataset.from_list(rows), peft_config=adapter,
        processing_class=tokenizer, callbacks=[callback(watch)],
    ).train()  # fmt: skip


def llamafactory(settings: dict[str, Any], watch: Watch) -> None:
    """LLaMA-Factory's `sft` stage, as it comes but for `settings`."""
    from llamafactory.train.sft.trainer import CustomSeq2SeqTrainer
    from llamafactory.train.tuner import run_exp

    rows = Path(settings["rows"])
    (rows.parent / "dataset_info.json").write_text(json.dumps({"rows": {"file_name": rows.name}}), encoding="utf-8")
    watched(CustomSeq2SeqTrainer, watch)
    run_exp(
        {
            "stage": "sft", "do_train": True, "finetuning_type": "lora", "template": "smollm2", "dataset": "rows",
            "model_name_or_path": settings["model"], "dataset_dir": str(rows.parent), "cutoff_len": settings["tokens"],
            "output_dir": settings["output"], "overwrite_cache": True, "overwrite_output_dir": True,
            "lora_rank": settings["rank"], "lora_alpha": settings["alpha"], "lora_dropout": 0.0,
            "lora_target": ",".join(settings["targets"]), "per_device_train_batch_size": settings["batch"],
            "gradient_accumulation_steps": settings["accumulation"], "max_steps": settings["steps"],
            "learning_rate": settings["learning_rate"], "seed": settings["seed"], "bf16": True, "use_cpu": True,
            "report_to": "none", "save_strategy": "no",
        }
        | ({} if settings["checkpointing"] == "default" else {"disable_gradient_checkpointing": True}),
        callbacks=[callback(watch)],
    )  # fmt: skip


def _version(name: str) -> str:
    try:
        return version(name)
    except ImportError:
        return ""


#: Standard output as it was when the process began: trainers print there what they like.
_OUT = os.dup(1)

if __name__ == "__main__":
    given = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    {"solotune": solotune, "trl": trl, "llamafactory": llamafactory}[given["contender"]](given, Watch(given["steps"]))
