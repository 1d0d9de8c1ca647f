"""Without a screen the window is not tried: one sentence instead of the end of the process inside of Qt."""

import os
import subprocess
import sys

import pytest

from gui.screen import no_screen


@pytest.mark.parametrize(
    ("environment", "system", "missing"),
    [
        ({}, "linux", True),
        ({"DISPLAY": ""}, "linux", True),
        ({"QT_QPA_PLATFORM": "xcb"}, "linux", True),
        ({"QT_QPA_PLATFORM": "wayland;xcb"}, "linux", True),
        ({"DISPLAY": ":0"}, "linux", False),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", False),
        ({"QT_QPA_PLATFORM": "offscreen"}, "linux", False),
        ({"QT_QPA_PLATFORM": "vnc:size=800x600"}, "linux", False),
        ({}, "darwin", False),
        ({}, "win32", False),
    ],
)
def test_only_a_linux_without_a_desktop_has_no_screen(environment: dict[str, str], system: str, missing: bool) -> None:
    assert bool(no_screen(environment, system)) is missing


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there is always a desktop")
def test_the_window_without_a_screen_says_so_and_ends() -> None:
    kept = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    kept.pop("QT_QPA_PLATFORM", None)
    done = subprocess.run([sys.executable, "-m", "core"], capture_output=True, text=True, env=kept, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith("There is no screen here to open a window on. Every command works without one.")
