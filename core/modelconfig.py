"""Architecture from a config.json; the file is untrusted input, so every number is checked first."""

import json
from pathlib import Path
from typing import Any

from core.architecture import Architecture
from core.families import FAMILIES, MIXED, OTHER_NAMES, REMEMBERING, WINDOW_ASKED, WINDOW_PATTERN
from core.problems import Code, Trouble

#: No honest config.json is larger; real ones have a few kilobytes.
_FILE_LIMIT = 4_000_000
#: Where the facts of a language part keep the type of the whole model around it.
WHOLE = "whole_model_type"

#: What every decoder's config has to say, with the range that we believe.
_NEEDED: dict[str, tuple[int, int]] = {
    "hidden_size": (1, 131_072),
    "num_hidden_layers": (1, 1024),
    "vocab_size": (1, 4_194_304),
}
_INTERMEDIATE, _HEADS = (1, 1_048_576), (1, 1024)
_KV_HEADS, _HEAD_DIM, _CONTEXT = (1, 1024), (1, 4096), (1, 2**31)
_EXPERTS, _WIDTH, _WINDOW = (0, 4096), (0, 1_048_576), (0, 2**31)

#: Keys of attention and state-space layers, and of other parts beside the decoder, that the arithmetic does not know.
_OTHER_KINDS = frozenset({
    "kv_lora_rank", "ssm_cfg", "mamba_d_state", "linear_num_key_heads", "state_size", "vision_config", "audio_config",
})  # fmt: skip


def read_config(path: Path) -> dict[str, Any]:
    """The facts of a config.json, the language part on top.

    Raises Trouble: MODEL_INCOMPLETE (no such file), MODEL_CORRUPT (no JSON object), MODEL_CUSTOM_CODE (would run code
    of its own), MODEL_UNSUPPORTED (no decoder that can be trained, already quantized, or only an adapter to one).
    """
    outer = _read(path)
    facts = language_part(outer)
    # whether it is a language model at all, the whole model says
    refuse(facts | {key: outer[key] for key in ("architectures", "is_encoder_decoder") if key in outer}, path)
    return facts


def language_part(outer: dict[str, Any]) -> dict[str, Any]:
    """The facts of a whole config.json with those of its language part on top, where it has one."""
    inner = outer.get("text_config")
    # what the language part leaves out, the whole model may say (tie_word_embeddings does so in practice)
    return outer | inner | {WHOLE: outer.get("model_type")} if isinstance(inner, dict) else outer


def refuse(facts: dict[str, Any], path: Path = Path()) -> None:
    """Raise Trouble for what is never loaded: custom code, quantized weights, no decoder, no facts of one."""
    if facts.get("auto_map"):
        raise Trouble(Code.MODEL_CUSTOM_CODE, path=path.parent)
    if facts.get("quantization_config"):
        raise Trouble(Code.MODEL_UNSUPPORTED, path=path.parent, text="already quantized")
    if facts.get("is_encoder_decoder") is True or not _may_be_decoder(facts.get("architectures")):
        raise Trouble(Code.MODEL_UNSUPPORTED, path=path.parent, text="not a decoder")
    missing = [key for key in _NEEDED if facts.get(named(facts, key)) is None]
    if missing:
        raise Trouble(Code.MODEL_UNSUPPORTED, path=path.parent, text=", ".join(missing))


def named(facts: dict[str, Any], key: str) -> str:
    """The name under which these facts hold `key`: families before Llama have their own."""
    return next((name for name in (key, *OTHER_NAMES.get(key, ())) if facts.get(name) is not None), key)


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
        hidden, layers, vocabulary = (self.number(key, span) for key, span in _NEEDED.items())
        intermediate = self.number("intermediate_size", _INTERMEDIATE, 4 * hidden)
        heads = self.number("num_attention_heads", _HEADS, max(1, hidden // 128))
        experts = self._first(("num_experts", "num_local_experts", "n_routed_experts"), _EXPERTS)
        usual = FAMILIES.get(self._family, {})
        bias = self._flag("attention_bias", self._flag("use_bias"))
        qk_norm = self._flag("use_qk_norm", usual.get("qk_norm", False))
        shape = {
            "hidden": hidden,
            "intermediate": intermediate,
            "layers": layers,
            "heads": heads,
            "kv_heads": self.number("num_key_value_heads", _KV_HEADS, heads),
            "head_dim": self.number("head_dim", _HEAD_DIM, max(1, hidden // heads)),
            "vocabulary": vocabulary,
            "tied": self._flag("tie_word_embeddings", usual.get("tied", False)),
            "experts": experts,
            "attention_bias": bias or usual.get("attention_bias", False),
            "output_bias": self._flag("attention_out_bias", usual.get("output_bias", bias)),
            "mlp_bias": self._flag("mlp_bias", self._flag("use_bias")),
            "qk_norm": qk_norm,
            "expert_intermediate": self._first(("moe_intermediate_size",), _WIDTH, intermediate) if experts else 0,
            "active_experts": self._first(("num_experts_per_tok",), _EXPERTS, 1) if experts else 0,
            "shared_intermediate": self._first(("shared_expert_intermediate_size",), _WIDTH) if experts else 0,
            "capped_logits": self._facts.get("final_logit_softcapping") is not None,
            "packs": self._packs(),
            "known": self._family in FAMILIES and not self._other_kinds(),
        }
        window = self._window(layers)
        # GLM and others have a bias on q, k, v alone
        if self._family in ("glm", "glm4"):
            shape["output_bias"] = False
        return Architecture(**(usual | shape | window))

    def _other_kinds(self) -> bool:
        """Whether there are layers or parts that the arithmetic does not know, or dense layers among mixtures."""
        if not _OTHER_KINDS.isdisjoint(key for key, value in self._facts.items() if value):
            return True
        return bool(self._facts.get("mlp_only_layers")) or self._facts.get("decoder_sparse_step", 1) != 1

    def _packs(self) -> bool:
        """Whether positions keep rows apart that share a sequence."""
        kinds = self._facts.get("layer_types")
        known = {"full_attention", "sliding_attention", "chunked_attention", "attention"}
        attend = not isinstance(kinds, list) or known.issuperset(map(str, kinds))
        return attend and self._family not in MIXED and not any(self._facts.get(key) for key in REMEMBERING)

    def _window(self, layers: int) -> dict[str, int]:
        """How far back how many layers look; nothing where all of them look back to the start."""
        window = self._first(("sliding_window",), _WINDOW)
        if not window or not self._flag("use_sliding_window", self._family not in WINDOW_ASKED):
            return {}
        kinds = self._facts.get("layer_types")
        if isinstance(kinds, list):
            return {"window": window, "windowed": kinds[:layers].count("sliding_attention")}
        usual = WINDOW_PATTERN.get(self._family, 0)
        pattern = self._facts.get("sliding_window_pattern")
        every = pattern if isinstance(pattern, int) and pattern > 0 else usual
        return {"window": window, "windowed": layers - (layers // every if every else 0)}

    def number(self, key: str, span: tuple[int, int], default: int | None = None) -> int:
        """A whole number in `span`; null and a missing key mean `default`, if there is one."""
        value = self._facts.get(named(self._facts, key))
        if value is None and default is not None:
            return default
        if isinstance(value, list) and value and self._family not in FAMILIES:
            # one number for each layer: the largest, as a guess
            value = max((one for one in value if isinstance(one, int)), default=None)
        if not isinstance(value, int) or isinstance(value, bool) or not span[0] <= value <= span[1]:
            raise Trouble(Code.MODEL_CORRUPT, path=self._path, text=f"{key}: {str(value)[:40]}")
        return value

    def _first(self, keys: tuple[str, ...], span: tuple[int, int], default: int = 0) -> int:
        found = next((key for key in keys if self._facts.get(key) is not None), None)
        return self.number(found, span) if found else default

    def _flag(self, key: str, default: bool = False) -> bool:
        value = self._facts.get(key)
        return value if isinstance(value, bool) else default


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        if (path.parent / "adapter_config.json").is_file():
            raise Trouble(Code.MODEL_UNSUPPORTED, path=path.parent, text="only an adapter")
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


def _may_be_decoder(architectures: object) -> bool:
    """Whether the class names allow a language model; a config that names none is judged by its facts."""
    if not isinstance(architectures, list) or not architectures:
        return True
    # GPT-2's is older than the other names
    kinds = ("ForCausalLM", "ForConditionalGeneration", "GPT2LMHeadModel")
    return any(str(name).endswith(kinds) for name in architectures)
