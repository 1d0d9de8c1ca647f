"""Running text becomes passages that lose nothing, and columns are found by name or by what they say."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.data.chunks import cut, is_heading, passages
from core.data.columns import SURE, Columns, guess
from core.data.inspect import inspect_files, read_conversations
from core.data.rows import Shape

CHAPTER = "第一章 开始\n\n" + "从前有一座山。" * 30 + "\n\n第二章 后来\n\n" + "山里有一座庙。" * 30


def bare(text: str) -> str:
    return re.sub(r"\s", "", text)


@given(text=st.text(st.sampled_from("ab。. \n#第一章\r"), max_size=400), most=st.integers(5, 60))
def test_nothing_is_lost_and_nothing_is_there_twice(text: str, most: int) -> None:
    found = cut(text, most)
    assert bare("".join(found)) == bare(text)
    assert all(0 < len(piece) <= most for piece in found)


def test_passages_end_where_a_reader_would_stop() -> None:
    found = cut(CHAPTER, 250)
    assert [piece[:6] for piece in found] == ["第一章 开始", "第二章 后来"]
    assert all(piece.endswith("。") for piece in cut("今天天气很好。" * 100, 50))
    assert cut("one two.\n\nthree four.\n\nfive six.", 22) == ["one two.\n\nthree four.", "five six."]


def test_a_heading_is_never_the_end_of_a_passage() -> None:
    text = "".join(f"## Part {n}\n\n{'word ' * (5 + n)}\n\n" for n in range(40))
    for most in (60, 100, 333):
        assert not any(is_heading(piece.splitlines()[-1]) for piece in cut(text, most))


def test_passages_know_their_first_line() -> None:
    lines = enumerate(["\n", "a. b.\n", "\n", "c.\n", None, "d\n"], 1)
    found = [(record.line, record.value, record.code) for record in passages(lines, 6)]
    assert found == [(2, "a. b.", None), (4, "c.", None), (5, None, "too_long_line"), (6, "d", None)]


@pytest.mark.parametrize("name", ["novel.txt", "novel.md"])
def test_running_text_is_learned_as_it_stands_where_it_is_wished(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(CHAPTER, encoding="utf-8")
    found, report = read_conversations((str(path),), passage=250)
    assert [(row.is_running, row.line, row.messages[0].role) for row in found] == [(True, 1, "text"), (True, 5, "text")]
    assert (report.shape, report.shapes, report.rejected) == (Shape.DOCUMENT, {"document": 2}, 0)


def test_rows_of_running_text_are_cut_and_keep_their_line(tmp_path: Path) -> None:
    path = tmp_path / "corpus.jsonl"
    path.write_text('{"text": "%s"}\n{"text": "b", "meta": 1}\n{"text": "\\ufffd"}' % ("a. " * 100), encoding="utf-8")
    found, report = read_conversations((str(path),), passage=100)
    assert [row.line for row in found] == [1, 1, 1, 1, 2]
    assert "".join(row.messages[0].content for row in found[:4]).replace(" ", "") == "a." * 100
    assert [(p.line, p.code) for p in report.problems] == [(3, "broken_text")]


def test_shapes_that_are_mixed_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "mixed.jsonl"
    path.write_text(
        '{"question": "a", "answer": "b"}\n{"prompt": "a", "completion": "b"}\n{"question": "c", "answer": "d"}\n'
        '{"text": "用户：a\\n助手：b"}',
        encoding="utf-8",
    )
    assert inspect_files((str(path),)).shapes == {"question_answer": 2, "prompt_completion": 1, "text": 1}


GUESSES = [
    (("question", "answer"), [], ("question", "answer"), 1.0),
    (("id", "客户问题", "标准回答"), [], ("客户问题", "标准回答"), 1.0),
    (("编号", "用户原始问题", "客服最终答复"), [], ("用户原始问题", "客服最终答复"), SURE),
    (("Instruction", "Response", "Context"), [], ("Instruction", "Response"), 1.0),
    (("a1", "b1"), [{"a1": "It is at nine.", "b1": "When?"}], ("b1", "a1"), 0.5),
    (("x", "y", "id"), [{"x": "怎么退货？", "y": "七天内可以退。", "id": "7"}], ("x", "y"), 0.5),
    (("x", "y"), [{"x": "short words", "y": "a much longer text than that"}], ("y", "x"), 0.2),
]


@pytest.mark.parametrize(("names", "examples", "expected", "certainty"), GUESSES)
def test_columns_are_guessed(
    names: tuple[str, ...], examples: list[dict[str, str]], expected: tuple[str, str], certainty: float
) -> None:
    found = guess(names, examples)
    assert found is not None
    assert ((found.columns.question, found.columns.answer), found.certainty) == (expected, certainty)


def test_nothing_is_guessed_without_two_columns_of_text() -> None:
    assert guess(("only",), [{"only": "text"}]) is None
    assert guess(("a", "b"), [{"a": 1, "b": 2}]) is None


def test_columns_chosen_by_hand_are_read_and_others_as_ever(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("kunde,wir,ton\nWo?,Hier.,nett\n", encoding="utf-8")
    other = tmp_path / "b.jsonl"
    other.write_text('{"question": "a", "answer": "b"}', encoding="utf-8")
    found, _report = read_conversations(
        (str(path), str(other)), columns=Columns(question="kunde", answer="wir", system="ton")
    )
    assert [[(m.role, m.content) for m in row.messages] for row in found] == [
        [("system", "nett"), ("user", "Wo?"), ("assistant", "Hier.")],
        [("user", "a"), ("assistant", "b")],
    ]
