"""Facts of config.json against transformers' own modules on the meta device, and against what nobody should load."""

import json
import warnings
from pathlib import Path
from typing import Any

import pytest

from core.modelconfig import WHOLE, architecture_of, context_of, read_config, refuse
from core.plan import TARGETS, TrainingPlan
from core.problems import Code, Trouble
from core.vram import adapter_parameters
from tests.bench.families import FAMILIES

LLAMA: dict[str, Any] = FAMILIES["Llama-3.1-8B"]


def module_of(facts: dict[str, Any]) -> Any:
    """The real model without numbers."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.for_model(facts["model_type"], **{k: v for k, v in facts.items() if k != "model_type"})
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)


def shortened(name: str, layers: int = 3) -> dict[str, Any]:
    """The facts of a model with fewer layers: every one of them is like the others."""
    facts = FAMILIES[name] | {"num_hidden_layers": layers}
    return facts | ({"layer_types": facts["layer_types"][:layers]} if "layer_types" in facts else {})


@pytest.mark.parametrize("name", FAMILIES)
def test_parameters_are_those_of_the_module(name: str) -> None:
    """All of them, and those that bitsandbytes would shrink, to the last one."""
    import torch

    facts = shortened(name)
    found, model = architecture_of(facts), module_of(facts)
    head = model.get_output_embeddings()
    linear = [m for m in model.modules() if isinstance(m, torch.nn.Linear) and m is not head]
    assert found.known
    assert found.parameters == sum(p.numel() for p in model.parameters())
    assert found.quantizable == sum(m.weight.numel() for m in linear)
    assert (model.config._attn_implementation == "eager") is found.eager


@pytest.mark.parametrize("targets", [*TARGETS, "q_proj,down_proj", "qkv_proj,gate_up_proj,o_proj"])
@pytest.mark.parametrize(
    "name", ["Llama-3.2-1B", "Phi-4", "GLM-4-9B-0414", "OLMoE-1B-7B", "gpt-oss-20b", "Command-R7B"]
)
def test_adapters_are_counted_as_peft_makes_them(name: str, targets: str) -> None:
    """Fused modules get one adapter for q or gate, fused experts none."""
    import torch

    from core.engine.adapters import attach_new_adapter

    plan = TrainingPlan(model="any", data=("rows.jsonl",), targets=targets, rank=8, dropout=0.0)
    expected = adapter_parameters(architecture_of(shortened(name, 1)), plan)
    with torch.device("meta"):
        base = module_of(shortened(name, 1)).requires_grad_(False)
        if not expected:
            with pytest.raises(Trouble):
                attach_new_adapter(base, plan)
            return
        tuned = attach_new_adapter(base, plan)
    assert expected == sum(p.numel() for p in tuned.parameters() if p.requires_grad)


@pytest.mark.parametrize(
    "facts",
    [
        {"model_type": "no_such_family"},
        {"kv_lora_rank": 512},
        {"mamba_d_state": 128},
        {"linear_num_key_heads": 16},
        {"vision_config": {"hidden_size": 1152}},
        {"num_experts": 8, "mlp_only_layers": [0]},
        {"num_experts": 8, "decoder_sparse_step": 2},
    ],
    ids=str,
)
def test_what_the_formulae_do_not_know_is_a_guess(facts: dict[str, Any]) -> None:
    found = architecture_of(LLAMA | facts)
    assert not found.known
    assert found.parameters > 1e9


def test_families_before_llama_have_names_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"model_type": "gpt2", "n_embd": 768, "n_layer": 12, "n_head": 12, "vocab_size": 50257}))
    found = architecture_of(read_config(path), path)
    assert (found.hidden, found.layers, found.heads, found.intermediate, found.known) == (768, 12, 12, 3072, False)


@pytest.mark.parametrize(
    ("name", "window", "windowed"),
    [
        ("Gemma-3-1B", 512, 22), ("Gemma-2-9B", 4096, 21), ("Command-R7B", 4096, 24), ("gpt-oss-20b", 128, 12),
        ("Mistral-Small-24B", 0, 0), ("EXAONE-4.0-1.2B", 0, 0),
    ],
)  # fmt: skip
def test_windows(name: str, window: int, windowed: int) -> None:
    """As the modules' own configs say it of each layer."""
    from transformers import AutoConfig

    facts = FAMILIES[name]
    found = architecture_of(facts)
    assert (found.window, found.windowed) == (window, windowed)
    kinds = AutoConfig.for_model(facts["model_type"], **{k: v for k, v in facts.items() if k != "model_type"})
    assert windowed == (getattr(kinds, "layer_types", None) or []).count("sliding_attention")


def test_a_window_that_is_not_used() -> None:
    """Qwen's configs name a window and say in another field that nobody looks through it."""
    qwen = FAMILIES["Qwen2.5-7B"] | {"sliding_window": 131_072}
    assert architecture_of(qwen).window == architecture_of(qwen | {"use_sliding_window": False}).window == 0
    assert architecture_of(qwen | {"use_sliding_window": True}).windowed == 28


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"auto_map": {"AutoModelForCausalLM": "evil.Model"}}, Code.MODEL_CUSTOM_CODE),
        ({"quantization_config": {"quant_method": "gptq"}}, Code.MODEL_UNSUPPORTED),
        ({"is_encoder_decoder": True}, Code.MODEL_UNSUPPORTED),
        ({"architectures": ["BertForMaskedLM"]}, Code.MODEL_UNSUPPORTED),
        ({"vocab_size": None}, Code.MODEL_UNSUPPORTED),
    ],
)
def test_what_is_never_loaded(tmp_path: Path, facts: dict[str, Any], code: Code) -> None:
    """From a file and from facts that came another way alike."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps(LLAMA | facts))
    for look in (lambda: read_config(path), lambda: refuse(LLAMA | facts)):
        with pytest.raises(Trouble) as caught:
            look()
        assert caught.value.problem.code is code


def test_a_gpt_2_may_be_loaded() -> None:
    """Its class is named like no other decoder's."""
    refuse(LLAMA | {"architectures": ["GPT2LMHeadModel"]})


@pytest.mark.parametrize(
    "facts", [{"hidden_size": -1}, {"num_hidden_layers": 10**9}, {"vocab_size": True}, {"head_dim": "many"}], ids=str
)
def test_impossible_numbers(facts: dict[str, Any]) -> None:
    with pytest.raises(Trouble) as caught:
        architecture_of(LLAMA | facts)
    assert caught.value.problem.code is Code.MODEL_CORRUPT


def test_the_language_part_of_a_larger_model(tmp_path: Path) -> None:
    """Its facts come first; the type of the whole is kept, which decides what is loaded."""
    path = tmp_path / "config.json"
    inner = {k: v for k, v in FAMILIES["Gemma-3-12B"].items() if k != "tie_word_embeddings"}
    outer = {"model_type": "gemma3", "text_config": inner, "vision_config": {"hidden_size": 1152}}
    path.write_text(json.dumps(outer | {"architectures": ["Gemma3ForConditionalGeneration"]}))
    facts = read_config(path)
    assert (facts["model_type"], facts[WHOLE]) == ("gemma3_text", "gemma3")
    assert architecture_of(facts).hidden == 3840 and not architecture_of(facts).known
    assert context_of(facts | {"max_position_embeddings": 131_072}) == 131_072
