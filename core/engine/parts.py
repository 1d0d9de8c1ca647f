"""The parts of a training run: rows, model with its adapter, and the trainers made of them."""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel

from core.engine.adapters import SCHEDULES, attach_new_adapter, learns_no_bias, optimizer
from core.engine.best import Best
from core.engine.broken import Break, StepBroken
from core.engine.course import Course
from core.engine.device import compute_dtype, device
from core.engine.encoding import ChatFormat, Encoded
from core.engine.extent import longest, longest_sequence, tokens_planned
from core.engine.fused import fuse
from core.engine.liger import liger_settings
from core.engine.loading import keep_trainable, load_base, recompute
from core.engine.loss import tiling_is_exact
from core.engine.obedience import Obedience, Pausing
from core.engine.packed import packing_is_exact
from core.engine.processes import count, place, shares
from core.engine.rows import Rows
from core.engine.samples import Asked, PausingToAsk, Samples
from core.engine.saving import pad_id
from core.engine.sharing import Arguments, loads_on
from core.engine.steps import Layout, fed
from core.engine.trainer import SoloTrainer
from core.events import Noted, Stage, StageName
from core.history import RunHistory
from core.jobs.talk import StopAsked, Talk
from core.plan import Loss, Method, Optimizer, TrainingPlan
from core.runs import RunFolder

_OPTIMIZERS = {Optimizer.ADAMW: "adamw_torch_fused", Optimizer.ADAMW8BIT: "adamw_bnb_8bit"}
#: Steps of a rehearsal: the second one runs with the optimizer's states in place. With scaled fp16 gradients the first
#: steps may overflow and be skipped, while the scale is being found.
REHEARSED, REHEARSED_SCALED = 2, 8


@dataclass(frozen=True)
class Parts:
    """What a run of `plan` is made of. The adapter of `model` is untrained until `trainer` has run."""

    run: RunFolder
    plan: TrainingPlan
    chat: ChatFormat
    data: Rows
    model: PeftModel
    tiled: bool
    packs: bool
    asked: Asked = field(default_factory=Asked)

    @property
    def rows(self) -> list[Encoded]:
        """What is trained."""
        return self.data.train

    @property
    def validation(self) -> list[Encoded]:
        """What is checked with."""
        return self.data.validation

    @property
    def longest(self) -> int:
        """Tokens of the longest sequence that training lays rows into."""
        return longest_sequence(self.rows, self.plan, packing=self.packs)

    def origins(self, places: Iterable[int]) -> list[tuple[str, int]]:
        """File and line of rows of `rows`."""
        return [(self.rows[place].file, self.rows[place].line) for place in places]

    def layout(self, most: int = 0) -> Layout:
        """How rows of a step lie in micro-batches."""
        share = place(), count()
        return Layout(pad_id(self.chat), self.plan.batch, self.plan.tokens, packing=self.packs, most=most, share=share)

    def announce(self, talk: Talk) -> None:
        """Tell what is special about these parts."""
        if self.model.device.type == "cpu":
            talk.emit(Noted(code="cpu_training"))
        if shares():
            talk.emit(Noted(code="base_shared", facts={"processes": count()}))
        if self.plan.checkpointing != "none" and self.plan.method is Method.LORA8:
            talk.emit(Noted(code="lora8_reentrant"))
        together = self.plan.effective_batch * count()
        planned = tokens_planned(self.plan, self.data, together, packing=self.packs)
        talk.emit(Noted(code="tokens_planned", facts={"tokens": planned}))
        if self.plan.packing and not self.packs:
            talk.emit(Noted(code="packing_not_used"))
        if self.plan.loss is Loss.CHUNKED and not self.tiled:
            talk.emit(Noted(code="plain_loss_used"))
        if liger_settings(self.model.config.model_type, self.model.device):
            talk.emit(Noted(code="liger_used"))
        if learns_no_bias(self.model, self.plan):
            talk.emit(Noted(code="no_biases"))

    def samples(self, talk: Talk, history: RunHistory) -> Samples:
        """Who asks the questions while it trains; `history` is that of the run."""
        validates = bool(self.validation)
        return Samples(self.model, self.chat, self.asked, self.plan, talk, history, validates=validates)

    def trainer(self, talk: Talk, best: Best, samples: Samples | None = None) -> SoloTrainer:
        """The trainer of the run."""
        settings = _arguments(self.run.checkpoints, self.plan, evaluates=bool(self.validation), packing=self.packs)
        course = None
        if self.data.stages:
            lengths = [len(row.ids) for row in self.rows]
            together = 1 if self.packs else self.plan.effective_batch * count()
            course = Course(lengths, self.data.stages, together, self.plan.seed)
            settings["num_train_epochs"] = 1
        return self._made(settings, self.rows, self.validation, talk, talk, course=course, best=best, samples=samples)

    def rehearse(self, talk: Talk) -> None:
        """Train two steps on the longest rows, evaluate and save: all that a run does, where it takes most memory.

        The learning rate is 0, so that the adapter stays untrained. Raises StopAsked.
        """
        folder = self.run.path / "probe"
        steps = REHEARSED_SCALED if compute_dtype(device()) is torch.float16 else REHEARSED
        settings = _arguments(folder, self.plan, evaluates=bool(self.validation), packing=self.packs) | {
            "max_steps": steps, "save_steps": steps, "eval_steps": steps, "learning_rate": 0.0, "weight_decay": 0.0,
        }  # fmt: skip
        rows = longest(self.rows, self.plan.effective_batch)
        validation = longest(self.validation, self.plan.batch) if self.validation else []
        trainer = self._made(settings, rows, validation, talk, _Silent(), most=2)
        try:
            trainer.train()
            self.samples(talk, RunHistory()).rehearse()
        except StepBroken as broken:
            if broken.what is not Break.STOP:
                raise broken.__cause__ or broken from None
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            # the next trainer wraps the model again
            trainer.accelerator.unwrap_model(self.model, keep_fp32_wrapper=False)
            trainer.accelerator.free_memory()
            self.model.zero_grad(set_to_none=True)
        if talk.stop_requested:
            raise StopAsked(0)

    def _made(
        self,
        settings: dict[str, Any],
        rows: list[Encoded],
        validation: list[Encoded],
        talk: Talk,
        told: Any,
        *,
        course: Course | None = None,
        best: Best | None = None,
        samples: Samples | None = None,
        most: int = 0,
    ) -> SoloTrainer:
        args = Arguments(**settings | liger_settings(self.model.config.model_type, self.model.device))
        return SoloTrainer(
            model=self.model,
            args=args,
            optimizer_cls_and_kwargs=optimizer(self.model, self.plan, args),
            alpha=self.plan.neftune,
            train_dataset=fed(rows),
            eval_dataset=fed(validation) or None,
            callbacks=[Obedience(lambda: talk.stop_requested), *([samples] if samples else [])],
            emit=told.emit,
            pausing=None if most else PausingToAsk(talk, self.run, samples) if samples else Pausing(talk, self.run),
            asked=lambda: talk.stop_requested,
            tiled=self.tiled,
            layout=self.layout(most),
            course=course,
            best=best,
        )


def model_for(folder: Path, plan: TrainingPlan, talk: Talk) -> PeftModel:
    """Load the base as the plan holds it and put an untrained adapter on it. Raises Trouble(MODEL_*, PLAN_INVALID)."""
    talk.emit(Stage(stage=StageName.LOADING))
    base = load_base(folder, plan.method, loads_on(), compute_dtype(device()))
    keep_trainable(base)
    model = attach_new_adapter(base, plan)
    fuse(model)
    recompute(base, plan)
    return model


def tiles(model: PeftModel, plan: TrainingPlan, rows: list[Encoded]) -> bool:
    """Whether the plan asks for the loss in tiles, and tiles of tokens give this model's exact loss."""
    if plan.loss is not Loss.CHUNKED:
        return False
    ids = torch.from_numpy(rows[0].ids[:16].astype("int64"))[None].to(model.device)
    return tiling_is_exact(model.get_base_model(), ids)


def packs_rows(model: PeftModel, plan: TrainingPlan, rows: list[Encoded]) -> bool:
    """Whether the plan asks for packing, and this model keeps rows apart that share a sequence."""
    if not plan.packing:
        return False
    ids = torch.from_numpy(rows[0].ids.astype("int64"))[None].to(model.device)
    return packing_is_exact(model.get_base_model(), ids)


def _arguments(output: Path, plan: TrainingPlan, *, evaluates: bool, packing: bool) -> dict[str, Any]:
    where = device()
    half = compute_dtype(where) is torch.float16
    return {
        "output_dir": str(output),
        # a step is one batch to transformers; core.engine.steps lays it into micro-batches, each process its share
        "per_device_train_batch_size": plan.effective_batch * count(),
        "gradient_accumulation_steps": 1,
        "num_train_epochs": plan.epochs,
        "max_steps": plan.steps or -1,
        "learning_rate": plan.learning_rate,
        "lr_scheduler_type": SCHEDULES[plan.schedule],
        "warmup_steps": plan.warmup,
        "weight_decay": plan.weight_decay,
        "optim": _OPTIMIZERS[plan.optimizer],
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "save_strategy": "steps",
        "save_steps": plan.save_every,
        "eval_strategy": "steps" if evaluates else "no",
        "eval_steps": plan.evaluate_every or plan.save_every,
        "seed": plan.seed,
        "data_seed": plan.seed,
        # without real bf16 the gradients of fp16 need scaling; such cards have no TF32 either
        "fp16": half,
        "tf32": True if where.type == "cuda" and not half else None,
        "use_cpu": where.type == "cpu",
        # packed steps need no rows of like length, and learn better from mixed ones
        "train_sampling_strategy": "random" if packing else "group_by_length",
        "remove_unused_columns": False,
        "dataloader_pin_memory": where.type == "cuda",
        "report_to": "none",
        "disable_tqdm": True,
    }


class _Silent:
    """Hears the events of a rehearsal, which are nobody's business."""

    def emit(self, _event: Any) -> None:
        pass
