"""A base of middle size with random weights, rows of mixed lengths, and a card that is given back whole."""

import gc
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.runs import RunFolder
from tests.fakes import new_run

#: Large enough that weights and activations outweigh the allocator's rounding: about 110M parameters.
MIDDLE = {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 10, "num_attention_heads": 12,
          "num_key_value_heads": 4, "max_position_embeddings": 2048}  # fmt: skip


@pytest.fixture(scope="session")
def middle_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an untrained Llama: memory does not care what it knows."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from tests.tiny import make_tiny_tokenizer

    folder, tokenizer = tmp_path_factory.mktemp("models") / "middle", make_tiny_tokenizer()
    torch.manual_seed(0)
    config = LlamaConfig(vocab_size=len(tokenizer), bos_token_id=0, eos_token_id=2, pad_token_id=2, **MIDDLE)
    LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def mixed_rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """48 rows from some ten to more than 512 tokens (the tokenizer knows letters only)."""
    path = tmp_path_factory.mktemp("data") / "mixed.jsonl"
    rows = [
        {"instruction": f"What is {i}?", "output": "It is " + "very " * ((i * 37) % 120) + "long."} for i in range(48)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def middle_run(tmp_path: Path, middle_base: Path, mixed_rows: Path) -> Callable[..., RunFolder]:
    """A run of the middle base on the mixed rows."""

    def make(**settings: Any) -> RunFolder:
        usual = {"model": str(middle_base), "data": (str(mixed_rows),), "tokens": 512, "save_every": 500,
                 "evaluate_every": 500, "validation_share": 0.1, "steps": 3}  # fmt: skip
        return new_run(tmp_path / "runs", **(usual | settings))

    return make


@pytest.fixture(autouse=True)
def the_whole_card() -> Iterator[None]:
    """Every test begins with an empty allocator, no cap, and CUDA's own share of the card already taken."""
    import torch

    if torch.cuda.is_available():
        torch.zeros(1, device="cuda")
    yield
    if torch.cuda.is_available():
        torch.cuda.set_per_process_memory_fraction(1.0)
        gc.collect()
        torch.cuda.empty_cache()
