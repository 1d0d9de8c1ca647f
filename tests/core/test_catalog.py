"""The catalogue is right about its models, and no config.json can make it stumble."""

import json
import re
import time
import tomllib
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.assets import resource
from core.catalog import (
    STARTER,
    Architecture,
    ModelSpec,
    _entries,
    _from_entry,
    config_of,
    models,
    size_class,
    spec_from_config,
    spec_of,
)
from core.problems import Code, Trouble

LLAMA: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 259,
    "tie_word_embeddings": True,
    "max_position_embeddings": 512,
}


def write(folder: Path, content: object) -> Path:
    path = folder / "config.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def code_of(config: Path) -> Code:
    with pytest.raises(Trouble) as caught:
        spec_from_config(config)
    return caught.value.problem.code


@pytest.mark.parametrize("spec", models(), ids=lambda spec: spec.id)
def test_the_facts_of_a_model_give_its_published_parameters(spec: ModelSpec) -> None:
    """Exactly, where our formulae describe the architecture; tests/engine builds the module for every model."""
    if spec.architecture.known:
        assert spec.architecture.parameters == spec.published
    assert spec.parameters == spec.published


def test_only_hybrids_are_left_to_the_dry_run() -> None:
    unknown = {config_of(spec)["model_type"] for spec in models() if not spec.architecture.known}
    assert unknown <= {"granitemoehybrid", "lfm2"}


def test_the_starter_is_known_to_the_byte() -> None:
    starter = spec_of(STARTER)
    assert (starter.parameters, starter.download_bytes) == (134_515_008, 92_871_040)
    assert (starter.source, starter.licence, starter.context) == ("starter", "Apache-2.0", 8192)


def test_the_catalogue_is_sorted_and_says_everything_of_each() -> None:
    found = models()
    assert len(found) >= 40
    assert [s.parameters for s in found] == sorted(s.parameters for s in found)
    assert all(s.licence and s.title and s.languages and s.context and s.download_bytes for s in found)
    assert len({s.title for s in found}) == len(found)


def test_no_two_models_answer_to_the_same_name() -> None:
    """Ids are looked up without regard to case, and by the last part of the Hugging Face id too."""
    found = models()
    for names in ([s.id for s in found], [s.repo for s in found], [s.repo.rpartition("/")[2] for s in found]):
        assert len({name.lower() for name in names}) == len(found)
    assert all(spec_of(s.repo) is spec_of(s.id) is s for s in found)


def test_every_size_class_has_a_choice() -> None:
    count = Counter(spec.size_class for spec in models())
    assert set(count) == {"small", "1.3B", "3B", "7B", "13B", "large"}
    assert min(count.values()) >= 3


def test_the_models_that_stand_for_a_class_are_on_offer() -> None:
    tiers = tomllib.loads(resource("tiers.toml").read_text(encoding="utf-8"))
    for stands in tiers["class"]:
        spec = spec_of(stands["model"])
        assert stands["name"] in (spec.size_class, spec.source)
        assert spec.architecture.known


def test_ids_name_an_organisation_and_a_model() -> None:
    found = models()
    assert all(re.fullmatch(r"[\w.-]+/[\w.-]+", s.repo) for s in found)
    assert all(re.fullmatch(r"[\w.-]+/[\w.-]+", s.modelscope) for s in found if s.modelscope)
    assert sum(bool(s.modelscope) for s in found) >= 40
    chinese = [s for s in found if "zh" in s.languages]
    assert len(chinese) >= 20
    assert {"Qwen", "zai-org", "01-ai", "tencent"} <= {s.repo.partition("/")[0] for s in chinese}


def test_licences_to_accept_are_told() -> None:
    told = {s.repo.partition("/")[0] for s in models() if s.gated}
    assert told == {"meta-llama", "google", "mistralai"}


def test_the_config_of_a_model_is_a_copy() -> None:
    spec = spec_of("LiquidAI/LFM2-1.2B")
    facts = config_of(spec)
    assert (facts["model_type"], facts["hidden_size"]) == ("lfm2", 2048)
    facts["layer_types"].clear()
    facts["hidden_size"] = 1
    assert config_of(spec)["hidden_size"] == 2048
    assert len(config_of(spec)["layer_types"]) == 16


def test_the_config_of_a_model_holds_what_its_context_says() -> None:
    for spec in models():
        assert config_of(spec)["max_position_embeddings"] == spec.context


def test_the_config_of_a_folder_is_its_file(tmp_path: Path) -> None:
    spec = spec_from_config(write(tmp_path, LLAMA))
    assert config_of(spec) == LLAMA
    (tmp_path / "config.json").unlink()
    with pytest.raises(Trouble) as caught:
        config_of(spec)
    assert caught.value.problem.code is Code.MODEL_INCOMPLETE


def test_a_model_of_neither_has_no_config() -> None:
    with pytest.raises(Trouble) as caught:
        config_of(replace(spec_of(STARTER), repo="nobody/nothing", id="nobody/nothing"))
    assert caught.value.problem.code is Code.MODEL_UNKNOWN


@pytest.mark.parametrize("spec", models(), ids=lambda spec: spec.id)
def test_a_folder_with_the_same_config_is_the_same_architecture(spec: ModelSpec, tmp_path: Path) -> None:
    """What the catalogue promises still holds once the model lies on the disk: its config.json is accepted."""
    found = spec_from_config(write(tmp_path, config_of(spec)))
    assert (found.architecture, found.context) == (spec.architecture, spec.context)


def test_a_download_holds_two_bytes_a_parameter() -> None:
    """A tied head may be written a second time, never more than that."""
    for spec in models():
        if spec.source == "huggingface":
            head = spec.architecture.vocabulary * spec.architecture.hidden
            assert 2 * spec.parameters <= spec.download_bytes <= 2 * (spec.parameters + head)


def test_a_download_leaves_out_the_second_copy_of_the_weights() -> None:
    """Mistral and Meta publish their models twice in one repository, which would double what is promised here."""
    from core.hub.source import RemoteFile
    from core.hub.wanted import wanted

    shards = ("config.json", "tokenizer.model", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
    names = (*shards, "model.safetensors.index.json", "consolidated.safetensors", "original/consolidated.00.pth")
    found = wanted("mistralai/Mistral-7B-Instruct-v0.3", [RemoteFile(name, 7) for name in names])
    assert {file.path for file in found} == {*shards, "model.safetensors.index.json"}


def test_the_catalogue_is_there_before_the_first_paint() -> None:
    """The Model page reads it first: some 10 ms on a slow core, so the bound only catches another order of size."""
    started = time.perf_counter()
    specs = [_from_entry(entry) for entry in _entries.__wrapped__()]
    assert time.perf_counter() - started < 0.1
    assert len(specs) == len(models())


@pytest.mark.parametrize("name", ["Qwen/Qwen2.5-7B-Instruct", "qwen/qwen2.5-7b-INSTRUCT", " qwen2.5-7b-instruct "])
def test_a_model_is_found_by_any_spelling(name: str) -> None:
    assert spec_of(name).id == "Qwen/Qwen2.5-7B-Instruct"


def test_the_starter_answers_to_its_hugging_face_id() -> None:
    assert spec_of("HuggingFaceTB/SmolLM2-135M-Instruct").id == STARTER


@pytest.mark.parametrize("name", ["", "gpt-9", "nobody/nothing", "a\0b", "x" * 5000, "~nobody_lives_here"])
def test_an_unknown_name_is_unknown(name: str) -> None:
    with pytest.raises(Trouble) as caught:
        spec_of(name)
    assert caught.value.problem.code is (Code.MODEL_MISSING if name.startswith("~") else Code.MODEL_UNKNOWN)
    assert caught.value.problem.facts["model"] == name


@pytest.mark.parametrize("name", ["/no/such/folder", "./nothing", "a/b/c", r"C:\models\mine", "config.json"])
def test_a_path_to_nothing_is_missing(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Trouble) as caught:
        spec_of(name)
    assert caught.value.problem.code is Code.MODEL_MISSING


def test_a_folder_without_config_is_incomplete(tmp_path: Path) -> None:
    with pytest.raises(Trouble) as caught:
        spec_of(str(tmp_path))
    assert caught.value.problem.code is Code.MODEL_INCOMPLETE
    assert caught.value.problem.facts["missing"] == "config.json"


def test_a_folder_and_its_config_are_the_same_model(tmp_path: Path) -> None:
    config = write(tmp_path, LLAMA)
    spec = spec_of(str(tmp_path))
    assert spec == spec_of(str(config)) == spec_from_config(config)
    assert (spec.id, spec.source, spec.context) == (str(tmp_path), "folder", 512)
    assert (spec.size_class, spec.download_bytes) == ("small", 0)
    assert spec.architecture == Architecture(64, 128, 2, 4, 2, 16, 259, True)


def test_a_relative_folder_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, LLAMA)
    monkeypatch.chdir(tmp_path.parent)
    assert spec_of(tmp_path.name).id == str(tmp_path)


@pytest.mark.filterwarnings("ignore")
def test_the_count_is_that_of_the_real_model(tiny_base: Path) -> None:
    from transformers import AutoModelForCausalLM

    real = AutoModelForCausalLM.from_pretrained(tiny_base)
    assert spec_of(str(tiny_base)).parameters == real.num_parameters()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("family", "facts"),
    [
        ("Llama", {"attention_bias": True, "mlp_bias": True, "tie_word_embeddings": False}),
        ("Llama", {"num_key_value_heads": None, "head_dim": 8}),
        ("Mistral", {}),
        ("Qwen2", {}),
        ("Qwen3", {"head_dim": 32}),
        ("Mixtral", {"num_local_experts": 4, "num_experts_per_tok": 2}),
        ("Qwen3Moe", {"num_experts": 4, "moe_intermediate_size": 32, "head_dim": 16}),
    ],
)
def test_every_family_counts_as_transformers_builds_it(tmp_path: Path, family: str, facts: Any) -> None:
    """Parameters from our reading of the config equal those of the module that transformers makes of it."""
    import torch
    import transformers

    facts = {key: value for key, value in (LLAMA | facts).items() if key not in ("model_type", "architectures")}
    config = getattr(transformers, f"{family}Config")(**facts)
    with torch.device("meta"):
        model = getattr(transformers, f"{family}ForCausalLM")(config)
    config.architectures = [f"{family}ForCausalLM"]
    config.save_pretrained(tmp_path)
    assert spec_of(str(tmp_path)).parameters == model.num_parameters()


def test_the_language_part_of_a_larger_model_counts(tmp_path: Path) -> None:
    inner = {key: value for key, value in LLAMA.items() if key not in ("architectures", "tie_word_embeddings")}
    outer = {
        "architectures": ["XForConditionalGeneration"],
        "text_config": inner,
        "tie_word_embeddings": True,
    }
    assert spec_from_config(write(tmp_path, outer)).architecture == Architecture(64, 128, 2, 4, 2, 16, 259, True)


@pytest.mark.parametrize("raw", [b"", b"words", b"[]", b"1", b"null", b'{"a": ', b"[" * 100_000, b"\xed\xa0\x80"])
def test_what_is_no_json_object_is_corrupt(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(raw)
    assert code_of(path) is Code.MODEL_CORRUPT


def test_a_huge_file_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    with path.open("wb") as file:
        file.truncate(50_000_000_000)
    assert code_of(path) is Code.MODEL_CORRUPT


@pytest.mark.parametrize("key", ["hidden_size", "num_hidden_layers", "vocab_size", "num_key_value_heads", "head_dim"])
@pytest.mark.parametrize("value", [0, -1, 10**15, 1.5, "64", True, [64], {}, 1e308])
def test_impossible_numbers_are_corrupt(tmp_path: Path, key: str, value: object) -> None:
    assert code_of(write(tmp_path, LLAMA | {key: value})) is Code.MODEL_CORRUPT


def test_a_number_of_ten_thousand_digits_is_corrupt(tmp_path: Path) -> None:
    text = json.dumps(LLAMA).replace('"vocab_size": 259', '"vocab_size": ' + "9" * 10_000)
    assert code_of(write(tmp_path, text)) is Code.MODEL_CORRUPT


def test_code_of_its_own_is_refused_before_anything_else(tmp_path: Path) -> None:
    config = write(tmp_path, {"auto_map": {"AutoModelForCausalLM": "modeling_x.X"}, "hidden_size": "no"})
    assert code_of(config) is Code.MODEL_CUSTOM_CODE


@pytest.mark.parametrize(
    "facts",
    [
        {"architectures": ["BertForMaskedLM"]},
        {"is_encoder_decoder": True},
        {"quantization_config": {"quant_method": "gptq"}},
    ],
)
def test_other_kinds_of_model_are_not_supported(tmp_path: Path, facts: dict[str, Any]) -> None:
    assert code_of(write(tmp_path, LLAMA | facts)) is Code.MODEL_UNSUPPORTED


@pytest.mark.parametrize("facts", [{"kv_lora_rank": 512}, {"model_type": "never heard of"}, {"mamba_d_state": 16}])
def test_other_kinds_of_layers_are_a_guess(tmp_path: Path, facts: dict[str, Any]) -> None:
    assert not spec_from_config(write(tmp_path, LLAMA | facts)).architecture.known


def test_a_map_of_no_code_and_no_quantization_refuse_nothing(tmp_path: Path) -> None:
    """Phi-4 is published with an empty auto_map."""
    facts: dict[str, Any] = {"auto_map": {}, "quantization_config": None}
    assert (
        spec_from_config(write(tmp_path, LLAMA | facts)).architecture
        == spec_from_config(write(tmp_path, LLAMA)).architecture
    )


@pytest.mark.parametrize("missing", ["hidden_size", "num_hidden_layers", "vocab_size"])
def test_a_config_without_decoder_facts_is_not_supported(tmp_path: Path, missing: str) -> None:
    facts = {key: value for key, value in LLAMA.items() if key != missing}
    assert code_of(write(tmp_path, facts)) is Code.MODEL_UNSUPPORTED


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(changes=st.dictionaries(st.sampled_from([*LLAMA, "text_config", "head_dim", "num_experts"]), json_values))
def test_any_config_is_a_spec_or_a_trouble(tmp_path_factory: Any, changes: dict[str, Any]) -> None:
    config = write(tmp_path_factory.mktemp("any"), LLAMA | changes)
    try:
        assert spec_from_config(config).parameters > 0
    except Trouble as trouble:
        assert trouble.problem.code.startswith("model_")


@pytest.mark.parametrize(
    ("billions", "name"),
    [(0.135, "small"), (0.99, "small"), (1.1, "1.3B"), (1.7, "1.3B"), (2.9, "1.3B"), (3.1, "3B"), (4.0, "3B"),
     (6.0, "7B"), (7.6, "7B"), (9.4, "7B"), (10.7, "13B"), (12.2, "13B"), (14.8, "13B"), (32.8, "large")],
)  # fmt: skip
def test_classes_are_sizes(billions: float, name: str) -> None:
    assert size_class(int(billions * 1e9)) == name
