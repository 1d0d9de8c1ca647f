"""Workbooks, documents, web pages, archives and folders: what a person sees in them is what is learned."""

import datetime
import io
import json
import zlib
from base64 import b85decode
from pathlib import Path

import openpyxl
import pytest

from core.data.inspect import inspect_files, read_conversations
from core.data.rows import DataReport, Shape
from tests.core import odd_files as odd
from tests.core.odd_files import LINE, ROW, TABLE


def read(folder: Path, name: str, data: bytes | str, **how: object) -> tuple[list[list[str]], DataReport]:
    path = odd.file(name, data)(folder)
    found, report = read_conversations((str(path),), **how)  # type: ignore[arg-type]
    return [[message.content for message in row.messages] for row in found], report


def workbook(*rows: tuple[object, ...]) -> bytes:
    return odd.xlsx(S=[list(row) for row in rows])


def test_cells_become_what_the_program_shows(tmp_path: Path) -> None:
    day = datetime.datetime(2024, 1, 5)
    data = workbook(
        ("question", "answer"), ("How many?", 3), ("How much?", 3.5), ("When?", day),
        ("Exactly?", day.replace(hour=13)), ("True?", True), ("Since?", datetime.time(9, 30)), (1, "one"),
    )  # fmt: skip
    found, report = read(tmp_path, "a.xlsx", data)
    assert found == [
        ["How many?", "3"], ["How much?", "3.5"], ["When?", "2024-01-05"], ["Exactly?", "2024-01-05 13:00"],
        ["True?", "TRUE"], ["Since?", "09:30:00"], ["1", "one"],
    ]  # fmt: skip
    assert (report.shape, report.columns) == (Shape.QUESTION_ANSWER, ("question", "answer"))


def test_a_formula_is_what_it_last_said_and_a_command_is_text(tmp_path: Path) -> None:
    data = odd.xlsx_with(
        lambda text: text.replace(
            '<c r="B2" t="inlineStr"><is><t>Here.</t></is></c>', '<c r="B2"><f>SUM(1,1)</f><v>2</v></c>'
        ).replace("Where?", "=cmd()|'/c calc'!A1")
    )
    assert read(tmp_path, "a.xlsx", data)[0] == [["=cmd()|'/c calc'!A1", "2"]]


def test_titles_are_told_and_merged_cells_speak_for_all_their_rows(tmp_path: Path) -> None:
    found, report = read(tmp_path, "a.xlsx", odd.merged_xlsx())
    assert found == [["几点？", "九点。"], ["几点？", "周日十点。"]]
    assert [(p.line, p.code) for p in report.problems] == [(1, "above_names")]


def test_every_sheet_is_read_and_named(tmp_path: Path) -> None:
    data = odd.xlsx(
        One=[["问题", "回答"], ["a", "b"]], Empty=[], Two=[["提问", "回复", "备注"], ["c", "d", ""], ["e"]],
        Text=[["Q: f"], ["A: g"]],
    )  # fmt: skip
    found, report = read(tmp_path, "a.xlsx", data)
    assert found == [["a", "b"], ["c", "d"], ["f", "g"]]
    path = str(tmp_path / "a.xlsx")
    assert [(p.file, p.line, p.code) for p in report.problems] == [(f"{path}/Two", 3, "no_answer")]
    assert report.shapes == {"question_answer": 2, "text": 1}


def test_old_workbooks_and_those_of_libreoffice(tmp_path: Path) -> None:
    assert read(tmp_path, "a.xls", zlib.decompress(b85decode(odd.XLS)))[0] == [
        ["几点开门？", "九点。"],
        ["=cmd()", "3"],
    ]
    data = odd.ods(
        odd.ods_row("question", "answer"), odd.ods_row("a", "b", rows=2),
        '<table:table-row table:number-rows-repeated="1000000"><table:table-cell/></table:table-row>',
        odd.ods_row("c", "", columns=16384),
    )  # fmt: skip
    found, report = read(tmp_path, "a.ods", data)
    assert found == [["a", "b"], ["a", "b"]]
    assert [(p.line, p.code) for p in report.problems] == [(1_000_004, "empty_answer")]


def test_paragraphs_of_a_document_in_order(tmp_path: Path) -> None:
    body = (
        odd.paragraph("Title", "1")
        + odd.paragraph("问：几点？")
        + "<w:p><w:r><w:t>答：</w:t></w:r><w:ins><w:r><w:t>九点</w:t></w:r></w:ins>"
        "<w:del><w:r><w:delText>十点</w:delText></w:r></w:del><w:r><w:t>。</w:t></w:r></w:p>"
        + f"<w:sdt><w:sdtContent>{odd.paragraph('周日休息。')}</w:sdtContent></w:sdt>"
        + odd.table(("a", "b"))
        + odd.table(("问题", "回答"), ("在哪？", "在这。"))
    )
    found, report = read(tmp_path, "a.docx", odd.docx(body))
    assert sorted(found) == [["几点？", "九点。\n周日休息。\na\tb"], ["在哪？", "在这。"]]
    assert [(p.line, p.code) for p in report.problems] == [(1, "outside_pair")]


def test_pages_of_a_pdf(tmp_path: Path) -> None:
    found, report = read(tmp_path, "a.pdf", odd.pdf("Q: one\nA: two", "Q: three\nA: four"))
    assert found == [["one", "two"], ["three", "four"]]
    found, report = read(tmp_path, "b.pdf", odd.pdf("Once upon a time.", "", "The end."), passage=500)
    assert found == [["Once upon a time.\nThe end."]]
    assert [(p.line, p.code) for p in report.problems] == [(2, "no_text_page")]


def test_web_pages(tmp_path: Path) -> None:
    page = (
        "<!doctype html><html><head><title>no</title><style>p{}</style></head><body><script>no()</script>"
        "<h1>Rules</h1><p>One &amp;\n two.</p><ul><li>three</ul><table><tr><td>x<td>y</table></body></html>"
    )
    assert read(tmp_path, "a.html", page, passage=500)[0] == [["# Rules\nOne & two.\nthree\nx\ty"]]
    table = "<table><tr><th>问题</th><th>回答</th></tr><tr><td>a</td><td><p>b</p><p>c</p></td></tr></table>"
    assert read(tmp_path, "b.html", table)[0] == [["a", "b\nc"]]


def test_a_zip_and_the_folder_it_came_from_hold_the_same(tmp_path: Path) -> None:
    files = {
        "b.csv": TABLE,
        "a/z.jsonl": LINE,
        "a/y.jsonl.gz": odd.gz(LINE),
        "a/.x.csv": TABLE,
        "a/deep.zip": odd.nested(2),
    }
    folder = tmp_path / "folder"
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        odd.file(name, data)(folder)
    archive = odd.file("folder.zip", odd.packed(files))(tmp_path)
    names = []
    for path in (folder, archive):
        found, report = read_conversations((str(path),))
        assert (report.rows, report.usable) == (5, 5)
        names.append([row.file.removeprefix(f"{path}/") for row in found])
    assert names[0] == names[1] == ["a/deep.zip/inner.zip/rows.jsonl", "a/y.jsonl.gz", "a/z.jsonl", "b.csv", "b.csv"]


def test_names_in_archives_of_old_programs_are_chinese_again(tmp_path: Path) -> None:
    data = odd.packed({"xxxx.jsonl": "{"}).replace(b"xxxx", "数据".encode("gbk"))
    report = inspect_files((str(odd.file("a.zip", odd.packed({"a.jsonl": LINE}))(tmp_path)),))
    assert report.usable == 1
    path = odd.file("old.zip", data)(tmp_path)
    good = odd.file("good.jsonl", LINE)(tmp_path)
    with pytest.raises(Exception, match=r"数据\.jsonl"):
        inspect_files((str(good), str(path)))


def test_progress_through_an_archive_ends_at_its_size_and_stops_when_asked(tmp_path: Path) -> None:
    rows = "\n".join(json.dumps({"q": f"{n} " + "x" * 1000, "a": str(n * n)}) for n in range(5_000))
    path = odd.file("a.zip", odd.packed({"a.jsonl": rows, "b.jsonl": rows}))(tmp_path)
    heard: list[tuple[int, int]] = []
    inspect_files((str(path),), lambda done, total: heard.append((done, total)))
    size = path.stat().st_size
    assert heard[-1] == (size, size)
    assert [done for done, _total in heard] == sorted(done for done, _total in heard)
    assert len({done for done, _total in heard}) > 5
    calls = iter(range(10**6))
    assert not inspect_files((str(path),), stopped=lambda: next(calls) > 12).complete


def test_a_table_of_datasets_on_the_disk(tmp_path: Path) -> None:
    """What `save_to_disk` leaves: streams of Arrow beside notes in JSON, which are told."""
    (tmp_path / "data-00000-of-00001.arrow").write_bytes(odd.stream_of(odd.rows_of(ROW, ROW)))
    (tmp_path / "state.json").write_text('{"_split": "train"}')
    report = inspect_files((str(tmp_path),))
    assert (report.usable, [p.code for p in report.problems]) == (2, ["unknown_fields"])


def test_a_workbook_with_texts_that_cells_share(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in [("q", "a"), *[("same", "same")] * 3]:
        sheet.append(row)
    found = io.BytesIO()
    book.save(found)
    assert read(tmp_path, "a.xlsx", found.getvalue())[0] == [["same", "same"]] * 3
