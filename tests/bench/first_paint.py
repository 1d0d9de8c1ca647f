"""How long the window takes from process start to its first paint, and how much memory it holds then.

Run: python -m tests.bench.first_paint [RUNS]. Goals: below 0.8 s and 200 MB, torch never imported.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def one_start(scratch: Path, number: int) -> dict[str, Any]:
    """Start the window once, read its report, end it. Seconds and bytes; also memory two seconds later."""
    report = scratch / f"paint-{number}.json"
    settings = {"SOLOTUNE_HOME": str(scratch), "SOLOTUNE_PAINT_REPORT": str(report), "PYTHONPATH": str(ROOT)}
    settings |= {"QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen")}
    window = subprocess.Popen([sys.executable, "-P", "-m", "gui"], env=os.environ | settings)
    try:
        while not report.exists() or not report.read_text():
            time.sleep(0.02)
        time.sleep(2)
        found: dict[str, Any] = json.loads(report.read_text())
        maps = Path(f"/proc/{window.pid}/maps")
        if maps.exists():
            import psutil

            found["later_bytes"] = psutil.Process(window.pid).memory_info().rss
            found["torch_loaded"] = "libtorch" in maps.read_text()
        return found
    finally:
        window.terminate()
        window.wait()


def main() -> None:
    """Print every figure's minimum, median and maximum over the runs."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    with tempfile.TemporaryDirectory() as scratch:
        one_start(Path(scratch), 0)  # the first one fills the disk cache
        found = [one_start(Path(scratch), n + 1) for n in range(runs)]
    figures: dict[str, Any] = {"runs": runs, "torch_loaded": any(f.get("torch_loaded") for f in found)}
    for name in ("seconds", "rss_bytes", "later_bytes"):
        values = [f[name] for f in found if name in f]
        if values:
            figures[name] = {"min": min(values), "median": statistics.median(values), "max": max(values)}
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
