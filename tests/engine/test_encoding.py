"""What is trained: the answers with their end-of-turn token, and nothing else."""

from typing import Any

import numpy as np
import pytest

from core.engine.encoding import IGNORED, ChatFormat, collate
from core.problems import Code, Trouble
from tests.tiny import TEMPLATE, make_tiny_tokenizer

ASK = [{"role": "user", "content": "How many moons?"}]
TURN = [*ASK, {"role": "assistant", "content": "Two. 两颗。"}]
TALK = [*TURN, {"role": "user", "content": "Names?"}, {"role": "assistant", "content": "Phobos, Deimos."}]


def trained_text(chat: ChatFormat, row: Any) -> str:
    return str(chat.tokenizer.decode(row.labels[row.labels != IGNORED]))


def test_only_the_answer_and_its_end_are_trained() -> None:
    chat = ChatFormat(make_tiny_tokenizer())
    row = chat.encode(TURN, 512)
    assert row is not None
    assert trained_text(chat, row) == "Two. 两颗。<|im_end|>"
    assert row.labels[row.labels != IGNORED][-1] == chat.end_id == chat.tokenizer.convert_tokens_to_ids("<|im_end|>")


def test_the_prompt_is_token_for_token_what_chat_uses() -> None:
    chat = ChatFormat(make_tiny_tokenizer())
    row = chat.encode(TURN, 512)
    assert row is not None
    start = int(np.argmax(row.labels != IGNORED))
    assert list(row.ids[:start]) == chat.prompt_ids(ASK)


def test_every_answer_of_a_conversation_is_trained() -> None:
    chat = ChatFormat(make_tiny_tokenizer())
    row = chat.encode(TALK, 512)
    assert row is not None
    assert trained_text(chat, row) == "Two. 两颗。<|im_end|>Phobos, Deimos.<|im_end|>"
    assert chat.tokenizer.decode(row.ids) == chat.tokenizer.apply_chat_template(TALK, tokenize=False).rstrip("\n")


def test_a_template_that_rewrites_earlier_turns_trains_the_last_answer() -> None:
    # as Qwen3 does: reasoning of earlier answers is dropped once another turn follows
    rewriting = TEMPLATE.replace(
        "m['content']", "(m['content'] if loop.last or m['role'] != 'assistant' else 'dropped')"
    )
    chat = ChatFormat(make_tiny_tokenizer(rewriting))
    row = chat.encode(TALK, 512)
    assert row is not None
    assert trained_text(chat, row) == "Phobos, Deimos.<|im_end|>"
    assert "dropped" in chat.tokenizer.decode(row.ids)


def test_without_a_template_the_documents_format_is_used_and_ends() -> None:
    chat = ChatFormat(make_tiny_tokenizer(None))
    row = chat.encode(TURN, 512)
    assert chat.fallback and row is not None
    assert chat.prompt_text(ASK) == "### Instruction:\nHow many moons?\n\n### Response:\n"
    assert trained_text(chat, row) == "Two. 两颗。" + chat.tokenizer.eos_token


def test_a_template_that_forgets_the_end_gets_one() -> None:
    endless = (
        "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\n' }}{% endfor %}"
        "{% if add_generation_prompt %}assistant: {% endif %}"
    )
    chat = ChatFormat(make_tiny_tokenizer(endless))
    row = chat.encode(TURN, 512)
    assert row is not None
    assert trained_text(chat, row) == "Two. 两颗。<|im_end|>"


def test_a_template_without_system_role_gets_it_in_the_first_turn() -> None:
    strict = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}" + TEMPLATE
    chat = ChatFormat(make_tiny_tokenizer(strict), system="Be brief.")
    assert "<|im_start|>user\nBe brief.\n\nHow many moons?" in chat.prompt_text(ASK)


def test_rows_are_cut_on_the_right_and_dropped_when_nothing_is_left() -> None:
    chat = ChatFormat(make_tiny_tokenizer())
    prompt = len(chat.prompt_ids(ASK))
    cut = chat.encode(TURN, prompt + 3)
    assert cut is not None and cut.truncated and cut.trained == 3
    assert chat.encode(TURN, prompt) is None
    assert chat.encode(ASK, 512) is None


def test_no_end_token_at_all_is_refused() -> None:
    tokenizer = make_tiny_tokenizer(None)
    tokenizer.eos_token = None
    with pytest.raises(Trouble) as refused:
        ChatFormat(tokenizer)
    assert refused.value.problem.code is Code.MODEL_INCOMPLETE


def test_padding_is_masked_and_never_trained_although_it_is_the_end_token() -> None:
    chat = ChatFormat(make_tiny_tokenizer())
    rows = [chat.encode(TURN, 512), chat.encode(TALK, 512)]
    batch = collate([{"input_ids": r.ids, "labels": r.labels} for r in rows if r], chat.end_id)
    length = len(rows[0].ids)  # type: ignore[union-attr]
    assert batch["input_ids"].shape == batch["labels"].shape == batch["attention_mask"].shape
    assert batch["attention_mask"][0].sum() == length
    assert (batch["labels"][0, length:] == IGNORED).all() and (batch["input_ids"][0, length:] == chat.end_id).all()
