"""Every shape of row becomes the same conversation, and every row that cannot says why."""

import json
from pathlib import Path
from typing import Any

import pytest

from core.data.codes import RowCode, RowFault
from core.data.inspect import inspect_files, read_conversations
from core.data.rows import RowProblem, Shape
from core.data.shapes import RECOGNISERS, read_row
from core.wording import row_problem_words

Q, A = ("user", "Hi?"), ("assistant", "Yes.")
S = ("system", "Be kind.")
TALK = [Q, A, ("user", "Sure?"), ("assistant", "Quite.")]


def turns(*said: tuple[str, str], role: str = "role", text: str = "content") -> list[dict[str, str]]:
    names = {"user": "human", "assistant": "gpt", "system": "system"} if role == "from" else {}
    return [{role: names.get(who, who), text: words} for who, words in said]


GOOD: list[tuple[Any, Shape, list[tuple[str, str]]]] = [
    ({"instruction": "Hi?", "input": "", "output": "Yes."}, Shape.ALPACA, [Q, A]),
    ({"instruction": "Add", "input": "1 2", "output": "3"}, Shape.ALPACA,
     [("user", "Add\n1 2"), ("assistant", "3")]),
    ({"instruction": "", "input": "Hi?", "output": "Yes."}, Shape.ALPACA, [Q, A]),
    ({"Instruction ": "Hi?", "OUTPUT": "Yes."}, Shape.ALPACA, [Q, A]),
    ({"instruction": "Hi?", "context": None, "response": "Yes.", "category": "qa"}, Shape.ALPACA, [Q, A]),
    ({"指令": "Hi?", "输入": "", "输出": "Yes."}, Shape.ALPACA, [Q, A]),
    ({"system": "Be kind.", "instruction": "Sure?", "history": [["Hi?", "Yes."]], "output": "Quite."},
     Shape.ALPACA, [S, *TALK]),
    ({"prompt": "Hi?", "completion": " Yes.\n"}, Shape.PROMPT_COMPLETION, [Q, A]),
    ({"prompt": "Hi?", "response": "Yes."}, Shape.PROMPT_COMPLETION, [Q, A]),
    ({"prompt": turns(S, Q), "completion": turns(A)}, Shape.PROMPT_COMPLETION, [S, Q, A]),
    ({"question": "Hi?", "answer": "Yes."}, Shape.QUESTION_ANSWER, [Q, A]),
    ({"query": "Hi?", "response": "Yes."}, Shape.QUESTION_ANSWER, [Q, A]),
    ({"input": "Hi?", "output": "Yes."}, Shape.QUESTION_ANSWER, [Q, A]),
    ({"问题": "Hi?", "回答": "Yes."}, Shape.QUESTION_ANSWER, [Q, A]),
    ({"问": "Hi?", "答": "Yes."}, Shape.QUESTION_ANSWER, [Q, A]),
    ({"q": "2+2?", "a": 4}, Shape.QUESTION_ANSWER, [("user", "2+2?"), ("assistant", "4")]),
    ({"question": "Hi?", "answer": "", "response": "Yes."}, Shape.QUESTION_ANSWER, [Q, A]),
    ({"messages": turns(S, *TALK)}, Shape.MESSAGES, [S, *TALK]),
    ({"messages": turns(("system", ""), Q, A)}, Shape.MESSAGES, [Q, A]),
    ({"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi?"}]}, *turns(A)]},
     Shape.MESSAGES, [Q, A]),
    ({"messages": json.dumps(turns(Q, A))}, Shape.MESSAGES, [Q, A]),
    ({"prompt": "Hi?", "messages": turns(Q, A)}, Shape.MESSAGES, [Q, A]),
    (turns(Q, A), Shape.MESSAGES, [Q, A]),
    ({"conversations": turns(*TALK, role="from", text="value")}, Shape.SHAREGPT, TALK),
    ({"conversations": turns(Q, A, role="from", text="value"), "system": "Be kind."}, Shape.SHAREGPT,
     [S, Q, A]),
    ({"conversations": turns(Q, A)}, Shape.MESSAGES, [Q, A]),
    ({"text": "### Human: Hi?### Assistant: Yes."}, Shape.TEXT, [Q, A]),
    ({"text": "Be kind.\n\n### Instruction:\nAdd\n\n### Input:\n1\n\n### Response:\n2"}, Shape.TEXT,
     [S, ("user", "Add\n1"), ("assistant", "2")]),
    ({"text": "用户：Hi?\n助手：Yes."}, Shape.TEXT, [Q, A]),
    ({"prompt": "Hi?", "chosen": "Yes.", "rejected": "No."}, Shape.PROMPT_COMPLETION, [Q, A]),
    ({"question": "Hi?", "chosen": "Yes.", "rejected": "No."}, Shape.PROMPT_COMPLETION, [Q, A]),
    ({"chosen": turns(Q, A), "rejected": turns(Q, ("assistant", "No."))}, Shape.MESSAGES, [Q, A]),
    ({"prompt": turns(S, Q), "chosen": turns(A), "rejected": turns(A)}, Shape.MESSAGES, [S, Q, A]),
    ({"prompt": "Hi?", "chosen": turns(A), "rejected": turns(A)}, Shape.MESSAGES, [Q, A]),
    ({"conversations": turns(Q, role="from", text="value"), "chosen": {"from": "gpt", "value": "Yes."},
      "rejected": {"from": "gpt", "value": "No."}}, Shape.SHAREGPT, [Q, A]),
    *(({ask: "Hi?", reply: "Yes."}, Shape.QUESTION_ANSWER, [Q, A]) for ask, reply in (
        ("提问", "回复"), ("用户", "助手"), ("客户问题", "客服回复"), ("Question:", "Answer："),
        ("标准问题", "标准答案"),
        ("User Message", "Assistant-Message"), ("题目", "参考答案"),
        ("問題", "回答"), ("題目", "答案"), ("提問", "回覆"), ("客戶問題", "客服回覆"),
    )),
    ({"指令": "Hi?", "回复": "Yes."}, Shape.ALPACA, [Q, A]),
    ({"指令": "Hi?", "輸入": "", "輸出": "Yes."}, Shape.ALPACA, [Q, A]),
    ({"problem": "1+1?", "solution": "Count: 1, 2. So 2.", "answer": "2"}, Shape.QUESTION_ANSWER,
     [("user", "1+1?"), ("assistant", "Count: 1, 2. So 2.")]),
    ({"prompt": "Hi?", "completion": "Yes.", "label": True}, Shape.PROMPT_COMPLETION, [Q, A]),
    ({"question": "Hi?", "answer": "Yes.", "label": False}, Shape.QUESTION_ANSWER, [Q, A]),
    ({"prompt": "Hi?", "answer": "Yes."}, Shape.PROMPT_COMPLETION, [Q, A]),
    ({"messages": [*turns(Q), {"role": "assistant", "reasoning_content": "Well.", "content": "Yes."}]},
     Shape.MESSAGES, [Q, A]),
    ({"messages": [*turns(Q), {"role": "assistant", "content": [{"type": "thinking", "thinking": "Well."},
                                                                {"type": "text", "text": "Yes."}]}]},
     Shape.MESSAGES, [Q, A]),
    ({"messages": turns(Q, A), "tools": "[]", "images": []}, Shape.MESSAGES, [Q, A]),
    ({"chosen": "\n\nHuman: Hi?\n\nAssistant: Yes.", "rejected": "\n\nHuman: Hi?\n\nAssistant: No."},
     Shape.TEXT, [Q, A]),
]  # fmt: skip


@pytest.mark.parametrize(("row", "shape", "said"), GOOD)
def test_a_row_becomes_a_conversation(row: Any, shape: Shape, said: list[tuple[str, str]]) -> None:
    found, messages = read_row(row)
    assert (found, [(m.role, m.content) for m in messages]) == (shape, said)


BAD: list[tuple[Any, RowCode, str]] = [
    (7, RowCode.NOT_AN_OBJECT, ""),
    (["a", "b"], RowCode.NOT_AN_OBJECT, ""),
    ({"name": "Ada", "age": 36}, RowCode.UNKNOWN_FIELDS, "name, age"),
    ({}, RowCode.UNKNOWN_FIELDS, ""),
    ({"instruction": " ", "output": "Yes."}, RowCode.EMPTY_QUESTION, ""),
    ({"instruction": "Hi?", "output": None}, RowCode.EMPTY_ANSWER, ""),
    ({"instruction": "Hi?", "output": float("nan")}, RowCode.EMPTY_ANSWER, ""),
    ({"instruction": "Hi?", "output": {"a": 1}}, RowCode.NOT_TEXT, "output"),
    ({"instruction": "Hi?", "output": True}, RowCode.NOT_TEXT, "output"),
    ({"instruction": "Hi?", "output": "\ud83d"}, RowCode.BROKEN_TEXT, ""),
    ({"instruction": "Hi\0?", "output": "Yes."}, RowCode.BROKEN_TEXT, ""),
    ({"instruction": "Hi?", "output": "Yes.", "history": ["a"]}, RowCode.NOT_TEXT, "history"),
    ({"messages": []}, RowCode.NO_QUESTION, ""),
    ({"messages": turns(A)}, RowCode.NO_QUESTION, ""),
    ({"messages": turns(Q)}, RowCode.NO_ANSWER, ""),
    ({"messages": turns(Q, A, Q)}, RowCode.NO_ANSWER, ""),
    ({"messages": turns(A, Q, A)}, RowCode.BAD_ROLE_ORDER, "assistant, user, assistant"),
    ({"messages": turns(Q, Q, A)}, RowCode.BAD_ROLE_ORDER, "user, user, assistant"),
    ({"messages": turns(Q, S, A)}, RowCode.BAD_ROLE_ORDER, "user, system, assistant"),
    ({"messages": turns(Q, ("assistant", ""))}, RowCode.EMPTY_ANSWER, ""),
    ({"messages": turns(Q, A), "images": ["a.png"]}, RowCode.MEDIA, "images"),
    ({"messages": [*turns(Q), {"role": "assistant", "content": "x", "weight": 0}]}, RowCode.TURN_WEIGHT, ""),
    ({"question": "a", "Question": "b", "answer": "c"}, RowCode.DOUBLE_FIELD, "Question"),
    ({"question": "a", "answer": float("inf")}, RowCode.NOT_TEXT, "answer"),
    ({"messages": ["Hi?", "Yes."]}, RowCode.NOT_TEXT, "str"),
    (
        {"messages": [{"role": "user", "content": [{"type": "image_url"}]}, *turns(A)]},
        RowCode.MEDIA,
        "image_url",
    ),
    ({"chosen": "Yes.", "rejected": "No."}, RowCode.UNKNOWN_FIELDS, "text"),
    ({"prompt": "Hi?", "completion": "No.", "label": False}, RowCode.REJECTED, "label"),
    ({"messages": turns(Q, ("assistant", "No.")), "label": False}, RowCode.REJECTED, "label"),
    ({"instruction": "Hi?", "output": "No.", "kto_tag": False}, RowCode.REJECTED, "kto_tag"),
]


@pytest.mark.parametrize(("row", "code", "detail"), BAD)
def test_a_row_that_cannot_be_learned_from_says_why(row: Any, code: RowCode, detail: str) -> None:
    with pytest.raises(RowFault) as fault:
        read_row(row)
    assert (fault.value.code, fault.value.detail) == (code, detail)
    words = row_problem_words(RowProblem("f", 1, fault.value.code, fault.value.detail))
    assert words.endswith(".")
    assert detail in words


@pytest.mark.parametrize(
    ("row", "content", "thought"),
    [
        ({"question": "Hi?", "reasoning": "Well.", "answer": "Yes."}, "Yes.", "Well."),
        ({"Question": "Hi?", "Complex_CoT": "Well.", "Response": "Yes."}, "Yes.", "Well."),
        ({"instruction": "Hi?", "thinking": "<think>\nWell.\n</think>", "output": "Yes."}, "Yes.", "Well."),
        ({"问题": "Hi?", "思考过程": "嗯。", "回答": "Yes."}, "Yes.", "嗯。"),
        # what the answer brings itself stays there, and lists of steps are no thought
        ({"question": "Hi?", "reasoning": "Well.", "answer": "<think>So.</think>Yes."}, "<think>So.</think>Yes.", ""),
        ({"question": "Hi?", "reasoning": ["Well."], "answer": "Yes."}, "Yes.", ""),
        ({"question": "Hi?", "reasoning": None, "answer": "Yes."}, "Yes.", ""),
    ],
)
def test_a_thought_in_a_field_of_its_own_comes_before_the_answer(row: Any, content: str, thought: str) -> None:
    answer = read_row(row)[1][-1]
    assert (answer.content, answer.thought) == (content, thought)


def test_running_text_among_pairs_says_where_it_belongs(tmp_path: Path) -> None:
    pairs = [{"question": f"q{n}", "answer": "a"} for n in range(3)]
    file = tmp_path / "mixed.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in [*pairs, {"text": "Once.", "id": 4}]), encoding="utf-8")
    (problem,) = inspect_files((str(file),)).problems
    assert (problem.line, problem.code) == (4, "only_text")
    assert "file of its own" in row_problem_words(problem)


def test_every_shape_has_a_recogniser() -> None:
    rows = set(Shape) - {Shape.UNKNOWN, Shape.DOCUMENT}
    assert {r.shape for r in RECOGNISERS} == rows
    assert {shape for _row, shape, _said in GOOD} == rows


def test_rows_are_read_like_their_neighbours_and_the_others_on_their_own(tmp_path: Path) -> None:
    usual = [{"question": f"q{n}", "answer": "a"} for n in range(9)]
    odd = [{"messages": turns(Q, A)}, {"question": "alone"}, {"answer": "alone"}, {"else": 1}]
    file = tmp_path / "mixed.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in [*usual, *odd]), encoding="utf-8")
    found, report = read_conversations((str(file),))
    assert report.shape is Shape.QUESTION_ANSWER
    assert [(m.role, m.content) for m in found[9].messages] == [Q, A]
    assert [(p.line, p.code) for p in report.problems] == [
        (11, "no_answer"), (12, "no_question"), (13, "unknown_fields"),
    ]  # fmt: skip
    assert report.columns == ("question", "answer", "messages", "else")


def test_a_field_that_two_shapes_know_follows_the_majority(tmp_path: Path) -> None:
    """ "prompt" beside "question": alone it would be a prompt row, among questions it is not."""
    rows = [{"question": f"q{n}", "answer": "a"} for n in range(5)]
    odd = {"question": "right", "answer": "a", "prompt": "wrong"}
    file = tmp_path / "two.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in [*rows, odd]), encoding="utf-8")
    found, _report = read_conversations((str(file),))
    assert found[-1].messages[0].content == "right"
    assert read_row(odd)[1][0].content == "wrong"


def test_the_report_accounts_for_every_row(tmp_path: Path) -> None:
    rows: list[Any] = [{"q": "same", "a": "same"}] * 4 + [{"q": "", "a": "x"}] * 1500
    rows += [{"prompt": "p", "chosen": "yes", "rejected": "no"}, {"q": "x" * 9000, "a": "y"}]
    file = tmp_path / "many.json"
    file.write_text(json.dumps(rows), encoding="utf-8")
    report = inspect_files((str(file),))
    assert (report.rows, report.usable, report.rejected) == (1506, 6, 1500)
    assert (report.duplicates, report.preferred, len(report.problems)) == (3, 1, 1000)
    assert report.problems[0].line == 5
    assert report.characters == {
        "total": 9037, "mean": 1506, "shortest": 4, "median": 8, "p95": 8, "longest": 9001,
    }  # fmt: skip
    assert [len(row.messages[0].content) for row in report.preview] == [4, 4, 4, 4, 1, 4001]


def test_no_usable_row_of_a_known_shape_is_a_report_and_not_a_trouble(tmp_path: Path) -> None:
    file = tmp_path / "empty_answers.csv"
    file.write_text("question,answer\na,\nb,\n", encoding="utf-8")
    report = inspect_files((str(file),))
    assert (report.usable, report.rejected, report.shape) == (0, 2, Shape.UNKNOWN)
