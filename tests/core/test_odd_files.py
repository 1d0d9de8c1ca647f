"""Bad and odd files of every kind: the right code and line, no crash, no hang, bounded memory."""

import json
import os
import subprocess
import sys
import zlib
from base64 import b85decode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.cli import run
from core.codec import dumps, to_plain
from core.data.inspect import inspect_files
from core.problems import Trouble
from core.wording import explain, row_problem_words
from tests.core import odd_files as odd
from tests.core.odd_files import LINE, ROW, TABLE, Make, file, packed

#: What reading any of these files may take beyond Python and its libraries. Bytes.
MOST_MEMORY = 500_000_000
Rejected = tuple[str, int, str]


@dataclass(frozen=True)
class Bad:
    """A file that cannot be used: the Problem's code, and facts that it has."""

    code: str
    facts: dict[str, Any]


@dataclass(frozen=True)
class Odd:
    """A file that can be used: how many rows, and which (name inside, line, code) not."""

    usable: int
    rejected: tuple[Rejected, ...] = ()


def unreadable(reason: str, **facts: Any) -> Bad:
    return Bad("data_unreadable", {"reason": reason, **facts})


def rows(*said: Any) -> str:
    return "\n".join(text if isinstance(text, str) else json.dumps(text, ensure_ascii=False) for text in said)


def zipped(members: Any, name: str = "a.zip", **how: Any) -> Make:
    return file(name, packed(members, **how))


def not_used(line: int, code: str, inside: str = "") -> Rejected:
    return (inside, line, code)


TURNS = [{"role": "user", "content": "Where?"}, {"role": "assistant", "content": "Here."}]
CALL = [TURNS[0], {"role": "assistant", "content": "", "tool_calls": [{"id": "1"}]}, TURNS[1]]
CHINESE = rows(*({"问题": "这家店几点开门？", "回答": f"早上九点开门，第{n}天休息。"} for n in range(9)))
BILLION = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


def bad_byte() -> bytes:
    data = bytearray(CHINESE.encode("gbk"))
    data[data.index("九".encode("gbk"))] = 0x20
    return bytes(data)


def folder(**files: bytes | str) -> Make:
    def make(below: Path) -> Path:
        (below / "sub").mkdir()
        for name, data in files.items():
            path = below / name
            path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return below

    return make


def loops(below: Path) -> Path:
    (below / "rows.jsonl").write_text(LINE)
    (below / "again").symlink_to(below, target_is_directory=True)
    (below / "self.jsonl").symlink_to("self.jsonl")
    (below / "zero.txt").symlink_to("/dev/zero")
    return below


def pipe(below: Path) -> Path:
    os.mkfifo(below / "pipe.jsonl")
    (below / "rows.jsonl").write_text(LINE)
    return below


def link_to_nothing(below: Path) -> Path:
    (below / "gone.jsonl").symlink_to(below / "nowhere")
    return below / "gone.jsonl"


CASES: dict[str, tuple[Make, Bad | Odd]] = {
    # ---- text and encodings
    "empty": (file("e.jsonl", ""), Bad("data_empty", {})),
    "byte order mark only": (file("b.csv", b"\xef\xbb\xbf"), Bad("data_empty", {})),
    "utf-16 mark only": (file("b.jsonl", b"\xff\xfe"), Bad("data_empty", {})),
    "utf-16 without a mark": (file("u.jsonl", f"{LINE}\n{LINE}".encode("utf-16-le")), Odd(2)),
    "utf-16 big-endian without a mark": (file("u.csv", TABLE.encode("utf-16-be")), Odd(2)),
    "chinese utf-16 without a mark": (file("u.jsonl", CHINESE.encode("utf-16-le")), Odd(9)),
    "gbk with one bad byte": (file("g.jsonl", bad_byte()), Odd(8, (not_used(1, "broken_text"),))),
    "short big5": (
        file("b.jsonl", rows({"question": "請問幾點開門？", "answer": "早上九點。"}).encode("big5")), Odd(1)),
    "nul bytes in a row": (file("n.jsonl", LINE + "\n" + " " * 300_000 + "\n" + LINE.replace("Here", "He\0re")),
                           Odd(1, (not_used(3, "bad_json"),))),
    "nul bytes": (file("n.txt", b"Q: a\0\0\0\nA: b"), unreadable("binary")),
    "lone surrogates": (file("s.jsonl", rows(ROW, r'{"question": "\ud83d", "answer": "b"}')),
                        Odd(1, (not_used(2, "broken_text"),))),
    "mixed line ends": (file("m.jsonl", f"{LINE}\r\n{LINE}\r{LINE}\n\n{LINE}"), Odd(4)),
    "a hole of ten gigabytes": (odd.sparse("h.jsonl", 10 << 30), unreadable("binary")),
    "a line of ten gigabytes": (odd.sparse("h.jsonl", 10 << 30, b'{"question": "' + b"a" * (1 << 19)),
                                unreadable("binary")),
    "a very long line": (file("l.jsonl", lambda: rows(ROW, {"question": "a" * 17_000_000, "answer": "b"}, ROW)),
                         Odd(2, (not_used(2, "too_long_line"),))),
    # ---- json
    "trailing commas": (file("t.jsonl", f"{LINE}\n{LINE},\n"), Odd(1, (not_used(2, "bad_json"),))),
    "trailing comma in an object": (file("t.jsonl", f'{LINE}\n{{"question": "a", "answer": "b",}}'),
                                    Odd(1, (not_used(2, "bad_json"),))),
    "concatenated objects": (file("c.json", LINE + LINE + LINE), Odd(3)),
    "not a number": (file("n.jsonl", rows(ROW, '{"question": "a", "answer": NaN}')),
                     Odd(1, (not_used(2, "empty_answer"),))),
    "infinity": (file("n.jsonl", rows(ROW, '{"question": "a", "answer": -Infinity}')),
                 Odd(1, (not_used(2, "not_text"),))),
    "a number beyond all bounds": (file("n.jsonl", rows(ROW, '{"question": "a", "answer": 1e999}')),
                                   Odd(1, (not_used(2, "not_text"),))),
    "an endless number": (file("n.jsonl", rows(ROW, f'{{"question": "a", "answer": {"9" * 5000}}}')),
                          Odd(1, (not_used(2, "bad_json"),))),
    "a name twice": (file("d.jsonl", rows(ROW, '{"question": "a", "answer": "b", "answer": "c"}')),
                     Odd(1, (not_used(2, "double_field"),))),
    "a name twice in a turn": (file("d.json", f'[{LINE}, {{"messages": [{{"role": "user", "role": "x"}}]}}]'),
                               Odd(1, (not_used(2, "double_field"),))),
    "a name twice but for capitals": (file("d.jsonl", rows(ROW, {"Question": "a", "question": "b", "answer": "c"})),
                                      Odd(1, (not_used(2, "double_field"),))),
    "deep": (file("d.json", lambda: "[" * 100_000 + "]" * 100_000), unreadable("too_deep", line=1)),
    "deep in a line": (file("d.jsonl", rows(ROW, '{"a":' * 50_000)), Odd(1, (not_used(2, "too_deep"),))),
    "cut off": (file("h.json", f"[{LINE},\n{LINE[:20]}"), unreadable("ends_early", line=2, column=21)),
    "one object with a hundred thousand names": (
        file("n.jsonl", lambda: json.dumps({f"c{n}": n for n in range(100_000)})),
        Bad("data_shape", {"found": "columns"})),
    # ---- tables
    "header only": (file("h.csv", "question,answer\n"), Bad("data_empty", {})),
    "ragged rows": (file("r.csv", "question,answer\na,b\nc\nd,e,f\n,\n"),
                    Odd(1, (not_used(3, "no_answer"), not_used(4, "extra_cells")))),
    "a quotation mark that never closes": (file("q.csv", 'question,answer\na,b\nc,"d\ne,f\n'),
                                           Odd(1, (not_used(3, "bad_quotes"),))),
    "columns of one name": (file("d.csv", "question,answer,answer\na,b,c\n"),
                            unreadable("double_column", columns="answer")),
    "tabs in a csv": (file("t.csv", TABLE.replace(",", "\t")), Odd(2)),
    "a million columns": (file("m.csv", lambda: "a," * 1_000_000 + "\n"), unreadable("many_columns", most=10_000)),
    "a row without end": (file("r.csv", lambda: 'question,answer\na,b\nc,"' + '","\n' * 9_000_000),
                          unreadable("too_long", line=3)),
    "a very long cell": (file("l.csv", lambda: f"question,answer\na,b\nc,{'x' * 17_000_000}\nd,e\n"),
                         Odd(2, (not_used(3, "too_long_line"),))),
    "formulas in a csv": (file("f.csv", "question,answer\n=cmd()|'/c calc'!A1,@SUM(1)\n"), Odd(1)),
    "unknown columns": (file("u.csv", "kunde,text_b\nWo?,Dort hinten links.\nWann?,Heute um zwei.\n"),
                        Bad("data_shape", {"question": "kunde", "answer": "text_b"})),
    # ---- turns
    "calls of tools": (file("t.jsonl", rows(ROW, {"messages": CALL}, {"messages": TURNS, "tools": [{"type": "f"}]})),
                       Odd(1, (not_used(2, "call_unreadable"), not_used(3, "tool_list")))),
    "pictures": (file("p.jsonl", rows(ROW, {"image": "cat.jpg", "conversations": TURNS}, {"messages": [
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}, TURNS[1]]})),
        Odd(1, (not_used(2, "media"), not_used(3, "media")))),
    "an answer not to learn": (file("w.jsonl", rows(ROW, {"messages": [TURNS[0], TURNS[1] | {"weight": 0}]})),
                               Odd(1, (not_used(2, "turn_weight"),))),
    # ---- wrong names
    "a workbook called csv": (file("x.csv", odd.xlsx(S=[["question", "answer"], ["a", "b"]])), Odd(1)),
    "a table called xls": (file("t.xls", TABLE.replace(",", "\t")), Odd(2)),
    "a web page called xls": (file("w.xls", "<table><tr><th>问题<th>回答<tr><td>a<td>b</table>"), Odd(1)),
    "a picture called txt": (file("p.txt", b"\x89PNG\r\n\x1a\n\0\0"), unreadable("binary")),
    "text called xlsx": (file("t.xlsx", TABLE), unreadable("damaged")),
    "text called pdf": (file("t.pdf", TABLE), unreadable("damaged")),
    "slides": (file("s.pptx", packed({"ppt/presentation.xml": "<a/>"})),
               Odd(0, (not_used(0, "file_unknown", "ppt/presentation.xml"),))),
    # ---- workbooks
    "xlsx cut short": (file("x.xlsx", odd.xlsx(S=[["question", "answer"], ["a", "b"]])[:-300]), unreadable("damaged")),
    "xlsx with a program for a cell": (file("x.xlsx", odd.xlsx_with(lambda text: text.replace(
        "<v>2</v>", "<f>cmd()</f><v>2</v>"))), Odd(1)),
    "xlsx with entities": (file("x.xlsx", odd.xlsx_with(lambda text: BILLION + text.replace("Where?", "&c;"))),
                           unreadable("entities")),
    "xlsx that asks for a file": (
        file("x.xlsx", odd.xlsx_with(lambda text: OUTSIDE + text, "xl/workbook.xml")), unreadable("entities")),
    "xlsx with a cell in the last corner": (file("x.xlsx", odd.xlsx_with(lambda text: text.replace(
        "</sheetData>", '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'))),
        unreadable("many_columns")),
    "xlsx with rows beyond the end": (file("x.xlsx", odd.xlsx_with(lambda text: text.replace(
        "</sheetData>", '<row r="99999999999"><c r="A99999999999"><v>1</v></c></row></sheetData>'))),
        unreadable("damaged")),
    "xlsx with nothing in it": (file("x.xlsx", odd.xlsx(S=[], T=[])), Bad("data_empty", {})),
    "xlsx with merged cells": (file("x.xlsx", odd.merged_xlsx()), Odd(2, (not_used(1, "above_names"),))),
    "xlsx of two sheets": (file("x.xlsx", odd.xlsx(A=[["q", "a"], ["b", "c"]], B=[["q", "a"], ["", "c"]])),
                           Odd(1, (not_used(2, "empty_question", "B"),))),
    "xls": (file("x.xls", zlib.decompress(b85decode(odd.XLS))), Odd(2)),
    "xls cut short": (file("x.xls", zlib.decompress(b85decode(odd.XLS))[:3000]), unreadable("damaged")),
    "ods with a row a million times": (file("o.ods", odd.ods(odd.ods_row("question", "answer"),
                                                             odd.ods_row("a", "b", rows=9_999_999))),
                                       unreadable("overpacked")),
    "ods with a cell a million times": (file("o.ods", odd.ods(odd.ods_row("a", "b", columns=9_999_999))),
                                        unreadable("many_columns")),
    "a workbook behind a password": (file("l.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
                                          + "EncryptedPackage".encode("utf-16-le") + bytes(100)), unreadable("locked")),
    # ---- documents
    "docx cut short": (file("d.docx", odd.docx(odd.paragraph("Q: a") + odd.paragraph("A: b"))[:-100]),
                       unreadable("damaged")),
    "docx with broken XML": (file("d.docx", odd.docx(odd.paragraph("Q: a") + "<w:p>")), unreadable("damaged")),
    "docx with a billion laughs": (file("d.docx", odd.docx(odd.paragraph("Q: &c;"), BILLION)), unreadable("entities")),
    "docx that asks for a file": (file("d.docx", odd.docx(odd.paragraph("Q: &a;"), OUTSIDE)), unreadable("entities")),
    "docx in utf-16 with a billion laughs": (
        file("d.docx", odd.docx(odd.paragraph("Q: &c;"), BILLION, **{
            "word/document.xml": f"<?xml version='1.0' encoding='utf-16'?>{BILLION}<x>&c;</x>".encode("utf-16")})),
        unreadable("entities")),
    "docx of endless depth": (
        file("d.docx", lambda: odd.docx("<w:p>" * 200_000)), unreadable("damaged")),
    "docx without a text": (file("d.docx", packed({"word/document.xml": "<x/>"})), Bad("data_empty", {})),
    "docx with a bomb beside the text": (file("d.docx", lambda: odd.docx(odd.paragraph("Q: a"), **{
        "word/media/x.png": bytes(120_000_000)})), unreadable("overpacked")),
    "docx of running text": (file("d.docx", odd.docx(odd.paragraph("Once upon a time."))),
                             Bad("data_shape", {"found": "running_text"})),
    "old doc": (file("d.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
                     + "WordDocument".encode("utf-16-le") + bytes(100)), unreadable("not_supported", suffix=".doc")),
    "pdf cut short": (file("p.pdf", odd.pdf("Q: a\nA: b")[:100]), unreadable("damaged")),
    "pdf whose pages hold themselves": (file("p.pdf", odd.pdf("Q: a\nA: b", loop=True)), unreadable("damaged")),
    "pdf whose text unpacks to 200 megabytes": (file("p.pdf", lambda: odd.pdf_bomb(200 << 20)), unreadable("damaged")),
    "pdf of pictures": (file("p.pdf", odd.pdf("", "")), unreadable("scanned")),
    "pdf with one picture": (file("p.pdf", odd.pdf("Q: a\nA: b", "")), Odd(1, (not_used(2, "no_text_page"),))),
    "pdf behind a password": (file("p.pdf", odd.pdf("Q: a\nA: b", password="secret")), unreadable("locked")),
    "pdf locked against printing": (file("p.pdf", odd.pdf("Q: a\nA: b", password="")), Odd(1)),
    # ---- column stores
    "parquet cut short": (file("p.parquet", odd.parquet_of(odd.rows_of(ROW))[:-20]), unreadable("bad_table")),
    "parquet without end": (file("p.parquet", odd.endless_parquet), unreadable("overpacked")),
    "parquet with bytes": (file("p.parquet", odd.parquet_of(odd.rows_of({"question": "a", "answer": b"\1"}))),
                           Odd(0, (not_used(1, "not_text"),))),
    "arrow cut short": (file("a.arrow", odd.stream_of(odd.rows_of(ROW, ROW))[:-200]), unreadable("bad_table")),
    "arrow that points outside": (file("a.arrow", odd.wild_arrow()), unreadable("bad_table")),
    "arrow of noise": (file("a.arrow", b"\xff\xff\xff\xff\xff\xff\xff\x7f" + bytes(50)), unreadable("bad_table")),
    "feather": (file("f.feather", odd.feather_of(odd.rows_of(ROW, {"question": "a", "answer": None}))),
                Odd(1, (not_used(2, "empty_answer"),))),
    # ---- archives
    "zip of everything": (zipped({
        "b.jsonl": rows(ROW, {"question": "a"}), "a.csv": TABLE, ".hidden.csv": "x", "__MACOSX/a.csv": "x",
        "c/d.xlsx": odd.xlsx(S=[["问题", "回答"], ["a", "b"]]), "e.bin": "x", "f.jsonl": "{", "g.jsonl": ""}),
        Odd(4, (not_used(2, "no_answer", "b.jsonl"), not_used(0, "file_unknown", "e.bin"),
                not_used(1, "file_unreadable", "f.jsonl"), not_used(0, "file_empty", "g.jsonl")))),
    "zip with wild names": (
        zipped({"../../x.jsonl": LINE, "/etc/x.jsonl": LINE, "C:\\x.jsonl": LINE, "ok.jsonl": LINE}),
        Odd(1, (not_used(0, "file_unsafe_name", "../../x.jsonl"), not_used(0, "file_unsafe_name", "etc/x.jsonl"),
                not_used(0, "file_unsafe_name", "C:/x.jsonl")))),
    "zip with a link": (zipped({"passwords.txt": "/etc/passwd"}, mode=0o120777),
                        Odd(0, (not_used(0, "file_link", "passwords.txt"),))),
    "zip with two files of one name": (zipped([("a.jsonl", LINE), ("a.jsonl", LINE + "\n" + LINE)]),
                                       Odd(2, (not_used(0, "file_double_name", "a.jsonl"),))),
    "zip behind a password": (file("a.zip", odd.encrypted(packed({"a.jsonl": LINE}))), unreadable("locked")),
    "zip bomb": (file("a.zip", lambda: odd.bomb(200 << 20)), unreadable("overpacked")),
    "zip bomb that lies": (file("a.zip", lambda: odd.liar(200 << 20)), unreadable("damaged")),
    "zip of 300,000 files": (file("a.zip", lambda: odd.many_names(300_000)), unreadable("many_files")),
    "zip in zip": (file("a.zip", odd.nested(2)), Odd(1)),
    "zip in zip in zip in zip": (file("a.zip", odd.nested(6)), unreadable("nested")),
    "zip cut short": (file("a.zip", packed({"a.jsonl": LINE})[:-30]), unreadable("damaged")),
    "zip with a damaged file": (file("a.zip", odd.damaged(packed({"a.jsonl": LINE, "b.jsonl": LINE}))),
                                Odd(1, (not_used(0, "file_unreadable", "a.jsonl"),))),
    "empty zip": (zipped({}), Bad("data_empty", {})),
    "zip called txt": (zipped({"a.jsonl": LINE}, "a.txt"), Odd(1)),
    "gz": (file("a.jsonl.gz", odd.gz(rows(ROW, "{"))), Odd(1, (not_used(2, "bad_json"),))),
    "gz cut short": (file("a.jsonl.gz", odd.gz(rows(*[ROW] * 99))[:-20]), unreadable("damaged")),
    "gz bomb": (file("a.jsonl.gz", lambda: odd.gz("a" * (150 << 20))), unreadable("overpacked")),
    "bz2": (file("a.csv.bz2", odd.bz(TABLE)), Odd(2)),
    "xz": (file("a.txt.xz", odd.xz("Q: a\nA: b")), Odd(1)),
    # ---- folders
    "a folder": (folder(**{"a.jsonl": LINE, "sub/b.csv": TABLE, "sub/.c.csv": "x", "d.exe": "x", "e.json": "[1]"}),
                 Odd(3, (not_used(0, "file_unknown", "d.exe"), not_used(1, "not_an_object", "e.json")))),
    "an empty folder": (lambda below: below, Bad("data_empty", {})),
    "a folder of nothing readable": (folder(**{"a.jsonl": "{", "b.xlsx": "x"}), unreadable("ends_early", line=1)),
}  # fmt: skip

if sys.platform != "win32":
    CASES |= {
        "links that loop": (loops, Odd(1, (
            not_used(0, "file_link", "again"), not_used(0, "file_link", "self.jsonl"),
            not_used(0, "file_link", "zero.txt")))),
        "a pipe": (pipe, Odd(1, (not_used(0, "file_unreadable", "pipe.jsonl"),))),
        "a link to nothing": (link_to_nothing, Bad("data_missing", {})),
        "a device": (lambda _below: Path("/dev/zero"), unreadable("not_a_file")),
    }  # fmt: skip


def outcome(path: Path) -> dict[str, Any]:
    """What `solotune check FILE --json` says of a file."""
    try:
        report = inspect_files((str(path),))
    except Trouble as trouble:
        words = explain(trouble.problem)
        assert words.title and words.advice
        return {"problem": trouble.problem.code.value, "facts": trouble.problem.facts}
    assert report.rows == report.usable + report.rejected > 0
    assert all(row_problem_words(problem).endswith((".", ")")) for problem in report.problems)
    dumps(report).encode()
    return dict(to_plain(report))


def check(said: dict[str, Any], path: Path, expected: Bad | Odd) -> None:
    if isinstance(expected, Bad):
        assert said.get("problem") == expected.code, said
        assert expected.facts.items() <= said["facts"].items()
        assert said["facts"]["path"].startswith(str(path))
        return
    found = tuple((p["file"].removeprefix(str(path)).lstrip("/"), p["line"], p["code"]) for p in said["problems"])
    assert (said["usable"], found) == (expected.usable, expected.rejected)


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 60


@pytest.mark.parametrize("name", CASES)
@pytest.mark.timeout(60)
def test_an_odd_file_has_its_code_and_line(tmp_path: Path, name: str) -> None:
    make, expected = CASES[name]
    path = make(tmp_path)
    check(outcome(path), path, expected)


SAMPLE = ["deep", "ragged rows", "zip bomb", "docx with a billion laughs", "zip of everything", "a million columns"]


@pytest.mark.parametrize("name", SAMPLE)
def test_the_command_says_the_same(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    make, expected = CASES[name]
    path = make(tmp_path)
    with pytest.raises(SystemExit) as left:
        run(["check", str(path), "--json"])
    assert left.value.code == isinstance(expected, Bad)
    check(json.loads(capsys.readouterr().out), path, expected)


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the peak memory of a process")
@pytest.mark.timeout(280)
def test_the_command_on_all_of_them_stays_within_half_a_gigabyte(tmp_path: Path) -> None:
    """In a process of its own: the peak of this one belongs to all tests before."""
    for number, (make, _expected) in enumerate(CASES.values()):
        below = tmp_path / str(number)
        below.mkdir()
        (below / "path").mkdir()
        path = make(below / "path")
        (below / "name").write_text(str(path))
    found = subprocess.run(
        [sys.executable, "-c", _CHECK_ALL, str(tmp_path)], capture_output=True, text=True, timeout=270, check=False
    )
    assert found.returncode == 0, found.stderr[-2000:]
    *codes, figures = found.stdout.splitlines()
    before, peak, slowest, which = figures.split(maxsplit=3)
    print(f"peak {int(peak) / 1e6:.0f} MB, {int(before) / 1e6:.0f} MB before; slowest {slowest} s: {which}")
    assert codes == [expected.code if isinstance(expected, Bad) else "None" for _make, expected in CASES.values()]
    assert int(peak) < MOST_MEMORY


_CHECK_ALL = """
import contextlib, io, json, sys, time
from pathlib import Path
import pyarrow.parquet, pyarrow.ipc, openpyxl, pypdf, xlrd, defusedxml.ElementTree, charset_normalizer
from core.cli import run
def peak():
    # not ru_maxrss: that begins with the peak of the process that started this one
    return next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
before, slowest, which = peak(), 0, ""
for below in sorted(Path(sys.argv[1]).iterdir(), key=lambda path: int(path.name)):
    name, said, start = (below / "name").read_text(), io.StringIO(), time.perf_counter()
    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        run(["check", name, "--json"])
    print(json.loads(said.getvalue()).get("problem"))
    slowest, which = max((slowest, which), (round(time.perf_counter() - start, 2), name))
print(before, peak(), slowest, which)
"""
