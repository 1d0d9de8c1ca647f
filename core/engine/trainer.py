"""SoloTrainer: transformers' Trainer with our loss head, packed steps, token-weighted evaluation and events.

To transformers a step is one batch: all its rows, laid into micro-batches by core.engine.steps. How rows lie makes no
difference to what is learned, because losses are sums over trained tokens, divided by the step's trained tokens.
"""

import math
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from transformers import Trainer, TrainerControl

from core.engine.best import Best
from core.engine.broken import Break, StepBroken
from core.engine.checkpoints import Chance, set_rate, write_checkpoint
from core.engine.course import ByLength, Course
from core.engine.device import autocast
from core.engine.documents import row_by_row, window_of
from core.engine.loss import ending_of, hidden_states, plain_loss, tiled_loss
from core.engine.masks import shared_masks
from core.engine.noise import noise
from core.engine.obedience import Pausing
from core.engine.processes import agreed, sum_gradients, whole_steps
from core.engine.sharing import evened
from core.engine.steps import Batch, Layout, trained_tokens
from core.events import Evaluated, Event, Noted, Stage, StageName, StepDone
from core.seals import is_whole


class SoloTrainer(Trainer):
    """Trains `fed` rows; its data collator is `layout`. A step that breaks ends `train` with StepBroken.

    `asked` says whether training shall end now, `pausing` lets it wait; `tiled` says that the loss head
    works in tiles; `best` keeps the adapter of the best evaluation and says when to stop; `alpha` is that of
    core.engine.noise.
    """

    loss_is_scaled_for_ga = True

    def __init__(
        self,
        *args: Any,
        emit: Callable[[Event], None],
        asked: Callable[[], bool],
        pausing: Pausing | None = None,
        tiled: bool,
        layout: Layout,
        course: Course | None = None,
        best: Best | None = None,
        alpha: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, data_collator=layout, **kwargs)
        self._emit, self._asked, self._tiled, self._layout = emit, asked, tiled, layout
        self.pausing, self.tell, self._alpha = pausing, emit, alpha
        self._course, self._best, self._stage = course, best, -1
        self.model_accepts_loss_kwargs = True
        self._loss_shifts_labels = True
        self._said = StepDone(step=0, total_steps=0, epoch=0.0, loss=None, learning_rate=0.0)
        self._places: tuple[int, ...] = ()
        self._step_started = time.monotonic()
        self._chance = Chance.now()

    def train(self, resume_from_checkpoint: str | bool | None = None, *args: Any, **kwargs: Any) -> Any:
        """Train. Raises StepBroken; gradients of the broken step are gone, and chance is as before it."""
        try:
            with noise(self.accelerator.unwrap_model(self.model).get_base_model(), self._alpha):
                return super().train(resume_from_checkpoint, *args, **kwargs)
        except StepBroken:
            self.model.zero_grad(set_to_none=True)
            self._chance.put_back()
            raise

    def get_batch_samples(self, epoch_iterator: Any, num_batches: int, device: torch.device) -> tuple[list[Any], Any]:
        """Fetch the rows of one step; the second value is how many tokens it trains, on all processes."""
        if self.pausing is not None:
            self.pausing(self)
        self._step_started = time.monotonic()
        self._enter_stage()
        steps = [step for step in [next(epoch_iterator, None)] if step is not None]
        mine = sum(trained_tokens(step["micro_batches"]) for step in steps)
        items = self.accelerator.reduce(torch.tensor(mine, device=device), reduction="sum")
        for step in steps:
            self._places = tuple(step["places"])
            self._said = StepDone(
                step=0, total_steps=0, epoch=0.0, loss=None, learning_rate=0.0,
                rows=len(self._places), tokens=step["tokens"], trained_tokens=int(items),
            )  # fmt: skip
        return steps, items

    def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> torch.Tensor:
        """Forward and backward pass of every micro-batch of a step; returns the step's mean loss."""
        self._chance = Chance.now()
        model.train()
        loss, found = torch.zeros(()), None
        cause: BaseException | None = None
        try:
            loss = self._all_micro_batches(evened(inputs["micro_batches"], self._layout.pad), num_items_in_batch)
            found = None if torch.isfinite(loss) else Break.LOSS
        except torch.cuda.OutOfMemoryError as error:
            found, cause = Break.MEMORY, error
        found, cause = agreed(found, cause)
        if found is not None:
            raise self._broken(found) from cause
        sum_gradients(self.model)
        return loss

    def _all_micro_batches(self, batches: Sequence[Batch], items: torch.Tensor) -> torch.Tensor:
        total = torch.zeros((), device=self.args.device)
        if not batches and self._asked():
            raise self._broken(Break.STOP)
        for batch in batches:
            if self._asked():
                raise self._broken(Break.STOP)
            with self._apart(batch := self._prepare_inputs(batch)):
                loss = self._summed_loss(batch) / items.clamp(min=1)
                self.accelerator.backward(loss)
            total += loss.detach()
        # transformers takes the mean over processes of what each of them reports
        return total * self.accelerator.num_processes

    def _clip_grad_norm(self, model: Any) -> Any:
        norm = super()._clip_grad_norm(model)
        # scaled fp16 gradients overflow now and then: the scaler passes over such a step and scales less
        if self.accelerator.scaler is None and not math.isfinite(float(norm)):
            raise self._broken(Break.GRADIENT)
        return norm

    def evaluate(self, *_args: Any, **_kwargs: Any) -> dict[str, float]:
        """Mean loss over every trained token of the validation rows, packed like the steps; no logits are kept."""
        self._emit(Stage(stage=StageName.EVALUATING))
        self.model.eval()
        total = torch.zeros(2, dtype=torch.float64)
        with torch.no_grad():
            for laid in evened(self._layout.in_order(self.eval_dataset), self._layout.pad):
                with self._apart(batch := self._prepare_inputs(laid)):
                    total += torch.tensor([self._summed_loss(batch).item(), trained_tokens([laid])])
        self.model.train()
        summed, count = self.accelerator.reduce(total.to(self.args.device), reduction="sum").tolist()
        loss = summed / max(count, 1)
        finite = math.isfinite(loss)
        perplexity = math.exp(min(loss, 700.0)) if finite else None
        self._emit(Evaluated(step=self.state.global_step, loss=loss if finite else None, perplexity=perplexity))
        self._emit(Stage(stage=StageName.TRAINING))
        metrics = {"eval_loss": loss}
        self.control: TrainerControl = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        if self._best is not None and self._best.judge(self.model):
            self.control.should_training_stop = True
        return metrics

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Turn the record of a step into an event."""
        super().log(logs, start_time)
        if "loss" not in logs:
            return
        peak = torch.cuda.max_memory_allocated() if torch.cuda.is_available() else None
        done = StepDone(
            step=self.state.global_step,
            total_steps=self.state.max_steps,
            epoch=self._course.epoch(self._seen) if self._course else float(self.state.epoch or 0.0),
            loss=_finite(logs["loss"]),
            learning_rate=float(logs.get("learning_rate", 0.0)),
            gradient_norm=_finite(logs.get("grad_norm")),
            trained_tokens=self._said.trained_tokens,
            seconds=time.monotonic() - self._step_started,
            peak_bytes=peak,
            tokens=self._said.tokens,
            rows=self._said.rows,
        )
        self._emit(done)

    @property
    def places(self) -> tuple[int, ...]:
        """The rows of the newest step, by their place among the training rows."""
        return self._places

    def keep(self) -> None:
        """Write a checkpoint of the last whole step, unless there is one already."""
        folder = Path(str(self.args.output_dir)) / f"checkpoint-{self.state.global_step}"
        if self.state.global_step and not is_whole(folder):
            self._save_checkpoint(self.model, None)

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        """Load both; the learning rate is the plan's, also when the plan has another one by now."""
        super()._load_optimizer_and_scheduler(checkpoint)
        if checkpoint is not None:
            set_rate(self.optimizer, self.lr_scheduler, self.args.learning_rate)

    def floating_point_ops(self, _inputs: Any) -> int:
        """Nobody asks, and a step is no batch of transformers'."""
        return 0

    def get_train_dataloader(self) -> Any:
        """Where several processes train together each of them reads whole steps, and lays its share of the rows."""
        if self.accelerator.num_processes == 1:
            return super().get_train_dataloader()
        return whole_steps(self.train_dataset, self._get_train_sampler(), self._layout, self.args)

    def _get_train_sampler(self, *args: Any, **kwargs: Any) -> Any:
        """Rows in stages come in the order of the course."""
        if self._course is None and self.args.train_sampling_strategy == "group_by_length":
            return ByLength(self.train_dataset, self.args.train_batch_size, self.args.seed)
        return self._course or super()._get_train_sampler(*args, **kwargs)

    @property
    def _seen(self) -> int:
        """Rows of the steps so far."""
        return self.state.global_step * self.args.per_device_train_batch_size

    def _enter_stage(self) -> None:
        """Tell when the next step begins another stage."""
        stage = self._course.stage(self._seen) if self._course else self._stage
        if self._course and stage != self._stage:
            rows, epochs = self._course.stages[stage]
            facts = {"stage": stage + 1, "stages": len(self._course.stages), "rows": rows, "epochs": epochs}
            self._emit(Noted(code="stage_begins", facts=facts))
            self._stage = stage

    def _summed_loss(self, batch: Batch) -> torch.Tensor:
        base = self.accelerator.unwrap_model(self.model).get_base_model()
        given = {name: tensor for name, tensor in batch.items() if name != "labels"}
        with autocast(self.args.device), shared_masks():
            if self._tiled:
                return tiled_loss(hidden_states(base, **given), batch["labels"], ending_of(base))
            return plain_loss(base(**given, use_cache=False).logits, batch["labels"])

    def _apart(self, batch: Batch) -> AbstractContextManager[bool]:
        """The context in which rows of a micro-batch are kept apart, for its forward and its backward pass."""
        base = self.accelerator.unwrap_model(self.model).get_base_model()
        return row_by_row(batch.get("position_ids"), window_of(base))

    def _broken(self, what: Break) -> StepBroken:
        return StepBroken(what, self.state.global_step, self._places)

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        """Write the adapter only: no pickled arguments, the tokenizer goes with the finished adapter."""
        self.model.save_pretrained(output_dir or self.args.output_dir, state_dict=state_dict)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """Write a checkpoint once there is room for it, and seal it."""
        write_checkpoint(self, partial(super()._save_checkpoint, model, trial))


def _finite(value: Any) -> float | None:
    return float(value) if value is not None and math.isfinite(float(value)) else None
