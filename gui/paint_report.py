"""For the benchmark: when the first paint came, and how much memory the process held then."""

import json
import os
import time
from pathlib import Path

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QWidget

#: Names the file to write; nothing is measured without it.
VARIABLE = "SOLOTUNE_PAINT_REPORT"


class _FirstPaint(QObject):
    """Waits for the first paint event of a window."""

    def __init__(self, window: QWidget, report: Path) -> None:
        super().__init__(window)
        self._report = report
        self._window = window
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            self._window.removeEventFilter(self)
            self._write()
        return False

    def _write(self) -> None:
        import psutil

        found = {"seconds": process_age(), "rss_bytes": psutil.Process().memory_info().rss}
        self._report.write_text(json.dumps(found) + "\n", encoding="utf-8")


def process_age() -> float:
    """Seconds since this process began."""
    import psutil

    stat, uptime = Path("/proc/self/stat"), Path("/proc/uptime")
    if not stat.exists():
        return time.time() - float(psutil.Process().create_time())
    # psutil adds whole-second boot time: in a container that was 0.7 s off; ticks and uptime share one clock
    ticks = int(stat.read_text().rpartition(")")[2].split()[19])
    return float(uptime.read_text().split()[0]) - ticks / os.sysconf("SC_CLK_TCK")


def report_first_paint(window: QWidget) -> None:
    """Write seconds since the process began and its memory to the file that SOLOTUNE_PAINT_REPORT names."""
    path = os.environ.get(VARIABLE)
    if path:
        _FirstPaint(window, Path(path))
