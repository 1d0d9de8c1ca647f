"""Whatever a file holds: a report or a Trouble with words, never another exception; and rows round-trip."""

import csv
import io
import json
import tempfile
import zlib
from base64 import b85decode
from pathlib import Path

import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from core.codec import dumps
from core.data.inspect import inspect_files, read_conversations
from core.data.rows import DataReport
from core.problems import Trouble
from core.wording import explain, row_problem_words
from tests.core import odd_files

SUFFIXES = [".json", ".jsonl", ".csv", ".tsv", ".txt", ".md", ".parquet", ""]

NAMES = st.sampled_from(
    ["instruction", "input", "output", "messages", "conversations", "role", "content", "from", "value",
     "prompt", "completion", "chosen", "rejected", "question", "answer", "text", "history", "system",
     "type", "data"]
)  # fmt: skip

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4) | NAMES, inner, max_size=4),
    max_leaves=12,
)
WORDS = st.sampled_from(
    ['{"', '":', "[", "]", "}", ",", "\n", "\r", '"', "Q:", "A:", "\nA: b\n", "question", "answer", "###",
     "用户：", "\t", "\ufeff", "\0", "\ud800", "9" * 5000, "[" * 1500, " "]
)  # fmt: skip


def inspect(data: bytes, suffix: str) -> DataReport | None:
    """Read the bytes as a file; whatever comes out must fit into words and into the pipe to the window."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "data" + suffix)
        path.write_bytes(data)
        try:
            report = inspect_files((str(path),))
        except Trouble as trouble:
            words = explain(trouble.problem)
            assert words.title and words.advice
            dumps(trouble.problem).encode()
            return None
    assert report.rows == report.usable + report.rejected > 0
    assert all(row_problem_words(problem).endswith(".") for problem in report.problems)
    dumps(report).encode()
    return report


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(data=st.binary(max_size=300))
@settings(deadline=None, max_examples=60)
def test_any_bytes(suffix: str, data: bytes) -> None:
    inspect(data, suffix)


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(parts=st.lists(WORDS | st.text(max_size=5), max_size=30))
@settings(deadline=None, max_examples=60)
def test_any_text(suffix: str, parts: list[str]) -> None:
    inspect("".join(parts).encode("utf-8", "surrogatepass"), suffix)


@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
@given(value=JSON)
@settings(deadline=None, max_examples=200)
def test_any_json(suffix: str, value: object) -> None:
    inspect(json.dumps(value).encode(), suffix)


GOOD = {
    "a.xlsx": odd_files.merged_xlsx(),
    "a.xls": zlib.decompress(b85decode(odd_files.XLS)),
    "a.ods": odd_files.ods(odd_files.ods_row("q", "a"), odd_files.ods_row("b", "c")),
    "a.docx": odd_files.docx(odd_files.paragraph("Q: a") + odd_files.paragraph("A: b")),
    "a.pdf": odd_files.pdf("Q: a", "A: b"),
    "a.parquet": odd_files.parquet_of(odd_files.rows_of(odd_files.ROW)),
    "a.arrow": odd_files.stream_of(odd_files.rows_of(odd_files.ROW)),
    "a.feather": odd_files.feather_of(odd_files.rows_of(odd_files.ROW)),
    "a.zip": odd_files.packed({"a.jsonl": odd_files.LINE, "b.csv": odd_files.TABLE}),
    "a.jsonl.gz": odd_files.gz(odd_files.LINE),
    "a.csv.bz2": odd_files.bz(odd_files.TABLE),
    "a.txt.xz": odd_files.xz("Q: a\nA: b"),
    "a.html": b"<table><tr><th>question<th>answer<tr><td>a<td>b</table><p>Q: x<p>A: y",
}
CHANGES = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 30), st.binary(max_size=4)), min_size=1, max_size=6)


@pytest.mark.parametrize("name", GOOD)
@given(changes=CHANGES)
@settings(deadline=None, max_examples=40)
def test_any_damage(name: str, changes: list[tuple[float, int, bytes]]) -> None:
    data = bytearray(GOOD[name])
    for place, length, instead in changes:
        at = int(place * len(data))
        data[at : at + length] = instead
    inspect(bytes(data), name)


@given(rows=st.lists(st.dictionaries(NAMES, JSON, min_size=1, max_size=4), min_size=1, max_size=6))
@settings(deadline=None, max_examples=300)
def test_any_rows_are_accounted_for(rows: list[dict[str, object]]) -> None:
    report = inspect("\n".join(json.dumps(row) for row in rows).encode(), ".jsonl")
    assert report is None or report.rows == len(rows) or len(rows) == 1


# categories: no half surrogate pairs, no control characters; those make a row a broken one
TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffd\ufeff"), min_size=1, max_size=20
)
LINES = st.lists(TEXT.map(str.strip).filter(bool), min_size=1, max_size=3).map("\n".join)
PAIRS = st.lists(st.tuples(LINES, LINES), min_size=1, max_size=5)


def as_json(pairs: list[tuple[str, str]]) -> bytes:
    return json.dumps([{"question": q, "answer": a} for q, a in pairs], ensure_ascii=False, indent=1).encode()


def as_jsonl(pairs: list[tuple[str, str]]) -> bytes:
    return "\n".join(json.dumps({"question": q, "answer": a}, ensure_ascii=False) for q, a in pairs).encode("utf-16")


def as_csv(pairs: list[tuple[str, str]]) -> bytes:
    table = io.StringIO(newline="")
    csv.writer(table).writerows([("question", "answer"), *pairs])
    return table.getvalue().encode()


def as_parquet(pairs: list[tuple[str, str]]) -> bytes:
    file = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist([{"question": q, "answer": a} for q, a in pairs]), file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("suffix", "written"),
    [(".json", as_json), (".jsonl", as_jsonl), (".csv", as_csv), (".parquet", as_parquet)],
)
@given(data=st.data())
@settings(deadline=None, max_examples=40)
def test_what_was_written_is_read(suffix: str, written: object, data: st.DataObject) -> None:
    pairs = data.draw(PAIRS)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "data" + suffix)
        path.write_bytes(written(pairs))  # type: ignore[operator]
        found, report = read_conversations((str(path),))
    assert [tuple(m.content for m in row.messages) for row in found] == pairs
    assert report.duplicates == len(pairs) - len(set(pairs))
