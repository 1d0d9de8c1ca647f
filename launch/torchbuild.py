"""Chooses the PyTorch build that fits the NVIDIA driver and graphics card."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from launch.child import without_window
from launch.sentences import SetupError

Version = tuple[int, int]

WHEELS = "https://download.pytorch.org/whl"
# The table in choose_build was made for the wheels of this release: check it when the pin moves on.
TABLE_FOR = "2.13"

_DRIVERS: tuple[tuple[int, Version], ...] = ((580, (13, 0)), (570, (12, 8)), (560, (12, 6)), (1, (11, 0)))
_SECONDS = 30


class Choice(NamedTuple):
    """A PyTorch build, or the key of the sentence that says why there is none."""

    build: str
    problem: str = ""


class Card(NamedTuple):
    """What the NVIDIA driver tells: its CUDA version, and the best card's compute capability."""

    present: bool
    cuda: Version | None = None
    capability: Version | None = None


def choose_build(system: str, cuda: Version | None, gpu: bool, capability: Version | None = None) -> Choice:
    """Return the build for an operating system, the driver's CUDA version and the card."""
    if not gpu or cuda is None or system not in ("Linux", "Windows"):
        return Choice("default")
    # An unknown capability counts as one that every build has.
    sm = capability or (8, 0)
    if sm < (5, 0):
        return Choice("cpu")
    if cuda < (12, 6):
        return Choice("", "driver_old")
    if sm < (7, 5):
        return Choice("cu126")
    if cuda >= (13, 0):
        return Choice("default" if system == "Linux" else "cu130")
    if sm < (10, 0):
        return Choice("cu126")
    # cu126 has no code for Blackwell, cu128 ended with PyTorch 2.11, and cu129 is built for Linux only.
    return Choice("cu129") if system == "Linux" and cuda >= (12, 8) else Choice("", "driver_newer")


def requirement(version: str, build: str, system: str) -> list[str]:
    """Return pip's arguments for one build of PyTorch."""
    if build == "default" or (build == "cpu" and system != "Linux"):
        return [f"torch=={version}"]
    # The exact local version comes from nowhere but PyTorch's index, while the packages that it needs
    # keep coming from the person's own index or mirror, where the pinned versions are.
    return [f"torch=={version}+{build}", "--extra-index-url", f"{WHEELS}/{build}"]


def needed_gb(system: str, build: str) -> int:
    """Return the disk space in GB that a set-up with this build takes."""
    with_cuda = build.startswith("cu") or (build == "default" and system == "Linux")
    return 12 if with_cuda else 3


def detect_build() -> str:
    """Return the build for this computer, asking its NVIDIA driver."""
    system = platform.system()
    if system == "Darwin" and platform.machine() == "x86_64":
        raise SetupError("mac_intel")
    card = read_card(nvidia_smi)
    choice = choose_build(system, card.cuda, card.present, card.capability)
    if choice.problem:
        raise SetupError(choice.problem)
    return choice.build


def read_card(ask: Callable[[list[str]], str]) -> Card:
    """Return what nvidia-smi, called through `ask`, says about the card."""
    header = ask([])
    if "NVIDIA-SMI" not in header or "No devices were found" in header:
        return Card(False)
    # A driver too old to know compute_cap fails here and leaves the capability unknown.
    table = ask(["--query-gpu=compute_cap,driver_version", "--format=csv,noheader"])
    found = [(int(a), int(b)) for a, b in re.findall(r"^\s*(\d+)\.(\d+)\s*,", table, re.MULTILINE)]
    return Card(True, cuda_version(header), max(found, default=None))


def cuda_version(header: str) -> Version | None:
    """Return the CUDA version in nvidia-smi's header, or the one its driver version stands for."""
    # Drivers from 610 on write "CUDA UMD Version" and "KMD Version".
    match = re.search(r"CUDA (?:UMD )?Version\s*:\s*(\d+)\.(\d+)", header)
    if match:
        return int(match[1]), int(match[2])
    driver = re.search(r"(?:Driver|KMD) Version\s*:\s*(\d+)", header)
    if not driver or re.search(r"CUDA (?:UMD )?Version\s*:\s*N/A", header):
        return None
    return next((cuda for oldest, cuda in _DRIVERS if int(driver[1]) >= oldest), None)


def nvidia_smi(arguments: list[str]) -> str:
    """Return what nvidia-smi prints, or nothing when it is missing, fails or hangs."""
    for program in _programs():
        try:
            done = subprocess.run(
                [program, *arguments],
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_SECONDS,
                creationflags=without_window(),
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0:
            return done.stdout
    return ""


def _programs() -> list[str]:
    windows = Path(os.environ.get("SYSTEMROOT", r"C:\Windows"))
    programs = Path(os.environ.get("PROGRAMFILES", r"C:\Program Files"))
    places = [
        Path("/usr/lib/wsl/lib/nvidia-smi"),
        windows / "System32" / "nvidia-smi.exe",
        programs / "NVIDIA Corporation" / "NVSMI" / "nvidia-smi.exe",
    ]
    found = shutil.which("nvidia-smi")
    return [found] if found else [str(place) for place in places if place.is_file()]
