"""Every format and encoding is read from real files, and bad input gets one clear sentence."""

import json
import os
import sys
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from core.codec import dumps
from core.data import json_rows
from core.data.inspect import inspect_files, read_conversations
from core.data.read import READERS, suffixes
from core.data.rows import Shape
from core.data.source import MAX_ROW
from core.problems import Code, Problem, Trouble
from core.wording import explain

ROWS = [{"instruction": f"What is {n}?", "output": f"It is {n}."} for n in range(3)]
SAID = [("user", "What is 0?"), ("assistant", "It is 0.")]


def write(folder: Path, name: str, data: bytes | str) -> str:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return str(path)


def said(file: str, row: int = 0) -> list[tuple[str, str]]:
    found, _report = read_conversations((file,))
    return [(m.role, m.content) for m in found[row].messages]


def trouble(*files: str) -> Problem:
    with pytest.raises(Trouble) as caught:
        inspect_files(files)
    words = explain(caught.value.problem)
    assert words.title.endswith(".")
    assert words.advice.endswith(".")
    return caught.value.problem


def facts(problem: Problem, *names: str) -> tuple[object, ...]:
    return tuple(problem.facts.get(name) for name in names)


def as_lines(rows: list[dict[str, str]], end: str = "\n") -> str:
    return end.join(json.dumps(row, ensure_ascii=False) for row in rows)


def table(rows: list[dict[str, str]], mark: str = ",", end: str = "\n") -> str:
    return end.join([mark.join(rows[0]), *(mark.join(row.values()) for row in rows)])


TEXTS = {
    "array.json": json.dumps(ROWS),
    "pretty.json": json.dumps(ROWS, indent=2),
    "holder.json": json.dumps({"version": 2, "tags": ["a"], "data": ROWS}),
    "lines.json": as_lines(ROWS),
    "after_each_other.json": "\n".join(json.dumps(row, indent=1) for row in ROWS),
    "trailing_comma.json": json.dumps(ROWS)[:-1] + ",]",
    "lines.jsonl": as_lines(ROWS),
    "lines.ndjson": as_lines(ROWS) + "\n\n",
    "cr.jsonl": as_lines(ROWS, "\r"),
    "crlf.jsonl": as_lines(ROWS, "\r\n"),
    "array.jsonl": json.dumps(ROWS),
    "pretty_array.jsonl": json.dumps(ROWS, indent=2),
    "pretty_objects.jsonl": "\n".join(json.dumps(row, indent=1) for row in ROWS),
    "table.csv": table(ROWS),
    "semicolon.csv": table(ROWS, ";"),
    "tabs.csv": table(ROWS, "\t"),
    "crlf.csv": table(ROWS, end="\r\n"),
    "cr.csv": table(ROWS, end="\r"),
    "padded.csv": table(ROWS, end=",,\n") + ",,\n,,,",
    "table.tsv": table(ROWS, "\t"),
    "pairs.txt": "\n".join(f"Q: {r['instruction']}\nA: {r['output']}\n" for r in ROWS),
    "json.txt": as_lines(ROWS),
    "array.md": json.dumps(ROWS),
    "no_suffix": as_lines(ROWS),
}


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_the_same_rows_come_out_of_every_format_and_encoding(tmp_path: Path, name: str, encoding: str) -> None:
    file = write(tmp_path, name, TEXTS[name].encode(encoding))
    found, report = read_conversations((file,))
    assert [[m.content for m in row.messages] for row in found] == [list(row.values()) for row in ROWS]
    assert (report.rows, report.usable, report.rejected, report.problems) == (3, 3, 0, ())
    assert report.encodings == ({} if encoding.startswith("utf-8") else {file: encoding})


def test_parquet_holds_rows_and_turns(tmp_path: Path) -> None:
    turns = [{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}] * 2
    for name, rows in (("rows.parquet", ROWS), ("turns.parquet", turns)):
        parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / name)
    assert said(str(tmp_path / "rows.parquet")) == SAID
    assert said(str(tmp_path / "turns.parquet"), 1) == [("user", "q"), ("assistant", "a")]
    assert inspect_files((str(tmp_path / "rows.parquet"),)).columns == ("instruction", "output")


@pytest.mark.parametrize(
    ("encoding", "question"),
    [
        ("gb18030", "你好，请问几点开门？"),
        ("gbk", "退货要多少天？"),
        ("big5", "請問現在幾點鐘？台北的天氣怎麼樣？我想知道今天會不會下雨。"),
        ("cp1252", "Où est le café près de l’hôtel ? Là-bas, à côté du musée."),
        ("shift_jis", "東京の天気はどうですか。明日は雨が降りますか。"),
    ],
)
def test_old_encodings_are_read_and_reported(tmp_path: Path, encoding: str, question: str) -> None:
    rows = [{"question": question, "answer": f"{question} {n}"} for n in range(20)]
    file = write(tmp_path, "old.jsonl", as_lines(rows).encode(encoding))
    assert said(file)[0] == ("user", question)
    assert inspect_files((file,)).encodings == {file: "gb18030" if encoding == "gbk" else encoding}


def test_a_chinese_letter_deep_in_the_file_decides_the_encoding(tmp_path: Path) -> None:
    rows = [*({"q": "plain", "a": str(n)} for n in range(40_000)), {"q": "几点？", "a": "九点。"}]
    file = write(tmp_path, "late.jsonl", as_lines(rows).encode("gb18030"))
    assert said(file, -1) == [("user", "几点？"), ("assistant", "九点。")]


def test_one_damaged_letter_costs_one_row_and_not_the_encoding(tmp_path: Path) -> None:
    rows = [{"q": "这是什么？", "a": "这是茶。"} for _ in range(5)]
    data = bytearray(as_lines(rows).encode())
    data[data.index("茶".encode())] = 0x20
    report = inspect_files((write(tmp_path, "damaged.jsonl", bytes(data)),))
    assert (report.usable, report.rejected, report.encodings) == (4, 1, {})
    assert [(p.line, p.code) for p in report.problems] == [(1, "broken_text")]


def test_quoted_cells_keep_their_commas_and_line_ends(tmp_path: Path) -> None:
    file = write(tmp_path, "quoted.csv", 'question,answer\r\n"a, ""b""\r\nc","d\ne"\r\nlast,one')
    assert said(file) == [("user", 'a, "b"\r\nc'), ("assistant", "d\ne")]
    found, _report = read_conversations((file,))
    assert [row.line for row in found] == [2, 5]


def test_a_cell_may_be_longer_than_the_csv_module_likes(tmp_path: Path) -> None:
    file = write(tmp_path, "long.csv", f"question,answer\nq,{'x' * 500_000}\n")
    assert inspect_files((file,)).characters["longest"] == 500_001


def test_a_row_that_a_quotation_mark_swallows_is_counted(tmp_path: Path) -> None:
    file = write(tmp_path, "quote.csv", 'question,answer\na,b\n"never closed,c\nd,e\n')
    report = inspect_files((file,))
    assert (report.rows, report.usable) == (2, 1)
    assert [(p.line, p.code) for p in report.problems] == [(3, "bad_quotes")]


def test_cells_beyond_the_columns_are_not_cut_off_in_silence(tmp_path: Path) -> None:
    report = inspect_files((write(tmp_path, "comma.csv", "question,answer\na,b\nc,d, and e\nf\n"),))
    assert [(p.line, p.code) for p in report.problems] == [(3, "extra_cells"), (4, "no_answer")]
    assert report.usable == 1


def test_broken_lines_are_named_and_the_others_used(tmp_path: Path) -> None:
    deep = "[" * 100_000
    file = write(tmp_path, "some.jsonl", as_lines(ROWS) + f'\n{{"half": \n{deep}\n{{"n": {"9" * 5000}}}\n[1]\n')
    report = inspect_files((file,))
    assert (report.rows, report.usable, report.rejected) == (7, 3, 4)
    named = [(p.line, p.code) for p in report.problems]
    assert named == [(4, "bad_json"), (5, "too_deep"), (6, "bad_json"), (7, "not_an_object")]


def test_plain_text_pairs_and_talk(tmp_path: Path) -> None:
    pairs = write(
        tmp_path,
        "pairs.txt",
        "A title\n\n问：几点？\n答：九点。\n\n周日十点。\n问题2：在哪？\n回答2：在这。\n",
    )
    found, report = read_conversations((pairs,))
    assert [m.content for m in found[0].messages] == ["几点？", "九点。\n\n周日十点。"]
    assert [row.line for row in found] == [3, 7]
    assert [(p.line, p.code) for p in report.problems] == [(1, "outside_pair")]
    assert report.shape is Shape.TEXT
    talk = write(tmp_path, "talk.md", "**User:** a\n**Assistant:** b\nUser: c\nAssistant: d\n\nUser: e\nAssistant: f")
    assert said(talk) == [("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")]
    assert said(talk, 1) == [("user", "e"), ("assistant", "f")]


def test_bold_questions_lose_their_stars(tmp_path: Path) -> None:
    file = write(tmp_path, "faq.md", "**Q: What is it?**\n\n**A:** A **pump**.\n\n**Q: Why?**\nNow?\n\nA: **So**\n")
    assert said(file) == [("user", "What is it?"), ("assistant", "A **pump**.")]
    assert said(file, 1) == [("user", "Why?\nNow?"), ("assistant", "**So**")]


@pytest.mark.parametrize(
    "data", ["sep=;\r\nquestion;answer\r\na?;b, c\r\n", '"sep=|"\nquestion|answer\na?|b, c\n',
             "\ufeffSEP=\t\nquestion\tanswer\na?\tb, c\n"],
)  # fmt: skip
def test_the_line_that_names_the_separator_is_no_row(tmp_path: Path, data: str) -> None:
    found, report = read_conversations((write(tmp_path, "excel.csv", data.encode()),))
    assert [[m.content for m in row.messages] for row in found] == [["a?", "b, c"]]
    assert (report.rows, found[0].line) == (1, 3)


def test_a_question_without_answer_in_a_text_is_named(tmp_path: Path) -> None:
    report = inspect_files((write(tmp_path, "half.txt", "Q: a\nA: b\nQ: c\n"),))
    assert [(p.line, p.code) for p in report.problems] == [(3, "no_answer")]


def test_files_are_read_in_the_order_given_and_problems_name_theirs(tmp_path: Path) -> None:
    one = write(tmp_path, "one.jsonl", as_lines(ROWS))
    two = write(tmp_path, "two.csv", "question,answer\nq,a\nq,\n")
    found, report = read_conversations((two, one))
    assert [row.file for row in found] == [two, one, one, one]
    assert report.files == (two, one)
    assert [(p.file, p.line, p.code) for p in report.problems] == [(two, 3, "empty_answer")]
    assert report.shape is Shape.ALPACA


BAD = {
    "empty.json": ("", Code.DATA_EMPTY, {}),
    "spaces.jsonl": (" \n\n\t", Code.DATA_EMPTY, {}),
    "bom.json": (b"\xef\xbb\xbf", Code.DATA_EMPTY, {}),
    "no_rows.json": ("[ ]", Code.DATA_EMPTY, {}),
    "only_names.csv": ("question,answer\n", Code.DATA_EMPTY, {}),
    "empty.parquet": (b"", Code.DATA_EMPTY, {}),
    "numbers.json": ("[1, 2, 3]", Code.DATA_SHAPE, {"found": "numbers"}),
    "number.json": ("42", Code.DATA_SHAPE, {"found": "numbers"}),
    "texts.json": ('["a", "b"]', Code.DATA_SHAPE, {"found": "texts"}),
    "lists.json": ("[[1], [2]]", Code.DATA_SHAPE, {"found": "lists"}),
    "columns.csv": ("name,age\nAda,36\n", Code.DATA_SHAPE, {"found": "columns", "columns": "name, age"}),
    "columns.json": ('{"a": 1}', Code.DATA_SHAPE, {"found": "columns", "columns": "a"}),
    "two_lists.json": ('{"a": [{}], "b": [{}]}', Code.DATA_SHAPE, {"found": "many_lists", "columns": "a, b"}),
    "novel.txt": ("It was a dark night.\nThe end.", Code.DATA_SHAPE, {"found": "running_text"}),
    "texts.jsonl": ('{"text": "It was a dark night."}', Code.DATA_SHAPE, {"found": "running_text"}),
    "half.json": ('[{"q": "a", "a": "b"},\n {"q": "c', Code.DATA_UNREADABLE,
                  {"reason": "ends_early", "line": 2, "column": 10}),
    "half_array.json": ('[{"q": "a", "a": "b"},', Code.DATA_UNREADABLE, {"reason": "ends_early", "line": 1}),
    "half_object.json": ('{"data": [{"q": "a"', Code.DATA_UNREADABLE, {"reason": "ends_early", "line": 1}),
    "wrong.json": ('[{"q": "a"},\n {"q" "b"}, {"q": "a"}, {"q": "a"}]', Code.DATA_UNREADABLE,
                   {"reason": "bad_json", "line": 2, "column": 7}),
    "no_comma.json": ('[{"q": "a"}\n {"q": "b"}]', Code.DATA_UNREADABLE,
                      {"reason": "bad_json", "line": 2, "column": 2}),
    "tail.json": ('[{"q": "a", "a": "b"}] tail', Code.DATA_UNREADABLE, {"reason": "bad_json", "column": 24}),
    "words.json": ("hello", Code.DATA_UNREADABLE, {"reason": "bad_json", "line": 1, "column": 1}),
    "words.jsonl": ("hello\nworld", Code.DATA_UNREADABLE, {"reason": "bad_json", "line": 1, "column": 1}),
    "deep.json": ("[" * 200_000, Code.DATA_UNREADABLE, {"reason": "too_deep", "line": 1}),
    "deep.jsonl": ("[" * 200_000 + "\n" + "[" * 200_000, Code.DATA_UNREADABLE, {"reason": "too_deep"}),
    "digits.json": (f'[{"9" * 5000}]', Code.DATA_UNREADABLE, {"reason": "bad_json", "line": 1}),
    "nul.txt": (b"Q: a\0\nA: b", Code.DATA_UNREADABLE, {"reason": "binary"}),
    "picture.csv": (b"\x89PNG\r\n\x1a\n", Code.DATA_UNREADABLE, {"reason": "binary"}),
    "really_a_zip.json": (b"PK\x03\x04abc", Code.DATA_UNREADABLE, {"reason": "damaged"}),
    "no_table.parquet": (b"PAR1 and no more", Code.DATA_UNREADABLE, {"reason": "bad_table"}),
    "book.xlsx": (b"PK\x03\x04", Code.DATA_UNREADABLE, {"reason": "damaged"}),
    "paper.PDF": (b"%PDF-1.7", Code.DATA_UNREADABLE, {"reason": "damaged"}),
    "slides.pptx": (b"slides", Code.DATA_UNREADABLE, {"reason": "not_supported", "suffix": ".pptx"}),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_files_say_what_is_wrong_and_where(tmp_path: Path, name: str) -> None:
    data, code, expected = BAD[name]
    file = write(tmp_path, name, data)
    problem = trouble(file)
    assert problem.code is code
    assert problem.facts["path"] == file
    assert expected.items() <= problem.facts.items()


def test_a_folder_a_missing_file_and_impossible_names(tmp_path: Path) -> None:
    assert trouble(str(tmp_path)) == Problem(Code.DATA_EMPTY, {"path": str(tmp_path)})
    for name in (str(tmp_path / "gone.json"), str(tmp_path / ("x" * 5000)), "nul\0byte.json"):
        assert trouble(name) == Problem(Code.DATA_MISSING, {"path": name})
    assert trouble().code is Code.DATA_MISSING


@pytest.mark.skipif(sys.platform == "win32", reason="devices and permission bits are POSIX")
def test_devices_and_forbidden_files(tmp_path: Path) -> None:
    assert facts(trouble("/dev/zero"), "reason") == ("not_a_file",)
    file = write(tmp_path, "mine.json", "[]")
    Path(file).chmod(0)
    # root may read everything
    expected = Code.DATA_EMPTY if os.geteuid() == 0 else Code.DATA_UNREADABLE
    assert trouble(file).code is expected


def test_a_bad_file_among_good_ones_is_named(tmp_path: Path) -> None:
    good, bad = write(tmp_path, "good.jsonl", as_lines(ROWS)), write(tmp_path, "bad.json", "[1]")
    assert facts(trouble(good, bad), "path") == (bad,)


def test_a_line_that_is_too_long_is_passed_over(tmp_path: Path) -> None:
    long = '{"q": "' + "x" * (MAX_ROW + 5_000_000) + '", "a": "b"}'
    report = inspect_files((write(tmp_path, "long.jsonl", f"{as_lines(ROWS)}\n{long}\n{as_lines(ROWS)}"),))
    assert (report.usable, [(p.line, p.code) for p in report.problems]) == (6, [(4, "too_long_line")])
    alone = trouble(write(tmp_path, "alone.jsonl", long))
    assert facts(alone, "reason", "line") == ("too_long", 1)
    table = inspect_files((write(tmp_path, "long.csv", f"q,a\nc,d\n{long}\ne,f\n"),))
    assert (table.usable, [(p.line, p.code) for p in table.problems]) == (2, [(3, "too_long_line")])


def test_one_long_line_of_json_array_is_fine(tmp_path: Path) -> None:
    rows = [{"q": f"{n} " + "x" * 1_000_000, "a": "b"} for n in range(20)]
    assert inspect_files((write(tmp_path, "minified.json", json.dumps(rows)),)).usable == 20
    one = trouble(write(tmp_path, "huge_row.json", json.dumps([{"q": "x" * 2 * MAX_ROW, "a": "b"}])))
    assert facts(one, "reason", "line") == ("too_long", 1)


def test_a_long_list_of_numbers_is_called_that_wherever_the_blocks_end(tmp_path: Path) -> None:
    problem = trouble(write(tmp_path, "numbers.json", f"[{','.join(['123456'] * 400_000)}]"))
    assert facts(problem, "found") == ("numbers",)


def test_one_line_of_jsonl_may_be_one_conversation(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    assert said(write(tmp_path, "one.jsonl", json.dumps(turns))) == [("user", "a"), ("assistant", "b")]


def test_names_that_are_no_text_can_be_written_to_a_pipe(tmp_path: Path) -> None:
    """JSON can spell half of a surrogate pair, which UTF-8 cannot."""
    odd = r'{"messages": [{"role": "\ud800", "content": "a"}]}' + "\n" + r'{"\ud800": 1, "q": "a", "a": "b"}'
    report = inspect_files((write(tmp_path, "odd.jsonl", odd),))
    assert [(p.code, p.detail) for p in report.problems] == [("unknown_role", "?")]
    assert "?" in report.columns
    dumps(report).encode()
    dumps(trouble(write(tmp_path, "odd.json", r'[{"\ud800": 1}]')).facts).encode()


def test_a_mistake_early_in_a_long_file_is_found_where_it_is(tmp_path: Path) -> None:
    rows = json.dumps([{"q": "x" * 1_000_000, "a": "b"} for _ in range(20)])
    problem = trouble(write(tmp_path, "early.json", '[{"q": "a"\n"a": "b"},' + rows[1:]))
    assert facts(problem, "reason", "line", "column") == ("bad_json", 2, 1)


def test_a_huge_object_is_refused_before_it_fills_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"q": "x" * 1_000_000, "a": str(n)} for n in range(20)]
    file = write(tmp_path, "object.json", json.dumps({"data": rows}))
    assert inspect_files((file,)).usable == 20
    monkeypatch.setattr(json_rows, "MAX_WHOLE", 1_000_000)
    assert facts(trouble(file), "reason", "size_bytes") == ("too_big", Path(file).stat().st_size)


def test_progress_counts_bytes_of_all_files_and_never_goes_back(tmp_path: Path) -> None:
    rows = [{"q": "x" * 1000, "a": str(n)} for n in range(5000)]
    files = (write(tmp_path, "a.jsonl", as_lines(rows)), write(tmp_path, "b.json", json.dumps(rows)))
    heard: list[tuple[int, int]] = []
    inspect_files(files, lambda done, total: heard.append((done, total)))
    total = sum(Path(file).stat().st_size for file in files)
    assert {t for _done, t in heard} == {total}
    assert heard[-1] == (total, total)
    assert [done for done, _total in heard] == sorted(done for done, _total in heard)
    assert 5 < len(heard) < 100


def test_stopping_leaves_a_report_that_says_so(tmp_path: Path) -> None:
    rows = [{"q": "x" * 1000, "a": str(n)} for n in range(20_000)]
    file = write(tmp_path, "a.jsonl", as_lines(rows))
    heard: list[int] = []
    report = inspect_files((file,), lambda done, total: heard.append(done), lambda: sum(heard) > 5_000_000)
    assert 0 < report.usable < 20_000
    assert not report.complete
    assert inspect_files((file,)).complete


def test_every_reader_is_offered_to_file_dialogs() -> None:
    assert {".json", ".jsonl", ".csv", ".tsv", ".txt", ".md", ".parquet", ".xlsx", ".docx", ".pdf", ".zip"} <= set(
        suffixes()
    )
    assert set(READERS) <= set(suffixes())
