"""The command line keeps its word: one JSON object or one sentence, exit 0, 1 or 2, and never a traceback."""

import errno
import inspect
import io
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from core import gpu
from core.cli import app, check, run
from core.cli.output import follow
from core.data.clean import Cleaning
from core.data.columns import Columns
from core.events import Event, Failed, Finished, Stage, StageName, StepDone, Stopped
from core.jobs.process import JobProcess
from core.modelconfig import architecture_of
from core.plan import Mix, TrainingPlan, load_plan
from core.problems import Code, Trouble
from core.runs import RunFolder
from core.wire import encode
from tests.fake_nvml import GIB, FakeCard, FakeNvml, NVMLError_LibRmVersionMismatch
from tests.fakes import Waits, new_run

CONFIG = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 64, "intermediate_size": 128,
    "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 259,
    "max_position_embeddings": 512, "tie_word_embeddings": True,
}  # fmt: skip
ROWS = [{"instruction": f"What is {i}?", "output": f"It is {i}."} for i in range(24)]


@dataclass(frozen=True)
class Said:
    """How a command ended and what it said on standard output and standard error."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON object on standard output."""
        assert self.out.count("\n") == 1 and self.out.endswith("\n"), self.out
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found


Command = Callable[..., Said]


@pytest.fixture
def solotune(capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command in this process."""

    def command(*words: object) -> Said:
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            run([str(word) for word in words])
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        assert isinstance(left.value.code, int)
        return Said(left.value.code, out, err)

    return command


@pytest.fixture
def problem(solotune: Command) -> Callable[..., dict[str, Any]]:
    """Run a command that must end in a problem, with and without --json; both say the same."""

    def trouble(*words: object) -> dict[str, Any]:
        as_json, as_text = solotune(*words, "--json"), solotune(*words)
        assert (as_json.code, as_text.code) == (1, 1)
        told = as_json.json
        assert list(told)[:4] == ["problem", "title", "advice", "facts"]
        assert (as_json.err, as_text.out) == ("", "")
        assert as_text.err == f"{told['title']} {told['advice']}\n"
        assert told["title"] and "{" not in told["title"] and as_text.err.count("\n") == 1
        return told

    return trouble


Problem = Callable[..., dict[str, Any]]


def python(*words: object, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own."""
    settings = {"capture_output": True, "text": True, "encoding": "utf-8", "timeout": 60} | more
    return subprocess.run([sys.executable, "-m", "core", *map(str, words)], check=False, **settings)


# ---- material -------------------------------------------------------------------------------------------------------


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    return path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model folder that is whole by names, sizes and headers; nobody loads it here."""
    return make_model(tmp_path / "model")


def make_model(folder: Path, **facts: Any) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(CONFIG | facts))
    # as many numbers as the config claims, in a file with a hole
    size = 4 * architecture_of(CONFIG | facts).parameters
    header = json.dumps({"w": {"dtype": "F32", "shape": [size // 4], "data_offsets": [0, size]}}).encode()
    with (folder / "model.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        file.truncate(8 + len(header) + size)
    (folder / "tokenizer.json").write_text("{}")
    return folder


def make_plan(folder: Path, **values: Any) -> Path:
    path = folder / "plan.json"
    path.write_text(json.dumps({"model": "model", "data": ["rows.jsonl"], **values}), encoding="utf-8")
    return path


def written(name: str, content: str | bytes) -> Callable[[Path], Path]:
    """Return a maker of the file `name`."""

    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return make


def below_a_file(folder: Path) -> Path:
    (folder / "file").write_text("")
    return folder / "file" / "deeper" / "name.json"


def empty_folder(folder: Path) -> Path:
    (folder / "none").mkdir()
    return folder / "none"


BAD_DATA: dict[str, tuple[Callable[[Path], Path], Code]] = {
    "missing": (lambda folder: folder / "nowhere.jsonl", Code.DATA_MISSING),
    "below a file": (below_a_file, Code.DATA_MISSING),
    "name too long": (lambda folder: folder / ("x" * 5000), Code.DATA_MISSING),
    "empty": (written("e.json", ""), Code.DATA_EMPTY),
    "only blanks": (written("b.jsonl", " \n\n \n"), Code.DATA_EMPTY),
    "numbers": (written("n.json", "[1, 2, 3]"), Code.DATA_SHAPE),
    "one number": (written("one.json", "42"), Code.DATA_SHAPE),
    "half a file": (written("h.json", '[{"instruction": "a", "outp'), Code.DATA_UNREADABLE),
    "wrong columns": (written("c.csv", "height,width\n1,2\n"), Code.DATA_SHAPE),
    "binary": (written("b.jsonl", bytes(range(256)) * 4), Code.DATA_UNREADABLE),
    "too deep": (written("d.json", "[" * 100_000), Code.DATA_UNREADABLE),
    "spreadsheet": (written("s.xlsx", b"PK"), Code.DATA_UNREADABLE),
    "empty folder": (empty_folder, Code.DATA_EMPTY),
    "device": (lambda _folder: Path(os.devnull), Code.DATA_UNREADABLE),
}


def with_config(text: str) -> Callable[[Path], object]:
    def make(folder: Path) -> Path:
        (make_model(folder / "m") / "config.json").write_text(text)
        return folder / "m"

    return make


def without(*names: str, instead: str = "") -> Callable[[Path], object]:
    def make(folder: Path) -> Path:
        made = make_model(folder / "m")
        for name in names:
            (made / name).unlink()
        if instead:
            (made / instead).write_bytes(b"\x80\x04")
        return made

    return make


def cut_short(folder: Path) -> Path:
    weights = make_model(folder / "m") / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-2])
    return weights.parent


BAD_CONFIGS: dict[str, tuple[Callable[[Path], object], Code]] = {
    "no such folder": (lambda folder: folder / "nowhere", Code.MODEL_MISSING),
    "below a file": (below_a_file, Code.MODEL_MISSING),
    "unknown name": (lambda _folder: "no-such-model", Code.MODEL_UNKNOWN),
    "unknown owner/name": (lambda _folder: "nobody/nothing", Code.MODEL_UNKNOWN),
    "far too long name": (lambda _folder: "x" * 5000, Code.MODEL_UNKNOWN),
    "no config.json": (without("config.json"), Code.MODEL_INCOMPLETE),
    "empty config.json": (with_config(""), Code.MODEL_CORRUPT),
    "config.json with numbers": (with_config("[1, 2, 3]"), Code.MODEL_CORRUPT),
    "half a config.json": (with_config('{"hidden_size": 6'), Code.MODEL_CORRUPT),
    "words for numbers": (with_config(json.dumps(CONFIG | {"hidden_size": "many"})), Code.MODEL_CORRUPT),
    "code of its own": (with_config(json.dumps(CONFIG | {"auto_map": {"AutoModel": "x.Y"}})), Code.MODEL_CUSTOM_CODE),
    "already quantized": (
        with_config(json.dumps(CONFIG | {"quantization_config": {"bits": 4}})),
        Code.MODEL_UNSUPPORTED,
    ),
    "no decoder": (with_config('{"model_type": "bert"}'), Code.MODEL_UNSUPPORTED),
}
BAD_MODELS = BAD_CONFIGS | {
    "only pickles": (without("model.safetensors", instead="pytorch_model.bin"), Code.MODEL_PICKLE),
    "no weights": (without("model.safetensors"), Code.MODEL_INCOMPLETE),
    "no tokenizer": (without("tokenizer.json"), Code.MODEL_INCOMPLETE),
    "weights cut short": (cut_short, Code.MODEL_INCOMPLETE),
}

BAD_PLANS: dict[str, Callable[[Path], Path]] = {
    "missing": lambda folder: folder / "nowhere.json",
    "below a file": below_a_file,
    "a folder": lambda folder: folder,
    "empty": written("plan.json", ""),
    "numbers": written("plan.json", "[1, 2, 3]"),
    "half": written("plan.json", '{"model": "m", "da'),
    "binary": written("plan.json", b"\xff\xfe\x00\x81"),
    "too deep": written("plan.json", "[" * 100_000),
    "no model": lambda folder: make_plan(folder, model=""),
    "no data": lambda folder: make_plan(folder, data=[]),
    "data no list": lambda folder: make_plan(folder, data="rows.jsonl"),
    "rank a word": lambda folder: make_plan(folder, rank="big"),
    "rank a truth": lambda folder: make_plan(folder, rank=True),
    "rank too large": lambda folder: make_plan(folder, rank=99_999),
    "rate not a number": lambda folder: make_plan(folder, learning_rate=float("nan")),
    "epochs without end": lambda folder: make_plan(folder, epochs=10**400),
    "unknown method": lambda folder: make_plan(folder, method="magic"),
    "unknown field": lambda folder: make_plan(folder, ranks=8),
}


# ---- usage ----------------------------------------------------------------------------------------------------------

COMMANDS = {command.name or "": command.callback for command in app.registered_commands}


def test_every_command_takes_json() -> None:
    assert {"gpus", "recommend", "estimate", "check", "plan", "train", "chat", "merge", "runs"} <= set(COMMANDS)
    assert all(callback and "json" in inspect.signature(callback).parameters for callback in COMMANDS.values())


@pytest.mark.parametrize("words", [(), *((name,) for name in COMMANDS)], ids=lambda words: "".join(words) or "all")
def test_help_is_no_error(solotune: Command, words: tuple[str, ...]) -> None:
    said = solotune(*words, "--help")
    assert said.code == 0 and said.out.startswith("Usage:")


def test_the_version_is_told(solotune: Command) -> None:
    from importlib import metadata

    number = metadata.version("solotune")
    assert solotune("--version").out.strip() == f"SoloTune {number}"
    assert json.loads(solotune("--version", "--json").out) == {"version": number}


@pytest.mark.parametrize(
    "words",
    [
        "", "nonsense", "--version check", "check", "check --nonsense x", "plan x", "plan x --model y", "train",
        "train a --resume b", "merge x", "chat", "estimate", "estimate --model m --method magic",
        "estimate --model m --rank many",
        "estimate --model m --adapter-dtype int3", "estimate --model m --shared 0",
        "estimate --model qwen3-8b --method lora --shared 2 --dry-run", "recommend --goal fame",
        "recommend --vram 0", "recommend --vram -8",
        "recommend --vram nan", "recommend --vram inf", "recommend --vram much", "recommend --vram 8 --free -1",
        "plan x --model y -o z --goal fame", "demo --language fr", "fetch", "gpus now",
    ],
)  # fmt: skip
def test_wrong_usage_is_two_and_says_how_it_is_right(solotune: Command, words: str) -> None:
    for more in ("", " --json"):
        said = solotune(*(words + more).split())
        assert said.code == 2 and said.out == ""
        assert "Usage:" in said.err


# ---- bad input ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BAD_DATA)
def test_bad_data_is_refused_by_check_and_plan(problem: Problem, tmp_path: Path, model: Path, name: str) -> None:
    make, code = BAD_DATA[name]
    data = make(tmp_path)
    assert problem("check", data)["problem"] == code
    assert problem("plan", data, "--model", model, "-o", tmp_path / "plan.json")["problem"] == code
    assert not (tmp_path / "plan.json").exists()


def test_one_bad_file_among_good_ones_is_named(problem: Problem, tmp_path: Path, rows: Path) -> None:
    bad = written("half.json", '[{"instruction"')(tmp_path)
    assert problem("check", rows, bad)["facts"]["path"] == str(bad)


@pytest.mark.parametrize("name", BAD_CONFIGS)
def test_a_model_that_cannot_be_read_has_no_estimate(problem: Problem, tmp_path: Path, name: str) -> None:
    make, code = BAD_CONFIGS[name]
    assert problem("estimate", "--model", make(tmp_path))["problem"] == code


@pytest.mark.parametrize("name", BAD_MODELS)
def test_a_bad_model_is_refused_by_plan_and_train(
    problem: Problem, home: Path, tmp_path: Path, rows: Path, name: str
) -> None:
    make, code = BAD_MODELS[name]
    bad = make(tmp_path)
    assert problem("plan", rows, "--model", bad, "-o", tmp_path / "out.json")["problem"] == code
    assert problem("train", make_plan(tmp_path, model=str(bad)))["problem"] == code
    assert not (home / "data" / "runs").exists(), "a run was left behind"


def test_pickles_are_refused_with_the_reason(problem: Problem, tmp_path: Path, rows: Path) -> None:
    bad = BAD_MODELS["only pickles"][0](tmp_path)
    told = problem("plan", rows, "--model", bad, "-o", tmp_path / "out.json")
    assert "can run code" in told["advice"] and "safetensors" in told["advice"]


@pytest.mark.parametrize("name", BAD_PLANS)
def test_a_bad_plan_is_refused(problem: Problem, home: Path, tmp_path: Path, model: Path, name: str) -> None:
    told = problem("train", BAD_PLANS[name](tmp_path))
    assert told["problem"] == Code.PLAN_INVALID and told["facts"]["reason"]
    assert not (home / "data" / "runs").exists()


@pytest.mark.parametrize(
    "words",
    [
        "--rank 0",
        "--tokens 1",
        "--batch 0",
        "--batch 99999",
        "--checkpointing maybe",
        "--targets ,",
        "--targets no_proj",
    ],
)
def test_an_impossible_estimate_is_a_plan_problem(problem: Problem, words: str) -> None:
    told = problem("estimate", "--model", "smollm2-135m-instruct", *words.split())
    assert told["problem"] == Code.PLAN_INVALID


def test_bad_data_ends_a_run_with_its_sentence(solotune: Command, tmp_path: Path, model: Path) -> None:
    """The child finds out; the outcome is the last line and names the run."""
    plan = make_plan(tmp_path, data=[str(written("n.json", "[1, 2]")(tmp_path))])
    shutil.rmtree(model)
    tokenizer_only(model)
    said = solotune("train", plan, "--json")
    *events, last = [json.loads(line) for line in said.out.splitlines()]
    assert said.code == 1 and last["problem"] == Code.DATA_SHAPE
    assert events[0]["kind"] == "stage"
    assert solotune("runs", "--json").json["runs"][0]["path"] == last["run"]


def tokenizer_only(folder: Path) -> None:
    """A folder that passes every check and whose tokenizer loads; its weights are never reached."""
    from tests.tiny import make_tiny_tokenizer

    make_model(folder)
    make_tiny_tokenizer().save_pretrained(folder)


# ---- runs that cannot be used ---------------------------------------------------------------------------------------


def run_of(root: Path, model: Path, *, adapter: bool = False, **more: Any) -> RunFolder:
    made = new_run(root, model=str(model), **more)
    if adapter:
        made.adapter.mkdir()
        (made.adapter / "adapter_model.safetensors").write_bytes(b"")
    return made


@pytest.mark.parametrize("words", ["chat {} --say Hi", "merge {} -o out", "train --resume {}"])
@pytest.mark.parametrize("kind", ["nowhere", "a file", "an empty folder"])
def test_what_is_no_run_is_refused(problem: Problem, tmp_path: Path, words: str, kind: str) -> None:
    path = tmp_path / "run"
    if kind == "a file":
        path.write_text("")
    if kind == "an empty folder":
        path.mkdir()
    told = problem(*(str(path) if word == "{}" else word for word in words.split()))
    assert told["problem"] == Code.RUN_MISSING and told["facts"]["path"] == str(path)


@pytest.mark.parametrize("words", ["chat {} --say Hi", "merge {} -o out", "train --resume {}"])
def test_a_run_with_a_damaged_plan_is_refused(problem: Problem, tmp_path: Path, model: Path, words: str) -> None:
    made = run_of(tmp_path, model, adapter=True)
    made.plan_file.write_text('{"model": "m", "ra')
    told = problem(*(str(made.path) if word == "{}" else word for word in words.split()))
    assert told["problem"] == Code.PLAN_INVALID


@pytest.mark.parametrize("words", ["chat {} --say Hi", "merge {} -o out", "train --resume {}"])
def test_a_run_whose_model_is_gone_is_refused(problem: Problem, tmp_path: Path, model: Path, words: str) -> None:
    made = run_of(tmp_path, model, adapter=True)
    shutil.rmtree(model)
    told = problem(*(str(made.path) if word == "{}" else word for word in words.split()))
    assert told["problem"] == Code.MODEL_MISSING and str(model) in told["title"]
    assert not made.events_file.exists(), "nothing was started for it"


@pytest.mark.parametrize("words", ["chat {} --say Hi", "merge {} -o out"])
def test_a_run_without_adapter_cannot_answer(problem: Problem, tmp_path: Path, model: Path, words: str) -> None:
    made = run_of(tmp_path, model)
    told = problem(*(str(made.path) if word == "{}" else word for word in words.split()))
    assert told["problem"] == Code.RUN_NO_ADAPTER


def test_a_finished_run_cannot_go_on_and_a_held_one_is_busy(problem: Problem, tmp_path: Path, model: Path) -> None:
    made = run_of(tmp_path, model)
    made.events_file.write_text(encode(Finished()) + "\n")
    assert problem("train", "--resume", made.path)["problem"] == Code.RUN_NOT_RESUMABLE
    made.hold(os.getpid())
    assert problem("train", "--resume", made.path)["problem"] == Code.RUN_BUSY


@pytest.mark.parametrize("kind", ["a file", "below a file", "somebody's folder"])
def test_merge_overwrites_nothing_of_others(solotune: Command, tmp_path: Path, model: Path, kind: str) -> None:
    target = {"a file": tmp_path / "a", "below a file": below_a_file(tmp_path), "somebody's folder": tmp_path / "b"}[
        kind
    ]
    if kind == "a file":
        target.write_text("mine")
    if kind == "somebody's folder":
        target.mkdir()
        (target / "mine.txt").write_text("mine")
    said = solotune("merge", run_of(tmp_path, model, adapter=True).path, "-o", target, "--json")
    expected = Code.FOLDER_NOT_EMPTY if kind == "somebody's folder" else Code.READ_ONLY
    assert (said.code, said.json["problem"]) == (1, expected)
    if kind != "below a file":
        assert (target if target.is_file() else target / "mine.txt").read_text() == "mine"


# ---- places that cannot be written ----------------------------------------------------------------------------------


def test_a_plan_cannot_be_written_where_a_file_is_in_the_way(problem: Problem, tmp_path: Path, rows: Path) -> None:
    words = ("plan", rows, "--model", "smollm2-135m-instruct", "-o")
    assert problem(*words, below_a_file(tmp_path))["problem"] == Code.READ_ONLY
    told = problem(*words, tmp_path)
    assert told["problem"] == Code.READ_ONLY and "Choose another name" in told["advice"]


@pytest.mark.parametrize(
    ("number", "code"),
    [(errno.EROFS, Code.READ_ONLY), (errno.EACCES, Code.READ_ONLY), (errno.ENOSPC, Code.DISK_FULL)],
)
def test_a_disk_that_takes_nothing_is_said(
    problem: Problem, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model: Path, rows: Path, number: int, code: Code
) -> None:
    def refuse(self: Path, *_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number), str(self))

    plan = make_plan(tmp_path)
    # the sentence names the run's folder, and with it the second in which it was made
    monkeypatch.setattr("time.strftime", lambda _format: "20260101-000000")
    monkeypatch.setattr(Path, "mkdir", refuse)
    assert problem("plan", rows, "--model", model, "-o", tmp_path / "new" / "plan.json")["problem"] == code
    assert problem("train", plan)["problem"] == code


def test_a_runs_folder_that_is_a_file_stops_train_but_not_runs(
    solotune: Command, problem: Problem, home: Path, tmp_path: Path, model: Path, rows: Path
) -> None:
    (home / "config").mkdir()
    (home / "config" / "settings.json").write_text(json.dumps({"runs_folder": str(rows)}))
    assert problem("train", make_plan(tmp_path))["problem"] == Code.READ_ONLY
    assert solotune("runs", "--json").json == {"runs": []}


# ---- what JSON holds ------------------------------------------------------------------------------------------------


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCard]:
    """One card in this computer."""
    fake = FakeCard(free=20 * GIB, processes=[(os.getpid(), "game", 3 * GIB), (1, "kept", None)])
    gpu.close()
    monkeypatch.setattr(gpu, "_nvml", lambda: FakeNvml(fake))
    yield fake
    gpu.close()


def test_gpus_tells_cards_and_who_uses_them(solotune: Command, card: FakeCard) -> None:
    (told,) = solotune("gpus", "--json").json["gpus"]
    assert {"name", "total_bytes", "free_bytes", "capability", "driver", "processes"} <= set(told)
    assert (told["name"], told["free_bytes"], told["capability"]) == (card.name, 20 * GIB, "8.9")
    assert [user["used_bytes"] for user in told["processes"]] == [3 * GIB, None]
    assert (told["temperature"], told["power_limit_watts"], told["uuid"]) == (41, 450.0, card.uuid)
    lines = [line.strip() for line in solotune("gpus").out.splitlines()]
    assert lines[0] == f"{card.name}: 21.5 GB of 25.8 GB free"
    assert lines[1:3] == [
        "41 °C · 36 of 450 W · 7 % busy",
        "Driver 580.95.05 · CUDA 13.0 · compute capability 8.9 · bf16",
    ]
    assert lines[3].endswith(f"({os.getpid()}): 3.2 GB") and lines[4].endswith("(1)")
    assert lines[5:] == told["notes"] != []


def test_gpus_lists_the_cards_to_plan_for(solotune: Command) -> None:
    known = {card["name"]: card for card in solotune("gpus", "--known", "--json").json["known"]}
    assert known["GeForce RTX 4090"]["capability"] == "8.9" and known["GeForce RTX 4090"]["memory_gb"] == 24
    assert len(solotune("gpus", "--known").out.splitlines()) == len(known) > 60


def test_no_card_and_a_broken_driver_are_problems(problem: Problem, monkeypatch: pytest.MonkeyPatch) -> None:
    gpu.close()
    monkeypatch.setattr(gpu, "_nvml", lambda: FakeNvml())
    assert problem("gpus")["problem"] == Code.NO_GPU
    gpu.close()
    broken = FakeNvml(fails={"nvmlInit": NVMLError_LibRmVersionMismatch("Driver/library version mismatch")})
    monkeypatch.setattr(gpu, "_nvml", lambda: broken)
    assert problem("gpus")["problem"] == Code.DRIVER_MISMATCH
    gpu.close()


RECOMMENDED = {"tier", "model", "parameters", "method", "estimate_bytes", "fits", "reasons", "alternatives"}


@pytest.mark.parametrize("vram", ["0.1", "3.999", "4", "6", "8", "11.5", "12", "16", "24", "48", "80", "9999"])
@pytest.mark.parametrize("free", ["0", "0.001", "half", "9999"])
def test_recommend_knows_a_way_for_every_card(solotune: Command, vram: str, free: str) -> None:
    room = str(float(vram) / 2) if free == "half" else free
    said = solotune("recommend", "--vram", vram, "--free", room, "--json")
    told = said.json
    assert said.code == 0 and set(told) >= RECOMMENDED
    assert not told["fits"] or told["estimate_bytes"] <= 1e9 * min(float(vram), float(room))
    assert all(reason["text"] for reason in told["reasons"])
    assert all(set(other) >= RECOMMENDED - {"alternatives"} for other in told["alternatives"])


def test_recommend_speaks_of_this_computers_card(solotune: Command, card: FakeCard) -> None:
    told = solotune("recommend", "--json").json
    assert told["fits"] and told["estimate_bytes"] <= card.free
    assert solotune("recommend").out.startswith("Qwen") == told["model"].startswith("Qwen")


@pytest.mark.parametrize("method", ["lora", "lora8", "qlora"])
def test_estimate_tells_item_by_item(solotune: Command, model: Path, method: str) -> None:
    words = ("estimate", "--method", method, "--json", "--model")
    told = solotune(*words, model).json
    assert set(told) == {"total_bytes", "items", "source", "band_bytes", "measured_runs"}
    items = {"weights", "adapter", "gradients", "optimizer", "activations", "logits", "workspace", "overhead"}
    assert set(told["items"]) == items
    assert told["total_bytes"] == sum(told["items"].values()) > 0
    assert solotune(*words, model / "config.json").json == told


def test_estimate_of_a_base_that_is_shared_out(solotune: Command, problem: Problem) -> None:
    words = ("estimate", "--model", "qwen3-8b", "--json")
    one, two, many = (
        solotune(*words, "--method", "lora", "--shared", n).json["items"]["weights"] for n in (1, 2, 10_000)
    )
    # 36 layers of 386 MB and, on every card, embeddings, head and four layers
    assert (one - two) / 1e9 == pytest.approx(36 * 0.386 / 2 - 4 * 0.386, abs=0.01)
    assert many / 1e9 == pytest.approx(2.49 + 4 * 0.386, abs=0.01)
    assert problem(*words[:-1], "--method", "qlora", "--shared", "2")["problem"] == Code.SHARED_BITS


def test_check_tells_all_of_the_data(solotune: Command, tmp_path: Path) -> None:
    text = "".join(json.dumps(row) + "\n" for row in [*ROWS, ROWS[0]]) + '{"instruction": "a"}\n{"half\n'
    said = solotune("check", written("rows.jsonl", text)(tmp_path), "--json")
    told = said.json
    names = {"rows", "usable", "shape", "columns", "problems", "duplicates", "private", "tokens"}
    assert said.code == 0 and set(told) >= names
    assert (told["rows"], told["usable"], told["duplicates"], told["shape"]) == (27, 25, 1, "alpaca")
    assert [(row["line"], bool(row["code"])) for row in told["problems"]] == [(26, True), (27, True)]
    plain = solotune("check", tmp_path / "rows.jsonl").out
    assert "27 rows, 25 usable" in plain and "rows.jsonl:26" in plain and "rows.jsonl:27" in plain


MESSY = [
    *ROWS,
    ROWS[0],
    {"instruction": "Who helps in the office?", "output": "Write to anna@mail.com, she answers within a day or two."},
    {"instruction": "Is it so?", "output": "N/A"},
]


def messy(tmp_path: Path) -> Path:
    path = tmp_path / "messy.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in MESSY), encoding="utf-8")
    return path


def test_check_tells_what_cleaning_finds_worst_first(solotune: Command, tmp_path: Path) -> None:
    data = messy(tmp_path)
    told = solotune("check", data, "--json").json
    steps = {step["step"]: step for step in told["clean"]["steps"]}
    assert told["private"] == {"email": 1} and steps["private"]["reported"] == 1
    assert (steps["exact"]["before"] - steps["exact"]["after"], told["usable"] - told["kept"]) == (1, 2)
    assert steps["exact"]["touches"][0]["row"]["line"] == len(ROWS) + 1
    lines = solotune("check", data).out.splitlines()
    assert lines[2] == f"Private data: 1  Only listed  messy.jsonl:{len(ROWS) + 2}"
    assert f"Duplicates: 1  Left out  messy.jsonl:{len(ROWS) + 1}" in lines
    assert lines[-1] == f"{len(MESSY) - 2} of {len(MESSY)} rows stay after cleaning"
    only = solotune("check", data, "--steps", "exact", "--json").json
    assert only["private"] is None and [step["step"] for step in only["clean"]["steps"]] == ["exact"]
    assert solotune("check", data, "--steps", "nonsense").code == 2


def test_check_writes_the_cleaned_rows_and_never_the_file_itself(solotune: Command, tmp_path: Path) -> None:
    data, out = messy(tmp_path), tmp_path / "out.jsonl"
    before = data.read_bytes()
    told = solotune("check", data, "--clean", out, "--mask", "--json").json
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert (told["cleaned"], len(rows)) == (str(out), told["kept"])
    assert "anna@mail.com" not in out.read_text(encoding="utf-8") and told["clean"]["changed"] == 1
    assert solotune("check", out, "--json").json["usable"] == len(rows)
    refused = solotune("check", data, "--clean", data)
    assert refused.code == 2 and data.read_bytes() == before


def test_a_plan_can_clean_and_name_columns(solotune: Command, tmp_path: Path, model: Path) -> None:
    path, data = tmp_path / "plan.json", tmp_path / "odd.csv"
    data.write_text("alpha,beta\n" + "".join(f"What is {n}?,It is the number {n} of all.\n" for n in range(30)))
    assert solotune("plan", data, "--model", model, "-o", path, "--question", "alpha").code == 2
    columns = ("--question", "alpha", "--answer", "beta")
    assert solotune("plan", data, "--model", model, "-o", path, "--clean", *columns).code == 0
    plan = load_plan(path)
    assert plan.cleaning == Cleaning() and plan.columns == Columns("alpha", "beta")


def test_a_plan_in_stages_with_a_mix(solotune: Command, tmp_path: Path, model: Path, rows: Path) -> None:
    path, second, general = tmp_path / "plan.json", tmp_path / "second.jsonl", tmp_path / "general.jsonl"
    for copy in (second, general):
        copy.write_bytes(rows.read_bytes())
    words = ("plan", rows, second, "--model", model, "-o", path, "--staged", "--mix", general)
    assert solotune(*words).code == 0
    plan = load_plan(path)
    assert [stage.files for stage in plan.stages] == [(str(rows),), (str(second),)]
    assert [stage.epochs for stage in plan.stages] == [1.0, plan.epochs] and plan.mix == (Mix(str(general), 0.1),)
    assert solotune(*words[:-1], rows).code == 2


def test_a_plan_with_weights_and_rows_to_check_with(solotune: Command, tmp_path: Path, model: Path, rows: Path) -> None:
    path, second = tmp_path / "plan.json", tmp_path / "second.jsonl"
    second.write_bytes(rows.read_bytes())
    words = ("plan", rows, second, "--model", model, "-o", path, "--weights")
    assert solotune(*words, "1,0.5", "--validation", second.with_name("checks.jsonl")).code == 0
    plan = load_plan(path)
    assert plan.weights == (1.0, 0.5) and plan.validation == str(tmp_path / "checks.jsonl")
    assert solotune(*words, "2,1", "--validation-share", "0.2").code == 0
    assert load_plan(path).validation_share == 0.2
    for wrong in (("1",), ("1,x",), ("1,1", "--validation", rows, "--validation-share", "0.1")):
        assert solotune(*words, *wrong).code == 2


def test_a_plan_takes_the_advanced_choices(solotune: Command, tmp_path: Path, model: Path, rows: Path) -> None:
    path = tmp_path / "plan.json"
    words = ("plan", rows, "--model", model, "-o", path, "--method", "lora", "--initialisation")
    assert solotune(*words, "pissa", "--lora-plus", "4", "--bias", "lora_only", "--schedule", "linear").code == 0
    plan = load_plan(path)
    assert (plan.initialisation, plan.lora_plus, plan.bias, plan.schedule) == ("pissa", 4.0, "lora_only", "linear")
    assert plan.dropout == 0
    assert solotune(*words, "loftq").code == 2
    sizes = [
        solotune("estimate", "--model", model, "--method", "lora", *more, "--json").json["items"]["adapter"]
        for more in ((), ("--dora",), ("--shallow-rank", "4"))
    ]
    assert sizes[2] < sizes[0] < sizes[1]


def test_rows_of_several_shapes_are_taken_apart(solotune: Command, tmp_path: Path) -> None:
    data, folder = tmp_path / "mixed.jsonl", tmp_path / "apart"
    talk = {"messages": [{"role": "user", "content": "你好"}, {"role": "assistant", "content": "你好！"}]}
    data.write_text("".join(json.dumps(row) + "\n" for row in [*ROWS, talk, talk]), encoding="utf-8")
    before = data.read_bytes()
    told = solotune("check", data, "--separate", folder, "--json").json["separated"]
    assert [(shape, part["rows"]) for shape, part in told.items()] == [("alpaca", len(ROWS)), ("messages", 2)]
    rows = [json.loads(line) for line in Path(told["messages"]["file"]).read_text(encoding="utf-8").splitlines()]
    assert [row["line"] for row in rows] == [len(ROWS) + 1, len(ROWS) + 2] and rows[0]["messages"] == talk["messages"]
    assert solotune("check", told["alpaca"]["file"], "--json").json["usable"] == len(ROWS)
    assert "Rows of several shapes: Instruction and output 24, " in solotune("check", data).out
    refused = solotune("check", data, "--separate", folder, "--json")
    assert (refused.code, refused.json["problem"]) == (1, Code.FOLDER_NOT_EMPTY) and data.read_bytes() == before


def test_plan_writes_what_it_tells(solotune: Command, tmp_path: Path, model: Path, rows: Path) -> None:
    path = tmp_path / "new folder" / "plan.json"
    told = solotune("plan", rows, "--model", model, "-o", path, "--json").json
    assert told == json.loads(path.read_text(encoding="utf-8"))
    plan = load_plan(path)
    assert (plan.model, plan.data) == (str(model), (str(rows),))
    assert solotune("plan", rows, "--model", model, "-o", path).out == f"{path}\n"


def test_a_plan_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    plan = make_plan(tmp_path)
    plan.write_bytes(b"\xef\xbb\xbf" + plan.read_bytes())
    assert load_plan(plan).model == "model"


# ---- past runs ------------------------------------------------------------------------------------------------------


def step(number: int) -> str:
    return encode(StepDone(step=number, total_steps=9, epoch=0.1, loss=2.0 / number, learning_rate=1e-4))


DAMAGES: dict[str, Callable[[RunFolder], object]] = {
    "half a plan": lambda made: made.plan_file.write_text('{"model'),
    "an empty plan": lambda made: made.plan_file.write_text(""),
    "binary events": lambda made: made.events_file.write_bytes(bytes(range(256)) * 9),
    "events that are numbers": lambda made: made.events_file.write_text("[1, 2]\n3\nnull\n{}\n"),
    "events that nest too deeply": lambda made: made.events_file.write_text("[" * 100_000 + "\n"),
    "events of wrong types": lambda made: made.events_file.write_text(
        '{"kind":"step","step":"x"}\n{"kind":["step"]}\n'
    ),
    "a number beyond all": lambda made: made.events_file.write_text('{"kind":"stage","time":' + "9" * 400 + "}\n"),
    "events in a folder": lambda made: made.events_file.mkdir(),
    "an owner without a number": lambda made: (made.path / "busy.json").write_text('{"pid": "x", "created": null}'),
    "an owner beyond all": lambda made: (made.path / "busy.json").write_text('{"pid": 1e999, "created": 1}'),
    "an owner that is a list": lambda made: (made.path / "busy.json").write_text("[4]"),
    "a checkpoint without a number": lambda made: (made.checkpoints / "checkpoint-x" / "complete.json").mkdir(
        parents=True
    ),
    "checkpoints that are a file": lambda made: made.checkpoints.write_text(""),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_run_hides_no_other(solotune: Command, home: Path, model: Path, damage: str) -> None:
    root = home / "data" / "runs"
    stopped, broken = run_of(root, model), run_of(root, model)
    (root / "not a run").mkdir()
    (root / "stray.txt").write_text("")
    stopped.events_file.write_text("\n".join((step(1), step(2), encode(Stopped(step=2)), '{"kind": "st')))
    DAMAGES[damage](broken)
    said = solotune("runs", "--json")
    told = {row["name"]: row for row in said.json["runs"]}
    assert said.code == 0 and set(told) == {stopped.name, broken.name}
    row = told[stopped.name]
    assert (row["state"], row["step"], row["total_steps"]) == ("stopped", 2, 9)
    assert (row["first_loss"], row["last_loss"], row["adapter"], row["checkpoint_step"]) == (2.0, 1.0, False, 0)
    assert len(solotune("runs").out.splitlines()) == 2


# ---- strange names and streams --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["数据 集.jsonl", "with space.jsonl", "a'b\"c$d.jsonl", "emoji 🦙.jsonl", "line\nbreak.jsonl"]
)
def test_any_name_will_do(solotune: Command, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "我的 文件"
    model = make_model(folder / "模型 一")
    data = written(name, json.dumps(ROWS[0]) + "\n")(folder)
    assert solotune("check", data, "--json").json["files"] == [str(data)]
    assert solotune("plan", data, "--model", model, "-o", folder / "计划.json").code == 0
    assert load_plan(folder / "计划.json").data == (str(data),)
    assert "\n" not in solotune("check", folder / ("no" + name), "--json").json["title"]


@pytest.mark.skipif(sys.platform != "linux", reason="only there a file name may be bytes that are no text")
def test_a_name_that_is_no_text_will_do_too(solotune: Command, tmp_path: Path, model: Path) -> None:
    data = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.jsonl"))
    data.write_text(json.dumps(ROWS[0]) + "\n")
    assert solotune("check", data, "--json").json["files"] == [str(data)]
    assert solotune("plan", data, "--model", model, "-o", tmp_path / "plan.json", "--json").code == 0
    assert load_plan(tmp_path / "plan.json").data == (str(data),)
    missing = solotune("check", f"{data}x", "--json")
    assert missing.code == 1 and missing.json["facts"]["path"] == f"{data}x"
    assert solotune("check", f"{data}x").code == 1


def test_half_characters_in_rows_can_be_told(solotune: Command, tmp_path: Path) -> None:
    data = written("half.jsonl", '{"instruction": "\\ud83e", "output": "\\udd99"}\n')(tmp_path)
    for more in ((), ("--json",)):
        assert solotune("check", data, *more).code in (0, 1)


def test_json_is_utf_8_whatever_the_terminal_speaks(tmp_path: Path) -> None:
    data = written("数据 🦙.jsonl", json.dumps(ROWS[0]) + "\n")(tmp_path)
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    assert json.loads(python("check", data, "--json", env=environment).stdout)["files"] == [str(data)]
    plain = python("plan", data, "--model", "smollm2-135m-instruct", "-o", tmp_path / "数.json", env=environment)
    assert plain.returncode == 0 and plain.stdout.isascii() and "nothing is cut" in plain.stderr


@pytest.mark.parametrize("words", ["runs --json", "recommend --vram 8", "check nowhere --json"])
def test_a_closed_pipe_ends_a_command_in_silence(words: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    left = python(*words.split(), capture_output=False, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (left.returncode, left.stderr) == (1, "")


@pytest.mark.skipif(os.name != "posix", reason="closes streams through the shell")
@pytest.mark.parametrize(("closed", "heard"), [("<&-", True), (">&-", False), ("2>&-", True), ("<&- >&- 2>&-", False)])
def test_closed_streams_are_no_trouble(closed: str, heard: bool) -> None:
    line = f"'{sys.executable}' -m core check nowhere --json {closed}"
    left = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False, timeout=60)
    assert (left.returncode, left.stderr, bool(left.stdout)) == (1, "", heard)


# ---- the unexpected -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code"),
    [(RuntimeError("boom"), Code.UNKNOWN), (MemoryError(), Code.SYSTEM_MEMORY)],
    ids=["any", "memory"],
)
def test_an_error_nobody_thought_of_is_one_sentence(
    problem: Problem, monkeypatch: pytest.MonkeyPatch, rows: Path, error: Exception, code: Code
) -> None:
    def fail(*_files: Any, **_options: Any) -> None:
        raise error

    monkeypatch.setattr(check, "examine", fail)
    assert problem("check", rows)["problem"] == code


def test_ctrl_c_is_130(solotune: Command, monkeypatch: pytest.MonkeyPatch, rows: Path) -> None:
    def interrupt(*_files: Any, **_options: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(check, "examine", interrupt)
    said = solotune("check", rows)
    assert (said.code, said.out, said.err) == (130, "", "")


@pytest.mark.skipif(os.name != "posix", reason="sends itself a signal")
def test_ctrl_c_asks_a_job_to_stop_and_a_second_one_insists() -> None:
    def press(event: Event, times: int) -> None:
        if isinstance(event, Stage) and event.stage is StageName.TRAINING:
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    for times, job, expected in ((1, Waits(), Stopped), (2, Waits(deaf=True), Failed)):
        assert isinstance(follow(JobProcess(job), quiet=True, hear=partial(press, times=times)), expected)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_stream_that_nobody_reads_stops_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    class Left(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    monkeypatch.setattr(sys, "stdout", Left())
    last = follow(JobProcess(Waits()), stream=True)
    monkeypatch.undo()
    assert isinstance(last, Stopped)


def test_debug_shows_the_traceback() -> None:
    with pytest.raises(Trouble, match="data_missing"):
        run(["check", "nowhere", "--debug"])
    left = python("check", "nowhere", "--debug")
    assert left.returncode == 1 and "Traceback" in left.stderr
    assert "Traceback" not in python("check", "nowhere").stderr


def test_relative_names_in_a_plan_are_beside_the_plan(
    solotune: Command, monkeypatch: pytest.MonkeyPatch, home: Path, tmp_path: Path, model: Path, rows: Path
) -> None:
    """The run that train makes names absolute files, wherever train was called from."""
    (home / "data").mkdir()
    plan = make_plan(tmp_path, validation="rows.jsonl")
    made: list[TrainingPlan] = []

    def keep(_root: Path, plan: TrainingPlan) -> RunFolder:
        made.append(plan)
        raise Trouble(Code.DISK_FULL)

    monkeypatch.chdir(home)
    monkeypatch.setattr(RunFolder, "create", keep)
    assert solotune("train", plan).code == 1
    assert (made[0].model, made[0].data) == (str(model), (str(tmp_path / "rows.jsonl"),))
    assert made[0].validation == str(tmp_path / "rows.jsonl")
