"""What may be loaded where, seen in fresh interpreters; and the checker of the source's shape sees what is wrong."""

import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import core
from tests.check_shape import ROOT, complaints

HEAVY = {"torch", "transformers", "peft", "bitsandbytes", "datasets", "accelerate", "pandas"}
WINDOWS = {"PySide6", "pyqtgraph", "shiboken6"}

MODULES = sorted(found.name for found in pkgutil.walk_packages(core.__path__, "core."))
ENGINE = [name for name in MODULES if name.startswith("core.engine")]
LIGHT = [name for name in MODULES if name not in ENGINE]


def loaded_by(*modules: str) -> set[str]:
    """Top-level packages that a fresh interpreter has loaded after importing `modules`."""
    script = (
        "import importlib, json, sys\n"
        "for name in sys.argv[1:]: importlib.import_module(name)\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, *modules],
        capture_output=True, text=True, timeout=120, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_window_starts_without_torch_and_its_friends() -> None:
    loaded = loaded_by("gui.__main__", "gui.main_window")
    assert "PySide6" in loaded
    assert not loaded & HEAVY


def test_the_command_line_starts_without_torch_and_without_qt() -> None:
    assert not loaded_by("core.__main__", "core.cli") & (HEAVY | WINDOWS)


def test_all_of_core_but_the_engine_is_light() -> None:
    assert {"core.jobs.worker", "core.hub.huggingface", "core.data.tables", "core.vram"} <= set(LIGHT)
    assert not loaded_by(*LIGHT) & (HEAVY | WINDOWS)


def test_the_engine_knows_nothing_of_windows() -> None:
    assert "core.engine.train" in ENGINE
    loaded = loaded_by(*ENGINE)
    assert "torch" in loaded
    assert not loaded & WINDOWS


def test_the_source_keeps_its_shape() -> None:
    assert list(complaints(ROOT)) == []


GOOD = '"""Says what it is for."""\n'


@pytest.mark.parametrize(
    ("place", "text", "complaint"),
    [
        ("core/a.py", GOOD + "\n" * 249, ""),
        ("core/a.py", GOOD + "\n" * 250, "core/a.py:251: 251 lines; a module has at most 250"),
        ("tests/a.py", GOOD + "\n" * 900, ""),
        ("gui/a.py", "x = 1\n", "gui/a.py:1: no docstring says what this module is for"),
        ("tests/a.py", "", "tests/a.py:1: no docstring says what this module is for"),
        ("launch/a.py", '"""Goes on\n\non the next line."""\n', "launch/a.py:1: the first sentence of the docstring"),
        (
            "core/a.py",
            GOOD + "def f() -> None:\n    import torch.nn\n",
            "core/a.py:3: only core.engine may import torch",
        ),
        ("gui/a.py", GOOD + "from peft import x\n", "gui/a.py:2: only core.engine may import peft"),
        ("tests/a.py", GOOD + "import torch\n", ""),
        ("core/engine/a.py", GOOD + "import torch\n", ""),
        ("core/engine/a.py", GOOD + "import PySide6.QtCore\n", "core/engine/a.py:2: core knows nothing of windows"),
        ("gui/a.py", GOOD + "import PySide6.QtCore\n", ""),
        ("core/a.py", GOOD + "def f():\n    pass\n", "core/a.py:2: f does not say what it returns"),
        ("core/a.py", GOOD + "class A:\n    def g(self):\n        pass\n", "core/a.py:3: g does not say"),
        ("core/a.py", GOOD + "def _f():\n    def g():\n        pass\n", ""),
    ],
)
def test_the_checker_sees_what_is_wrong(tmp_path: Path, place: str, text: str, complaint: str) -> None:
    (tmp_path / "run.py").write_text(GOOD)
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    found = list(complaints(tmp_path))
    assert len(found) == bool(complaint)
    assert not found or found[0].startswith(complaint)
