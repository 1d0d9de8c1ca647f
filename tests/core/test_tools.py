"""Rows that call tools: every spelling becomes one row, every fault is told, nothing walks past what is in them."""

import json
from pathlib import Path
from typing import Any

import pytest

from core.codec import dumps, from_plain
from core.data.browse import RowsFile
from core.data.clean import Cleaning, Mode, StepName
from core.data.clean.cleaning import row_key
from core.data.clean.pipeline import clean
from core.data.clean.written import ROWS, write_cleaned
from core.data.inspect import inspect_files, read_conversations
from core.data.lengths import RowLengths
from core.data.rows import Call, Conversation, DataReport, Message, RowProblem, Shape
from core.wording import row_problem_words
from tests.tiny import TEMPLATE, make_tiny_tokenizer

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FUNCTION = {"name": "get_weather", "description": "The weather 天气", "parameters": SCHEMA}
TOOLS = [{"type": "function", "function": FUNCTION}]
ARGUMENTS = {"city": "杭州", "days": 2}
AS_TEXT = json.dumps(ARGUMENTS)
ASK = {"role": "user", "content": "Rain tomorrow?"}
ANSWER = {"role": "assistant", "content": "Yes, take an umbrella."}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "rain"}


def called(arguments: Any = AS_TEXT, **more: Any) -> dict[str, Any]:
    call = {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": arguments}}
    return {"role": "assistant", "content": None, "tool_calls": [call], **more}


def share(*turns: tuple[str, Any]) -> list[dict[str, Any]]:
    return [{"from": who, "value": said} for who, said in turns]


BARE_CALL = {"name": "get_weather", "arguments": ARGUMENTS}
SPELLINGS: dict[str, dict[str, Any]] = {
    "openai": {"messages": [ASK, called(), RESULT, ANSWER], "tools": TOOLS},
    "arguments as an object": {"messages": [ASK, called(ARGUMENTS), RESULT, ANSWER], "tools": TOOLS},
    "without content": {
        "messages": [ASK, {k: v for k, v in called().items() if k != "content"}, RESULT, ANSWER], "tools": TOOLS,
    },
    "old openai": {
        "messages": [
            ASK, {"role": "assistant", "content": None, "function_call": {"name": "get_weather", "arguments": AS_TEXT}},
            {"role": "function", "name": "get_weather", "content": "rain"}, ANSWER,
        ],
        "functions": [FUNCTION],
    },
    "llama-factory": {
        "conversations": share(
            ("human", ASK["content"]), ("function_call", json.dumps(BARE_CALL)), ("observation", "rain"),
            ("gpt", ANSWER["content"]),
        ),
        "tools": json.dumps([FUNCTION]),
    },
    "swift": {
        "messages": [
            ASK, {"role": "tool_call", "content": json.dumps(BARE_CALL)}, {"role": "tool_response", "content": "rain"},
            ANSWER,
        ],
        "tools": json.dumps(TOOLS),
    },
    "flat tools and parameters": {
        "messages": [
            ASK, {"role": "assistant", "content": "", "tool_calls": json.dumps([{"name": "get_weather",
             "parameters": ARGUMENTS}])}, {"role": "ipython", "content": "rain"}, ANSWER,
        ],
        "tools": [{"type": "function", **{k: v for k, v in FUNCTION.items() if k != "parameters"},
                   "input_schema": json.dumps(SCHEMA), "strict": None}],
    },
    "tools in the system turn": {
        "messages": [{"role": "system", "content": "", "tools": TOOLS}, ASK, called(), RESULT, ANSWER],
    },
    "in a table": {"messages": json.dumps([ASK, called(), RESULT, ANSWER]), "tools": json.dumps(TOOLS)},
}  # fmt: skip


def write(path: Path, *rows: Any) -> str:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def read(tmp_path: Path, row: Any) -> Conversation:
    (found,), _report = read_conversations((write(tmp_path / "one.jsonl", row),))
    return found


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_is_the_same_row(tmp_path: Path, spelling: str) -> None:
    row = read(tmp_path, SPELLINGS[spelling])
    assert json.loads(row.tools) == TOOLS == row.definitions() and row.has_tools
    ask, call, result, answer = row.messages
    assert (ask.content, answer.content, call.content) == (ASK["content"], ANSWER["content"], "")
    assert (result.role, result.name, result.content) == ("tool", "get_weather", "rain")
    (one,) = call.calls
    assert (one.name, json.loads(one.arguments)) == ("get_weather", ARGUMENTS) and "杭州" in one.arguments
    plain = row.plain()[1]["tool_calls"][0]["function"]
    assert plain == {"name": "get_weather", "arguments": ARGUMENTS}


def test_rows_with_and_without_tools_stand_in_one_file(tmp_path: Path) -> None:
    rows = [*SPELLINGS.values(), {"messages": [ASK, ANSWER]}, {"question": "a?", "answer": "b"}]
    report = inspect_files((write(tmp_path / "all.jsonl", *rows),))
    assert from_plain(DataReport, json.loads(dumps(report))) == report
    assert report.usable == len(rows) and not report.rejected
    assert report.shapes[Shape.SHAREGPT.value] == 1
    # but for the ids of calls they say the same: all but the last two
    assert report.duplicates == len(SPELLINGS) - 1


def test_thoughts_are_kept_and_those_in_the_text_stay_there(tmp_path: Path) -> None:
    for name in ("reasoning_content", "thinking", "reasoning"):
        row = read(tmp_path, {"messages": [ASK, called(**{name: "Look."}), RESULT, {**ANSWER, name: "So, yes."}]})
        assert [m.thought for m in row.messages] == ["", "Look.", "", "So, yes."]
        assert row.plain()[3]["reasoning_content"] == "So, yes."
    inside = "<think>\nHm.\n</think>\n\nYes."
    row = read(tmp_path, {"messages": [ASK, {**ANSWER, "content": inside, "thinking": "Hm."}]})
    assert (row.messages[1].content, row.messages[1].thought, row.has_tools) == (inside, "", False)
    thinking = f"<think>\nLook.\n</think>\n{json.dumps(BARE_CALL)}"
    row = read(tmp_path, {"conversations": share(("human", "a?"), ("function_call", thinking))})
    assert (row.messages[1].thought, row.messages[1].calls[0].name) == ("Look.", "get_weather")


def test_calls_in_turns_of_their_own_and_results_out_of_order_find_each_other(tmp_path: Path) -> None:
    two = [{"name": "a", "arguments": {}}, {"name": "b", "arguments": {"n": 1}}]
    talk = [
        ASK, {"role": "assistant", "content": "Both."},
        *({"role": "tool_call", "content": json.dumps(one)} for one in two),
        {"role": "tool", "name": "b", "content": {"deep": [1]}}, {"role": "tool", "content": "of a"}, ANSWER,
    ]  # fmt: skip
    row = read(tmp_path, {"messages": talk})
    assert row.messages[1] == Message("assistant", "Both.", calls=(Call("a"), Call("b", '{"n": 1}')))
    assert [(m.name, m.content) for m in row.messages[2:4]] == [("b", '{"deep": [1]}'), ("a", "of a")]


def test_a_table_gives_every_call_its_own_arguments(tmp_path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    rows = [{"messages": [ASK, called({name: "x"})]} for name in ("city", "country")]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "calls.parquet")
    found, _report = read_conversations((str(tmp_path / "calls.parquet"),))
    assert [json.loads(row.messages[1].calls[0].arguments) for row in found] == [{"city": "x"}, {"country": "x"}]


def test_calls_that_were_written_as_text_stay_as_they_are(tmp_path: Path) -> None:
    said = f"<tool_call>\n{json.dumps(BARE_CALL)}\n</tool_call>"
    system = "You may call: <tools>[...]</tools>"
    turns = share(("system", system), ("human", "a?"), ("gpt", said), ("tool", "rain"), ("gpt", "Yes."))
    row = read(tmp_path, {"conversations": turns, "tools": json.dumps(TOOLS)})
    assert [m.role for m in row.messages] == ["system", "user", "assistant", "tool", "assistant"]
    assert row.messages[2].content == said and not row.messages[2].calls
    assert row.tools == "", "the system text defines them already"
    called_so = share(
        ("user", "a?"), ("assistant", '[Market Trends API(kind="X")]'), ("tool", "up"), ("assistant", "b")
    )
    assert read(tmp_path, {"system": "c", "conversations": called_so}).messages[3].content == "up"


def test_questions_that_are_answered_with_calls_alone(tmp_path: Path) -> None:
    """As xLAM has them."""
    row = read(tmp_path, {"id": 1, "query": "a?", "tools": json.dumps([FUNCTION]), "answers": json.dumps([BARE_CALL])})
    assert row.messages[1].calls == (Call("get_weather", json.dumps(ARGUMENTS, ensure_ascii=False)),)
    assert row.definitions() == TOOLS


FAULTS: list[tuple[Any, str, str]] = [
    ({"messages": [ASK, ANSWER], "tools": "hammer, nails"}, "tool_list", "tools"),
    ({"messages": [ASK, ANSWER], "tools": [{"type": "function"}]}, "tool_list", "tools"),
    ({"messages": [ASK, ANSWER], "tools": {"a": 1}}, "tool_list", "tools"),
    ({"messages": [ASK, ANSWER], "functions": ["get_weather"]}, "tool_list", "functions"),
    ({"messages": [ASK, ANSWER], "tools": [{"name": "a", "parameters": "{"}]}, "tool_list", "tools"),
    ({"messages": [ASK, called("{city: 杭州}"), RESULT, ANSWER]}, "call_arguments", "get_weather"),
    ({"messages": [ASK, called([1]), RESULT, ANSWER]}, "call_arguments", "get_weather"),
    ({"messages": [ASK, called('{"n": ' * 99 + "1" + "}" * 99), RESULT, ANSWER]}, "call_arguments", "get_weather"),
    ({"messages": [ASK, called('{"n": NaN}'), RESULT, ANSWER]}, "call_arguments", "get_weather"),
    ({"messages": [ASK, {**ANSWER, "tool_calls": [{"id": 1}]}, ASK, ANSWER]}, "call_unreadable", "tool_calls"),
    ({"conversations": share(("human", "a"), ("function_call", "{}"))}, "call_unreadable", "function_call"),
    ({"conversations": share(("human", "a"), ("function_call", "get it"))}, "call_unreadable", "function_call"),
    ({"messages": [ASK, RESULT, ANSWER]}, "result_unasked", "c1"),
    ({"messages": [ASK, called(), {**RESULT, "tool_call_id": "c2"}, ANSWER]}, "result_unasked", "c2"),
    ({"messages": [ASK, called(), RESULT, RESULT, ANSWER]}, "result_unasked", "c1"),
    ({"messages": [ASK, called(), ASK, ANSWER]}, "call_unanswered", "get_weather"),
    ({"messages": [ASK, called(), RESULT]}, "no_answer", ""),
    ({"messages": [ASK, called(), RESULT, ASK, ANSWER]}, "bad_role_order", "user, assistant, tool, user, assistant"),
    ({"messages": [ASK, called({"city": "\ud800"})]}, "broken_text", ""),
    ({"messages": [{"role": "user", "content": [{"type": "tool_result", "content": "x"}]}, ANSWER]},
     "tools", "tool_result"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "code", "detail"), FAULTS)
def test_what_does_not_fit_together_is_told_with_its_line(tmp_path: Path, row: Any, code: str, detail: str) -> None:
    good = {"question": "a?", "answer": "b"}
    file = tmp_path / "bad.jsonl"
    file.write_text("".join(json.dumps(one) + "\n" for one in (good, row)), encoding="utf-8")
    (problem,) = inspect_files((str(file),)).problems
    assert problem == RowProblem(str(file), 2, code, detail)
    words = row_problem_words(problem)
    assert words.endswith(".") and detail in words
    assert row_problem_words(RowProblem("f", 1, code)).endswith(".")


PRIVATE = {
    "messages": [
        {"role": "user", "content": "Call 13812345678 for me."},
        called({"phone": 13812345678, "mail": ["ada@example.com"], "api_key": "q7Zp2LmX9vR4tB6wK8nD"},
               reasoning_content="The number is 13812345678."),
        {**RESULT, "content": "Reached ada@example.com."},
        ANSWER,
    ],
    "tools": [{"name": "get_weather", "description": "Ask ada@example.com first.", "parameters": SCHEMA}],
}  # fmt: skip


def test_private_data_is_masked_wherever_it_stands(tmp_path: Path) -> None:
    masking = Cleaning().switched(StepName.PRIVATE, Mode.ACT)
    rows, _report = read_conversations((write(tmp_path / "private.jsonl", PRIVATE),))
    with clean(rows, masking) as cleaned:
        (row,) = cleaned
        (touch,) = cleaned.touches(StepName.PRIVATE)
        path = write_cleaned(tmp_path / "clean", cleaned)
    asked, call, result, _answer = row.messages
    phone, mail = "[PHONE_1]", "[EMAIL_1]"
    given = json.loads(call.calls[0].arguments)
    assert phone in asked.content and phone in call.thought and mail in result.content and mail in row.tools
    assert (given["phone"], given["mail"]) == (phone, [mail]) and given["api_key"].startswith("[KEY_")
    assert touch.found == "email 3, key 1, mobile 3"
    written = "".join(file.read_text(encoding="utf-8") for file in path.parent.iterdir())
    assert not any(secret in written for secret in ("13812345678", "ada@", "q7Zp2"))


def test_what_is_written_is_read_back_and_browsed_equal(tmp_path: Path) -> None:
    rows, _report = read_conversations((write(tmp_path / "all.jsonl", *SPELLINGS.values(), PRIVATE),))
    with clean(rows, Cleaning(())) as cleaned:
        path = write_cleaned(tmp_path / "clean", cleaned)
    assert path.name == ROWS
    again, report = read_conversations((str(path),))
    assert [(one.messages, one.tools) for one in again] == [(one.messages, one.tools) for one in rows]
    browsed = RowsFile(path)
    assert [browsed[place] for place in range(len(browsed))] == rows and not report.rejected
    assert browsed.find("Q7ZP2") == len(rows) - 1


def test_cleaning_takes_calls_into_account(tmp_path: Path) -> None:
    def row(city: str, **more: Any) -> dict[str, Any]:
        return {"messages": [ASK, called({"city": city})], "tools": TOOLS, **more}

    other = [{"type": "function", "function": {**FUNCTION, "name": "forecast"}}]
    chinese = {"messages": [{"role": "user", "content": "明天杭州会不会下雨？请帮我查一下天气预报。"}, called()]}
    given = [row("Paris"), row("Rome"), row("Paris"), row("Paris", tools=other), chinese]
    rows, _report = read_conversations((write(tmp_path / "calls.jsonl", *given),))
    with clean(rows, Cleaning()) as cleaned:
        kept = list(cleaned)
        touched = {(touch.step, touch.row.line) for touch in cleaned.touches()}
    # a call is an answer with a meaning, and no language of its own
    assert kept == [rows[0], rows[1], rows[3], rows[4]] and touched == {(StepName.EXACT, 3)}
    assert len({row_key(one) for one in rows}) == 4
    broken = {"messages": [ASK, called({"html": "<b>a</b>", "text": "a\u200bb"}), RESULT, ANSWER]}
    rows, _report = read_conversations((write(tmp_path / "broken.jsonl", broken),))
    with clean(rows, Cleaning()) as cleaned:
        (one,) = cleaned
    assert json.loads(one.messages[1].calls[0].arguments) == {"html": "<b>a</b>", "text": "ab"}


def model_folder(folder: Path, template: str | None) -> Path:
    folder.mkdir(exist_ok=True)
    make_tiny_tokenizer(template).save_pretrained(folder)
    return folder


SHOWS = TEMPLATE.replace(
    "{% for m in messages %}",
    "{% if tools %}{{ tools | tojson + '\n' }}{% endif %}{% for m in messages %}",
).replace("m['content'] +", "m['content'] + (m['tool_calls'] | tojson if m['tool_calls'] else '') +")


@pytest.mark.parametrize("template", [SHOWS, None])
def test_lengths_are_those_of_training(tmp_path: Path, template: str | None) -> None:
    from core.engine.encoding import ChatFormat

    (row,), _report = read_conversations((write(tmp_path / "one.jsonl", PRIVATE),))
    count = RowLengths(model_folder(tmp_path / "model", template))
    assert count.refuses(row) is None
    count.add(row)
    count.close()
    encoded = ChatFormat(make_tiny_tokenizer(template)).encode(row.plain(), 10**6, row.definitions())
    assert encoded is not None and count.exact and list(count.counts) == [len(encoded.ids)]
    guess = RowLengths()
    guess.add(row)
    guess.close()
    assert max(guess.counts) > 100


def test_a_template_that_leaves_tools_out_refuses_such_rows_and_no_others(tmp_path: Path) -> None:
    file = write(tmp_path / "rows.jsonl", {"messages": [ASK, ANSWER]}, *SPELLINGS.values())
    silent = inspect_files((file,), count=RowLengths(model_folder(tmp_path / "silent", TEMPLATE)))
    assert (silent.usable, silent.rejected) == (1, len(SPELLINGS))
    assert {problem.code for problem in silent.problems} == {"tools_not_shown"} and silent.problems[0].line == 2
    assert not inspect_files((file,), count=RowLengths(model_folder(tmp_path / "shows", SHOWS))).rejected
    picky = SHOWS.replace("{% for m", "{% if tools %}{{ raise_exception('No tools.') }}{% endif %}{% for m", 1)
    refused = inspect_files((file,), count=RowLengths(model_folder(tmp_path / "picky", picky)))
    assert {problem.code for problem in refused.problems} == {"tools_not_shown"}
    nine = SHOWS.replace(
        "{{ '<|im_start|>'",
        "{% for c in m['tool_calls'] or [] %}{% if c['id'] | length != 9 %}{{ raise_exception('Nine!') }}{% endif %}"
        "{% if m['content'] %}{{ raise_exception('Say nothing.') }}{% endif %}{% endfor %}{{ '<|im_start|>'", 1,
    )  # fmt: skip
    assert not inspect_files((file,), count=RowLengths(model_folder(tmp_path / "nine", nine))).rejected
    wordy = write(tmp_path / "wordy.jsonl", {"messages": [ASK, called(content="Let me see."), RESULT, ANSWER]})
    (problem,) = inspect_files((wordy,), count=RowLengths(tmp_path / "nine")).problems
    assert problem.code == "text_beside_call" and row_problem_words(problem).endswith("tool.")
