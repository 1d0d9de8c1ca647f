"""How SoloTune is repaired on this computer: by run.py, or by the program that installed it."""

import json
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

#: The record that run.py keeps of a finished set-up (launch/stamp.py).
_STAMP = "solotune-setup.json"
#: Tells run.py the process that has to end before files are replaced: Windows locks those in use.
AFTER = "SOLOTUNE_AFTER"


@dataclass(frozen=True)
class Repair:
    """The command that repairs SoloTune; with `starts` the app can run it itself and comes back when it is done."""

    command: tuple[str, ...]
    starts: bool

    @property
    def line(self) -> str:
        """The command as a person types it."""
        return subprocess.list2cmdline(self.command) if sys.platform == "win32" else shlex.join(self.command)


def repair(prefix: Path | None = None, base: str = "", source: Path | None = None, origin: str = "") -> Repair:
    """Return how to repair the SoloTune of the environment at `prefix`, by default the one that runs this.

    `base` is the Python that the environment was made from: the environment's own would be replaced under its feet.
    `source` is the folder that the code lies in, `origin` what it was installed from if not by its name alone.
    """
    prefix = prefix or Path(sys.prefix)
    script = prefix.parent / "run.py"
    if (prefix / _STAMP).is_file() and script.is_file():
        python = base or getattr(sys, "_base_executable", "") or sys.executable
        return Repair((python, str(script), "--repair"), True)
    if (prefix / "pipx_metadata.json").is_file():
        return Repair(("pipx", "reinstall", "solotune"), False)
    if (prefix / "uv-receipt.toml").is_file():
        return Repair(("uv", "tool", "upgrade", "--reinstall", "solotune"), False)
    wanted = source or Path(__file__).parents[2]
    python = str(prefix / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python"))
    if (wanted / "constraints.txt").is_file():
        place = ("-c", str(wanted / "constraints.txt"), "-e", str(wanted))
        return Repair((python, "-m", "pip", "install", "--force-reinstall", *place), False)
    # by its name alone an index could answer with something else than the file or address that it came from
    return Repair((python, "-m", "pip", "install", "--force-reinstall", origin or _origin() or "solotune"), False)


def _origin() -> str:
    """The address of the file or repository that pip installed SoloTune from (direct_url.json, PEP 610), else ""."""
    try:
        told = json.loads(metadata.distribution("solotune").read_text("direct_url.json") or "{}")
        vcs = str(told.get("vcs_info", {}).get("vcs", ""))
        return f"{vcs}+{told['url']}" if vcs else str(told.get("url", ""))
    except (metadata.PackageNotFoundError, OSError, ValueError, AttributeError, KeyError):
        return ""


def start_repair(how: Repair) -> "subprocess.Popen[bytes]":
    """Run the repair apart from this process, which is to end right away: it waits for that, and opens the window anew.

    On Windows it shows a console at work; elsewhere run.py tells the desktop. Raises OSError.
    """
    env = {**os.environ, AFTER: str(os.getpid())}
    command = (*how.command, "--window")
    if sys.platform == "win32":
        return subprocess.Popen(command, env=env, creationflags=subprocess.CREATE_NEW_CONSOLE)
    nowhere = subprocess.DEVNULL
    return subprocess.Popen(command, env=env, start_new_session=True, stdin=nowhere, stdout=nowhere, stderr=nowhere)
