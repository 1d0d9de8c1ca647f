"""Facts of the config.json of published models, one or more of each family, from 0.5B to 70B, for tests and benches."""

from typing import Any

_PAD = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}


def _facts(model_type: str, numbers: tuple[int, int, int, int, int, int], **more: Any) -> dict[str, Any]:
    """Facts from hidden, intermediate, layers, heads, key-value heads and vocabulary."""
    names = (
        "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads",
        "vocab_size",
    )  # fmt: skip
    tied = {"tie_word_embeddings": more.pop("tied", False)}
    return {"model_type": model_type} | dict(zip(names, numbers, strict=True)) | _PAD | tied | more


#: Dense models and mixtures whose memory the arithmetic knows.
FAMILIES: dict[str, dict[str, Any]] = {
    "Llama-3.1-8B": _facts("llama", (4096, 14336, 32, 32, 8, 128256)),
    "Llama-3.3-70B": _facts("llama", (8192, 28672, 80, 64, 8, 128256)),
    "Llama-3.2-1B": _facts("llama", (2048, 8192, 16, 32, 8, 128256), head_dim=64, tied=True),
    "Yi-1.5-6B": _facts("llama", (4096, 11008, 32, 32, 4, 64000)),
    "Falcon3-7B": _facts("llama", (3072, 23040, 28, 12, 4, 131072), head_dim=256),
    "Mistral-Small-24B": _facts("mistral", (5120, 32768, 40, 32, 8, 131072), head_dim=128, sliding_window=None),
    "Qwen2.5-0.5B": _facts("qwen2", (896, 4864, 24, 14, 2, 151936), tied=True),
    "Qwen2.5-7B": _facts("qwen2", (3584, 18944, 28, 28, 4, 152064)),
    "Qwen2.5-32B": _facts("qwen2", (5120, 27648, 64, 40, 8, 152064)),
    "Qwen3-0.6B": _facts("qwen3", (1024, 3072, 28, 16, 8, 151936), head_dim=128, tied=True),
    "Qwen3-8B": _facts("qwen3", (4096, 12288, 36, 32, 8, 151936), head_dim=128),
    "Qwen3-30B-A3B": _facts(
        "qwen3_moe", (2048, 6144, 48, 32, 4, 151936), head_dim=128, num_experts=128, num_experts_per_tok=8,
        moe_intermediate_size=768, decoder_sparse_step=1, norm_topk_prob=True, mlp_only_layers=[],
    ),
    "Gemma-7B": _facts("gemma", (3072, 24576, 28, 16, 16, 256000), head_dim=256, tied=True),
    "Gemma-2-9B": _facts(
        "gemma2", (3584, 14336, 42, 16, 8, 256000), head_dim=256, tied=True, sliding_window=4096,
        final_logit_softcapping=30.0, attn_logit_softcapping=50.0, query_pre_attn_scalar=256,
    ),
    "Gemma-3-1B": _facts(
        "gemma3_text", (1152, 6912, 26, 4, 1, 262144), head_dim=256, tied=True, sliding_window=512,
        sliding_window_pattern=6, query_pre_attn_scalar=256,
    ),
    "Gemma-3-12B": _facts(
        "gemma3_text", (3840, 15360, 48, 16, 8, 262208), head_dim=256, tied=True, sliding_window=1024,
        sliding_window_pattern=6, query_pre_attn_scalar=256,
    ),
    "Phi-3.5-mini": _facts("phi3", (3072, 8192, 32, 32, 32, 32064)),
    "Phi-4": _facts("phi3", (5120, 17920, 40, 40, 10, 100352)),
    "GLM-4-9B-0414": _facts(
        "glm4", (4096, 13696, 40, 32, 2, 151552), head_dim=128, partial_rotary_factor=0.5, attention_bias=True,
    ),
    "Granite-3.3-8B": _facts(
        "granite", (4096, 12800, 40, 32, 8, 49159), tied=True, logits_scaling=16.0, residual_multiplier=0.22,
        embedding_multiplier=12.0, attention_multiplier=0.0078125,
    ),
    "OLMo-2-7B": _facts("olmo2", (4096, 11008, 32, 32, 32, 100352)),
    "SmolLM3-3B": _facts("smollm3", (2048, 11008, 36, 16, 4, 128256), tied=True),
    "Command-R7B": _facts(
        "cohere2", (4096, 14336, 32, 32, 8, 256000), head_dim=128, tied=True, logit_scale=0.25, sliding_window=4096,
        sliding_window_pattern=4,
    ),
    "Aya-8B": _facts("cohere", (4096, 14336, 32, 32, 8, 256000), tied=True, logit_scale=0.0625, use_qk_norm=False),
    "Mixtral-8x7B": _facts(
        "mixtral", (4096, 14336, 32, 32, 8, 32000), num_local_experts=8, num_experts_per_tok=2, sliding_window=None,
    ),
    "OLMoE-1B-7B": _facts("olmoe", (2048, 1024, 16, 16, 16, 50304), num_experts=64, num_experts_per_tok=8),
    "gpt-oss-20b": _facts(
        "gpt_oss", (2880, 2880, 24, 64, 8, 201088), head_dim=64, num_local_experts=32, num_experts_per_tok=4,
        sliding_window=128, attention_bias=True,
    ),
    "Seed-OSS-36B": _facts(
        "seed_oss", (5120, 27648, 64, 80, 8, 155136), head_dim=128, attention_bias=True, attention_out_bias=False,
    ),
    "ERNIE-4.5-0.3B": _facts("ernie4_5", (1024, 3072, 18, 16, 2, 103424), head_dim=128, tied=True, use_bias=False),
    "Hunyuan-7B": _facts(
        "hunyuan_v1_dense", (4096, 14336, 32, 32, 8, 128256), head_dim=128, tied=True, use_qk_norm=True,
    ),
    "EXAONE-4.0-1.2B": _facts(
        "exaone4", (2048, 4096, 30, 32, 8, 102400), head_dim=64, tied=True, sliding_window=None,
        layer_types=["full_attention"] * 30,
    ),
}  # fmt: skip
