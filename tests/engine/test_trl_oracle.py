"""TRL as the oracle: on every template that it bundles for training, our labels and our loss are its own.

TRL's real SFTTrainer prepares the same rows with `assistant_only_loss`. Templates that it bundles mark the answers
({% generation %}); those that models bring mostly do not, and there our own cut is tested against the marks as well.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pytest
import torch

from core.data.rows import conversation_of
from core.data.template import ChatTemplate, has_marks, in_parts, takes_parts
from core.data.toolform import system_folded
from core.engine.encoding import IGNORED, ChatFormat, Encoded
from core.engine.loss import hidden_states, plain_loss, tiled_loss
from core.engine.steps import tensors
from tests.tiny import SPECIAL, make_tiny_tokenizer

trl = pytest.importorskip("trl", reason="TRL is a dependency of development")
TEMPLATES = sorted((Path(trl.__file__).parent / "chat_templates").glob("*_training.jinja"))

Row = list[dict[str, Any]]
ASK, ANSWER = {"role": "user", "content": "What is 2+2?"}, {"role": "assistant", "content": "It is 4."}
ASK_ZH, ANSWER_ZH = {"role": "user", "content": "你好吗？"}, {"role": "assistant", "content": "很好。\n谢谢 🙂！"}
BRIEF = {"role": "system", "content": "Be brief. 简短。"}
CODE = {"role": "assistant", "content": "def f(x):\n    return x  # 1\n\n- a\n- b"}
THOUGHT = {"role": "assistant", "content": "<think>\nTwo and two.\n</think>\n\nFour."}
ROWS: dict[str, Row] = {
    "one turn": [ASK, ANSWER],
    "Chinese": [ASK_ZH, ANSWER_ZH],
    "turns": [ASK, ANSWER, ASK_ZH, ANSWER_ZH, ASK, CODE],
    "system": [BRIEF, ASK, ANSWER],
    "system and turns": [BRIEF, ASK_ZH, ANSWER_ZH, ASK, ANSWER],
    "code": [ASK, CODE],
    "thinking": [ASK, THOUGHT],
    "thinking earlier": [ASK, THOUGHT, ASK_ZH, ANSWER_ZH],
}
TOOLS = [
    {"type": "function", "function": {
        "name": "get_weather", "description": "今天的天气 & more.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
                       "required": ["city"]},
    }},
]  # fmt: skip


def call(city: str, *, days: int = 1, number: int = 0) -> dict[str, Any]:
    function = {"name": "get_weather", "arguments": {"city": city, "days": days}}
    return {"id": f"a1b2c3d4{number}", "type": "function", "function": function}


def calling(*calls: dict[str, Any], **said: str) -> dict[str, Any]:
    return {"role": "assistant", "content": "", **said, "tool_calls": list(calls)}


def result(said: str, number: int = 0) -> dict[str, str]:
    return {"role": "tool", "content": said, "name": "get_weather", "tool_call_id": f"a1b2c3d4{number}"}


WEATHER = result('{"sky": "晴", "degrees": 21}')
TOOL_ROWS: dict[str, Row] = {
    "call and answer": [ASK, calling(call("Paris")), WEATHER, ANSWER],
    "call at the end": [ASK_ZH, calling(call("杭州", days=3))],
    "words beside the call": [BRIEF, ASK, calling(call("Paris"), content="Let me look."), WEATHER, ANSWER_ZH],
    "two calls at once": [
        ASK, calling(call("Paris"), call("Rome", number=1)), WEATHER, result("rain", 1), ANSWER,
    ],
    "calls in two questions": [
        ASK, calling(call("Paris")), WEATHER, ANSWER,
        ASK_ZH, calling(call("Rome", number=1)), result("雨", 1), ANSWER_ZH,
    ],
    "tools and no call": [ASK, ANSWER],
    "thoughts": [
        ASK, calling(call("Paris"), reasoning_content="I have to look."), WEATHER,
        {**ANSWER, "reasoning_content": "Sunny."},
    ],
}  # fmt: skip
#: What templates write as one token: <|im_end|> <end_of_turn> <turn|> <|turn> [INST] </s> <｜Assistant｜>.
_SPECIAL = re.compile(r"<\|[^|<>\s]{1,40}\|?>|</?[a-z_]{1,30}\|?>|\[/?[A-Z_]{2,20}\]|<｜[^｜]{1,40}｜>")
_WORDS = 512


def tokenizer_for(template: str) -> Any:
    """The tiny tokenizer with the template, and a token for each of its marks."""
    tokenizer = make_tiny_tokenizer(template)
    tokenizer.add_special_tokens({"additional_special_tokens": sorted({*_SPECIAL.findall(template)} - {*SPECIAL})})
    assert len(tokenizer) <= _WORDS
    return tokenizer


@cache
def model() -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=_WORDS, hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=1, max_position_embeddings=4096, bos_token_id=0, eos_token_id=2, pad_token_id=2,
    )  # fmt: skip
    return LlamaForCausalLM(config).eval()


def as_trl_takes(template: str, rows: list[Row]) -> list[Any]:
    """Rows as TRL is given them: vision templates want texts in parts, as its own function makes them."""
    from trl.data_utils import prepare_multimodal_messages

    tokenizer = tokenizer_for(template)
    if not takes_parts(lambda messages: tokenizer.apply_chat_template(messages, tokenize=False)):
        return rows
    prepared = [prepare_multimodal_messages(row) for row in rows]
    assert prepared == [in_parts(row) for row in rows]
    return prepared


def trainer_of(template: str, rows: list[Any], output: Path, data: Any = None, **settings: Any) -> Any:
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    usual = {
        "assistant_only_loss": True, "max_length": None, "per_device_train_batch_size": max(len(rows), 1),
        "use_cpu": True, "bf16": False, "activation_checkpointing": False, "report_to": "none", "disable_tqdm": True,
    }  # fmt: skip
    return SFTTrainer(
        model=model(),
        args=SFTConfig(output_dir=str(output), **(usual | settings)),
        train_dataset=data or Dataset.from_list([{"messages": row} for row in rows]),
        processing_class=tokenizer_for(template),
    )


def ours(template: str, rows: list[Row], limit: int = 10_000) -> list[Encoded]:
    chat = ChatFormat(tokenizer_for(template))
    assert chat.marked
    encoded = [chat.encode(row, limit) for row in rows]
    return [row for row in encoded if row is not None]


def same(found: Encoded, truth: dict[str, list[int]]) -> bool:
    return found.ids.tolist() == truth["input_ids"] and found.labels.tolist() == truth["labels"]


def knows_system(template: str) -> bool:
    try:
        tokenizer_for(template).apply_chat_template(as_trl_takes(template, [[BRIEF, ASK, ANSWER]])[0], tokenize=False)
    except jinja2.TemplateError:
        return False
    return True


@pytest.fixture(scope="module", params=TEMPLATES, ids=lambda path: path.stem.removesuffix("_training"))
def template(request: pytest.FixtureRequest) -> str:
    return str(request.param.read_text(encoding="utf-8"))


def test_all_of_them_are_here() -> None:
    assert len(TEMPLATES) == 31
    assert all(has_marks(path.read_text(encoding="utf-8")) for path in TEMPLATES)


def test_labels_and_loss_are_those_of_trl(template: str, tmp_path: Path) -> None:
    rows = list(ROWS.values())
    # where a template knows no system role TRL refuses the row, and we put the text into the question
    given = rows if knows_system(template) else [system_folded(row) for row in rows]
    trainer = trainer_of(template, as_trl_takes(template, given), tmp_path)
    encoded = ours(template, rows)
    truth = list(trainer.train_dataset)
    wrong = [name for name, row, true in zip(ROWS, encoded, truth, strict=True) if not same(row, true)]
    assert not wrong

    pad = trainer.processing_class.pad_token_id
    batch = tensors([[{"input_ids": row.ids, "labels": row.labels}] for row in encoded], pad)
    theirs = trainer.data_collator(truth)
    assert all(torch.equal(batch[name], theirs[name]) for name in ("input_ids", "labels"))

    trained = sum(row.trained for row in encoded)
    fed = {"input_ids": batch["input_ids"]}
    with torch.no_grad():
        expected = trainer.compute_loss(trainer.model.eval(), dict(theirs)).item()
        tiled = tiled_loss(hidden_states(model(), **fed), batch["labels"], model().get_output_embeddings()) / trained
        plain = plain_loss(model()(**fed).logits, batch["labels"]) / trained
    assert tiled.item() == pytest.approx(expected, abs=1e-3)
    assert plain.item() == pytest.approx(expected, abs=1e-3)


def test_every_answer_and_its_end_are_trained_and_no_question(template: str) -> None:
    chat = ChatFormat(tokenizer_for(template))
    for row in ROWS.values():
        encoded = chat.encode(row, 10_000)
        assert encoded is not None and not encoded.never_ends
        trained = chat.tokenizer.decode(encoded.labels[encoded.labels != IGNORED])
        answers = [m["content"].split("</think>\n\n")[-1] for m in row if m["role"] == "assistant"]
        # where a mark ends in a letter of several tokens only its first one is trained, as TRL has it
        assert all(answer[:-1] in trained for answer in answers), trained
        asked = [m["content"] for m in row if m["role"] != "assistant"]
        assert not any(question in trained for question in asked), trained


def test_a_system_text_is_learned_from_also_where_trl_refuses_it(template: str) -> None:
    tokenizer, chat = tokenizer_for(template), ChatFormat(tokenizer_for(template), system=BRIEF["content"])
    encoded = chat.encode([ASK, ANSWER], 10_000)
    assert encoded is not None and BRIEF["content"] in tokenizer.decode(encoded.ids)
    assert BRIEF["content"] in chat.prompt_text([ASK])
    if not knows_system(template):
        with pytest.raises(jinja2.TemplateError):
            tokenizer.apply_chat_template(
                [BRIEF, ASK, ANSWER], tokenize=True, return_dict=True, return_assistant_tokens_mask=True
            )


@pytest.mark.parametrize("name", ["qwen3_training", "llama3_training", "gemma3_training"])
def test_rows_are_cut_where_trl_cuts_them(name: str, tmp_path: Path) -> None:
    template = next(path for path in TEMPLATES if path.stem == name).read_text(encoding="utf-8")
    rows = [ROWS["turns"], ROWS["one turn"]]
    limit = len(ours(template, rows[:1])[0].ids) - 10
    truth = list(trainer_of(template, rows, tmp_path, max_length=limit).train_dataset)
    encoded = ours(template, rows, limit)
    assert [row.truncated for row in encoded] == [True, False]
    assert all(same(row, true) for row, true in zip(encoded, truth, strict=True))


def test_texts_that_a_vision_template_would_lose_are_kept() -> None:
    names = {"idefics3_training", "smolvlm_training", "llava_next_training"}
    found = {path.stem for path in TEMPLATES if as_trl_takes(path.read_text(encoding="utf-8"), [[ASK]])[0] != [ASK]}
    assert found == names


@pytest.mark.parametrize("name", ["qwen3_instruct_2507", "llama3", "gemma3", "lfm2", "qwen2_5_vl"])
def test_our_own_cut_trains_what_the_marks_say(name: str) -> None:
    """The template as the model brings it has no marks; TRL's edition of it has."""
    folder = TEMPLATES[0].parent
    marked, unmarked = ((folder / f"{name}{kind}.jinja").read_text(encoding="utf-8") for kind in ("_training", ""))
    assert not has_marks(unmarked)
    for row in (ROWS["one turn"], ROWS["Chinese"], ROWS["turns"], ROWS["system and turns"]):
        own = ChatFormat(tokenizer_for(unmarked)).encode(row, 10_000)
        by_marks = ChatFormat(tokenizer_for(marked)).encode(row, 10_000)
        assert own is not None and by_marks is not None
        length = len(own.ids)
        assert own.ids.tolist() == by_marks.ids[:length].tolist()
        # the marks reach over the line end behind the end of a turn, which no model needs to say
        more = np.flatnonzero(own.labels != by_marks.labels[:length])
        assert {chr(10)} >= {make_tiny_tokenizer().decode([own.ids[i]]) for i in more}
        assert (own.labels != IGNORED).sum() > 0 and not own.never_ends


def refused_by(template: str, rows: dict[str, Row], folder: Path, tools: Any) -> dict[str, str]:
    """The rows that are told beforehand to be refused, and why: found without transformers."""
    (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    named = {"bos_token": SPECIAL[0], "eos_token": SPECIAL[2]}
    (folder / "tokenizer_config.json").write_text(json.dumps(named), encoding="utf-8")
    own = ChatTemplate(folder)
    found = {name: own.refuses(conversation_of({"messages": row, **tools})) for name, row in rows.items()}
    return {name: fault.code.value for name, fault in found.items() if fault is not None}


def with_thoughts(template: str, row: Row) -> Row:
    """TRL loses thoughts where a template knows none; there we write them as models do, and it gets them so."""
    if "Sunny." in tokenizer_for(template).apply_chat_template([ASK, TOOL_ROWS["thoughts"][-1]], tokenize=False):
        return row
    return [
        {
            "role": m["role"],
            **m,
            "content": f"<think>\n{m.pop('reasoning_content')}\n</think>\n\n{m['content']}".rstrip(),
        }
        if "reasoning_content" in m
        else m
        for m in map(dict, row)
    ]


def test_calls_of_tools_are_labelled_as_trl_does_and_lost_ones_are_refused(template: str, tmp_path: Path) -> None:
    from datasets import IterableDataset

    refused = refused_by(template, TOOL_ROWS, tmp_path, {"tools": TOOLS})
    rows = {name: row for name, row in TOOL_ROWS.items() if name not in refused}
    if "call and answer" in refused:
        assert set(refused.values()) == {"tools_not_shown"} and rows.keys() <= {"tools and no call"}
        return
    assert set(refused.values()) <= {"one_call", "text_beside_call"}
    chat = ChatFormat(tokenizer_for(template))
    assert chat.marked
    given = [
        {"messages": row, "tools": TOOLS}
        for row in as_trl_takes(template, [with_thoughts(template, row) for row in rows.values()])
    ]
    # as they are: a table would fill up what a turn has not with None, which templates see
    data = IterableDataset.from_generator(lambda: iter(given))
    trainer = trainer_of(template, [], tmp_path, data=data, max_steps=1)
    truth = list(trainer.train_dataset)
    encoded = {name: chat.encode(row, 10_000, TOOLS) for name, row in rows.items()}
    wrong = [
        name for (name, row), true in zip(encoded.items(), truth, strict=True) if row is None or not same(row, true)
    ]
    assert not wrong, refused
    for name, row in encoded.items():
        assert row is not None and not row.never_ends
        trained = chat.tokenizer.decode(row.labels[row.labels != IGNORED])
        calls = [one for message in rows[name] for one in message.get("tool_calls", ())]
        assert all(one["function"]["arguments"]["city"] in trained for one in calls), trained
        assert not any(word in trained for word in ("degrees", "今天的天气"))


def test_our_own_cut_trains_calls_and_nothing_that_tools_say() -> None:
    """Templates as models bring them, also those that write a call otherwise once its result is there."""
    seen = set()
    for path in sorted(TEMPLATES[0].parent.glob("*.jinja")):
        template = path.read_text(encoding="utf-8")
        if has_marks(template):
            continue
        chat = ChatFormat(tokenizer_for(template))
        for name, row in TOOL_ROWS.items():
            if chat.refuses(row, TOOLS) is not None:
                continue
            seen.add(path.stem)
            encoded = chat.encode(row, 10_000, TOOLS)
            assert encoded is not None and not encoded.never_ends
            trained = chat.tokenizer.decode(encoded.labels[encoded.labels != IGNORED])
            asked = max(place for place, message in enumerate(row) if message["role"] == "user")
            # what came before the last question some templates rewrite, and then it is context
            calls = [one for message in row[asked:] for one in message.get("tool_calls", ())]
            assert all(one["function"]["arguments"]["city"] in trained for one in calls), (path.stem, name, trained)
            context = ("degrees", "今天的天气", row[asked]["content"])
            assert not any(words in trained for words in context), (path.stem, name, trained)
    assert {"qwen3", "qwen2_5", "llama3_1", "gptoss", "glm4moe", "nemotron_3_nano", "gemma4"} <= seen
    assert not {"gemma3", "phi3", "llama3", "deepseekv3"} & seen
