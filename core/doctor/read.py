"""Takes the doctor's readings from this computer, a function each; tests put others in their place."""

import errno
import platform
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from core import gpu
from core.doctor.packages import read_packages
from core.doctor.readings import Cards, Clock, Keyring, Memory, Network, Place, Power, Python, System
from core.doctor.screen import read_screen
from core.files import free_bytes
from core.hub.credentials import has_keyring
from core.nvml import is_wsl
from core.problems import Trouble
from core.settings import Settings, models_root, runs_root, settings_file

#: Asks every source of models, and never when the user wants no network.
Reacher = Callable[[], Network]


def readers(settings: Settings, reach: Reacher | None = None) -> dict[str, Callable[[], Any]]:
    """Return the function for every field of Readings; without `reach` nothing is said about the network."""
    own: dict[str, Callable[[], Any]] = {
        "python": read_python,
        "packages": read_packages,
        "system": lambda: read_system(settings),
        "cards": read_cards,
        "places": lambda: read_places(settings),
        "memory": read_memory,
        "power": read_power,
        "clock": read_clock,
        "screen": read_screen,
    }
    if settings.offline:
        return own | {"network": lambda: Network(offline=True)}
    # a secret service is asked over a socket, and a token is of no use without a network
    own["keyring"] = read_keyring
    if reach is not None:
        own["network"] = reach
    return own


def read_python() -> Python:
    """The Python that runs this."""
    return Python(platform.python_version(), struct.calcsize("P") * 8)


def read_system(settings: Settings) -> System:
    """The operating system; inside WSL also the folders that lie on Windows' side, where reading is slow."""
    wsl = is_wsl()
    folders = {"runs": runs_root(settings), "models": models_root(settings)}
    slow = tuple((name, str(path)) for name, path in folders.items() if wsl and _on_windows(path))
    return System(sys.platform, f"{platform.system()} {platform.release()} {platform.machine()}", wsl, slow)


def read_cards() -> Cards:
    """Every card, or the driver's problem."""
    try:
        return Cards(gpu.cards())
    except Trouble as trouble:
        return Cards(problem=trouble.problem.code, text=str(trouble.problem.facts.get("text", "")))


def read_places(settings: Settings) -> tuple[Place, ...]:
    """The folders that SoloTune writes to, and the room on their disks."""
    folders = {
        "settings": settings_file().parent,
        "runs": runs_root(settings),
        "models": models_root(settings),
        "temporary": Path(tempfile.gettempdir()),
    }
    return tuple(_place(name, path) for name, path in folders.items())


def read_memory() -> Memory:
    """Main memory, and the room for more of it on the disk."""
    main, swap = psutil.virtual_memory(), psutil.swap_memory()
    return Memory(int(main.total), int(main.available), int(swap.total), sys.platform)


def read_power() -> Power:
    """Whether the computer runs on its battery."""
    told = getattr(psutil, "sensors_battery", lambda: None)()
    return Power(None if told is None or told.power_plugged is None else bool(told.power_plugged))


def read_clock() -> Clock:
    """The time here, and the day when the newest dated package came out: that one has certainly passed."""
    return Clock(time.time(), max(map(_dated, ("certifi", "regex")), default=0.0))


def read_keyring() -> Keyring:
    """The system's place for secrets."""
    if not has_keyring():
        return Keyring()
    import keyring

    backend: Any = keyring.get_keyring()
    return Keyring(str(getattr(backend, "name", type(backend).__name__)))


def _place(name: str, path: Path) -> Place:
    free, total = free_bytes(path), int(psutil.disk_usage(str(_standing(path))).total)
    return Place(name, str(path), free, total, _why_not(path))


def _why_not(folder: Path) -> str:
    """Why nothing can be written into `folder`, "" when it can; of one that is not there yet its parent counts."""
    standing = _standing(folder)
    try:
        with tempfile.TemporaryFile(dir=standing) as file:
            file.write(b"SoloTune")
            return ""
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, type(error).__name__)


def _standing(path: Path) -> Path:
    """The folder itself, or its nearest parent that is there."""
    while not path.is_dir() and path.parent != path:
        path = path.parent
    return path


def _on_windows(path: Path) -> bool:
    parts = path.parts
    return len(parts) > 2 and parts[1] == "mnt" and len(parts[2]) == 1


def _dated(package: str) -> float:
    """When a package whose version is a date came out; 0 for all others."""
    try:
        numbers = [int(part) for part in metadata.version(package).split(".")]
    except (metadata.PackageNotFoundError, ValueError):
        return 0.0
    if len(numbers) != 3 or numbers[0] < 2020:
        return 0.0
    year, month, day = numbers
    try:
        return datetime(year, month, day, tzinfo=UTC).timestamp() - 86_400
    except (ValueError, OverflowError):
        return 0.0
