"""What the catalogue says of a model is what transformers builds, and what it offers can be adapted and merged."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

from core.catalog import STARTER, ModelSpec, config_of, models
from core.engine.adapters import attach_new_adapter
from core.engine.learned import read_factors
from core.plan import TrainingPlan

_FAMILIES: dict[str, list[ModelSpec]] = defaultdict(list)
for _spec in models():
    _FAMILIES[config_of(_spec)["model_type"]].append(_spec)

#: Widths of a module small enough to be written; a name that a family does not know is not set.
_TINY = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "block_ff_dim": 96,
    "shared_intermediate_size": 96,
    "moe_intermediate_size": 32,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "vocab_size": 128,
    "num_experts": 4,
    "num_local_experts": 4,
    "num_experts_per_tok": 2,
    "mamba_n_heads": 8,
    "mamba_d_head": 16,
    "mamba_d_state": 16,
}


@pytest.mark.parametrize("family", sorted(_FAMILIES))
def test_the_module_has_the_published_parameters(family: str) -> None:
    """To the last one: a wrong width, head count, bias, norm or tie changes it."""
    off = {}
    for spec in _FAMILIES[family]:
        facts = config_of(spec)
        with torch.device("meta"):
            counted = sum(parameter.numel() for parameter in _module(facts).parameters())
        if counted != spec.published:
            off[spec.id] = (counted, spec.published)
    assert not off


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("family", sorted(_FAMILIES))
def test_an_adapter_of_every_family_finds_its_modules_and_its_weights(family: str, tmp_path: Path) -> None:
    """The adapter is on all of attention, and a merge finds every weight under the name that the files have."""
    model = _module(_tiny(config_of(_FAMILIES[family][-1])))
    model.save_pretrained(tmp_path)
    adapted = attach_new_adapter(model, TrainingPlan(model=STARTER, data=("rows.jsonl",), targets="full"))
    adapted.save_pretrained(tmp_path / "adapter")
    factors = read_factors(tmp_path / "adapter")
    with safe_open(tmp_path / "model.safetensors", framework="pt") as shard:
        assert {f"{module}.weight" for module in factors} <= set(shard.keys())
    leaves = {name.rpartition(".")[2] for name in factors}
    assert {"o_proj", "out_proj"} & leaves
    assert {"q_proj", "k_proj", "v_proj"} <= leaves or "qkv_proj" in leaves


def _module(facts: dict[str, Any]) -> PreTrainedModel:
    facts = dict(facts)
    config = AutoConfig.for_model(facts.pop("model_type"), **facts)
    model: PreTrainedModel = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    return model


def _tiny(facts: dict[str, Any]) -> dict[str, Any]:
    """The same kind of model with few, narrow layers; a count of none stays none."""
    small: dict[str, Any] = {name: size for name, size in _TINY.items() if facts.get(name)}
    if "layer_types" in facts:
        kinds = list(dict.fromkeys(facts["layer_types"]))
        small["layer_types"] = (kinds * 4)[: _TINY["num_hidden_layers"]]
    return facts | small | {"pad_token_id": 0}
