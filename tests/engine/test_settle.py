"""A QLoRA adapter settles on the 16-bit base: its loss there falls, the other methods leave theirs alone."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from core.engine.encoding import ChatFormat
from core.engine.loading import attach_saved_adapter, load_base, load_tokenizer
from core.engine.settle import settle, settles
from core.engine.steps import Layout
from core.engine.train import train
from core.events import Noted, Stage, StageName
from core.plan import Method, TrainingPlan
from core.runs import RunFolder
from tests.engine.conftest import Listener

ROW = [{"role": "user", "content": "What is 4?"}, {"role": "assistant", "content": "It is 8."}]


def loss_on_16_bits(model: Any, chat: ChatFormat) -> float:
    row = chat.encode(ROW, 256)
    assert row is not None
    ids, labels = (torch.from_numpy(x.astype("int64"))[None] for x in (row.ids, row.labels))
    model.eval()
    with torch.no_grad():
        return float(model(input_ids=ids, labels=labels).loss)


def test_the_loss_on_the_16_bit_base_falls(
    make_run: Callable[..., RunFolder], tiny_base: Path, one_answer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(method=Method.QLORA, data=(str(one_answer),), epochs=1.0, validation_share=0.0)
    monkeypatch.setattr("core.engine.train.settles", lambda plan, folder: False)
    train(run.path, Listener(), resume=False)
    chat = ChatFormat(load_tokenizer(run.adapter))
    before = loss_on_16_bits(
        attach_saved_adapter(load_base(tiny_base, Method.LORA, torch.device("cpu")), run.adapter), chat
    )
    row = chat.encode(ROW, 256)
    assert row is not None
    talk = Listener()
    model = settle(run.plan(), tiny_base, run.adapter, [row] * 4, Layout(chat.end_id, 2, 128, packing=True), 100, talk)
    assert loss_on_16_bits(model, chat) < 0.9 * before
    assert sum(s.stage is StageName.SETTLING for s in talk.of(Stage)) == 20


def test_only_qlora_settles_and_only_where_there_is_room(tiny_base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plans = {method: TrainingPlan(model="m", data=("d",), method=method) for method in Method}
    assert [settles(plan, tiny_base) for plan in plans.values()] == [False, False, True]
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=1000))
    assert not settles(plans[Method.QLORA], tiny_base)


def test_a_run_says_that_it_settled_and_saves_what_settled(make_run: Callable[..., RunFolder]) -> None:
    run = make_run(method=Method.QLORA)
    talk = Listener()
    train(run.path, talk, resume=False)
    assert [n.facts["steps"] for n in talk.of(Noted) if n.code == "settled"] == [4]
    assert run.has_adapter()


def test_asked_to_stop_it_says_how_far_it_came(make_run: Callable[..., RunFolder], tiny_base: Path) -> None:
    run = make_run(method=Method.QLORA)
    train(run.path, Listener(), resume=False)
    chat = ChatFormat(load_tokenizer(run.adapter))
    row = chat.encode(ROW, 256)
    assert row is not None
    talk = Listener(stop_when=lambda e: isinstance(e, Stage) and e.stage is StageName.SETTLING and e.done == 3)
    settle(run.plan(), tiny_base, run.adapter, [row] * 4, Layout(chat.end_id, 2, 128, packing=True), 100, talk)
    assert [n.facts["steps"] for n in talk.of(Noted)] == [3]
