"""A training run, top to bottom: read, encode, load, train, save the adapter."""

import contextlib
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import GenerationConfig, TrainingArguments, set_seed

from core.data.inspect import read_conversations
from core.data.rows import Conversation
from core.data.split import split
from core.engine.card import adapter_card
from core.engine.device import compute_dtype, device
from core.engine.encoding import ChatFormat, Encoded, collate
from core.engine.loading import attach_new_adapter, keep_trainable, load_base, load_tokenizer, recompute
from core.engine.loss import tiling_is_exact
from core.engine.settle import settle, settles
from core.engine.trainer import Obedience, SoloTrainer
from core.events import Event, Noted, Saved, Say, Stage, StageName, Stop
from core.files import folder_in_place
from core.history import RunHistory
from core.hub import find_folder
from core.jobs.talk import StopAsked, Talk
from core.plan import Loss, Method, Optimizer, TrainingPlan
from core.problems import Code, Trouble
from core.runs import RunFolder
from core.settings import load, models_root

_OPTIMIZERS = {Optimizer.ADAMW: "adamw_torch_fused", Optimizer.ADAMW8BIT: "adamw_bnb_8bit"}


def train(path: Path, talk: Talk, *, resume: bool) -> dict[str, Any]:
    """Train the run in `path`; asked to stop, it keeps a checkpoint and the adapter so far and raises StopAsked."""
    run = RunFolder.open(path)
    plan = run.plan()
    talk = Remembering(talk, run)
    checkpoint = run.checkpoint() if resume else None
    set_seed(plan.seed)
    folder = find_folder(plan.model, models_root(load()))
    tokenizer = load_tokenizer(folder)
    chat = ChatFormat(tokenizer, plan.system)
    rows, validation = _rows(plan, chat, talk)
    model = _model(folder, plan, talk)
    trainer = _trainer(run, plan, model, chat, rows, validation, talk)
    if checkpoint is not None:
        talk.emit(Noted(code="resumed", facts={"step": run.checkpoint_step()}))
    talk.emit(Stage(stage=StageName.TRAINING))
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    step, total = trainer.state.global_step, trainer.state.max_steps
    stopped = talk.stop_requested and step < total
    if step:
        talk.emit(Stage(stage=StageName.SAVING))
        save_adapter(model, chat, folder, run)
        talk.emit(Saved(step=step, path="adapter"))
    if stopped:
        raise StopAsked(step)
    del trainer, model
    if settles(plan, folder):
        # the adapter is saved already: a card that runs out of memory here costs nothing but this
        with contextlib.suppress(torch.cuda.OutOfMemoryError):
            settled = settle(plan, folder, run.adapter, rows, pad_id(chat), step, talk)
            save_adapter(settled, chat, folder, run)
    return _result(run, step, talk.history)


def save_adapter(model: PeftModel, chat: ChatFormat, base: Path, run: RunFolder) -> None:
    """Write adapter, tokenizer, chat template, generation config and card, beside and renamed."""
    # adapters are passed on: they name the model as the plan does, not a folder of this computer
    model.peft_config["default"].base_model_name_or_path = run.plan().model
    with folder_in_place(run.adapter) as folder:
        model.save_pretrained(folder)
        (folder / "README.md").write_text(adapter_card(run), encoding="utf-8")
        chat.tokenizer.save_pretrained(folder)
        stopping_config(base, chat).save_pretrained(folder)


def stopping_config(base: Path, chat: ChatFormat) -> GenerationConfig:
    """Return the base's generation config with the trained end-of-turn token among its stop tokens."""
    try:
        config = GenerationConfig.from_pretrained(base, local_files_only=True)
    except OSError:
        config = GenerationConfig()
    stops = config.eos_token_id
    known = set(stops) if isinstance(stops, list) else {stops} - {None}
    known |= {chat.end_id}
    config.eos_token_id = sorted(known) if len(known) > 1 else known.pop()
    if config.pad_token_id is None:
        config.pad_token_id = pad_id(chat)
    return config


def pad_id(chat: ChatFormat) -> int:
    """The token that fills short rows; labels and mask make sure that it is never learned."""
    pad = chat.tokenizer.pad_token_id
    return int(pad if pad is not None else chat.end_id)


def _rows(plan: TrainingPlan, chat: ChatFormat, talk: Talk) -> tuple[list[Encoded], list[Encoded]]:
    """Read and encode the training and validation rows."""
    talk.emit(Stage(stage=StageName.READING))
    conversations, _report = read_conversations(plan.data)
    if plan.validation:
        held_back, _ = read_conversations((plan.validation,))
    else:
        conversations, held_back = split(conversations, plan.validation_share, plan.seed)
    if chat.fallback:
        talk.emit(Noted(code="template_fallback"))
    rows = _encode(conversations, plan, chat, talk)
    validation = _encode(held_back, plan, chat, talk)
    if not rows:
        raise Trouble(Code.NOTHING_TO_LEARN, rows=len(conversations), tokens=plan.tokens)
    talk.emit(Noted(code="validation_rows", facts={"rows": len(validation)}))
    return rows, validation


def _encode(rows: list[Conversation], plan: TrainingPlan, chat: ChatFormat, talk: Talk) -> list[Encoded]:
    encoded: list[Encoded] = []
    for done, row in enumerate(rows):
        if done % 500 == 0:
            talk.emit(Stage(stage=StageName.ENCODING, done=done, total=len(rows), unit="rows"))
            if talk.stop_requested:
                raise StopAsked(0)
        found = chat.encode(row.plain(), plan.tokens)
        if found is not None:
            encoded.append(found)
    truncated = sum(row.truncated for row in encoded)
    if truncated:
        talk.emit(Noted(code="rows_truncated", facts={"rows": truncated, "tokens": plan.tokens}))
    if len(encoded) < len(rows):
        talk.emit(Noted(code="rows_skipped", facts={"rows": len(rows) - len(encoded)}))
    _assert_end_is_trained(encoded, chat)
    return encoded


def _assert_end_is_trained(rows: list[Encoded], chat: ChatFormat) -> None:
    """A model whose answers never end in training never stops talking."""
    for row in rows:
        if not row.truncated and chat.end_id not in row.labels:
            raise Trouble(Code.NOTHING_TO_LEARN, reason="the end-of-turn token is not trained")


def _model(folder: Path, plan: TrainingPlan, talk: Talk) -> PeftModel:
    talk.emit(Stage(stage=StageName.LOADING))
    where = device()
    if where.type == "cpu":
        talk.emit(Noted(code="cpu_training"))
    base = load_base(folder, plan.method, where)
    keep_trainable(base)
    model = attach_new_adapter(base, plan)
    recompute(base, plan)
    if plan.checkpointing != "none" and plan.method is Method.LORA8:
        talk.emit(Noted(code="lora8_reentrant"))
    return model


def _trainer(
    run: RunFolder, plan: TrainingPlan, model: PeftModel, chat: ChatFormat,
    rows: list[Encoded], validation: list[Encoded], talk: Talk,
) -> SoloTrainer:  # fmt: skip
    tiled = plan.loss is Loss.CHUNKED and _tiling_holds(model, rows[0], talk)
    pad = pad_id(chat)
    return SoloTrainer(
        model=model,
        args=_arguments(run, plan, evaluates=bool(validation)),
        train_dataset=_fed(rows),
        eval_dataset=_fed(validation) or None,
        data_collator=lambda batch: collate(batch, pad),
        callbacks=[Obedience(lambda: talk.stop_requested)],
        emit=talk.emit,
        tiled=tiled,
    )


def _tiling_holds(model: PeftModel, row: Encoded, talk: Talk) -> bool:
    ids = torch.from_numpy(row.ids[:16].astype("int64"))[None].to(model.device)
    holds = tiling_is_exact(model.get_base_model(), ids)
    if not holds:
        talk.emit(Noted(code="plain_loss_used"))
    return holds


def _arguments(run: RunFolder, plan: TrainingPlan, *, evaluates: bool) -> TrainingArguments:
    where = device()
    half = compute_dtype(where) is torch.float16
    return TrainingArguments(
        output_dir=str(run.checkpoints),
        per_device_train_batch_size=plan.batch,
        per_device_eval_batch_size=plan.batch,
        gradient_accumulation_steps=plan.accumulation,
        num_train_epochs=plan.epochs,
        max_steps=plan.steps or -1,
        learning_rate=plan.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=plan.warmup,
        weight_decay=plan.weight_decay,
        optim=_OPTIMIZERS[plan.optimizer],
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="steps",
        save_steps=plan.save_every,
        eval_strategy="steps" if evaluates else "no",
        eval_steps=plan.evaluate_every or plan.save_every,
        seed=plan.seed,
        data_seed=plan.seed,
        # without real bf16 the gradients of fp16 need scaling; such cards have no TF32 either
        fp16=half,
        tf32=True if where.type == "cuda" and not half else None,
        use_cpu=where.type == "cpu",
        train_sampling_strategy="group_by_length",
        remove_unused_columns=False,
        dataloader_pin_memory=where.type == "cuda",
        report_to="none",
        disable_tqdm=True,
    )


def _fed(rows: list[Encoded]) -> list[dict[str, Any]]:
    return [{"input_ids": row.ids, "labels": row.labels} for row in rows]


class Remembering:
    """A Talk that keeps the history of what was said, earlier sessions of the run included."""

    def __init__(self, talk: Talk, run: RunFolder) -> None:
        self._talk = talk
        self.history = run.history()

    def emit(self, event: Event) -> None:
        self.history.apply(event)
        self._talk.emit(event)

    @property
    def stop_requested(self) -> bool:
        return self._talk.stop_requested

    def next_command(self) -> Say | Stop:
        return self._talk.next_command()


def _result(run: RunFolder, step: int, history: RunHistory) -> dict[str, Any]:
    return {
        "run": str(run.path),
        "adapter": str(run.adapter),
        "steps": step,
        "first_loss": history.first_loss,
        "last_loss": history.last_loss,
        "evaluation_loss": history.evaluations[-1].loss if history.evaluations else None,
    }
