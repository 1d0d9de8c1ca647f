"""Tests of run.py: choosing the PyTorch build, the set-up, its repair, and later starts."""

from __future__ import annotations

import ast
import errno
import importlib.util
import io
import json
import os
import platform
import re
import shutil
import signal
import string
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

import run
from launch import checks, child, lock, setup, stamp, start, torchbuild
from launch.diagnose import classify, classify_error
from launch.heal import forget_broken
from launch.progress import Progress, describe, fit, percentage
from launch.sentences import SENTENCES, SetupError, is_chinese, python_problem, say, use_chinese
from launch.stamp import Place, Record

ROOT = Path(run.__file__).resolve().parent
OLD, BLACKWELL, KEPLER = (6, 1), (12, 0), (3, 5)

BACKEND = """
import os, zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    info = "solotune-0.1.dist-info/"
    files = {
        "solotune.pth": os.getcwd() + "\\n",
        info + "METADATA": "Metadata-Version: 2.1\\nName: solotune\\nVersion: 0.1\\nProvides-Extra: dev\\n",
        info + "WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }
    files[info + "RECORD"] = "".join(name + ",,\\n" for name in files) + info + "RECORD,,\\n"
    with zipfile.ZipFile(os.path.join(folder, "solotune-0.1-py3-none-any.whl"), "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
    return "solotune-0.1-py3-none-any.whl"
"""
PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "solotune"
version = "0.1"
[project.optional-dependencies]
dev = []
"""
SHOW = "import os, sys\nprint({name!r}, sys.argv[1:], os.getcwd())\n"


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every test see English sentences and no choice of build from outside."""
    use_chinese(False)
    monkeypatch.delenv("SOLOTUNE_TORCH", raising=False)


def write_project(root: Path, constraints: str = "") -> Place:
    """Write a project that run.py can set up without any network."""
    for name in ("core", "gui"):
        (root / name).mkdir(parents=True)
        (root / name / "__init__.py").touch()
    (root / "core" / "__main__.py").write_text(SHOW.format(name="cli"))
    (root / "gui" / "__main__.py").write_text(SHOW.format(name="window"))
    (root / "pytest.py").write_text(SHOW.format(name="pytest"))
    (root / "backend.py").write_text(BACKEND)
    (root / "pyproject.toml").write_text(PYPROJECT)
    (root / "constraints.txt").write_text(constraints)
    shutil.copy(ROOT / "run.py", root)
    shutil.copytree(ROOT / "launch", root / "launch", ignore=shutil.ignore_patterns("__pycache__"))
    return Place(root.resolve())


def start_really(place: Place, *words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the project's run.py as a person would, cut off from every package index."""
    settings = {"PIP_NO_INDEX": "1", "LC_ALL": "C.UTF-8", "SOLOTUNE_TORCH": "default", "COLUMNS": "80"}
    return subprocess.run(
        [sys.executable, str(place.root / "run.py"), *words],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=cwd or place.root,
        env={**os.environ, **settings, "PYTHONPATH": "/nowhere"},
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A project whose first start, with a real environment, has been made."""
    place = write_project(tmp_path_factory.mktemp("with space") / "app")
    first = start_really(place, "hello")
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith("cli ['hello']")
    assert "[2/2] Installing SoloTune's libraries" in first.stderr
    return place


def fake_ready(place: Place, torch: str = "default", **changes: Any) -> Record:
    """Write an environment that looks complete."""
    place.python.parent.mkdir(parents=True)
    place.python.touch()
    (place.venv / "pyvenv.cfg").write_text(f"home = {place.root}\nversion = 3\n")
    python = stamp.running_python()
    record = Record(str(place.root), python, torch, False, stamp.make_key(place, python, torch))
    stamp.write_record(place.stamp, record._replace(**changes))
    return record


# The choice of the PyTorch build


class Row(NamedTuple):
    """One line of the table of builds."""

    system: str
    cuda: tuple[int, int] | None
    gpu: bool
    capability: tuple[int, int] | None
    build: str
    problem: str = ""


TABLE = [
    *(Row(system, None, False, None, "default") for system in ("Linux", "Windows", "Darwin", "FreeBSD")),
    *(Row(system, None, True, (8, 6), "default") for system in ("Linux", "Windows")),
    *(Row("Darwin", (13, 0), True, c, "default") for c in (None, OLD, (8, 6), BLACKWELL)),
    *(
        Row(s, cuda, True, c, "", "driver_old")
        for s in ("Linux", "Windows")
        for cuda in ((11, 4), (12, 0), (12, 5))
        for c in (None, OLD, (7, 0), (7, 5), (8, 9), (9, 0), BLACKWELL)
    ),
    *(
        Row(s, cuda, True, c, "cu126")
        for s in ("Linux", "Windows")
        for cuda in ((12, 6), (12, 7), (12, 8), (12, 9))
        for c in (None, (5, 0), OLD, (7, 0), (7, 5), (8, 0), (8, 9), (9, 0))
    ),
    *(
        Row(s, cuda, True, c, "cu126")
        for s in ("Linux", "Windows")
        for cuda in ((13, 0), (13, 3), (14, 0))
        for c in ((5, 0), OLD, (7, 0), (7, 2))
    ),
    *(
        Row(s, cuda, True, c, build)
        for s, build in (("Linux", "default"), ("Windows", "cu130"))
        for cuda in ((13, 0), (13, 3), (14, 0))
        for c in (None, (7, 5), (8, 6), (9, 0), (10, 0), BLACKWELL)
    ),
    *(Row("Linux", cuda, True, c, "cu129") for cuda in ((12, 8), (12, 9)) for c in ((10, 0), BLACKWELL)),
    *(Row("Linux", (12, m), True, BLACKWELL, "", "driver_newer") for m in (6, 7)),
    *(Row("Windows", (12, m), True, BLACKWELL, "", "driver_newer") for m in (6, 7, 8, 9)),
    *(Row(s, cuda, True, KEPLER, "cpu") for s in ("Linux", "Windows") for cuda in ((11, 4), (12, 8), (13, 0))),
]


def test_the_build_follows_from_system_driver_and_card() -> None:
    for row in TABLE:
        choice = torchbuild.choose_build(row.system, row.cuda, row.gpu, row.capability)
        assert choice == (row.build, row.problem), row
        assert choice.build in ("", *stamp.BUILDS)


def test_the_table_is_for_the_pinned_release() -> None:
    constraints = ROOT / "constraints.txt"
    if constraints.exists():
        assert setup.torch_pin(constraints.read_text()).startswith(torchbuild.TABLE_FOR)


@pytest.mark.parametrize(
    ("header", "cuda"),
    [
        ("| NVIDIA-SMI 535.161.08   Driver Version: 535.161.08   CUDA Version: 12.2     |", (12, 2)),
        ("| NVIDIA-SMI 580.65.06    Driver Version: 580.65.06      CUDA Version: 13.0   |", (13, 0)),
        ("| NVIDIA-SMI 610.43.02    KMD Version: 610.43.02     CUDA UMD Version: 13.3   |", (13, 3)),
        ("| NVIDIA-SMI 572.16       Driver Version: 572.16 |", (12, 8)),
        ("| NVIDIA-SMI 470.2        Driver Version: 470.2  |", (11, 0)),
        ("| NVIDIA-SMI 560.35       Driver Version: 560.35    CUDA Version: N/A   |", None),
        ("NVIDIA-SMI", None),
    ],
)
def test_the_cuda_version_is_read_from_old_and_new_drivers(header: str, cuda: tuple[int, int] | None) -> None:
    assert torchbuild.cuda_version(header) == cuda


@pytest.mark.parametrize(
    ("header", "table", "card"),
    [
        ("", "", torchbuild.Card(False)),
        ("NVIDIA-SMI 1\nNo devices were found", "", torchbuild.Card(False)),
        ("NVIDIA-SMI CUDA Version: 12.6", "", torchbuild.Card(True, (12, 6))),
        ("NVIDIA-SMI CUDA Version: 12.6", "[N/A], 560.1\n", torchbuild.Card(True, (12, 6))),
        (
            "NVIDIA-SMI CUDA Version: 13.0",
            "6.1, 580.1\n12.0, 580.1\n",
            torchbuild.Card(True, (13, 0), (12, 0)),
        ),
    ],
)
def test_the_best_card_counts(header: str, table: str, card: torchbuild.Card) -> None:
    assert torchbuild.read_card(lambda arguments: table if arguments else header) == card


def test_a_missing_or_failing_or_hanging_nvidia_smi_means_no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*_: Any, **__: Any) -> None:
        raise subprocess.TimeoutExpired("nvidia-smi", 1)

    monkeypatch.setattr(torchbuild, "_programs", lambda: ["/nowhere/nvidia-smi", shutil.which("false") or ""])
    assert torchbuild.nvidia_smi([]) == ""
    monkeypatch.setattr(subprocess, "run", hang)
    assert torchbuild.nvidia_smi([]) == ""


def test_only_a_named_build_comes_from_the_index_of_pytorch() -> None:
    assert torchbuild.requirement("2.13.0", "default", "Linux") == ["torch==2.13.0"]
    assert torchbuild.requirement("2.13.0", "cpu", "Windows") == ["torch==2.13.0"]
    assert torchbuild.requirement("2.13.0", "cpu", "Linux")[0] == "torch==2.13.0+cpu"
    cuda = torchbuild.requirement("2.13.0", "cu126", "Windows")
    assert cuda == ["torch==2.13.0+cu126", "--extra-index-url", "https://download.pytorch.org/whl/cu126"]
    sources = [path.read_text() for path in [ROOT / "run.py", *(ROOT / "launch").glob("*.py")]]
    hosts = {host for text in sources for host in re.findall(r"https?://([\w.]+)", text)}
    assert hosts == {"download.pytorch.org"}


def test_the_build_can_be_forced_and_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "detect_build", lambda: "cu130")
    forced = Record("/x", "3.11", "cpu", forced=True)
    assert setup.pick_build(None, False) == ("cu130", False)
    assert setup.pick_build(forced, False) == ("cpu", True)
    assert setup.pick_build(forced, True) == ("cu130", False)
    monkeypatch.setenv("SOLOTUNE_TORCH", "CU126")
    assert setup.pick_build(forced, False) == ("cu126", True)
    monkeypatch.setenv("SOLOTUNE_TORCH", "cuda")
    with pytest.raises(SetupError, match=r"“cuda”.*cu126"):
        setup.pick_build(None, False)


def test_detection_ends_in_a_build_or_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    header = "NVIDIA-SMI  Driver Version: 535.1  CUDA Version: 12.2"
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(torchbuild, "nvidia_smi", lambda arguments: "" if arguments else header)
    with pytest.raises(SetupError, match=r"560.*SOLOTUNE_TORCH=cpu"):
        torchbuild.detect_build()
    monkeypatch.setattr(torchbuild, "nvidia_smi", lambda arguments: "")
    assert torchbuild.detect_build() == "default"
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    with pytest.raises(SetupError, match="Intel"):
        torchbuild.detect_build()


def test_the_pin_is_read_from_the_constraints() -> None:
    assert setup.torch_pin("numpy==2.4\ntorch==2.13.0 ; python_version > '3'\n") == "2.13.0"
    assert setup.torch_pin("torch==2.13.0+cpu\n") == "2.13.0"
    assert setup.torch_pin("torchvision==0.28.0\n# torch==1.0\n") == ""


# The stamp


def test_any_change_of_what_a_set_up_depends_on_changes_the_key(tmp_path: Path) -> None:
    place = write_project(tmp_path)
    keys = {stamp.make_key(place, "3.11", "cpu")}
    keys.add(stamp.make_key(place, "3.12", "cpu"))
    keys.add(stamp.make_key(place, "3.11", "cu126"))
    (tmp_path / "constraints.txt").write_text("torch==2.13.0")
    keys.add(stamp.make_key(place, "3.11", "cpu"))
    (tmp_path / "pyproject.toml").write_text("[project]")
    keys.add(stamp.make_key(place, "3.11", "cpu"))
    assert len(keys) == 5
    assert stamp.make_key(place, "3.11", "cpu") in keys
    (tmp_path / "pyproject.toml").unlink()
    with pytest.raises(SetupError, match=r"pyproject\.toml is missing"):
        stamp.make_key(place, "3.11", "cpu")


def test_a_complete_environment_is_ready(tmp_path: Path) -> None:
    place = write_project(tmp_path)
    assert not stamp.is_ready(place, dev=False)
    record = fake_ready(place, "cu126")
    assert stamp.is_ready(place, dev=False)
    assert stamp.is_ready(place, dev=False, torch="cu126", python=record.python)
    assert not stamp.is_ready(place, dev=False, torch="cpu")
    assert not stamp.is_ready(place, dev=False, python="3.0")
    assert not stamp.is_ready(place, dev=True)
    stamp.write_record(place.dev_stamp, record)
    assert stamp.is_ready(place, dev=True)
    (tmp_path / "constraints.txt").write_text("six==1.17.0\n")
    assert not stamp.is_ready(place, dev=False)


@pytest.mark.parametrize("changes", [{"root": "/elsewhere"}, {"key": ""}])
def test_another_folder_and_an_unfinished_set_up_are_not_ready(tmp_path: Path, changes: dict[str, str]) -> None:
    place = write_project(tmp_path)
    fake_ready(place, **changes)
    assert not stamp.is_ready(place, dev=False)


def test_an_uninstalled_base_python_is_noticed(tmp_path: Path) -> None:
    place = write_project(tmp_path)
    fake_ready(place)
    (place.venv / "pyvenv.cfg").write_text("home = /nowhere/at/all\n")
    assert not stamp.is_ready(place, dev=False)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"root": 1}', '{"unknown": 1}', "\udcff"])
def test_a_torn_stamp_counts_as_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "stamp.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert stamp.read_record(path) is None
    record = Record("/x", "3.11", "cpu", True, "k")
    stamp.write_record(path, record)
    assert stamp.read_record(path) == record
    assert [child.name for child in tmp_path.iterdir()] == ["stamp.json"]


# Starting


def test_a_later_start_runs_nothing_but_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a later start must not do this")

    place = write_project(tmp_path)
    fake_ready(place)
    started: list[list[str]] = []
    monkeypatch.setattr(subprocess, "Popen", refuse)
    monkeypatch.setattr(setup, "ensure", refuse)
    monkeypatch.setattr(start, "_become", started.append)
    start.start(place.root, ["train", "a.json"])
    assert started == [[str(place.python), "-P", "-m", "core", "train", "a.json"]]


def test_the_words_decide_what_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(tmp_path)
    python = str(place.python)
    wish = start.read_wish(["--repair", "--debug", "demo", "--debug"])
    assert wish == (["demo", "--debug"], True, True, False)
    assert start.make_command(place, wish) == [python, "-P", "-m", "core", "demo", "--debug"]
    assert start.make_command(place, start.read_wish([])) == [python, "-P", "-m", "gui"]
    clicked = start.read_wish(["--window", "test", "--uninstall"])
    assert not clicked.is_test and not clicked.is_uninstall
    assert start.make_command(place, clicked) == [python, "-P", "-m", "gui", "test", "--uninstall"]
    assert start.make_command(place, start.read_wish(["test", "-q"])) == [python, "-m", "pytest", "-q"]
    assert start.make_command(place, start.read_wish(["test"]))[:5] == [python, "-m", "pytest", "-n", "logical"]
    monkeypatch.setattr(sys, "platform", "win32")
    window = start.make_command(place, start.read_wish([]))
    assert Path(window[0]).parts[-3:] == (".venv", "Scripts", "pythonw.exe")


def test_a_problem_is_one_sentence_and_never_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("odd")

    monkeypatch.setattr(setup, "ensure", fail)
    assert start.start(tmp_path, []) == 1
    assert capsys.readouterr().err == say("unexpected", error="RuntimeError: odd") + "\n"
    with pytest.raises(RuntimeError):
        start.start(tmp_path, ["--debug"])


@pytest.mark.parametrize(
    ("version", "is_64_bit", "part"),
    [
        ((2, 7), True, "this is Python 2.7: install Python 3.13"),
        ((3, 6), True, "this is Python 3.6: install Python 3.13"),
        ((3, 10), True, "this is Python 3.10: install Python 3.13"),
        ((3, 14), True, "does not support Python 3.14 yet"),
        ((4, 0), True, "does not support Python 4.0 yet"),
        ((3, 12), False, "32-bit"),
    ],
)
def test_an_unsuitable_python_is_told_what_to_do(version: tuple[int, int], is_64_bit: bool, part: str) -> None:
    assert part in python_problem(version, is_64_bit)


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 13)])
def test_supported_pythons_have_no_problem(version: tuple[int, int]) -> None:
    assert python_problem(version, True) == ""


@pytest.mark.parametrize("name", ["run.py", "launch/__init__.py", "launch/sentences.py"])
def test_what_an_old_python_reads_has_old_syntax(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    ast.parse(text, feature_version=(3, 6))
    assert "from __future__" not in text


# The sentences


def test_every_sentence_is_there_in_both_languages() -> None:
    for key, (english_text, chinese_text) in SENTENCES.items():
        assert not re.search("[\u4e00-\u9fff]", english_text), key
        assert re.search("[\u4e00-\u9fff]", chinese_text), key
        fields = [{part[1] for part in string.Formatter().parse(text)} for text in (english_text, chinese_text)]
        assert fields[0] == fields[1], key
        assert "\n" not in english_text + chinese_text


def test_the_language_follows_the_first_setting_that_is_there() -> None:
    assert is_chinese(["", "zh_CN.UTF-8", "en_US"])
    assert is_chinese(["Chinese (Simplified)_China"])
    assert not is_chinese(["C.UTF-8", "zh_CN.UTF-8"])
    assert not is_chinese(["", ""])
    use_chinese(True)
    assert say("ready") == "安装完成。"


# Checks, diagnosis, repair


def test_a_folder_that_takes_no_files_is_named(tmp_path: Path) -> None:
    in_place_of_folder = tmp_path / "file"
    in_place_of_folder.touch()
    with pytest.raises(SetupError, match="cannot write into its folder") as caught:
        checks.check_writable(in_place_of_folder)
    assert str(in_place_of_folder) in str(caught.value)
    checks.check_writable(tmp_path)


def test_too_little_disk_space_is_told_beforehand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checks.check_space(tmp_path, 0)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=25 * 10**8))
    with pytest.raises(SetupError, match=r"3 GB needed, 2\.5 GB free"):
        checks.check_space(tmp_path, torchbuild.needed_gb("Windows", "default"))
    assert torchbuild.needed_gb("Linux", "cpu") == 3
    assert {torchbuild.needed_gb("Linux", build) for build in ("default", "cu126")} == {12}


def test_a_python_without_venv_gets_the_command_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    checks.check_venv_module()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SetupError, match=r"sudo apt install python3\.\d+-venv"):
        checks.check_venv_module()


RETRY = "WARNING: Retrying (Retry(total=4, connect=None, read=None, redirect=None, status=None)) after "
NOT_INSTALLED = "ERROR: Could not install packages due to an OSError:"
NO_VERSION = (
    "ERROR: Could not find a version that satisfies the requirement torch==2.13.0 (from versions: none)\n"
    "ERROR: No matching distribution found for torch==2.13.0\n"
)


@pytest.mark.parametrize(
    ("output", "key"),
    [
        (
            f"{RETRY}connection broken by 'NewConnectionError('<pip._vendor.urllib3.connection.HTTPS"
            "Connection object at 0x7f>: Failed to establish a new connection: [Errno -3] Temporary failure "
            f"in name resolution')': /simple/torch/\n{NO_VERSION}",
            "network",
        ),
        (
            f"{RETRY}connection broken by 'ProxyError('Cannot connect to proxy.')': /simple/\n{NO_VERSION}",
            "network",
        ),
        (NO_VERSION, "no_build"),
        (
            "ERROR: Cannot install torch==2.13.0+cu126 because these package versions have conflicting "
            "dependencies.\n    The user requested torch==2.13.0+cu126\n    The user requested (constraint) "
            "torch==2.13.0\nERROR: ResolutionImpossible: for help visit the documentation\n",
            "no_build",
        ),
        ("ERROR: torch-2.13.0-cp311.whl is not a supported wheel on this platform.\n", "no_build"),
        (
            "  error: subprocess-exited-with-error\n  × pip subprocess to install build dependencies did not "
            "run successfully.\n      ERROR: HTTPSConnectionPool(host='x', port=443): Read timed out.\n",
            "network",
        ),
        (
            f"{NOT_INSTALLED} <ConnectionFailedError: connection-failed>\n",
            "network",
        ),
        ("ERROR: HTTP error 503 while getting https://x/y.whl\n", "network"),
        (
            f"{NOT_INSTALLED} HTTPSConnectionPool(host='x', port=443): Max "
            "retries exceeded with url: /y (Caused by SSLError(SSLCertVerificationError(1, '[SSL: "
            "CERTIFICATE_VERIFY_FAILED] certificate verify failed')))\n",
            "certificate",
        ),
        (
            f"{NOT_INSTALLED} [Errno 28] No space left on device\n",
            "disk_ran_out",
        ),
        (f"{NOT_INSTALLED} [WinError 112] voll\n", "disk_ran_out"),
        (
            f"{NOT_INSTALLED} [Errno 13] Permission denied: '/x'\n",
            "read_only",
        ),
        (
            f"{NOT_INSTALLED} [Errno 30] Read-only file system\n",
            "read_only",
        ),
        (
            f"{NOT_INSTALLED} [WinError 32] in Benutzung: 'x.pyd'\n",
            "in_use",
        ),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n", "damaged"),
        (
            f"{NOT_INSTALLED} [Errno 2] No such file or directory: 'C:\\x'\n"
            "HINT: This error might have occurred since this system does not have Windows Long Path support "
            "enabled.\n",
            "long_path",
        ),
        (
            f"{RETRY}connection broken by 'ReadTimeoutError'\nERROR: [Errno 28] No space left on device",
            "disk_ran_out",
        ),
        ("ERROR: ResolutionImpossible: for help visit the documentation\n", ""),
        ("", ""),
    ],
)
def test_the_cause_is_read_from_what_pip_says(output: str, key: str) -> None:
    assert classify(f"Looking in indexes\nCollecting torch==2.13.0\n{output}") == key


def test_the_cause_is_read_from_errors_of_the_system() -> None:
    assert classify_error(OSError(errno.ENOSPC, "")) == "disk_ran_out"
    assert classify_error(OSError(errno.EROFS, "")) == "read_only"
    assert classify_error(OSError(errno.ENOENT, "")) == ""


def test_half_installed_packages_are_forgotten(tmp_path: Path) -> None:
    for name in ("whole", "torn", "early", "~old"):
        (tmp_path / f"{name}-1.dist-info").mkdir()
        (tmp_path / f"{name}.py").write_text("x = 1\n")
    for name in ("whole", "torn"):
        rows = f"{name}.py,sha256=x,6\n{name}-1.dist-info/RECORD,,\n__pycache__/{name}.pyc,sha256=x,9\n"
        (tmp_path / f"{name}-1.dist-info" / "RECORD").write_text(rows)
    (tmp_path / "torn.py").write_text("x")
    assert forget_broken(tmp_path) == ["early-1.dist-info", "torn-1.dist-info"]
    assert [path.name for path in tmp_path.glob("*.dist-info")] == ["whole-1.dist-info"]


def test_an_environment_that_lost_its_configuration_does_not_work(installed: Place) -> None:
    """Its Python is then the one that it was made from, and pip would install into that."""
    configuration = installed.venv / "pyvenv.cfg"
    text = configuration.read_text()
    assert checks.working_python(installed) == stamp.running_python()
    configuration.unlink()
    try:
        assert checks.working_python(installed, with_pip=False) == ""
        refused = subprocess.run(
            [installed.python, "-m", "pip", "install", "."], cwd=installed.root,
            capture_output=True, text=True, check=False, env=child.pip_environment(None),
        )  # fmt: skip
        assert refused.returncode
        assert re.search("Could not find an activated virtualenv|No module named pip", refused.stderr)
    finally:
        configuration.write_text(text)


# pip as a child process


def test_pip_sees_nothing_that_leads_it_astray(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTHONPATH", "PYTHONHOME", "PIP_TARGET"):
        monkeypatch.setenv(name, "/x")
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example/simple")
    (tmp_path / "pip-23.2.1.dist-info").mkdir()
    env = child.pip_environment(tmp_path)
    assert not {"PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_PROGRESS_BAR"} & set(env)
    assert env["PIP_INDEX_URL"] == "https://mirror.example/simple"
    assert (env["PIP_DISABLE_PIP_VERSION_CHECK"], env["PIP_USER"]) == ("1", "0")
    (tmp_path / "pip-23.2.1.dist-info").rename(tmp_path / "pip-24.1.dist-info")
    assert child.pip_environment(tmp_path)["PIP_PROGRESS_BAR"] == "raw"


def test_output_goes_to_the_log_and_an_interrupt_ends_the_child(tmp_path: Path) -> None:
    class Impatient(Progress):
        def pip_line(self, line: str) -> None:
            if line.startswith("pid"):
                pids.append(int(line.split()[1]))
                raise KeyboardInterrupt

    pids: list[int] = []
    log = tmp_path / "setup.log"
    quiet = Progress(1, io.StringIO())
    env = dict(os.environ)
    done = child.run_logged(
        [sys.executable, "-c", "print('Progress 1 of 2'); print('ü'); exit(3)"], log, quiet, tmp_path, env
    )
    assert done.code == 3
    assert done.output.strip() == "ü"
    sleeper = "import os, time; print('pid', os.getpid(), flush=True); time.sleep(60)"
    with pytest.raises(KeyboardInterrupt):
        child.run_logged([sys.executable, "-c", sleeper], log, Impatient(1, io.StringIO()), tmp_path, env)
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)
    assert "ü" in log.read_text(encoding="utf-8")


def test_pip_lines_become_short_ones() -> None:
    assert describe("Collecting torch==2.13.0 (from x)") == "Looking up torch"
    wheel = "  Downloading https://x/torch-2.13.0%2Bcu126-cp311-cp311-linux.whl (934.6 MB)\n"
    assert describe(wheel).endswith("torch-2.13.0%2Bcu126 (934.6 MB)")
    assert describe("  Downloading six-1.17.0-py2.py3-none-any.whl.metadata (2 kB)") == ""
    assert describe("Installing collected packages: a, b, c") == "Unpacking 3 packages"
    assert describe("  Building editable for solotune (pyproject.toml): started") == "Preparing solotune"
    assert describe("Requirement already satisfied: six") == ""
    assert (percentage("Progress 30 of 60"), percentage("Progress 0 of 0"), percentage("x")) == (
        "50 %",
        "",
        "",
    )
    assert (fit("下载 x", 5), fit("ab", 4), fit("abc", 2)) == ("下载 ", "ab  ", "ab")


def test_a_terminal_gets_one_changing_line_and_a_file_plain_ones() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for out in (io.StringIO(), Terminal()):
        progress = Progress(2, out)
        progress.step("First")
        for line in ("Collecting six", "Collecting six", "Progress 1 of 4"):
            progress.pip_line(line)
        progress.line("Done")
        assert out.getvalue().count("\n") == (2 if out.isatty() else 3)
        assert "[1/2] First\n" in out.getvalue()
        assert ("25 %" in out.getvalue()) == out.isatty()


# The lock


HOLD = """
import sys, time
from pathlib import Path
from launch.lock import setup_lock
with setup_lock(Path(sys.argv[1]), lambda: print("waiting", flush=True)):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def hold(path: Path, seconds: float) -> subprocess.Popen[str]:
    """Start a process that takes the lock and says so."""
    command = [sys.executable, "-c", HOLD, str(path), str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def test_a_second_set_up_waits_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with hold(path, 1) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        told: list[int] = []
        with lock.setup_lock(path, lambda: told.append(1)):
            assert told == [1]
            assert first.wait(5) == 0
    assert not path.exists()


def test_the_lock_of_a_dead_set_up_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with hold(path, 60) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        first.kill()
    assert path.exists()
    with lock.setup_lock(path, lambda: pytest.fail("the holder is dead")):
        pass
    assert not path.exists()


# The set-up as a whole, first with a pretended pip and then for real


class Pretender:
    """Stands in for the child processes of a set-up and for the environment that they make."""

    def __init__(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        self.place = place
        self.commands: list[list[str]] = []
        self.fail_at = ""
        self.failure: BaseException | child.Outcome = KeyboardInterrupt()
        monkeypatch.setattr(setup, "run_logged", self._run)
        monkeypatch.setattr(setup, "working_python", self._probe)
        monkeypatch.setattr(setup, "detect_build", lambda: "cu126")
        monkeypatch.setattr(os, "sync", lambda: None, raising=False)
        monkeypatch.setattr(start, "_become", lambda command: 0)

    def _run(self, command: list[str], *_: Any) -> child.Outcome:
        self.commands.append(command)
        if self.fail_at and self.fail_at in " ".join(command):
            if isinstance(self.failure, BaseException):
                raise self.failure
            return self.failure
        if "venv" in command:
            self.place.python.parent.mkdir(parents=True)
            self.place.python.touch()
            (self.place.venv / "pyvenv.cfg").write_text(f"home = {self.place.root}\n")
        return child.Outcome(0, "")

    def _probe(self, place: Place, with_pip: bool = True) -> str:
        return stamp.running_python() if place.python.exists() else ""

    def start(self, *words: str) -> tuple[int, list[str]]:
        """Start run.py's work; return the exit code and the last words of every command."""
        self.commands.clear()
        code = start.start(self.place.root, list(words))
        return code, [command[-1] for command in self.commands]


@pytest.fixture
def pretender(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pretender:
    """A project with a pretended pip."""
    # `test` changes the folder for good: for this process only as long as the test
    monkeypatch.chdir(tmp_path)
    return Pretender(write_project(tmp_path / "app", "torch==2.13.0\n"), monkeypatch)


INDEX = "https://download.pytorch.org/whl/cu126"


def test_the_first_start_sets_up_and_the_second_does_not(pretender: Pretender) -> None:
    venv = str(pretender.place.venv)
    assert pretender.start() == (0, [venv, INDEX, "."])
    assert pretender.start("demo") == (0, [])
    assert pretender.start("test", "-q") == (0, [INDEX, ".[dev]"])
    assert pretender.start("test") == (0, [])
    assert pretender.start("--repair") == (0, [INDEX, "."])
    (pretender.place.root / "constraints.txt").write_text("torch==2.13.0\nsix==1.17.0\n")
    assert pretender.start() == (0, [INDEX, "."])
    assert not pretender.place.lock.exists()


@pytest.mark.parametrize("where", ["-m venv", "torch==", "-e ."])
def test_an_interrupted_set_up_goes_on_where_it_was(
    pretender: Pretender, where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pretender.fail_at = where
    assert pretender.start()[0] == 130
    assert capsys.readouterr().err.endswith(say("interrupted") + "\n")
    pretender.fail_at = ""
    begun = [] if where != "-m venv" else [str(pretender.place.venv)]
    assert pretender.start() == (0, [*begun, INDEX, "."])
    assert pretender.start() == (0, [])


@pytest.mark.parametrize(
    ("failure", "part"),
    [
        (child.Outcome(1, "ERROR: something else\n"), "Set-up failed at “Installing PyTorch 2.13.0 (cu126)”"),
        (
            child.Outcome(1, f"{RETRY}connection broken by 'ReadTimeoutError'\n{NO_VERSION}"),
            "internet connection",
        ),
        (OSError(errno.ENOSPC, "full"), "The disk became full"),
        (OSError(errno.EACCES, "no"), "cannot write into its folder"),
        (child.Outcome(1, "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES"), "cache purge"),
    ],
)
def test_a_failed_set_up_says_why_and_can_go_on(
    pretender: Pretender, failure: Any, part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pretender.fail_at, pretender.failure = "torch==", failure
    assert pretender.start()[0] == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert part in last
    assert "{" not in last
    pretender.fail_at = ""
    assert pretender.start() == (0, [INDEX, "."])


def test_test_tools_that_fail_leave_the_program_usable(pretender: Pretender, monkeypatch: pytest.MonkeyPatch) -> None:
    pretender.start()
    monkeypatch.setattr(setup, "detect_build", lambda: pytest.fail("there is nothing to choose anew"))
    pretender.fail_at, pretender.failure = "[dev]", child.Outcome(1, NO_VERSION)
    assert pretender.start("test")[0] == 1
    assert pretender.start() == (0, [])
    pretender.fail_at = ""
    assert pretender.start("test") == (0, [INDEX, ".[dev]"])


def test_a_moved_folder_and_another_build_get_a_new_environment(
    pretender: Pretender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretender.start()
    pretender.place.root.rename(tmp_path / "moved")
    pretender.place = Place(tmp_path / "moved")
    (pretender.place.venv / "old").touch()
    assert pretender.start() == (0, [str(pretender.place.venv), INDEX, "."])
    assert not (pretender.place.venv / "old").exists()
    monkeypatch.setenv("SOLOTUNE_TORCH", "default")
    assert pretender.start() == (0, [str(pretender.place.venv), "torch==2.13.0", "."])
    monkeypatch.delenv("SOLOTUNE_TORCH")
    assert pretender.start() == (0, [])


def test_a_start_with_another_python_keeps_a_working_environment(
    pretender: Pretender, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretender.start()
    monkeypatch.setattr(start, "running_python", lambda: "3.99")
    monkeypatch.setattr(setup, "running_python", lambda: "3.99")
    assert pretender.start() == (0, [])
    monkeypatch.setattr(setup, "working_python", lambda place, with_pip=True: "")
    assert pretender.start()[1][0] == str(pretender.place.venv)


@pytest.mark.parametrize("number", setup._ENDS)
def test_a_termination_ends_like_ctrl_c(
    pretender: Pretender, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    def terminate(*_: Any) -> child.Outcome:
        os.kill(os.getpid(), number)
        time.sleep(5)
        return child.Outcome(0, "")

    monkeypatch.setattr(setup, "run_logged", terminate)
    before = signal.getsignal(number)
    assert pretender.start()[0] == 130
    assert signal.getsignal(number) == before


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="has no such signal")
def test_nohup_is_respected(pretender: Pretender, monkeypatch: pytest.MonkeyPatch) -> None:
    def hang_up(*_: Any) -> child.Outcome:
        os.kill(os.getpid(), signal.SIGHUP)
        return child.Outcome(1, "")

    monkeypatch.setattr(setup, "run_logged", hang_up)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert pretender.start()[0] == 1
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_second_real_start_only_starts(installed: Place, tmp_path: Path) -> None:
    (tmp_path / "core.py").write_text("raise SystemExit('shadowed')")
    (tmp_path / "gui.py").write_text("raise SystemExit('shadowed')")
    second = start_really(installed, "train", "a b", cwd=tmp_path)
    assert (second.returncode, second.stderr) == (0, "")
    assert second.stdout == f"cli ['train', 'a b'] {tmp_path}\n"
    assert start_really(installed, cwd=tmp_path).stdout == f"window [] {tmp_path}\n"
    assert "pip install -c constraints.txt -e ." in (installed.venv / "setup.log").read_text()


def test_the_tests_start_in_the_project_folder(installed: Place, tmp_path: Path) -> None:
    done = start_really(installed, "test", "-q", cwd=tmp_path)
    assert done.stdout == f"pytest ['-q'] {installed.root}\n"
    assert "and the test tools" in done.stderr
    assert start_really(installed, "test").stderr == ""


def test_a_broken_environment_is_made_anew(installed: Place) -> None:
    packages = installed.packages()
    assert packages is not None
    shutil.rmtree(packages / "pip")
    record = json.loads(installed.stamp.read_text())
    installed.stamp.write_text(json.dumps({**record, "key": ""}))
    healed = start_really(installed, "hello")
    assert healed.returncode == 0, healed.stderr
    assert (packages / "pip").is_dir()
    assert start_really(installed, "hello").stderr == ""
