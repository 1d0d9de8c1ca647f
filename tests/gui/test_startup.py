"""What a start costs and loads, measured in a fresh interpreter."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "transformers", "peft", "bitsandbytes", "datasets", "accelerate", "pandas", "scipy")

SCRIPT = """
import sys, json
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from gui.app import Studio
app = QApplication([])
studio = Studio(app)
studio.show()
QTimer.singleShot(1000, studio.window.close)
app.exec()
at_start = [name for name in sys.modules]
import gui.pages.book as book
from core.wizard import STEPS
from gui.desk import Desk
for name in (*STEPS, "runs", "settings"):
    book.make(name, studio.desk)
print(json.dumps([at_start, list(sys.modules)]))
"""


def start(tmp_path: Path, **more: str) -> list[list[str]]:
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "SOLOTUNE_HOME": str(tmp_path)} | more
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found: list[list[str]] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_no_heavy_library_in_the_window_and_no_numpy_at_the_start(tmp_path: Path) -> None:
    at_start, with_all_pages = start(tmp_path)
    assert not {"numpy", "pyqtgraph"} & set(at_start)
    assert not set(HEAVY) & set(with_all_pages)
    assert "pyqtgraph" in with_all_pages


def test_the_first_paint_is_reported(tmp_path: Path) -> None:
    report = tmp_path / "paint.json"
    start(tmp_path, SOLOTUNE_PAINT_REPORT=str(report))
    found = json.loads(report.read_text())
    assert 0 < found["seconds"] < 10
    assert 0 < found["rss_bytes"] < 200_000_000
