"""What is trained: the answers with their end-of-turn token, and nothing else."""

from typing import Any

import numpy as np
import pytest

from core.engine.encoding import IGNORED, ChatFormat, Encoded
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


MARKED = TEMPLATE.replace(
    "{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>' + '\n' }}",
    "{% if m['role'] == 'assistant' %}{{ '<|im_start|>assistant\n' }}"
    "{% generation %}{{ m['content'] + '<|im_end|>' }}{% endgeneration %}{{ '\n' }}"
    "{% else %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>' + '\n' }}{% endif %}",
)


def test_what_a_template_marks_is_trained() -> None:
    thinking = MARKED.replace("{{ m['content'] + ", "{{ '<think></think>' + m['content'] + ")
    chat = ChatFormat(make_tiny_tokenizer(thinking))
    row = chat.encode(TALK, 512)
    assert chat.marked and row is not None
    assert trained_text(chat, row) == ("<think></think>Two. 两颗。<|im_end|><think></think>Phobos, Deimos.<|im_end|>")
    assert chat.tokenizer.decode(row.ids) == chat.tokenizer.apply_chat_template(TALK, tokenize=False)
    assert chat.prompt_text(ASK) == ChatFormat(make_tiny_tokenizer()).prompt_text(ASK)


def test_marks_that_leave_out_the_end_are_passed_over() -> None:
    endless = MARKED.replace("+ '<|im_end|>' }}{% endgeneration %}", "}}{% endgeneration %}{{ '<|im_end|>' }}")
    chat = ChatFormat(make_tiny_tokenizer(endless))
    row = chat.encode(TALK, 512)
    assert not chat.marked and row is not None and not row.never_ends
    assert trained_text(chat, row) == "Two. 两颗。<|im_end|>Phobos, Deimos.<|im_end|>"


def test_a_mark_that_ends_in_space_of_no_token_does_not_train_the_questions() -> None:
    from tokenizers.processors import ByteLevel

    tokenizer = make_tiny_tokenizer(MARKED.replace("+ '<|im_end|>' }}{% end", "+ '<|im_end|> ' }}{% end"))
    # as Llama 3 has it: tokens do not count the space in them as theirs
    tokenizer.backend_tokenizer.post_processor = ByteLevel(trim_offsets=True)
    chat = ChatFormat(tokenizer)
    row = chat.encode(TALK, 512)
    assert chat.marked and row is not None
    theirs = tokenizer.apply_chat_template(TALK, return_dict=True, return_assistant_tokens_mask=True)
    marked = zip(theirs["input_ids"], theirs["assistant_masks"], strict=True)
    assert "Names?" in tokenizer.decode([token for token, trained in marked if trained])
    assert "Names?" not in trained_text(chat, row)
    assert "两颗。<|im_end|>" in trained_text(chat, row)


@pytest.mark.parametrize("template", [TEMPLATE, MARKED])
def test_a_tokenizer_without_places_trains_the_same(template: str) -> None:
    from transformers import ByT5Tokenizer

    tokenizer = ByT5Tokenizer(extra_ids=0, additional_special_tokens=["<|im_start|>", "<|im_end|>"])
    tokenizer.chat_template = template
    chat = ChatFormat(tokenizer)
    row = chat.encode(TALK, 512)
    assert not tokenizer.is_fast and chat.marked is (template == MARKED) and row is not None
    assert trained_text(chat, row) == "Two. 两颗。<|im_end|>Phobos, Deimos.<|im_end|>"


def test_running_text_is_trained_whole_and_ends() -> None:
    chat = ChatFormat(make_tiny_tokenizer(), system="Be brief.")
    text = "第一章\n\nIt was a dark night."
    row = chat.encode([{"role": "text", "content": text}], 512)
    assert row is not None and not row.truncated and not row.never_ends
    assert trained_text(chat, row) == text + chat.tokenizer.eos_token
    assert row.trained == len(row.ids) - 1
    cut = chat.encode([{"role": "text", "content": text}], 8)
    assert cut is not None and cut.truncated and cut.trained == 7 and not cut.never_ends


def test_running_text_begins_as_the_model_knows_texts() -> None:
    from tokenizers.processors import TemplateProcessing

    tokenizer = make_tiny_tokenizer()
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<|endoftext|> $A", special_tokens=[("<|endoftext|>", 0)]
    )
    row = ChatFormat(tokenizer).encode([{"role": "text", "content": "ab"}], 512)
    assert row is not None
    assert tokenizer.decode(row.ids) == "<|endoftext|>ab<|im_end|>"
    assert row.labels[0] == IGNORED and row.trained == 3


def test_a_text_that_never_ends_is_noticed() -> None:
    chat = ChatFormat(make_tiny_tokenizer())
    row = chat.encode(TURN, 512)
    assert row is not None and not row.never_ends
    labels = np.where(row.labels == chat.end_id, IGNORED, row.labels)
    assert Encoded(row.ids, labels, end=row.end).never_ends
    assert not Encoded(row.ids, labels, truncated=True, end=row.end).never_ends


def test_a_vision_template_keeps_the_texts() -> None:
    in_parts = TEMPLATE.replace("m['content']", "m['content'][0]['text']")
    chat = ChatFormat(make_tiny_tokenizer(in_parts))
    row = chat.encode(TURN, 512)
    plain = ChatFormat(make_tiny_tokenizer()).encode(TURN, 512)
    assert row is not None and plain is not None
    assert row.ids.tolist() == plain.ids.tolist() and row.labels.tolist() == plain.labels.tolist()


def test_without_a_template_tools_get_headings_of_the_same_kind() -> None:
    chat = ChatFormat(make_tiny_tokenizer(None))
    function = {"name": "moons", "parameters": {"type": "object"}}
    call = {"type": "function", "function": {"name": "moons", "arguments": {"of": "Mars 火星"}}}
    row = [
        {"role": "system", "content": "Be brief."}, *ASK, {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "name": "moons", "content": "[2]"}, TURN[1],
    ]  # fmt: skip
    tools = [{"type": "function", "function": function}]
    encoded = chat.encode(row, 512, tools)
    assert encoded is not None and chat.refuses(row, tools) is None
    said = '<tool_call>\n{"name": "moons", "arguments": {"of": "Mars 火星"}}\n</tool_call><|im_end|>'
    assert trained_text(chat, encoded) == f"{said}Two. 两颗。<|im_end|>"
    assert chat.prompt_text(row[:-1], tools) == (
        'Be brief.\n\n### Tools:\n{"name": "moons", "parameters": {"type": "object"}}\n\n'
        f"### Instruction:\nHow many moons?\n\n### Response:\n{said}\n\n### Result:\n[2]\n\n### Response:\n"
    )


def test_thoughts_reach_a_template_that_knows_them_and_others_as_text() -> None:
    row = [*ASK, {"role": "assistant", "content": "Two.", "reasoning_content": "Count them."}]
    plain = ChatFormat(make_tiny_tokenizer())
    knows = TEMPLATE.replace("m['content'] +", "('[' + m.thinking + ']' if m.thinking else '') + m['content'] +")
    chat = ChatFormat(make_tiny_tokenizer(knows))
    shown, folded = chat.encode(row, 512), plain.encode(row, 512)
    assert shown is not None and trained_text(chat, shown) == "[Count them.]Two.<|im_end|>"
    assert folded is not None
    assert trained_text(plain, folded) == "<think>\nCount them.\n</think>\n\nTwo.<|im_end|>"
