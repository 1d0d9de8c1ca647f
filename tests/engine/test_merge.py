"""The merged folder is the base plus what was learned, whole or not there, and proven to answer the same."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from core.commands import Say
from core.engine.chat import Speaker, chat
from core.engine.learned import read_factors
from core.engine.merge import merge
from core.events import Answered, Fragment, Noted, Side
from core.hub.folder import MARK
from core.jobs.talk import StopAsked
from core.plan import Method
from core.problems import Code, Trouble
from core.runs import RunFolder
from tests.engine.conftest import Listener

QUESTIONS = ("What is 4?", "What is 7?")
MakeRun = Callable[..., RunFolder]


@pytest.mark.parametrize("method", list(Method))
def test_merged_answers_are_the_adapters_answers(learn: MakeRun, method: Method, tiny_base: Path) -> None:
    run = learn(method=method)
    target = run.path / "merged"
    result = merge(run.path, target, Listener(), QUESTIONS)
    assert result["verified"] and result["agreement"] == 1.0 and result["replayed"] == 2
    answers = chat(run.path, Listener(), QUESTIONS, keep_open=False, base="original")["answers"]
    assert [row["merged"] for row in result["answers"]] == [row["after"] for row in answers]
    weights, base = load_file(target / "model.safetensors"), load_file(tiny_base / "model.safetensors")
    assert weights.keys() == base.keys()
    assert all(w.dtype == torch.bfloat16 for w in weights.values())
    changed = {name for name in base if not torch.equal(base[name], weights[name])}
    assert changed == {f"{module}.weight" for module in read_factors(run.adapter)}


def test_the_folder_stands_alone_under_plain_transformers(trained: RunFolder, tmp_path: Path) -> None:
    target = tmp_path / "somewhere" / "合并 model"
    merge(trained.path, target, Listener(), QUESTIONS)
    tokenizer = AutoTokenizer.from_pretrained(target)
    model = AutoModelForCausalLM.from_pretrained(target)
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": "What is 4?"}],
        add_generation_prompt=True,
        return_tensors="pt",
        return_dict=True,
    )
    assert model.generate(**prompt, max_new_tokens=4).shape[1] > prompt["input_ids"].shape[1]
    assert model.generation_config.eos_token_id == 2
    assert "2 of 2 greedy answers identical" in (target / "README.md").read_text()


def test_the_delta_is_scale_times_b_times_a(trained: RunFolder, tiny_base: Path, tmp_path: Path) -> None:
    merge(trained.path, tmp_path / "merged", Listener(), QUESTIONS[:1])
    name, change = next(iter(read_factors(trained.adapter).items()))
    assert change.scale == 2.0  # alpha 32 over rank 16
    expected = load_file(tiny_base / "model.safetensors")[f"{name}.weight"].float() + change.scale * (
        change.b @ change.a
    )
    merged = load_file(tmp_path / "merged" / "model.safetensors")[f"{name}.weight"]
    torch.testing.assert_close(merged, expected.to(torch.bfloat16), rtol=0, atol=0)


def test_running_text_is_proven_by_beginnings_of_passages(
    learn: MakeRun, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    book = tmp_path_factory.mktemp("book") / "book.txt"
    book.write_text("The ferry leaves at nine and comes back at noon. It takes six cars.\n\n" * 16, encoding="utf-8")
    run = learn(data=(str(book),), passage=120, epochs=18.0, batch=2, accumulation=1)
    # the run has rows of its own
    book.unlink()
    result = merge(run.path, tmp_path / "merged", Listener(), ())
    assert result["verified"] and result["replayed"] >= 1
    for row in result["answers"]:
        assert row["question"] and row["question"] + row["adapter"] != row["question"]
        assert "ferry" in row["question"] + row["merged"] and "user" not in row["merged"]


def test_a_sharded_base_is_merged_shard_by_shard(learn: MakeRun, tiny_base: Path, tmp_path: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_base)
    sharded = tmp_path / "sharded"
    model.save_pretrained(sharded, max_shard_size="60KB")
    for file in tiny_base.glob("*token*"):
        shutil.copy2(file, sharded)
    shutil.copy2(tiny_base / "chat_template.jinja", sharded)
    assert len(list(sharded.glob("*.safetensors"))) > 2
    run = learn(model=str(sharded))
    result = merge(run.path, tmp_path / "out", Listener(), QUESTIONS)
    assert result["verified"]
    assert {p.name for p in (tmp_path / "out").glob("*.safetensors*")} == {
        p.name for p in sharded.glob("*.safetensors*")
    }


@pytest.mark.parametrize(("free", "said"), [(10**12, "replayed_exactly"), (0, "replayed_rounded")])
def test_answers_are_compared_where_rounding_does_not_decide(
    trained: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, said: str
) -> None:
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=free))
    loaded: list[torch.dtype] = []
    plain = AutoModelForCausalLM.from_pretrained

    def watched(*args: object, **kwargs: object) -> object:
        loaded.append(kwargs["dtype"])
        return plain(*args, **kwargs)

    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", watched)
    talk = Listener()
    merge(trained.path, tmp_path / "merged", talk, QUESTIONS)
    assert [n.code for n in talk.of(Noted)] == [said]
    # the adapter's base and the merged model, in the same format
    assert loaded == [torch.float32 if free else torch.bfloat16] * 2


def test_a_difference_is_said(trained: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # an adapter that is not what was merged: as if the file had been damaged in between
    monkeypatch.setattr("core.engine.merge.read_factors", lambda _: {})
    result = merge(trained.path, tmp_path / "merged", Listener(), QUESTIONS)
    assert not result["verified"] and result["identical"] == 0


def test_targets_that_cannot_be_used(trained: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "precious.txt").write_text("keep")
    (tmp_path / "file").write_text("")
    for target, code in ((tmp_path / "mine", Code.FOLDER_NOT_EMPTY), (tmp_path / "file", Code.READ_ONLY)):
        with pytest.raises(Trouble) as refused:
            merge(trained.path, target, Listener(), QUESTIONS)
        assert refused.value.problem.code is code
    assert (tmp_path / "mine" / "precious.txt").read_text() == "keep"


def test_a_merge_may_replace_an_older_merge(trained: RunFolder, tmp_path: Path) -> None:
    for _ in range(2):
        merge(trained.path, tmp_path / "out", Listener(), QUESTIONS[:1])
    assert json.loads((tmp_path / "out" / MARK).read_text())["verified"]


def test_a_stopped_merge_leaves_nothing(trained: RunFolder, tmp_path: Path) -> None:
    talk = Listener()
    talk.stop_requested = True
    with pytest.raises(StopAsked):
        merge(trained.path, tmp_path / "out", talk, QUESTIONS)
    assert not list(tmp_path.glob("*out*"))


def test_a_run_without_adapter_cannot_be_merged_or_asked(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run()
    for job in (
        lambda: merge(run.path, tmp_path / "out", Listener(), ()),
        lambda: Speaker.load(run, Listener()),
    ):
        with pytest.raises(Trouble) as refused:
            job()
        assert refused.value.problem.code is Code.RUN_NO_ADAPTER


def test_base_and_tuned_come_from_one_loaded_base(trained: RunFolder) -> None:
    talk = Listener()
    talk.commands = [Say(messages=({"role": "user", "content": "What is 4?"},), max_new_tokens=8)]
    chat(trained.path, talk, (), keep_open=True, base="original")
    answers = talk.of(Answered)
    assert [a.side for a in answers] == [Side.BASE, Side.TUNED]
    assert answers[0].answer != answers[1].answer
    for side, answer in zip(Side, answers, strict=False):
        assert "".join(f.text for f in talk.of(Fragment) if f.side is side).strip() == answer.answer


def test_sampling_repeats_with_the_seed(trained: RunFolder) -> None:
    talk = Listener()
    talk.commands = [
        Say(
            messages=({"role": "user", "content": "What?"},),
            sides=(Side.BASE,),
            max_new_tokens=12,
            temperature=1.5,
            seed=s,
        )
        for s in (1, 1, 2)
    ]
    chat(trained.path, talk, (), keep_open=True, base="original")
    first, again, other = (a.answer for a in talk.of(Answered))
    assert first == again != other
