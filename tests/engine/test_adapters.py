"""Every kind of adapter: starts from the base, learns, is saved as a plain one, and merges into what it answers."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel

from core.choices import Bias, Initialisation
from core.engine.adapters import as_base, attach_new_adapter, optimizer_groups, write_adapter
from core.engine.device import autocast
from core.engine.encoding import Encoded
from core.engine.initial import start_from
from core.engine.loading import attach_saved_adapter, keep_trainable, load_base
from core.engine.merge import write_merged
from core.plan import Method, TrainingPlan
from tests.engine.conftest import Listener
from tests.tiny import make_tiny_tokenizer

CPU = torch.device("cpu")
IDS = torch.arange(3, 43)[None]


def rows_of(count: int = 12) -> list[Encoded]:
    """Rows of 40 tokens, all of them trained."""
    made = np.random.default_rng(0).integers(3, 250, (count, 40))
    return [Encoded(ids=row.astype(np.int32), labels=row.astype(np.int32)) for row in made]


def plan_of(folder: Path, **settings: Any) -> TrainingPlan:
    return TrainingPlan(
        model=str(folder), data=("x.jsonl",), **({"rank": 8, "dropout": 0.0, "learning_rate": 1e-2} | settings)
    )


def started(folder: Path, plan: TrainingPlan, kept: Path) -> PeftModel:
    torch.manual_seed(0)
    base = load_base(folder, plan.method, CPU)
    keep_trainable(base)
    model = attach_new_adapter(base, plan)
    start_from(model, plan, folder, kept, rows_of())
    return model


def logits(model: Any) -> torch.Tensor:
    model.eval()
    with torch.no_grad():
        return model(input_ids=IDS).logits.float()


def learn(model: PeftModel, plan: TrainingPlan, steps: int = 12) -> None:
    """A few large steps on one sentence."""
    model.train()
    optimizer = torch.optim.AdamW(optimizer_groups(model, plan), eps=1e-12)
    for _ in range(steps):
        with autocast(CPU):
            model(input_ids=IDS, labels=IDS).loss.backward()
        optimizer.step()
        optimizer.zero_grad()


def apart(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one - other).norm())


@pytest.fixture(scope="module")
def biased(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GPT-2: weights lie the other way round, one module for q, k and v, and biases everywhere."""
    folder = tmp_path_factory.mktemp("gpt2")
    torch.manual_seed(0)
    shape = {"n_embd": 64, "n_layer": 2, "n_head": 2, "vocab_size": 300, "n_positions": 64}
    config = GPT2Config(**shape, bos_token_id=0, eos_token_id=0, pad_token_id=0)
    GPT2LMHeadModel(config).to(torch.bfloat16).save_pretrained(folder)
    make_tiny_tokenizer().save_pretrained(folder)
    return folder


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("llama", {"rslora": True, "targets": "full"}),
        ("gpt2", {"dora": True, "targets": "full", "bias": Bias.ALL}),
        ("gpt2", {"bias": Bias.LORA_ONLY, "lora_plus": 2.0}),
        ("llama", {"dora": True, "method": Method.QLORA}),
        ("llama", {"initialisation": Initialisation.PISSA, "shallow_rank": 2, "targets": "full"}),
        ("gpt2", {"initialisation": Initialisation.PISSA, "rslora": True}),
        ("llama", {"initialisation": Initialisation.EVA, "shallow_rank": 4, "lora_plus": 2.0}),
        ("llama", {"initialisation": Initialisation.EVA, "method": Method.LORA8}),
        ("llama", {"initialisation": Initialisation.LOFTQ, "method": Method.QLORA, "targets": "full"}),
        ("gpt2", {"initialisation": Initialisation.LOFTQ, "method": Method.QLORA}),
    ],
    ids=lambda given: given if isinstance(given, str) else "-".join(f"{name}={value}" for name, value in given.items()),
)
@pytest.mark.filterwarnings("ignore:fan_in_fan_out is set to False")
def test_what_was_learned_is_what_is_merged(
    kind: str, settings: dict[str, Any], tiny_base: Path, biased: Path, tmp_path: Path
) -> None:
    folder = tiny_base if kind == "llama" else biased
    plan = plan_of(folder, **settings)
    model = started(folder, plan, tmp_path / "start")
    untouched = logits(load_base(folder, plan.method, CPU))
    plain = logits(load_base(folder, Method.LORA, CPU, torch.float32))
    # as good as the base before the first step; LoftQ better than the 4-bit one
    close = apart(untouched, plain) if plan.initialisation is Initialisation.LOFTQ else 0.02 * float(plain.norm())
    assert apart(logits(model), plain if plan.initialisation is Initialisation.LOFTQ else untouched) < close
    learn(model, plan)
    trained = logits(model)
    write_adapter(model, tmp_path / "adapter")
    write_merged(folder, tmp_path / "adapter", made(tmp_path / "merged"), Listener())
    loaded = attach_saved_adapter(load_base(folder, Method.LORA, CPU, torch.float32), tmp_path / "adapter")
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged", dtype=torch.float32)
    learned = apart(trained, untouched)
    assert learned > 0.2 * float(plain.norm())
    # the merged file is in 16 bits; a quantized base is off by what it lost
    assert apart(logits(merged), logits(loaded)) < 0.03 * learned
    assert apart(logits(loaded), trained) < (0.05 if plan.method is Method.LORA else 0.35) * learned
    with as_base(loaded):
        assert apart(logits(loaded), plain) < 1e-3
    with as_base(model):
        assert apart(logits(model), plain if plan.initialisation is Initialisation.LOFTQ else untouched) <= close
    assert torch.equal(logits(model), trained)


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder
