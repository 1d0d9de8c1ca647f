"""The `tokens` command: what is learned of a row, in the terminal and as JSON."""

import json
from pathlib import Path

import pytest

from core.cli import run


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    rows = [{"instruction": "How many?", "output": "Two."}, {"instruction": "你好", "output": "你好！"}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def said(capfd: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    """Run a command; its exit code, standard output and standard error."""
    with pytest.raises(SystemExit) as left:
        run([str(word) for word in words])
    assert isinstance(left.value.code, int)
    return left.value.code, *capfd.readouterr()


def test_a_row_is_shown_with_marks(capfd: pytest.CaptureFixture[str], tiny_base: Path, data: Path) -> None:
    code, out, _err = said(capfd, "tokens", data, "--model", tiny_base, "--row", 2, "--tokens", 40)
    assert code == 0
    assert out.splitlines() == [
        "rows.jsonl:2",
        "<|im_start|>user",
        "你好<|im_end|>",
        "<|im_start|>assistant",
        "[你好！<|im_end|>]",
        "10 of 35 tokens are learned from.",
    ]
    _code, out, _err = said(capfd, "tokens", data, "--model", tiny_base, "--row", 2, "--tokens", 31)
    assert "[你好]~！<|im_end|>~" in out and "6 of 35 tokens" in out


def test_json_holds_every_token(capfd: pytest.CaptureFixture[str], tiny_base: Path, data: Path) -> None:
    code, out, _err = said(capfd, "tokens", data, "--model", tiny_base, "--system", "Be brief.", "--json")
    found = json.loads(out)
    assert code == 0 and (found["row"], found["of"], found["line"]) == (1, 2, 1)
    assert sum(len(piece["ids"]) for piece in found["tokens"]) == found["total"]
    assert "".join(p["text"] for p in found["tokens"] if p["kind"] == "trained") == "Two.<|im_end|>"
    assert found["prompt"].startswith("<|im_start|>system\nBe brief.")


def test_a_row_that_is_not_there_is_wrong_usage(capfd: pytest.CaptureFixture[str], tiny_base: Path, data: Path) -> None:
    code, _out, err = said(capfd, "tokens", data, "--model", tiny_base, "--row", 3)
    assert code == 2 and "there is no row 3; the last one is 2" in " ".join(err.replace("│", " ").split())


def test_a_model_that_is_not_here_is_said_at_once(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, data: Path
) -> None:
    code, out, _err = said(capfd, "tokens", data, "--model", tmp_path / "none", "--json")
    assert code == 1 and json.loads(out)["problem"].startswith("model_")


def test_files_without_rows_are_a_problem(capfd: pytest.CaptureFixture[str], tiny_base: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")
    code, out, _err = said(capfd, "tokens", empty, "--model", tiny_base, "--json")
    assert code == 1 and json.loads(out)["problem"] == "data_empty"
