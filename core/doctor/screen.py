"""What Qt needs to open a window on Linux: a display, and shared libraries that systems do not always bring."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from core.doctor.readings import Screen

#: Debian's names that do not follow from the library's.
_DEBIAN = {"libglib-2.0.so.0": "libglib2.0-0", "libz.so.1": "zlib1g"}
_NOT_FOUND = re.compile(r"^\s*(\S+) => not found", re.MULTILINE)
_SECONDS = 20


def read_screen() -> Screen:
    """What is there and what is not; elsewhere than on Linux Qt brings everything along."""
    if not sys.platform.startswith("linux"):
        return Screen()
    display = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    packaging = next((name for name in ("apt", "dnf", "zypper", "pacman") if shutil.which(name)), "")
    return Screen(display, missing_libraries(), packaging)


def missing_libraries() -> tuple[str, ...]:
    """Shared libraries that Qt's windows need and the system does not find, by their names in the linker."""
    plugin = _plugin()
    if plugin is None or shutil.which("ldd") is None:
        return ()
    # C: the words that are looked for are English
    env = {**os.environ, "LC_ALL": "C"}
    done = subprocess.run(["ldd", str(plugin)], capture_output=True, text=True, timeout=_SECONDS, env=env)
    return tuple(sorted(set(_NOT_FOUND.findall(done.stdout))))


def install_command(libraries: tuple[str, ...], packaging: str) -> str:
    """What a person types to install these libraries; "" where that is not known."""
    if packaging == "apt":
        return "sudo apt install " + " ".join(sorted(map(debian_name, libraries)))
    if packaging in ("dnf", "zypper"):
        # RPM packages say which libraries they hold
        return f"sudo {packaging} install " + " ".join(f"'{name}()(64bit)'" for name in libraries)
    return ""


def debian_name(library: str) -> str:
    """The package of a shared library by Debian's rule: "libxcb-cursor.so.0" is in libxcb-cursor0."""
    stem, _so, version = library.partition(".so.")
    joint = "-" if stem[-1:].isdigit() else ""
    return _DEBIAN.get(library, f"{stem.lower()}{joint}{version}")


def _plugin() -> Path | None:
    """The part of Qt that opens windows under X11, which needs the most libraries."""
    # found without importing it: Qt's own libraries stay out of this process
    spec = importlib.util.find_spec("PySide6")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        plugin = Path(folder) / "Qt" / "plugins" / "platforms" / "libqxcb.so"
        if plugin.is_file():
            return plugin
    return None
