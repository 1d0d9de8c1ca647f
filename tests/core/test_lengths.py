"""Lengths in tokens: as training will see them where the tokenizer is here, a fair guess where it is not."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.assets import resource
from core.cli import run
from core.codec import from_plain, to_plain
from core.data import lengths, modeltokens
from core.data.inspect import inspect_files, read_conversations
from core.data.lengths import RowLengths, buckets, described
from core.data.letters import likely_tokens
from core.data.rows import Conversation, DataReport, Message, Shape
from core.jobs.jobs import InspectJob
from core.plan import TrainingPlan
from core.planning import length_reason
from core.wording import reason_words
from tests.tiny import TEMPLATE, make_tiny_tokenizer

CHATML = TEMPLATE
SYSTEM_OF_ITS_OWN = (
    "{% for m in messages %}{% if loop.first and m['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n' }}{% endif %}"
    "{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
NO_SYSTEM = (
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    "{{ bos_token }}{% for m in messages %}{{ '[' + m['role'] + '] ' + m['content'] | trim }}"
    "{% if m['role'] == 'assistant' %}{% generation %}{{ eos_token }}{% endgeneration %}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '[assistant] ' }}{% endif %}"
)
FORGETS_THE_END = (
    "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"
)
MARKS_MORE = CHATML.replace(
    "{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>' + '\n' }}",
    "{{ '<|im_start|>' + m['role'] + '\n' }}{% if m['role'] == 'assistant' %}{% generation %}"
    "{{ '<think></think>' + m['content'] + '<|im_end|>\n' }}{% endgeneration %}"
    "{% else %}{{ m['content'] + '<|im_end|>\n' }}{% endif %}",
)
IN_PARTS = CHATML.replace("m['content']", "m['content'][0]['text']")
TALK = [
    Message("user", "Hello"),
    Message("assistant", "Hi. 你好。"),
    Message("user", "And?"),
    Message("assistant", "So."),
]
KINDS = {
    "one": TALK[:2],
    "system": [Message("system", "Be brief."), *TALK[:2]],
    "two turns": TALK,
    "twenty turns": [Message("system", "Be brief."), *(TALK * 10)],
    "running text": [Message("text", "It was a dark night. 天黑了。")],
    "code": [Message("user", "Sort a list"), Message("assistant", "def s(x):\n    return sorted(x)\n\n\tpass  # 1234")],
}


def tokenizer_folder(folder: Path, template: str | None = CHATML) -> Path:
    """A model folder with nothing in it but the tokenizer."""
    make_tiny_tokenizer(template).save_pretrained(folder)
    return folder


def counted(folder: Path | None, *rows: Conversation) -> Counter[int]:
    count = RowLengths(folder)
    for row in rows:
        count.add(row)
    count.close()
    return count.counts


def trained_length(tokenizer: Any, row: Conversation) -> int:
    """What training makes of a row."""
    from core.engine.encoding import ChatFormat

    encoded = ChatFormat(tokenizer).encode(row.plain(), 10**6)
    assert encoded is not None
    return len(encoded.ids)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "template", [CHATML, SYSTEM_OF_ITS_OWN, NO_SYSTEM, FORGETS_THE_END, MARKS_MORE, IN_PARTS, None]
)
def test_rows_are_as_long_as_training_makes_them(tmp_path: Path, template: str | None, kind: str) -> None:
    row = Conversation(tuple(KINDS[kind]))
    (found,) = counted(tokenizer_folder(tmp_path, template), row)
    truth = trained_length(make_tiny_tokenizer(template), row)
    # a system text that is folded into a question stands a few letters of its own; nothing else may differ
    assert -0.02 * truth <= found - truth <= 4
    if template is not FORGETS_THE_END and not (template is NO_SYSTEM and row.messages[0].role == "system"):
        assert found == truth


def test_a_whole_sample_is_counted_row_by_row(tmp_path: Path) -> None:
    folder, tokenizer = tokenizer_folder(tmp_path), make_tiny_tokenizer()
    for language in ("en", "zh"):
        file = str(resource("samples", f"support_{language}.jsonl"))
        rows, _report = read_conversations((file,))
        report = inspect_files((file,), count=RowLengths(folder))
        truth = [trained_length(tokenizer, row) for row in rows]
        assert report.tokens_exact and report.tokens_model == str(folder)
        assert (report.tokens["total"], report.tokens["longest"]) == (sum(truth), max(truth))
        for limit in (64, 128, 192, 256):
            assert report.rows_longer_than(limit) == sum(length > limit for length in truth)


def test_the_limit_and_the_padding_of_a_tokenizers_last_use_do_not_count(tmp_path: Path) -> None:
    from tokenizers import Tokenizer

    folder = tokenizer_folder(tmp_path)
    row = Conversation((Message("user", "x" * 5000), Message("assistant", "y")))
    before = counted(folder, row)
    file = str(folder / "tokenizer.json")
    tokenizer = Tokenizer.from_file(file)
    tokenizer.enable_truncation(16)
    tokenizer.enable_padding(length=64)
    tokenizer.save(file)
    assert counted(folder, row) == before and min(before) > 5000


BROKEN = {
    "no json": "{",
    "no tokenizer": "{}",
    "another type": '{"model": {"type": "Magic"}}',
    "bytes": "\0\xff",
    "empty": "",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_a_broken_tokenizer_leaves_an_estimate(tmp_path: Path, text: str) -> None:
    (tmp_path / "tokenizer.json").write_text(text, encoding="latin-1")
    file = str(resource("samples", "support_en.jsonl"))
    report = inspect_files((file,), count=RowLengths(tmp_path))
    assert report.tokens and not report.tokens_exact and not report.tokens_model
    assert report.tokens == inspect_files((file,), count=RowLengths()).tokens


@pytest.mark.parametrize("template", ["{% for %}", "{{ nothing.at.all }}", "{{ raise_exception('never') }}"])
def test_a_broken_template_leaves_an_estimate(tmp_path: Path, template: str) -> None:
    folder = tokenizer_folder(tmp_path)
    (folder / "chat_template.jinja").write_text(template)
    count = RowLengths(folder)
    count.add(Conversation(tuple(TALK)))
    count.close()
    assert not count.exact and count.counts.total() == 1


def test_a_tokenizer_that_breaks_on_the_way_loses_no_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class PanicException(BaseException):  # the name that the library gives it
        pass

    def breaks(self: object, texts: list[str]) -> dict[str, int]:
        raise PanicException("index out of bounds")

    folder = tokenizer_folder(tmp_path)
    count = RowLengths(folder)
    assert count.exact
    monkeypatch.setattr(modeltokens.ModelTokens, "lengths", breaks)
    for _ in range(3):
        count.add(Conversation(tuple(TALK)))
    count.close()
    assert not count.exact and count.counts.total() == 3


def test_breaking_off_is_not_swallowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(self: object, texts: list[str]) -> dict[str, int]:
        raise KeyboardInterrupt

    monkeypatch.setattr(modeltokens.ModelTokens, "lengths", interrupted)
    count = RowLengths(tokenizer_folder(tmp_path))
    count.add(Conversation(tuple(TALK)))
    with pytest.raises(KeyboardInterrupt):
        count.close()


def test_batches_and_pieces_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tokenizer_folder(tmp_path)
    rows = [Conversation((Message("user", "ab " * n), Message("assistant", "c"))) for n in range(1, 300, 7)]
    whole = counted(folder, *rows)
    for batch, piece, most in ((1, 50, 1), (64, 10, 10**6), (10**6, 100, 5)):
        monkeypatch.setattr(lengths, "_BATCH", batch)
        monkeypatch.setattr(lengths, "_PIECE", piece)
        monkeypatch.setattr(lengths, "_ROWS", most)
        # bytes are tokens here, so that pieces add up exactly
        assert counted(folder, *rows) == whole


@given(st.text(max_size=200_000))
def test_pieces_make_up_the_text(text: str) -> None:
    assert "".join(lengths._pieces(text)) == text


def test_an_estimate_goes_by_the_letters() -> None:
    english = "The quick brown fox jumps over the lazy dog and runs away."
    chinese = "敏捷的棕色狐狸跳过了那只懒惰的狗，然后跑掉了。"
    # figures of the tokenizers of Qwen and Mistral: 13 and 13 tokens, 17 and 22
    assert 11 <= likely_tokens(english) <= 18
    assert 16 <= likely_tokens(chinese) <= 25
    assert likely_tokens("") == 0 and likely_tokens("a") == 1
    assert likely_tokens("1234567890") >= 10


LENGTHS = st.dictionaries(st.integers(0, 40_000_000), st.integers(1, 1000), max_size=400).map(Counter)


@given(LENGTHS, st.integers(0, 50_000_000))
def test_the_histogram_never_tells_too_few_rows(counts: Counter[int], limit: int) -> None:
    found = buckets(counts)
    assert len(found) <= 200 and [bound for bound, _ in found] == sorted({bound for bound, _ in found})
    assert sum(rows for _, rows in found) == counts.total()
    report = DataReport((), 0, counts.total(), Shape.ALPACA, tokens=described(counts, median=50), lengths=found)
    truth = sum(rows for length, rows in counts.items() if length > limit)
    assert report.rows_longer_than(limit) >= truth
    for bound, _ in found:
        assert report.rows_longer_than(bound) == sum(rows for length, rows in counts.items() if length > bound)


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=300))
def test_percentiles_are_those_of_the_sorted_rows(rows: list[int]) -> None:
    found = described(Counter(rows), median=50, p99=99)
    rows.sort()
    last = len(rows) - 1
    assert found == {
        "total": sum(rows), "mean": round(sum(rows) / len(rows)), "shortest": rows[0],
        "median": rows[last * 50 // 100], "p99": rows[last * 99 // 100], "longest": rows[-1],
    }  # fmt: skip
    assert described(Counter()) == {}


class Silent:
    """A listener that nobody interrupts."""

    stop_requested = False

    def emit(self, event: object) -> None:
        pass

    def next_command(self) -> Any:
        raise AssertionError


@pytest.fixture
def rows_file(tmp_path: Path) -> Iterator[str]:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps({"q": "a" * n, "a": "b"}) + "\n" for n in range(1, 200)))
    yield str(path)


def test_the_job_counts_for_the_model_and_its_report_survives_the_wire(tmp_path: Path, rows_file: str) -> None:
    folder = tokenizer_folder(tmp_path / "model")
    talk: Any = Silent()
    told = json.loads(json.dumps(InspectJob((rows_file,), str(folder)).run(talk)))
    exact = from_plain(DataReport, told, strict=False)
    guessed = from_plain(DataReport, InspectJob((rows_file,)).run(talk), strict=False)
    assert exact == inspect_files((rows_file,), count=RowLengths(folder))
    assert exact.tokens_exact and not guessed.tokens_exact and guessed.tokens and guessed.lengths
    assert to_plain(exact)["lengths"][0] == [64, exact.usable - exact.rows_longer_than(64)]


def test_a_report_without_lengths_knows_nothing(rows_file: str) -> None:
    report = inspect_files((rows_file,))
    assert report.tokens == {} and report.lengths == () and not report.tokens_exact
    assert report.rows_longer_than(16) == 0
    assert length_reason(TrainingPlan(model="m", data=("d",)), report) is None


def test_what_the_length_does_is_said_in_words() -> None:
    report = DataReport(
        (), 200, 200, Shape.ALPACA, tokens={"longest": 4000}, lengths=((512, 197), (2048, 2), (4032, 1))
    )
    plan = TrainingPlan(model="m", data=("d",), tokens=512)
    cut = length_reason(plan, report)
    assert cut and reason_words(cut) == "3 rows (2 %) are cut at 512 tokens; the longest has 4,000."
    whole = length_reason(TrainingPlan(model="m", data=("d",), tokens=4032), report)
    assert whole and reason_words(whole) == "The longest row has 4,000 tokens. With room for 4,032, nothing is cut."


def said(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    """Run a command; its exit code, standard output and standard error."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as left:
        run([str(word) for word in words])
    assert isinstance(left.value.code, int)
    return left.value.code, *capsys.readouterr()


def model_folder(folder: Path) -> Path:
    """A model without weights: enough to count for."""
    facts = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 64, "intermediate_size": 128,
             "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 259,
             "max_position_embeddings": 512}  # fmt: skip
    tokenizer_folder(folder)
    (folder / "config.json").write_text(json.dumps(facts))
    return folder


def test_check_tells_tokens_for_a_model_and_without_one(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, rows_file: str
) -> None:
    folder = model_folder(tmp_path / "model")
    code, out, _err = said(capsys, "check", rows_file, "--steps", "exact", "--model", folder, "--json")
    exact = json.loads(out)["tokens"]
    assert code == 0 and exact["exact"] is True
    report = inspect_files((rows_file,), count=RowLengths(folder))
    assert exact == report.tokens | {"exact": True}
    guessed = json.loads(said(capsys, "check", rows_file, "--json")[1])["tokens"]
    assert guessed["exact"] is False and set(guessed) == set(exact)
    cleaned = json.loads(said(capsys, "check", rows_file, "--model", folder, "--json")[1])
    assert cleaned["tokens"]["total"] < exact["total"] and cleaned["kept"] < cleaned["usable"]
    line = f"tokens a row: {exact['shortest']} to {exact['longest']}, half of them up to {exact['median']}"
    assert line in said(capsys, "check", rows_file, "--steps", "exact", "--model", folder)[1]
    assert "tokens a row, estimated: " in said(capsys, "check", rows_file)[1]
    assert json.loads(said(capsys, "check", rows_file, "--model", "no/such", "--json")[1])["problem"] == "model_unknown"


def test_plan_takes_its_length_from_the_rows(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, tiny_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.cli import learn

    monkeypatch.setattr(learn, "first_card", lambda: None)
    data, target = tmp_path / "rows.jsonl", tmp_path / "plan.json"
    data.write_text("".join(json.dumps({"q": "a" * 100, "a": "b" * 50}) + "\n" for _ in range(30)))
    _code, out, err = said(capsys, "plan", data, "--model", tiny_base, "-o", target)
    # 150 letters are as many bytes, and the template adds 33
    assert out == f"{target}\n" and "nothing is cut" in err
    assert json.loads(target.read_text())["tokens"] == 192
