"""Shortcuts on Linux: an entry for the menu, icons in every size, and a copy on the desktop, where there is one."""

import contextlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from core.assets import resource
from core.desktop.entry import NAME, entry
from core.desktop.program import Program
from core.files import write_text

#: Pixels of the icons in resources/icons/app.
SIZES = (16, 24, 32, 48, 64, 128, 256, 512)
_SECONDS = 20


def place(program: Program) -> list[Path]:
    """Put the shortcut where this person's menus look; returns the files that were written. Raises OSError."""
    share = _share()
    written = [share / "applications" / f"{NAME}.desktop"]
    for shipped, target in icons(share):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(shipped, target)
        written.append(target)
    words = entry(program.command, program.alive)
    written[0].parent.mkdir(parents=True, exist_ok=True)
    write_text(written[0], words)
    desktop = desktop_folder()
    if desktop is not None:
        shown = desktop / f"{NAME}.desktop"
        write_text(shown, words)
        # file managers ask before they start what is not marked so
        shown.chmod(0o755)
        _quietly("gio", "set", str(shown), "metadata::trusted", "true")
        written.append(shown)
    tell(share)
    return written


def places() -> list[Path]:
    """Every file that a shortcut may consist of, also of an earlier version."""
    share = _share()
    desktop = desktop_folder()
    found = [share / "applications" / f"{NAME}.desktop", *(target for _shipped, target in icons(share))]
    return found if desktop is None else [*found, desktop / f"{NAME}.desktop"]


def icons(share: Path) -> list[tuple[Path, Path]]:
    """Each icon that SoloTune ships, and where it goes under `share`."""
    theme = share / "icons" / "hicolor"
    found = [(resource("icons", "app", f"{n}.png"), theme / f"{n}x{n}" / "apps" / f"{NAME}.png") for n in SIZES]
    return [*found, (resource("icons", "app", "solotune.svg"), theme / "scalable" / "apps" / f"{NAME}.svg")]


def tell(share: Path | None = None) -> None:
    """Have menus and file managers look again, where they need to be told."""
    share = share or _share()
    _quietly("update-desktop-database", str(share / "applications"))
    theme = share / "icons" / "hicolor"
    if theme.is_dir():
        # a cache that is older than its folder is not used
        with contextlib.suppress(OSError):
            os.utime(theme)


def desktop_folder() -> Path | None:
    """The folder that is shown as the desktop; None on desktops without one."""
    home = Path.home()
    found = home / "Desktop"
    with contextlib.suppress(OSError, UnicodeDecodeError):
        words = (_folder("XDG_CONFIG_HOME", ".config") / "user-dirs.dirs").read_text(encoding="utf-8")
        named = re.search(r'^XDG_DESKTOP_DIR="(.+)"', words, re.MULTILINE)
        if named:
            found = Path(named[1].replace("$HOME", str(home)))
    # without a desktop the entry names the home folder itself
    return found if found.is_dir() and found != home else None


def _share() -> Path:
    return _folder("XDG_DATA_HOME", ".local/share")


def _folder(variable: str, usual: str) -> Path:
    """A folder of the XDG base directories; a relative path counts as none."""
    named = Path(os.environ.get(variable, ""))
    return named if named.is_absolute() else Path.home() / usual


def _quietly(*command: str) -> None:
    """Run a command that helps where it is there."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)
