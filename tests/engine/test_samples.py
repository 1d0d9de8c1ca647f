"""Answers while a tiny model trains: they say the truth, and training does not notice them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from core.catalog import spec_of
from core.data.prepared import Prepared, Stage
from core.data.rows import Conversation, DataReport, Message, Shape
from core.engine.asked import Question, questions_of
from core.engine.chat import chat
from core.engine.encoding import ChatFormat
from core.engine.samples import Samples, round_bytes, together
from core.engine.train import train
from core.events import Answered, Event, Noted, Sampled, Side, StageName, StepDone
from core.events import Stage as Doing
from core.jobs.talk import StopAsked
from core.plan import Method, Mix, TrainingPlan
from core.runs import RunFolder
from core.vram import estimate
from core.wire import encode
from tests.engine.conftest import Listener
from tests.engine.pretend import PretendCard
from tests.tiny import make_tiny_tokenizer

pytestmark = pytest.mark.usefixtures("few_and_short")
MakeRun = Callable[..., RunFolder]
#: Four steps with chance in them (dropout), and answers after the second.
SHORT: dict[str, Any] = {"steps": 4, "sample_every": 2, "validation_share": 0.25, "evaluate_every": 2, "dropout": 0.1}


@pytest.fixture
def few_and_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three questions, answers of at most twelve tokens."""
    monkeypatch.setattr("core.engine.asked.ROWS", 3)
    monkeypatch.setattr("core.engine.samples.ANSWER_TOKENS", 12)


@pytest.fixture
def asking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs answer questions, as they do everywhere but in the other tests."""
    monkeypatch.setattr("core.engine.workshop.questions_of", questions_of)


def trained(run: RunFolder, *, resume: bool = False, **settings: Any) -> Listener:
    talk = Listener()
    train(run.path, talk, resume=resume, **settings)
    return talk


def rounds(talk: Listener) -> list[tuple[int, Side]]:
    return list(dict.fromkeys((each.step, each.side) for each in talk.of(Sampled)))


@pytest.mark.parametrize("method", list(Method))
def test_training_does_not_notice_that_it_is_asked(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, method: Method
) -> None:
    settings = SHORT | {"method": method, "checkpointing": "full", "neftune": 2.0}
    quiet = trained(make_run(**settings))
    monkeypatch.setattr("core.engine.workshop.questions_of", questions_of)
    asked = trained(make_run(**settings))
    assert not quiet.of(Sampled) and rounds(asked) == [(0, Side.BASE), (2, Side.TUNED), (4, Side.TUNED)]
    assert [(s.loss, s.gradient_norm) for s in asked.of(StepDone)] == [
        (s.loss, s.gradient_norm) for s in quiet.of(StepDone)
    ]


@pytest.mark.usefixtures("asking")
def test_answers_are_those_of_a_conversation_with_the_same_weights(make_run: MakeRun, one_answer: Path) -> None:
    """Left padding, cache and batch change nothing; the base is the base, and the tuned one has learned the data."""
    questions = ("What is 3?", "What is the number 7?", "What is 4? Say it.")
    run = make_run(data=(str(one_answer),), questions=questions, epochs=4.0, validation_share=0.0)
    talk = trained(run)
    sampled = talk.of(Sampled)
    heard = Listener()
    chat(run.path, heard, questions, keep_open=False, base="trained")
    said = {(each.side, each.question): each.answer for each in heard.of(Answered)}
    steps = (0, talk.of(StepDone)[-1].step)
    compared = [each for each in sampled if each.step in steps]
    assert len(compared) == len(said) == 6
    for each in compared:
        whole = said[each.side, each.question]
        assert whole.startswith(each.answer) if each.cut else each.answer == whole
    assert said[Side.TUNED, "What is 3?"] == "It is 8." != said[Side.BASE, "What is 3?"]


@pytest.mark.usefixtures("asking")
def test_a_stop_ends_a_round_at_once_and_a_resumed_run_does_not_ask_again_what_it_knows(make_run: MakeRun) -> None:
    run = make_run(**SHORT)
    busy: list[int] = []

    def second_round(event: Event) -> bool:
        busy.extend([1] * (isinstance(event, Doing) and event.stage is StageName.ANSWERING))
        return len(busy) == 2

    first = Listener(stop_when=second_round)
    with pytest.raises(StopAsked):
        train(run.path, first, resume=False)
    assert rounds(first) == [(0, Side.BASE)] and run.checkpoint_step() == 2
    run.events_file.write_text("".join(encode(event) + "\n" for event in first.events), encoding="utf-8")
    second = trained(run, resume=True)
    assert rounds(second) == [(2, Side.TUNED), (4, Side.TUNED)]


@pytest.mark.usefixtures("asking")
def test_too_little_memory_leaves_samples_out_says_so_once_and_trains_on(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> list[list[int]]:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(Samples, "_generated", full)
    talk = trained(make_run(**SHORT), gauge=PretendCard(1 << 40))
    assert [note.code for note in talk.of(Noted)].count("samples_skipped") == 1
    assert len(talk.of(StepDone)) == 4 and not talk.of(Sampled)
    assert all(step.loss is not None for step in talk.of(StepDone))


def test_the_rehearsal_asks_too_and_answers_take_less_than_a_step(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The room that the proof asks for is that of training: answers are made of as many at once as fit into it."""
    quiet = PretendCard(1 << 40)
    trained(make_run(steps=1), gauge=quiet)
    monkeypatch.setattr("core.engine.workshop.questions_of", questions_of)
    sizes: list[int] = []
    generated = Samples._generated
    monkeypatch.setattr(
        Samples, "_generated", lambda self, prompts, most: sizes.append(len(prompts)) or generated(self, prompts, most)
    )
    asked = PretendCard(1 << 40)
    talk = trained(make_run(steps=1), gauge=asked)
    assert asked.needs == quiet.needs
    # the rehearsal's, and the two rounds of the run
    assert len(sizes) >= 3 and sizes[0] > 1 and rounds(talk) == [(0, Side.BASE), (1, Side.TUNED)]


def plan(**settings: Any) -> TrainingPlan:
    return TrainingPlan(**{"model": "m", "data": ("d.jsonl",)} | settings)


def found(train: list[Conversation], validation: list[Conversation] | None = None) -> Prepared:
    report = DataReport(("d.jsonl",), len(train), len(train), Shape.ALPACA)
    return Prepared((Stage(train, 1.0),), validation or [], report)


def row(question: str, answer: str = "Yes.", file: str = "d.jsonl") -> Conversation:
    turns = (Message("system", "Be brief."), Message("user", question), Message("assistant", answer),
             Message("user", "And then?"), Message("assistant", "No."))  # fmt: skip
    return Conversation(turns, file, 1)


def test_rows_that_are_asked_are_typical_and_those_kept_aside_come_first() -> None:
    form = ChatFormat(make_tiny_tokenizer())
    rows = [row(f"Question {n} " + "a" * n, f"Answer {n}") for n in range(200)]
    first = questions_of(plan(), found(rows, [row("Kept?", "Aside " * 200)]), form)
    assert first == questions_of(plan(), found(rows, [row("Kept?", "Aside " * 200)]), form)
    assert first != questions_of(plan(seed=7), found(rows, [row("Kept?", "Aside " * 200)]), form)
    assert len(first) == 3 and first[0].text == "Kept?" and len(first[0].expected) < 620
    numbers = [int(each.text.split()[1]) for each in first[1:]]
    assert min(numbers) >= 35 and max(numbers) <= 125 and first[1].expected == f"Answer {numbers[0]}"
    written = form.tokenizer.decode(first[1].prompt)
    assert "Be brief." in written and "And then?" not in written and written.endswith("assistant\n")


def test_passages_are_asked_by_their_beginning_and_mixed_in_rows_not_at_all() -> None:
    form = ChatFormat(make_tiny_tokenizer())
    passage = "Once upon a time there was a king who had three daughters. " * 4
    rows = [Conversation((Message("text", passage),), "d.jsonl", 1), row("Hello?", file="general.jsonl")]
    (only,) = questions_of(plan(mix=(Mix("general.jsonl"),)), found(rows), form)
    assert passage.startswith(only.text) and passage == only.text + " " + only.expected + " "
    assert questions_of(plan(tokens=16), found(rows), form) == ()
    own = plan(questions=("One?", "One?", "Two?"))
    assert [(each.text, each.expected) for each in questions_of(own, found(rows), form)] == [("One?", ""), ("Two?", "")]


def test_what_a_round_takes_grows_with_its_answers_and_is_never_more_than_the_room() -> None:
    seven = spec_of("Qwen/Qwen2.5-7B-Instruct").architecture
    asked = [Question("q", tuple(range(n))) for n in (10, 200)]
    one, two = (round_bytes(seven, rows, 200 + 12) for rows in (1, 2))
    cache = 2 * 2 * seven.layers * seven.kv_heads * seven.head_dim * 212
    assert two == 2 * one and cache < one
    assert [together(seven, asked, room) for room in (two, two - 1, 0)] == [2, 1, 1]
    # ten questions of a hundred tokens at once, in what one short micro-batch of a small plan holds
    held = estimate(seven, plan(model="m", method=Method.QLORA, batch=1, tokens=512, checkpointing="full"))
    ten = [Question("q", tuple(range(100)))] * 10
    assert together(seven, ten, held.activations + held.logits) == 10
