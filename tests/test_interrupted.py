"""A set-up that is ended at ten random moments, as hard as it gets, is ready after the next start."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from launch.heal import is_complete
from launch.stamp import Place, is_ready
from tests.test_run import write_project

pytestmark = pytest.mark.skipif(os.name != "posix", reason="ends whole process groups")

#: How a set-up may end: by a power cut or the system's memory (alone: pip is left behind), Ctrl-C, log-out.
ENDS = ((signal.SIGKILL, False), (signal.SIGKILL, True), (signal.SIGINT, True), (signal.SIGTERM, False))

#: Stands in for the module of the same name, which would fetch a real pip: a real environment with the pip below.
VENV = """
import importlib.util, pathlib, subprocess, sys, sysconfig, time
place = pathlib.Path(sysconfig.get_path("stdlib")) / "venv" / "__init__.py"
spec = importlib.util.spec_from_file_location("real_venv", place)
real = importlib.util.module_from_spec(spec)
spec.loader.exec_module(real)
folder = pathlib.Path(sys.argv[1])
if len(sys.argv) < 3:
    # the real one has a child as well, which brings pip
    subprocess.run([sys.executable, __file__, str(folder), "child"], check=True)
    sys.exit()
real.EnvBuilder(symlinks=True).create(folder)
site = next(folder.glob("lib/python*/site-packages"))
pieces = {
    "pip/__init__.py": "", "pip/_internal/__init__.py": "", "pip/_internal/cli/__init__.py": "",
    "pip/__main__.py": (pathlib.Path.cwd() / "pip_stand_in.py").read_text(), "pip/_internal/cli/main.py": "",
}
for name, text in pieces.items():
    (site / name).parent.mkdir(parents=True, exist_ok=True)
    (site / name).write_text(text)
    time.sleep(0.01)
"""

#: Installs as pip does: counts what has notes as installed, writes the list of files last, goes on unheard.
PIP = """
import contextlib, fcntl, pathlib, sys, time
site = pathlib.Path(__file__).parent.parent
root = pathlib.Path.cwd()
alone = (site / "alone").open("a")
try:
    fcntl.flock(alone, fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError:
    (root / "two_at_once").touch()
names = ["torch"] if any("torch" in word for word in sys.argv) else ["alpha", "beta", "gamma", "delta", "solotune"]
for name in names:
    info = site / f"{name}-1.dist-info"
    if info.is_dir():
        continue
    with contextlib.suppress(OSError):
        print(f"Collecting {name}", flush=True)
    rows = []
    for n in range(6):
        file = site / name / f"part{n}.py"
        file.parent.mkdir(exist_ok=True)
        with file.open("w") as out:
            out.write("x = 1\\n" * 50)
            out.flush()
            time.sleep(0.008)
            out.write("y = 2\\n" * 50)
        rows.append(f"{name}/part{n}.py,,600\\n")
        info.mkdir(exist_ok=True)
    if name == "solotune":
        (site / "solotune.pth").write_text(str(root) + "\\n")
    time.sleep(0.008)
    (info / "RECORD").write_text("".join(rows))
"""


def begin(place: Place, out: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
    """Start run.py in a process group of its own."""
    settings = {"LC_ALL": "C.UTF-8", "SOLOTUNE_TORCH": "cpu", "PIP_NO_INDEX": "1"}
    return subprocess.Popen(
        [sys.executable, str(place.root / "run.py"), "hello"],
        cwd=place.root, env={**os.environ, **settings}, start_new_session=True,
        stdout=out, stderr=subprocess.STDOUT,
    )  # fmt: skip


def ends(place: Place) -> tuple[int, str]:
    """Run run.py to its end: the exit code and everything it said."""
    process = begin(place)
    said = process.communicate(timeout=60)[0].decode()
    return process.returncode, said


def interrupt(place: Place, after: float, number: int, group: bool) -> None:
    """Start run.py and end it after that many seconds."""
    process = begin(place, subprocess.DEVNULL)
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        (os.killpg if group else os.kill)(process.pid, number)
        process.wait(30)


def made(folder: Path) -> Place:
    """A copy of SoloTune whose set-up takes about a second."""
    place = write_project(folder, "torch==2.13.0\n")
    (place.root / "venv.py").write_text(VENV)
    (place.root / "pip_stand_in.py").write_text(PIP)
    return place


def test_ten_interruptions_at_random_moments_end_ready(tmp_path: Path) -> None:
    seed = random.randrange(10**6)
    dice = random.Random(seed)
    whole = made(tmp_path / "undisturbed")
    start = time.monotonic()
    code, said = ends(whole)
    takes = time.monotonic() - start
    assert code == 0, said
    place = made(tmp_path / "中 断" / "app")
    for _ in range(10):
        interrupt(place, dice.uniform(0, takes), *dice.choice(ENDS))
    code, said = ends(place)
    assert code == 0, f"seed {seed}: {said}"
    assert said.splitlines()[-1].startswith("cli ['hello']")
    assert is_ready(place, dev=False)
    packages = place.packages()
    assert packages is not None
    infos = sorted(packages.glob("*.dist-info"))
    assert len(infos) == 6, f"seed {seed}: {infos}"
    assert all(map(is_complete, infos)), f"seed {seed}"
    assert not (place.root / "two_at_once").exists(), f"seed {seed}: two pips at once"
    assert ends(place) == (0, f"cli ['hello'] {place.root}\n")


def test_the_pip_of_a_killed_set_up_is_waited_for(tmp_path: Path) -> None:
    place = made(tmp_path / "app")
    process = begin(place)
    assert process.stdout is not None
    for line in process.stdout:
        if b"Looking up alpha" in line:
            break
    process.kill()
    process.stdout.close()
    process.wait(30)
    code, said = ends(place)
    assert code == 0, said
    assert "Another set-up is running in this folder" in said
    assert not (place.root / "two_at_once").exists()
    shutil.rmtree(place.root)
