"""The token view shows what training consumes: every shape, both languages, one turn and several, cut and whole."""

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from core.commands import Command, CountTokens, FindRow, Say, ShowRow, Stop
from core.engine import steps
from core.engine.encoding import IGNORED, ChatFormat
from core.engine.rows import read_rows
from core.engine.tokens import MOST_CUT, TokenView, conversations, pieces, show_tokens
from core.engine.train import train
from core.events import Finished, StepDone
from core.jobs.jobs import TokensJob
from core.jobs.process import JobProcess
from core.plan import TrainingPlan
from core.problems import Code, Trouble
from core.runs import RunFolder
from core.tokens import Kind, RowsFound, RowTokens, TokenTotals
from core.wire import decode_command, decode_event, encode
from tests.core.test_tools import SHOWS, SPELLINGS
from tests.engine.conftest import Listener
from tests.engine.test_encoding import MARKED
from tests.tiny import TEMPLATE, make_tiny_tokenizer

TALK_EN, TALK_ZH = (
    ("How many moons?", "Two. 🙂", "Names?", "Phobos, Deimos."),
    ("你好吗？", "很好。", "真的？", "真的！"),
)


def turns(talk: tuple[str, ...], role: str, text: str, names: tuple[str, str]) -> list[dict[str, str]]:
    return [{role: names[place % 2], text: said} for place, said in enumerate(talk)]


SHAPES: dict[str, list[Any]] = {
    "alpaca": [
        {"instruction": "Count.", "input": "1, 2", "output": "3, 4"},
        {"instruction": "翻译", "input": "hello", "output": "你好，世界！"},
    ],
    "sharegpt": [{"conversations": turns(talk, "from", "value", ("human", "gpt"))} for talk in (TALK_EN, TALK_ZH)],
    "messages": [
        {"messages": [
            {"role": "system", "content": "Be brief. 简短。"}, *turns(talk, "role", "content", ("user", "assistant"))
        ]}
        for talk in (TALK_EN, TALK_ZH)
    ],
    "prompt_completion": [{"prompt": "The sky is", "completion": "blue 🌌."}, {"prompt": "天空", "completion": "蓝色"}],
    "question_answer": [{"问题": "火星有几颗卫星？", "回答": "两颗：火卫一、火卫二。"}, {"问题": "谁", "回答": "我"}],
    "marks": [{"text": "### Instruction:\nCount.\n\n### Response:\nOne, two."}, {"text": "问：几点？\n答：九点。"}],
    "preference": [
        {"prompt": "Who?", "chosen": "Me. 🙂", "rejected": "You."},
        {"prompt": "谁？", "chosen": "我。", "rejected": "你。"},
    ],
}  # fmt: skip
PROSE = "第一章\n\n天黑了。It was a dark night.\n\n# End\n\nNobody knew 🙂 why."


@pytest.fixture(params=[*SHAPES, "text"])
def rows_file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "text":
        path = tmp_path / "book.txt"
        path.write_text(PROSE, encoding="utf-8")
        return path
    path = tmp_path / f"{request.param}.jsonl"
    rows = SHAPES[request.param]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def plan_of(*files: Path, **more: Any) -> TrainingPlan:
    return TrainingPlan(model="tiny", data=tuple(map(str, files)), **({"validation_share": 0.0, "passage": 400} | more))


def view_of(plan: TrainingPlan, chat: ChatFormat) -> TokenView:
    return TokenView(plan, chat, *conversations(plan, Listener()))


def shown(view: TokenView) -> list[RowTokens]:
    return [view.show(ShowRow(number=place, row=place)) for place in range(len(view.rows))]


def consumed(row: RowTokens) -> tuple[list[int], list[bool]]:
    """The tokens of a shown row that are not cut off, and which of them are trained."""
    kept = [piece for piece in row.tokens if piece.kind is not Kind.TRUNCATED]
    ids = [token for piece in kept for token in piece.ids]
    return ids, [piece.kind is Kind.TRAINED for piece in kept for _token in piece.ids]


def trained_places(labels: list[int]) -> list[bool]:
    """What the loss looks at: labels are shifted by one, so the first of them never counts."""
    return [False] + [label != IGNORED for label in labels[1:]]


@pytest.mark.parametrize("tokens", [1024, 48])
@pytest.mark.parametrize("template", [TEMPLATE, MARKED, None], ids=["template", "marks", "none"])
def test_what_is_shown_is_what_is_trained(rows_file: Path, template: str | None, tokens: int) -> None:
    plan, chat = plan_of(rows_file, tokens=tokens), ChatFormat(make_tiny_tokenizer(template))
    view = view_of(plan, chat)
    found = [row for row in shown(view) if not row.skipped]
    truth = read_rows(plan, chat, Listener()).train if found else []
    assert len(found) == len(truth) and (found or tokens == 48)
    for row, encoded in zip(found, truth, strict=True):
        assert row.problem is None
        assert consumed(row) == (encoded.ids.tolist(), trained_places(encoded.labels.tolist()))
        assert row.trained == encoded.trained == sum(consumed(row)[1])
        assert row.total == sum(len(piece.ids) for piece in row.tokens)
        assert any(piece.kind is Kind.TRUNCATED for piece in row.tokens) == encoded.truncated


@pytest.mark.parametrize("tokens", [1024, 160])
@pytest.mark.parametrize("template", [SHOWS, None], ids=["template", "none"])
def test_calls_of_tools_are_shown_as_they_are_trained(tmp_path: Path, template: str | None, tokens: int) -> None:
    path = tmp_path / "tools.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in SPELLINGS.values()), encoding="utf-8")
    plan, chat = plan_of(path, tokens=tokens), ChatFormat(make_tiny_tokenizer(template))
    view = view_of(plan, chat)
    found = [row for row in shown(view) if not row.skipped]
    truth = read_rows(plan, chat, Listener()).train if found else []
    assert len(found) == len(truth) and (len(found) == len(SPELLINGS) or tokens == 160)
    for row, encoded, conversation in zip(found, truth, view.rows, strict=False):
        assert consumed(row) == (encoded.ids.tolist(), trained_places(encoded.labels.tolist()))
        text = "".join(piece.text for piece in row.tokens)
        assert text == chat.row(conversation.plain(), conversation.definitions()).text
        assert text.startswith(row.prompt) and "The weather 天气" in row.prompt and "rain" in row.prompt
    assert view.find(FindRow(number=1, text="杭州")).of == len(SPELLINGS)


@pytest.mark.parametrize("template", [TEMPLATE, MARKED, None], ids=["template", "marks", "none"])
def test_the_pieces_make_up_the_text(rows_file: Path, template: str | None) -> None:
    chat = ChatFormat(make_tiny_tokenizer(template))
    view = view_of(plan_of(rows_file, tokens=40), chat)
    for row, conversation in zip(shown(view), view.rows, strict=True):
        text = "".join(piece.text for piece in row.tokens)
        assert text == chat.row(conversation.plain()).text
        assert text == chat.tokenizer.decode([token for piece in row.tokens for token in piece.ids])
        assert all(message.content in text for message in conversation.messages)
        # letters of several tokens are one piece, but where the cut or the very first token parts one
        parted = [one.kind is not two.kind for one, two in pairwise(row.tokens) if not two.text]
        assert all(parted) and len(parted) <= 2
        assert row.file == conversation.file and row.line == conversation.line > 0


@pytest.mark.parametrize("packing", [True, False], ids=["packed", "padded"])
def test_training_was_fed_what_is_shown(
    packing: bool, tmp_path: Path, tiny_base: Path, make_run: Callable[..., RunFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batches of a real run, row by row, without their padding."""
    fed: set[tuple[tuple[int, ...], tuple[bool, ...]]] = set()
    together = 0
    tensors = steps.tensors

    def watched(sequences: Any, pad: int) -> dict[str, torch.Tensor]:
        nonlocal together
        batch = tensors(sequences, pad)
        for at, sequence in enumerate(sequences):
            ids, labels = batch["input_ids"][at].tolist(), batch["labels"][at].tolist()
            together += len(sequence) > 1
            for row in sequence:
                length = len(row["input_ids"])
                fed.add((tuple(ids[:length]), tuple(trained_places(labels[:length]))))
                ids, labels = ids[length:], labels[length:]
            assert set(labels) <= {IGNORED}
        return batch

    monkeypatch.setattr(steps, "tensors", watched)
    files = []
    for name, rows in SHAPES.items():
        files.append(tmp_path / f"{name}.jsonl")
        files[-1].write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (tmp_path / "book.txt").write_text(PROSE, encoding="utf-8")
    files.append(tmp_path / "book.txt")
    short = [{"question": f"{i}?", "answer": "8"} for i in range(4)]
    files.append(tmp_path / "short.jsonl")
    files[-1].write_text("".join(json.dumps(row) + "\n" for row in short), encoding="utf-8")
    settings = {"tokens": 96, "passage": 400, "validation_share": 0.3, "epochs": 1.0, "batch": 1, "accumulation": 8}
    run = make_run(data=tuple(map(str, files)), packing=packing, **settings)
    train(run.path, Listener(), resume=False)
    assert bool(together) == packing
    talk = Listener()
    talk.commands = [ShowRow(number=place, row=place) for place in range(1, 19)]
    told = show_tokens(run.plan(), talk, keep_open=True)
    rows = talk.of(RowTokens)
    assert len(rows) == told["rows"] + told["validation"] == 19 and told["validation"] > 0
    assert {(tuple(ids), tuple(marks)) for ids, marks in map(consumed, rows)} == fed
    assert any(piece.kind is Kind.TRUNCATED for row in rows for piece in row.tokens)


def test_the_prompt_is_the_one_of_chat(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in SHAPES["sharegpt"]), encoding="utf-8")
    chat = ChatFormat(make_tiny_tokenizer(), system="Be brief.")
    view = view_of(plan_of(path), chat)
    for row, conversation in zip(shown(view), view.rows, strict=True):
        text = "".join(piece.text for piece in row.tokens)
        assert row.prompt == chat.prompt_text(conversation.plain()[:-1])
        assert row.prompt.startswith("<|im_start|>system\nBe brief.") and row.prompt.endswith("assistant\n")
        assert row.as_in_chat and text.startswith(row.prompt)
        # the same text, and the same tokens
        prompt = chat.prompt_ids(conversation.plain()[:-1])
        assert consumed(row)[0][: len(prompt)] == prompt


def test_a_template_that_trains_behind_another_text_than_chat_gives_is_told(tmp_path: Path) -> None:
    thinks = MARKED.replace("{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}",
                            "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n<think>' }}")  # fmt: skip
    assert thinks != MARKED
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(SHAPES["alpaca"][0]) + "\n", encoding="utf-8")
    (row,) = shown(view_of(plan_of(path), ChatFormat(make_tiny_tokenizer(thinks))))
    assert not row.as_in_chat and row.prompt.endswith("<think>")


def test_kinds_of_tokens(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"instruction": "Hi", "output": "Yes"}) + "\n", encoding="utf-8")
    chat = ChatFormat(make_tiny_tokenizer())
    (row,) = shown(view_of(plan_of(path), chat))
    words = [(piece.text, piece.kind.value, piece.special) for piece in row.tokens]
    assert words[0] == ("<|im_start|>", "special", True)
    assert words[1] == ("u", "context", False)
    assert [text for text, kind, _special in words if kind == "trained"] == ["Y", "e", "s", "<|im_end|>"]
    assert words[-1] == ("<|im_end|>", "trained", True)
    # the prompt alone fills the room: nothing is learned, and that is shown too
    (row,) = shown(view_of(plan_of(path, tokens=21), chat))
    assert row.skipped and row.trained == 0
    assert [piece.text for piece in row.tokens if piece.kind is Kind.TRUNCATED][-1] == "<|im_end|>"


def test_of_what_is_cut_off_not_everything_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"instruction": "Hi", "output": "长" * 5000}) + "\n", encoding="utf-8")
    (row,) = shown(view_of(plan_of(path, tokens=64), ChatFormat(make_tiny_tokenizer())))
    assert row.total > 15_000
    assert sum(len(piece.ids) for piece in row.tokens) == 64 + MOST_CUT


def test_a_tokenizer_that_cannot_tell_places_is_shown_by_decoding() -> None:
    from transformers import ByT5Tokenizer

    tokenizer = ByT5Tokenizer(extra_ids=0, additional_special_tokens=["<|im_start|>", "<|im_end|>"])
    tokenizer.chat_template = TEMPLATE
    chat = ChatFormat(tokenizer)
    row = chat.row([{"role": "user", "content": "你好 🙂 there"}, {"role": "assistant", "content": "很好。"}])
    assert not row.ends
    found = pieces(row, 512, set(), tokenizer)
    assert "".join(piece.text for piece in found) == row.text
    assert [token for piece in found for token in piece.ids] == row.ids
    assert {"你", "🙂", "<|im_end|>"} <= {piece.text for piece in found}
    assert "".join(piece.text for piece in found if piece.kind is Kind.TRAINED) == "很好。<|im_end|>"


def test_rows_are_found_and_asked_for(data_file: Path) -> None:
    view = view_of(plan_of(data_file), ChatFormat(make_tiny_tokenizer()))
    found = view.find(FindRow(number=3, text="WHAT IS 2"))
    texts = [view.rows[place].messages[0].content for place in found.rows]
    assert texts == ["What is 2?", "What is 20?", "What is 21?", "What is 22?", "What is 23?"]
    assert found.number == 3 and found.of == 5
    assert view.find(FindRow(number=4, text="nothing of the kind")) == RowsFound(
        number=4, time=pytest.approx(0, abs=1e12)
    )
    last = view.show(ShowRow(number=5, row=10**9))
    assert (last.row, last.of) == (23, 24) and view.show(ShowRow(number=6, row=-4)).row == 0


def test_a_search_names_no_more_than_it_may(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps({"q": f"a{n}", "a": "b"}) + "\n" for n in range(300)), encoding="utf-8")
    found = view_of(plan_of(path), ChatFormat(make_tiny_tokenizer())).find(FindRow(number=1, text="A"))
    assert len(found.rows) == 200 and found.of == 300


def test_one_row_that_the_template_cannot_take_is_told(data_file: Path) -> None:
    picky = "{% if '7' in messages[0]['content'] %}{{ raise_exception('not seven') }}{% endif %}" + TEMPLATE
    rows = shown(view_of(plan_of(data_file), ChatFormat(make_tiny_tokenizer(picky))))
    assert [row.row for row in rows if row.problem] == [7, 17]
    assert rows[8].problem is None and rows[8].tokens


def test_validation_rows_come_after_the_others(data_file: Path) -> None:
    plan = plan_of(data_file, validation_share=0.25)
    rows = shown(view_of(plan, ChatFormat(make_tiny_tokenizer())))
    assert [row.validation for row in rows] == [False] * 18 + [True] * 6


@pytest.mark.parametrize(
    "command", [ShowRow(number=1, row=2), FindRow(number=2, text="你好"), CountTokens(number=3), Stop()]
)
def test_commands_survive_the_wire(command: Command) -> None:
    assert decode_command(encode(command)) == command


def test_events_survive_the_wire(rows_file: Path) -> None:
    view = view_of(plan_of(rows_file), ChatFormat(make_tiny_tokenizer()))
    for event in (*shown(view), view.find(FindRow(number=1, text="的"))):
        assert decode_event(encode(event)) == event


def test_the_job_answers_until_it_is_stopped(data_file: Path, tiny_base: Path) -> None:
    plan = TrainingPlan(model=str(tiny_base), data=(str(data_file),), validation_share=0.25)
    process = JobProcess(TokensJob(plan))
    process.start()
    heard: list[Any] = []
    for event in process.events():
        heard.append(event)
        if isinstance(event, RowTokens):
            process.send(FindRow(number=2, text="is 2") if event.number == 1 else ShowRow(number=1, row=3))
        if isinstance(event, RowsFound):
            process.stop()
    answers = [event for event in heard if isinstance(event, (RowTokens, RowsFound))]
    assert [(type(event), event.number) for event in answers] == [(RowTokens, 0), (RowTokens, 1), (RowsFound, 2)]
    assert answers[1].row == 3 and answers[1].trained > 0 and Path(answers[1].file) == data_file
    assert isinstance(heard[-1], Finished) and heard[-1].result == {"rows": 18, "validation": 6, "template": True}


def test_something_else_than_a_row_ends_the_job(data_file: Path, tiny_base: Path) -> None:
    talk = Listener()
    talk.commands = [Say(messages=())]
    show_tokens(TrainingPlan(model=str(tiny_base), data=(str(data_file),)), talk, keep_open=True)
    assert len(talk.of(RowTokens)) == 1


def test_no_rows_are_a_problem(tmp_path: Path) -> None:
    with pytest.raises(Trouble) as refused:
        TokenView(plan_of(tmp_path / "none"), ChatFormat(make_tiny_tokenizer()), [], [])
    assert refused.value.problem.code is Code.NOTHING_TO_LEARN


@pytest.mark.parametrize("packing", [True, False], ids=["packed", "padded"])
def test_totals_are_those_of_the_run(
    packing: bool, data_file: Path, tiny_base: Path, make_run: Callable[..., RunFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tokens, padding and steps of a real epoch."""
    batches: list[tuple[int, int]] = []
    tensors = steps.tensors

    def watched(sequences: Any, pad: int) -> dict[str, torch.Tensor]:
        batch = tensors(sequences, pad)
        batches.append((batch["input_ids"].numel(), sum(len(row["input_ids"]) for each in sequences for row in each)))
        return batch

    long = {"instruction": "Why? " * 30, "output": "Cut."}
    half = {"instruction": "Tell me", "output": "more and " * 20}
    with data_file.open("a") as file:
        file.writelines(json.dumps(row) + "\n" for row in (long, half))
    settings = {"tokens": 96, "validation_share": 0.0, "batch": 3, "accumulation": 2, "packing": packing}
    talk = Listener()
    talk.commands = [CountTokens(number=5)]
    run = make_run(**settings, epochs=1.0)
    show_tokens(run.plan(), talk, keep_open=True)
    (found,) = talk.of(TokenTotals)
    monkeypatch.setattr(steps, "tensors", watched)
    told = Listener()
    result = train(run.path, told, resume=False)
    assert (found.number, found.rows, found.skipped, found.truncated, found.endless, found.failed) == (
        5,
        26,
        1,
        1,
        0,
        0,
    )
    assert found.tokens == sum(filled for _room, filled in batches)
    assert found.trained == sum(step.trained_tokens for step in told.of(StepDone))
    assert found.steps == result["steps"]
    assert found.longest > 96 and sum(rows for _bound, rows in found.lengths) == 26
    # the trainer draws its own order: the padding is that of another shuffle of like rows
    padded = sum(room - filled for room, filled in batches)
    assert 0 <= found.padding < found.tokens and abs(found.padding - padded) <= 0.15 * found.tokens


def test_rows_that_no_template_takes_are_counted_and_counting_can_be_stopped(data_file: Path) -> None:
    picky = "{% if '7' in messages[0]['content'] %}{{ raise_exception('not seven') }}{% endif %}" + TEMPLATE
    plan, talk = plan_of(data_file), Listener()
    view = view_of(plan, ChatFormat(make_tiny_tokenizer(picky)))
    found = view.count(CountTokens(number=1), talk)
    assert found is not None and (found.rows, found.failed, found.skipped) == (24, 2, 0)
    assert decode_event(encode(found)) == found
    talk.stop_requested = True
    assert view.count(CountTokens(number=2), talk) is None


def test_a_row_that_is_trained_twice_is_shown_once_and_counted_twice(data_file: Path) -> None:
    plan, chat = plan_of(data_file), ChatFormat(make_tiny_tokenizer())
    training, _validation = conversations(plan, Listener())
    once = TokenView(plan, chat, training, []).count(CountTokens(number=1), Listener())
    view = TokenView(plan, chat, training * 2, [])
    twice = view.count(CountTokens(number=2), Listener())
    assert len(view.rows) == 24 and once is not None and twice is not None
    assert (twice.rows, twice.tokens, twice.trained) == (2 * once.rows, 2 * once.tokens, 2 * once.trained)
