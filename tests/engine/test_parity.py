"""The same learning as the reference: losses match TRL's SFTTrainer and plain peft + Trainer, step by step.

TRL prepares, collates and scores the same conversations itself. The plain script is what one would write with
transformers and peft alone. Both begin with the same untrained adapter and take the rows in the same order; nothing
else of ours is in them.
"""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from torch.utils.data import SequentialSampler
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    DataCollatorForSeq2Seq,
    Trainer,
    TrainingArguments,
    set_seed,
)

from core.engine import loss, parts, trainer
from core.engine.best import Best
from core.engine.encoding import ChatFormat
from core.engine.loading import load_base, load_tokenizer
from core.engine.rows import conversations
from core.engine.trainer import SoloTrainer
from core.engine.workshop import Workshop
from core.events import StepDone
from core.plan import Method
from tests.engine.conftest import Listener
from tests.fakes import new_run
from tests.tiny import make_tiny_model

trl = pytest.importorskip("trl", reason="TRL is a dependency of development")

#: The tiny model's template with the marks that TRL learns answers by.
MARKED = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' }}{% if m['role'] == 'assistant' %}"
    "{% generation %}{{ m['content'] + '<|im_end|>' }}{% endgeneration %}{% else %}{{ m['content'] + '<|im_end|>' }}"
    "{% endif %}{{ '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
STEPS, BATCH, ACCUMULATION = 8, 2, 2
#: What was asked for is 1e-2; in 32 bits only the order of sums differs (2e-7 was measured, in 16 bits 2e-3).
CLOSE = {torch.bfloat16: 1e-2, torch.float32: 1e-5}


@dataclass(frozen=True)
class Kind:
    """A base as it is held, and what it is computed in."""

    method: Method
    dtype: torch.dtype


KINDS = {
    "LoRA fp32": Kind(Method.LORA, torch.float32),
    "LoRA bf16": Kind(Method.LORA, torch.bfloat16),
    "QLoRA NF4": Kind(Method.QLORA, torch.bfloat16),
}


@dataclass(frozen=True)
class Given:
    """What all trainers get: model folder, conversations in the order of training, the untrained adapter."""

    folder: Path
    rows: list[list[dict[str, str]]]
    adapter: dict[str, torch.Tensor]


@dataclass(frozen=True)
class Case:
    """Losses of every step, ours both ways and theirs."""

    kind: Kind
    ours: dict[bool, list[float]]
    micro_batches: dict[bool, int]
    plain: list[float]
    trl: list[float]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("models") / "marked", template=MARKED)


@pytest.fixture(scope="module")
def rows_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows of 35 to 90 tokens: with rows alike, a mean over rows would pass for one over tokens."""
    path = tmp_path_factory.mktemp("data") / "rows.jsonl"
    rows = [{"instruction": f"What is {i}?", "output": "Well: " + "4" * (i * 7 % 50 + 1)} for i in range(32)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="module", params=KINDS)
def case(
    request: pytest.FixtureRequest, base: Path, rows_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Case]:
    kind = KINDS[request.param]
    place = tmp_path_factory.mktemp("parity")
    losses: dict[bool, list[float]] = {}
    batches: dict[bool, int] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SoloTrainer, "_get_train_sampler", lambda self, *_: SequentialSampler(self.train_dataset))
        if kind.dtype is torch.float32:
            patch.setattr(parts, "load_base", lambda *asked: load_base(*asked[:3], torch.float32))
            for module in (trainer, loss):
                patch.setattr(module, "autocast", lambda _where: contextlib.nullcontext())
        for packing in (False, True):
            given, losses[packing], batches[packing] = _ours(base, rows_file, kind, place, packing=packing)
    yield Case(kind, losses, batches, _plain(given, kind, place / "plain"), _trl(given, kind, place / "trl"))


@pytest.mark.parametrize("packing", [False, True], ids=["unpacked", "packed"])
@pytest.mark.parametrize("reference", ["plain", "trl"])
def test_losses_are_those_of_the_reference(case: Case, reference: str, packing: bool) -> None:
    theirs = getattr(case, reference)
    assert len(theirs) == STEPS
    assert case.ours[packing] == pytest.approx(theirs, rel=CLOSE[case.kind.dtype])
    # what is compared is learning: losses go down by much more than what they may differ by
    assert theirs[-1] < 0.8 * theirs[0]


def test_packed_rows_share_sequences(case: Case) -> None:
    assert case.micro_batches[False] == STEPS * ACCUMULATION
    assert case.micro_batches[True] < case.micro_batches[False]


def _ours(base: Path, rows: Path, kind: Kind, place: Path, *, packing: bool) -> tuple[Given, list[float], int]:
    """Train as a run does. Returns what the others get, the losses and how many micro-batches there were."""
    run = new_run(
        place, model=str(base), data=(str(rows),), method=kind.method, batch=BATCH, accumulation=ACCUMULATION,
        tokens=256, packing=packing, dropout=0.0, validation_share=0.0, learning_rate=5e-3, save_every=500,
    )  # fmt: skip
    plan, talk = run.plan(), Listener()
    set_seed(plan.seed)
    made = Workshop(run, base, ChatFormat(load_tokenizer(base)), talk).make(plan)
    start = {name: value.clone() for name, value in get_peft_model_state_dict(made.model).items()}
    counted: list[int] = []
    solo = made.trainer(talk, Best(run.best, 0, run.history()))
    step = solo.training_step

    def training_step(model: Any, inputs: dict[str, Any], *rest: Any) -> torch.Tensor:
        counted.append(len(inputs["micro_batches"]))
        return step(model, inputs, *rest)

    solo.training_step = training_step
    solo.train()
    told = [row.plain() for row in conversations(plan, Listener())[0]]
    return Given(base, told, start), [each.loss for each in talk.of(StepDone)], sum(counted)


def _settings(kind: Kind, place: Path) -> dict[str, Any]:
    return {
        "output_dir": str(place), "per_device_train_batch_size": BATCH, "gradient_accumulation_steps": ACCUMULATION,
        "num_train_epochs": 1, "learning_rate": 5e-3, "lr_scheduler_type": "cosine", "warmup_steps": 0.03,
        "optim": "adamw_torch_fused", "bf16": kind.dtype is torch.bfloat16, "use_cpu": True, "logging_steps": 1,
        "train_sampling_strategy": "sequential", "save_strategy": "no", "report_to": "none", "disable_tqdm": True,
        "dataloader_pin_memory": False,
    }  # fmt: skip


def _reference_model(given: Given, kind: Kind) -> Any:
    quantized = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )  # fmt: skip
    model = AutoModelForCausalLM.from_pretrained(
        given.folder, dtype=kind.dtype, quantization_config=quantized if kind.method is Method.QLORA else None
    )
    config = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
    tuned = get_peft_model(model, config)
    set_peft_model_state_dict(tuned, given.adapter)
    return tuned


def _plain(given: Given, kind: Kind, place: Path) -> list[float]:
    """The script that one would write with transformers and peft alone."""
    tokenizer = AutoTokenizer.from_pretrained(given.folder)
    rows = []
    for messages in given.rows:
        found = tokenizer.apply_chat_template(
            messages, tokenize=True, return_dict=True, return_assistant_tokens_mask=True
        )
        labels = [t if m else -100 for t, m in zip(found["input_ids"], found["assistant_masks"], strict=True)]
        rows.append({"input_ids": found["input_ids"], "labels": labels})
    plain = Trainer(
        model=_reference_model(given, kind), args=TrainingArguments(**_settings(kind, place)), train_dataset=rows,
        data_collator=DataCollatorForSeq2Seq(tokenizer),
    )  # fmt: skip
    plain.train()
    return [each["loss"] for each in plain.state.log_history if "loss" in each]


def _trl(given: Given, kind: Kind, place: Path) -> list[float]:
    from datasets import Dataset

    sft = trl.SFTTrainer(
        model=_reference_model(given, kind),
        args=trl.SFTConfig(assistant_only_loss=True, activation_checkpointing=False, **_settings(kind, place)),
        train_dataset=Dataset.from_list([{"messages": row} for row in given.rows]),
        processing_class=AutoTokenizer.from_pretrained(given.folder),
    )
    for parameter in sft.model.parameters():
        if parameter.requires_grad:
            # on a quantized base TRL rounds adapters to 16 bits, and with them every step that they take: losses of
            # TRL and the plain script lie 9e-3 apart by that alone
            parameter.data = parameter.data.float()
    sft.train()
    return [each["loss"] for each in sft.state.log_history if "loss" in each]
