"""Who holds memory of a card: programs with their names, and which of them to close for more."""

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PureWindowsPath
from typing import Any

import psutil

from core.nvml import ask, text

#: How NVML spells "not available" as a number of bytes (Windows).
_NOT_AVAILABLE = 2**64 - 1
#: The pid namespace that Linux starts with (PROC_PID_INIT_INO); inside a container it is another one.
_FIRST_NAMESPACE = "pid:[4026531836]"
#: What a program has open that computes or draws on an NVIDIA chip.
_CARD_FILES = ("/dev/nvidia", "/dev/nvhost", "/dev/nvmap", "/dev/nvgpu")
#: Programs that draw the desktop, log in or serve the card: closing them would take the user's session along.
_DESKTOP = frozenset(
    {
        "xorg", "x", "xwayland", "gnome-shell", "mutter", "plasmashell", "plasma-shell", "compiz", "cinnamon",
        "muffin", "xfwm4", "xfce4-panel", "xfdesktop", "marco", "metacity", "budgie-wm", "budgie-panel", "lxqt-panel",
        "openbox", "picom", "sway", "hyprland", "weston", "river", "labwc", "wayfire", "niri", "cosmic-comp",
        "cosmic-panel", "cosmic-session", "gala", "enlightenment", "lightdm", "lightdm-gtk-greeter", "slick-greeter",
        "gnome-session-binary", "gnome-remote-desktop-daemon", "nautilus-desktop", "ksmserver", "krunner", "kded5",
        "kded6", "polkitd", "nvidia-persistenced", "nvidia-cuda-mps-server", "nvidia-cuda-mps-control",
        "nvidia-powerd", "systemd-logind", "dwm.exe", "explorer.exe", "csrss.exe", "winlogon.exe", "logonui.exe",
        "lockapp.exe", "sihost.exe", "ctfmon.exe", "fontdrvhost.exe", "shellhost.exe", "shellexperiencehost.exe",
        "startmenuexperiencehost.exe", "searchhost.exe", "searchapp.exe", "searchui.exe", "textinputhost.exe",
        "applicationframehost.exe", "runtimebroker.exe", "dllhost.exe", "svchost.exe", "taskhostw.exe", "system",
        "nvcontainer.exe", "nvdisplay.container.exe", "windowserver",
    }
)  # fmt: skip
_DESKTOP_STARTS = ("kwin", "gdm", "sddm", "xdg-desktop-portal", "gsd-")


@dataclass(frozen=True)
class GpuProcess:
    """A program that holds memory of a card; `used_bytes` is None where the driver keeps it to itself."""

    pid: int
    name: str
    used_bytes: int | None


def programs(nvml: Any, handle: Any) -> Iterator[GpuProcess]:
    """Programs that compute or draw on the card, most memory first; one that does both is named once."""
    used: dict[int, int | None] = {}
    for kind in ("Compute", "Graphics"):
        for process in _running(nvml, handle, kind):
            told, pid = process.usedGpuMemory, int(process.pid)
            used[pid] = used.get(pid) if told in (None, _NOT_AVAILABLE) else max(int(told), used.get(pid) or 0)
    for pid in sorted(used, key=lambda pid: (-(used[pid] or 0), pid)):
        yield GpuProcess(pid, _name(nvml, pid), used[pid])


def closable(held: Iterable[GpuProcess]) -> tuple[GpuProcess, ...]:
    """Those of `held` that a person can close for more memory, most memory first.

    Left out: the desktop, SoloTune's own processes, and programs whose name or memory is not known here.
    """
    own = _own_pids()
    able = [p for p in held if p.name and p.used_bytes and p.pid not in own and not is_desktop(p.name)]
    return tuple(sorted(able, key=lambda p: (-(p.used_bytes or 0), p.pid)))


def enough(held: Iterable[GpuProcess], wanted_bytes: int) -> tuple[GpuProcess, ...]:
    """The fewest closable programs that free `wanted_bytes`, and of those the ones that free least beyond it.

    Largest first; empty when nothing is wanted, or when all of them together do not free that much.
    """
    left, chosen = list(closable(held)), list[GpuProcess]()
    while left and wanted_bytes > 0:
        last = [p for p in left if (p.used_bytes or 0) >= wanted_bytes]
        taken = last[-1] if last else left[0]
        left.remove(taken)
        chosen.append(taken)
        wanted_bytes -= taken.used_bytes or 0
    return () if wanted_bytes > 0 else tuple(chosen)


def is_desktop(name: str) -> bool:
    """Whether a program of this name draws the desktop or keeps the session alive."""
    low = name.lower()
    return low in _DESKTOP or low.startswith(_DESKTOP_STARTS)


def _running(nvml: Any, handle: Any, kind: str) -> list[Any]:
    asked = f"nvmlDeviceGet{kind}RunningProcesses"
    try:
        return list(getattr(nvml, f"{asked}_v3")(handle))
    except nvml.NVMLError as error:
        if type(error).__name__ != "NVMLError_FunctionNotFound":
            return []
    # drivers before R510
    return list(ask(nvml, partial(getattr(nvml, f"{asked}_v2"), handle)) or ())


def _own_pids() -> set[int]:
    try:
        return {os.getpid(), *(child.pid for child in psutil.Process().children(recursive=True))}
    except psutil.Error:
        return {os.getpid()}


def _name(nvml: Any, pid: int) -> str:
    """The program's file name without its folder, empty when nobody tells (another user's, or gone)."""
    if not _is_ours(pid):
        return ""
    # programs that rewrite their command line (Chrome) leave all their arguments in it
    path = text(ask(nvml, lambda: nvml.nvmlSystemGetProcessName(pid))).partition(" -")[0].strip()
    if not path:
        try:
            path = psutil.Process(pid).name()
        except psutil.Error:
            return ""
    # splits at both kinds of slash
    return PureWindowsPath(path).name


def _is_ours(pid: int) -> bool:
    """Whether `pid` means the same here as to the driver: inside a container it can be a stranger's number."""
    if not sys.platform.startswith("linux") or _namespace() == _FIRST_NAMESPACE or not psutil.pid_exists(pid):
        return True
    try:
        return any(_link(file).startswith(_CARD_FILES) for file in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:  # another user's
        return False


def _namespace() -> str:
    return _link(Path("/proc/self/ns/pid")) or _FIRST_NAMESPACE


def _link(file: Path) -> str:
    """Where a link leads, empty when it is gone."""
    try:
        return str(file.readlink())
    except OSError:
        return ""
