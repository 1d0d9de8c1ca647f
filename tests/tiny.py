"""A real but tiny Llama with a byte-level tokenizer: trains in half a second, needs no download."""

from pathlib import Path
from typing import Any

TEMPLATE = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def make_tiny_model(folder: Path, *, template: str | None = TEMPLATE, **facts: Any) -> Path:
    """Write a model folder (config, bf16 safetensors, tokenizer) and return it."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    tokenizer = make_tiny_tokenizer(template)
    shape = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
             "num_key_value_heads": 2, "max_position_embeddings": 512} | facts  # fmt: skip
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        bos_token_id=0,
        eos_token_id=2,
        pad_token_id=2,
        tie_word_embeddings=True,
        **shape,
    )
    model = LlamaForCausalLM(config)
    # with the usual small initial values the tied vectors of letters are too alike for an adapter to tell apart
    model.get_input_embeddings().weight.data *= 10
    _teach_to_talk(model, tokenizer)
    model.to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _teach_to_talk(model: Any, tokenizer: Any, steps: int = 150) -> None:
    """Train all weights on small talk for two seconds: an adapter cannot teach random weights anything."""
    import torch

    plain = tokenizer.chat_template or "{% for m in messages %}{{ m['content'] + '\n' }}{% endfor %}"
    texts = [
        tokenizer.apply_chat_template(
            [{"role": "user", "content": f"What is {i}?"}, {"role": "assistant", "content": f"It is {i}."}],
            tokenize=False, chat_template=plain,
        )
        for i in range(10)
    ]  # fmt: skip
    ids = torch.tensor([tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts])
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(steps):
        model(input_ids=ids, labels=ids).loss.backward()
        optimizer.step()
        optimizer.zero_grad()


def make_tiny_tokenizer(template: str | None = TEMPLATE) -> Any:
    """Return a byte-level tokenizer: every string is encodable, Chinese too."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: i for i, token in enumerate(SPECIAL + letters)}
    backend = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([AddedToken(token, special=True) for token in SPECIAL])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token=SPECIAL[0], eos_token=SPECIAL[2], pad_token=SPECIAL[2]
    )
    tokenizer.chat_template = template
    return tokenizer
