"""SoloTrainer: transformers' Trainer with our loss head, token-weighted evaluation, whole checkpoints and events."""

import json
import math
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from core.engine.course import Course
from core.engine.encoding import IGNORED
from core.engine.loss import hidden_states, plain_loss, tiled_loss
from core.events import Evaluated, Event, Noted, Saved, Stage, StageName, StepDone
from core.files import sync_tree, write_text
from core.runs import COMPLETE

#: Seconds after which a checkpoint is written even when its step has not come.
SAVE_AT_LEAST_EVERY = 300.0
#: Whole checkpoints that are kept.
KEEP = 2


class SoloTrainer(Trainer):
    """Losses are sums over trained tokens divided by the trained tokens of the whole optimizer step."""

    loss_is_scaled_for_ga = True

    def __init__(
        self, *args: Any, emit: Callable[[Event], None], tiled: bool, course: Course | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._emit, self._tiled, self._course = emit, tiled, course
        self._stage = -1
        self.model_accepts_loss_kwargs = True
        self._loss_shifts_labels = True
        self._step_tokens = 0
        self._step_started = time.monotonic()

    def get_batch_samples(self, *args: Any, **kwargs: Any) -> Any:
        """Fetch the micro-batches of one step and remember how many tokens they train."""
        self._step_started = time.monotonic()
        self._enter_stage()
        samples, tokens = super().get_batch_samples(*args, **kwargs)
        self._step_tokens = int(tokens or 0)
        return samples, tokens

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Loss of a micro-batch as its share of the step's mean over trained tokens."""
        total = self._summed_loss(inputs)
        items = num_items_in_batch if num_items_in_batch is not None else _trained(inputs["labels"])
        loss = total / torch.as_tensor(items, device=total.device).clamp(min=1)
        return (loss, {}) if return_outputs else loss

    def evaluate(self, *_args: Any, **_kwargs: Any) -> dict[str, float]:
        """Mean loss over every trained token of the validation rows; the batch is the plan's, no logits are kept."""
        self._emit(Stage(stage=StageName.EVALUATING))
        self.model.eval()
        total, count = 0.0, 0
        with torch.no_grad():
            for raw in self.get_eval_dataloader():
                inputs = self._prepare_inputs(raw)
                total += self._summed_loss(inputs).item()
                count += int(_trained(inputs["labels"]))
        self.model.train()
        loss = total / max(count, 1)
        finite = math.isfinite(loss)
        perplexity = math.exp(min(loss, 700.0)) if finite else None
        self._emit(Evaluated(step=self.state.global_step, loss=loss if finite else None, perplexity=perplexity))
        self._emit(Stage(stage=StageName.TRAINING))
        metrics = {"eval_loss": loss}
        control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        self.control: TrainerControl = control
        return metrics

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Turn the record of a step into an event."""
        super().log(logs, start_time)
        if "loss" not in logs:
            return
        peak = torch.cuda.max_memory_allocated() if torch.cuda.is_available() else None
        self._emit(
            StepDone(
                step=self.state.global_step,
                total_steps=self.state.max_steps,
                epoch=self._course.epoch(self._seen) if self._course else float(self.state.epoch or 0.0),
                loss=_finite(logs["loss"]),
                learning_rate=float(logs.get("learning_rate", 0.0)),
                gradient_norm=_finite(logs.get("grad_norm")),
                trained_tokens=self._step_tokens,
                seconds=time.monotonic() - self._step_started,
                peak_bytes=peak,
            )
        )

    def _get_train_sampler(self, *args: Any, **kwargs: Any) -> Any:
        """Rows in stages come in the order of the course."""
        return self._course or super()._get_train_sampler(*args, **kwargs)

    @property
    def _seen(self) -> int:
        """Rows of the steps so far."""
        return self.state.global_step * self.args.per_device_train_batch_size * self.args.gradient_accumulation_steps

    def _enter_stage(self) -> None:
        """Tell when the next step begins another stage."""
        stage = self._course.stage(self._seen) if self._course else self._stage
        if self._course and stage != self._stage:
            rows, epochs = self._course.stages[stage]
            facts = {"stage": stage + 1, "stages": len(self._course.stages), "rows": rows, "epochs": epochs}
            self._emit(Noted(code="stage_begins", facts=facts))
            self._stage = stage

    def _summed_loss(self, inputs: dict[str, Any]) -> torch.Tensor:
        base = self.accelerator.unwrap_model(self.model).get_base_model()
        fed = {"input_ids": inputs["input_ids"], "attention_mask": inputs["attention_mask"]}
        with self._autocast():
            if self._tiled:
                return tiled_loss(hidden_states(base, **fed), inputs["labels"], base.get_output_embeddings())
            return plain_loss(base(**fed, use_cache=False).logits, inputs["labels"])

    def _autocast(self) -> Any:
        # fp32 adapters on an fp16 base need it; on a bf16 base peft casts by itself
        return torch.autocast(self.args.device.type, torch.float16, enabled=self.args.fp16)

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        """Write the adapter only: no pickled arguments, the tokenizer goes with the finished adapter."""
        self.model.save_pretrained(output_dir or self.args.output_dir, state_dict=state_dict)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """Write a checkpoint, flush it to the disk, then mark it whole; older ones go only after that."""
        self._emit(Stage(stage=StageName.SAVING))
        root = Path(str(self.args.output_dir))
        folder = root / f"checkpoint-{self.state.global_step}"
        shutil.rmtree(folder, ignore_errors=True)
        super()._save_checkpoint(model, trial)
        sync_tree(folder)
        write_text(folder / COMPLETE, json.dumps({"step": self.state.global_step}))
        _forget_old(root, keep=KEEP)
        self._emit(Saved(step=self.state.global_step, path=f"{root.name}/{folder.name}"))
        self._emit(Stage(stage=StageName.TRAINING))


class Obedience(TrainerCallback):
    """Stops between micro-batches when asked, with a checkpoint, and saves when the last one is too old."""

    def __init__(self, stop_requested: Callable[[], bool]) -> None:
        self._stop_requested = stop_requested
        self._saved_at = time.monotonic()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> TrainerControl:
        if time.monotonic() - self._saved_at > SAVE_AT_LEAST_EVERY:
            control.should_save = True
        return self.on_substep_end(args, state, control)

    def on_substep_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> TrainerControl:
        if self._stop_requested():
            control.should_training_stop = True
            # before the first step there is nothing to keep
            control.should_save = state.global_step > 0
        return control

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._saved_at = time.monotonic()


def _trained(labels: torch.Tensor) -> torch.Tensor:
    return (labels[:, 1:] != IGNORED).sum()


def _finite(value: Any) -> float | None:
    return float(value) if value is not None and math.isfinite(float(value)) else None


def _forget_old(root: Path, keep: int) -> None:
    """Remove checkpoints beyond the newest `keep` whole ones; what is not whole is of no use either."""
    whole = sorted(root.glob(f"checkpoint-*/{COMPLETE}"), key=lambda p: int(p.parent.name.rpartition("-")[2]))
    kept = {p.parent for p in whole[-keep:]}
    for folder in root.glob("checkpoint-*"):
        if folder not in kept:
            shutil.rmtree(folder, ignore_errors=True)
