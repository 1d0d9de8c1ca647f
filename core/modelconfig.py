"""Architecture from a config.json; the file is untrusted input, so every number is checked first."""

import json
from pathlib import Path
from typing import Any

from core.architecture import Architecture
from core.problems import Code, Trouble

#: No honest config.json is larger; real ones have a few kilobytes.
_FILE_LIMIT = 4_000_000

#: What every decoder's config has to say, with the range that we believe.
_NEEDED: dict[str, tuple[int, int]] = {
    "hidden_size": (1, 131_072),
    "intermediate_size": (1, 1_048_576),
    "num_hidden_layers": (1, 1024),
    "num_attention_heads": (1, 1024),
    "vocab_size": (1, 4_194_304),
}
_KV_HEADS, _HEAD_DIM, _CONTEXT = (1, 1024), (1, 4096), (1, 2**31)
_EXPERTS, _WIDTH = (0, 4096), (0, 1_048_576)

#: Keys of attention and state-space layers whose memory our formulae do not describe.
_OTHER_KINDS = frozenset({"kv_lora_rank", "ssm_cfg", "mamba_d_state", "linear_num_key_heads", "state_size"})
#: Families that tie head and embeddings unless the config says otherwise, have biases on q, k, v, or norms on
#: q, k.
_TIED = frozenset({"gemma", "gemma2", "gemma3", "gemma3_text", "cohere", "cohere2"})
_QKV_BIAS = frozenset({"qwen2", "qwen2_moe", "qwen2_vl_text", "qwen2_5_vl_text"})
_QK_NORM = frozenset({"qwen3", "qwen3_moe", "gemma3", "gemma3_text"})


def read_config(path: Path) -> dict[str, Any]:
    """The facts of a config.json, the language part on top.

    Raises Trouble: MODEL_INCOMPLETE (no such file), MODEL_CORRUPT (no JSON object), MODEL_CUSTOM_CODE (would run code
    of its own), MODEL_UNSUPPORTED (no decoder that can be trained).
    """
    outer = _read(path)
    if "auto_map" in outer:
        raise Trouble(Code.MODEL_CUSTOM_CODE, path=path.parent)
    if "quantization_config" in outer:
        raise Trouble(Code.MODEL_UNSUPPORTED, path=path.parent, text="already quantized")
    inner = outer.get("text_config")
    # what the language part leaves out, the whole model may say (tie_word_embeddings does so in practice)
    facts = outer | inner if isinstance(inner, dict) else outer
    _refuse_other_kinds(path, outer, facts)
    return facts


def architecture_of(facts: dict[str, Any], path: Path = Path()) -> Architecture:
    """The architecture that a config's facts describe. Raises Trouble(MODEL_CORRUPT) for impossible numbers."""
    return _Facts(path, facts).architecture()


def context_of(facts: dict[str, Any], path: Path = Path()) -> int:
    """The longest sequence in tokens, 0 when the config does not say. Raises Trouble(MODEL_CORRUPT)."""
    return _Facts(path, facts).number("max_position_embeddings", _CONTEXT, 0)


class _Facts:
    """Checked access to the values of one config."""

    def __init__(self, path: Path, facts: dict[str, Any]) -> None:
        self._path, self._facts = path, facts
        self._family = str(facts.get("model_type"))

    def architecture(self) -> Architecture:
        hidden, intermediate, layers, heads, vocabulary = (self.number(key, span) for key, span in _NEEDED.items())
        experts = self._first(("num_experts", "num_local_experts", "n_routed_experts"), _EXPERTS)
        bias = self._flag("attention_bias")
        return Architecture(
            hidden=hidden,
            intermediate=intermediate,
            layers=layers,
            heads=heads,
            kv_heads=self.number("num_key_value_heads", _KV_HEADS, heads),
            head_dim=self.number("head_dim", _HEAD_DIM, max(1, hidden // heads)),
            vocabulary=vocabulary,
            tied=self._flag("tie_word_embeddings", self._family in _TIED),
            experts=experts,
            attention_bias=bias or self._family in _QKV_BIAS,
            output_bias=bias,
            mlp_bias=self._flag("mlp_bias"),
            qk_norm=self._family in _QK_NORM or self._flag("use_qk_norm"),
            expert_intermediate=self._first(("moe_intermediate_size",), _WIDTH, intermediate) if experts else 0,
            active_experts=self.number("num_experts_per_tok", _EXPERTS, 1) if experts else 0,
            shared_intermediate=self._first(("shared_expert_intermediate_size",), _WIDTH) if experts else 0,
        )

    def number(self, key: str, span: tuple[int, int], default: int | None = None) -> int:
        """A whole number in `span`; null and a missing key mean `default`, if there is one."""
        value = self._facts.get(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, int) or isinstance(value, bool) or not span[0] <= value <= span[1]:
            raise Trouble(Code.MODEL_CORRUPT, path=self._path, text=f"{key}: {str(value)[:40]}")
        return value

    def _first(self, keys: tuple[str, ...], span: tuple[int, int], default: int = 0) -> int:
        named = next((key for key in keys if self._facts.get(key) is not None), None)
        return self.number(named, span) if named else default

    def _flag(self, key: str, default: bool = False) -> bool:
        value = self._facts.get(key)
        return value if isinstance(value, bool) else default


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise Trouble(Code.MODEL_INCOMPLETE, path=path.parent, missing=path.name)
    with path.open("rb") as file:
        raw = file.read(_FILE_LIMIT + 1)
    try:
        found = json.loads(raw) if len(raw) <= _FILE_LIMIT else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Trouble(Code.MODEL_CORRUPT, path=path, text="not a JSON object")
    return found


def _refuse_other_kinds(path: Path, outer: dict[str, Any], facts: dict[str, Any]) -> None:
    """Raise Trouble(MODEL_UNSUPPORTED) for encoders, other layer types and files without decoder facts."""
    missing = [key for key in _NEEDED if key not in facts]
    other = sorted(_OTHER_KINDS & facts.keys())
    if outer.get("is_encoder_decoder") is True or not _may_be_decoder(outer.get("architectures")):
        raise Trouble(Code.MODEL_UNSUPPORTED, path=path.parent, text="not a decoder")
    if missing or other:
        raise Trouble(Code.MODEL_UNSUPPORTED, path=path.parent, text=", ".join(missing or other))


def _may_be_decoder(architectures: object) -> bool:
    """Whether the class names allow a language model; a config that names none is judged by its facts."""
    if not isinstance(architectures, list) or not architectures:
        return True
    return any(str(name).endswith(("ForCausalLM", "ForConditionalGeneration")) for name in architectures)
