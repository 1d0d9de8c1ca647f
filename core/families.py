"""What the layers of each model family are like where config.json does not say, read off transformers 5.23."""

from typing import Any

#: By `model_type`: facts of core.architecture.Architecture. A family that is missing here is not known: arithmetic
#: guesses, the dry run decides. `tied`, `qk_norm` and the biases are what holds when config.json leaves them out.
FAMILIES: dict[str, dict[str, Any]] = {
    "llama": {},
    "mistral": {},
    "ministral": {},
    "qwen2": {"attention_bias": True},
    "qwen3": {"qk_norm": True},
    "qwen3_moe": {"qk_norm": True},
    "gemma": {"tied": True},
    "gemma2": {"tied": True, "norms": 4, "post_norm": True, "eager": True, "pair_bytes": 8},
    "gemma3_text": {"tied": True, "norms": 4, "post_norm": True, "qk_norm": True},
    "phi3": {"fused_qkv": True, "fused_mlp": True, "copied_heads": True},
    "glm": {"fused_mlp": True, "copied_heads": True},
    "glm4": {"fused_mlp": True, "copied_heads": True, "norms": 4, "post_norm": True},
    "granite": {},
    "olmo2": {"qk_norm": True, "wide_qk_norm": True, "post_norm": True},
    "olmo3": {"qk_norm": True, "wide_qk_norm": True, "post_norm": True},
    "olmoe": {"qk_norm": True, "wide_qk_norm": True},
    "smollm3": {},
    "cohere": {"tied": True, "parallel": True, "norms": 1, "norm_bytes": 8, "wide_qk_norm": True},
    "cohere2": {"tied": True, "parallel": True, "norms": 1, "norm_bytes": 8},
    "mixtral": {},
    "gpt_oss": {
        "attention_bias": True, "output_bias": True, "expert_bias": True, "sinks": True, "eager": True,
        "pair_bytes": 2, "mlp_bytes": 12,
    },
    "seed_oss": {"attention_bias": True, "residual_dropout": True},
    "ernie4_5": {"tied": True},
    "hunyuan_v1_dense": {"qk_norm": True},
    "exaone4": {"qk_norm": True, "post_norm": True},
}  # fmt: skip

#: Every how many layers one looks back over everything, the others over a window only.
WINDOW_PATTERN = {"gemma2": 2, "gemma3_text": 6, "cohere2": 4, "gpt_oss": 2, "olmo3": 4, "exaone4": 4}
#: Families that use the window of their config only when told to.
WINDOW_ASKED = frozenset({"qwen2", "qwen3", "qwen3_moe", "smollm3"})
#: Families that do not keep rows apart which share a sequence (core.engine.packed measures it): their masks do not look
#: at positions, or what they remember flows on. For families beside these, keys and kinds of layers say it.
MIXED = frozenset({
    "gpt_oss", "bloom", "mpt", "opt", "falcon", "xglm", "biogpt", "afmoe",
    "mamba", "mamba2", "falcon_mamba", "rwkv", "xlstm", "recurrent_gemma", "jamba", "bamba", "zamba", "zamba2",
    "nemotron_h", "falcon_h1", "granitemoehybrid", "lfm2", "lfm2_moe", "minimax", "qwen3_next", "qwen3_5",
    "qwen3_5_text", "qwen3_5_moe", "qwen3_5_moe_text", "kimi_linear", "olmo_hybrid",
})  # fmt: skip
#: Keys of layers that remember: state spaces, linear attention, convolutions.
REMEMBERING = frozenset({
    "ssm_cfg", "mamba_d_state", "mamba_d_ssm", "ssm_state_size", "state_size", "linear_num_key_heads",
    "linear_attn_config", "conv_L_cache", "lru_width",
})  # fmt: skip
#: What other families call the same number.
OTHER_NAMES = {
    "hidden_size": ("n_embd", "d_model"),
    "intermediate_size": ("ffn_hidden_size", "n_inner", "ffn_dim"),
    "num_hidden_layers": ("n_layer", "n_layers", "num_layers"),
    "num_attention_heads": ("n_head", "n_heads"),
}
