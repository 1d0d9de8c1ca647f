"""NVML itself: opened once for the process, its errors as trouble, its cards and their parts in order, their memory."""

import ctypes
import platform
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import psutil

from core.problems import Code, Trouble

T = TypeVar("T")

#: NVML's words for trouble that has words of its own; all others are a driver that does not answer.
_CODES = {
    "NVMLError_LibraryNotFound": Code.NO_GPU,
    "NVMLError_DriverNotLoaded": Code.NO_GPU,
    "NVMLError_LibRmVersionMismatch": Code.DRIVER_MISMATCH,
    "NVMLError_NoPermission": Code.DRIVER_PERMISSION,
    "NVMLError_GpuIsLost": Code.GPU_LOST,
    "NVMLError_ResetRequired": Code.GPU_LOST,
    "NVMLError_GpuNotFound": Code.GPU_LOST,
}
#: Where the driver's library lies on systems that do not always tell the linker: WSL, NixOS.
PLACES = ("/usr/lib/wsl/lib/libnvidia-ml.so.1", "/run/opengl-driver/lib/libnvidia-ml.so.1")
#: Chips that have no memory of their own (in NVML's names), where NVML says "Not Supported" instead of a size.
_SHARING = ("gb10", "orin", "xavier", "thor", "tegra", "jetson")


@dataclass(frozen=True)
class Device:
    """A card, or a part of one (MIG): NVML's handle for it, the handle of the whole card, and its lasting name."""

    index: int
    handle: Any
    whole: Any
    mig: bool
    uuid: str


@dataclass(frozen=True)
class Memory:
    """Bytes of a card; `reserved` is the driver's own share of what is used. `unified`: it is the computer's RAM."""

    total: int
    free: int
    reserved: int = 0
    unified: bool = False


class Session:
    """NVML, opened once: opening costs tens of milliseconds, reading almost nothing.

    `lock` is held by who asks more than one question, so that nobody closes NVML in between.
    """

    def __init__(self, load: Callable[[], Any]) -> None:
        self.lock = threading.RLock()
        self._load = load
        self._nvml: Any = None
        self._devices: tuple[Device, ...] | None = None
        #: Why a card is not among the devices, and whether one is split into no parts.
        self.failed: Exception | None = None
        self.empty = False

    def open(self) -> Any:
        """Return the opened pynvml module. Raises Trouble."""
        with self.lock:
            if self._nvml is None:
                nvml = self._load()
                try:
                    _start(nvml)
                except nvml.NVMLError as error:
                    raise trouble(error) from error
                self._nvml = nvml
            return self._nvml

    def devices(self) -> tuple[Device, ...]:
        """Every card or part of a card, in the order of the PCI bus; one that does not answer leaves a gap.

        Handles stay valid while NVML is open, so they are asked for once. Raises Trouble, and NVML's own errors.
        """
        nvml = self.open()
        if self._devices is None:
            self.failed, self.empty = None, False
            self._devices = tuple(self._found(nvml))
        return self._devices

    def close(self) -> None:
        """Let go of NVML; the next call opens it again and sees what was plugged in or lost since."""
        with self.lock:
            nvml, self._nvml, self._devices = self._nvml, None, None
            if nvml is not None:
                ask(nvml, nvml.nvmlShutdown)

    def _found(self, nvml: Any) -> Iterator[Device]:
        index = 0
        for number in range(nvml.nvmlDeviceGetCount()):
            try:
                whole = nvml.nvmlDeviceGetHandleByIndex(number)
            except nvml.NVMLError as error:
                self.failed = error
                index += 1
                continue
            parts = _parts(nvml, whole)
            self.empty = self.empty or parts == []
            for handle in [whole] if parts is None else parts:
                uuid = text(ask(nvml, partial(nvml.nvmlDeviceGetUUID, handle)))
                yield Device(index, handle, whole, parts is not None, uuid)
                index += 1


def trouble(error: Exception) -> Trouble:
    """What an error of NVML means."""
    return Trouble(_CODES.get(type(error).__name__, Code.DRIVER), text=str(error))


def ask(nvml: Any, question: Callable[[], T]) -> T | None:
    """The answer, or None where this card or driver does not give one."""
    try:
        return question()
    except nvml.NVMLError:
        return None


def memory(nvml: Any, device: Device, *, reserved: bool = False) -> Memory:
    """The memory of a card; with `reserved` also the driver's share, where the driver is new enough to tell (R510).

    On chips without memory of their own it is the computer's main memory. Raises NVML's errors.
    """
    try:
        told = nvml.nvmlDeviceGetMemoryInfo(device.handle)
        if told.total:
            return Memory(int(told.total), int(told.free), _reserved(nvml, device) if reserved else 0)
    except nvml.NVMLError as error:
        if type(error).__name__ != "NVMLError_NotSupported" or not _shares(nvml, device):
            raise
    main = psutil.virtual_memory()
    return Memory(int(main.total), int(main.available), unified=True)


def _reserved(nvml: Any, device: Device) -> int:
    # only this field of the second form: its `used` counts the reserved memory with some drivers and not with others
    told = ask(nvml, lambda: nvml.nvmlDeviceGetMemoryInfo(device.handle, version=nvml.nvmlMemory_v2))
    return int(told.reserved) if told else 0


def is_wsl() -> bool:
    """Whether this is Linux inside Windows, where the driver tells less."""
    return "microsoft" in platform.release().lower()


def text(value: bytes | str | None) -> str:
    """NVML answers with bytes in old versions of its package."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value or ""


def _start(nvml: Any) -> None:
    try:
        nvml.nvmlInit()
    except nvml.NVMLError as error:
        if type(error).__name__ != "NVMLError_LibraryNotFound" or not _brought_in():
            raise
        nvml.nvmlInit()


def _brought_in() -> bool:
    """Load the driver's library from where some systems hide it; by its name it is then found."""
    for place in PLACES:
        if Path(place).is_file():
            try:
                ctypes.CDLL(place)
            except OSError:
                continue
            return True
    return False


def _parts(nvml: Any, whole: Any) -> list[Any] | None:
    """The parts (MIG instances) of a card, None when it is not split."""
    mode = ask(nvml, lambda: nvml.nvmlDeviceGetMigMode(whole))
    if not mode or mode[0] != nvml.NVML_DEVICE_MIG_ENABLE:
        return None
    count = ask(nvml, lambda: nvml.nvmlDeviceGetMaxMigDeviceCount(whole)) or 0
    parts = (ask(nvml, partial(nvml.nvmlDeviceGetMigDeviceHandleByIndex, whole, n)) for n in range(count))
    return [part for part in parts if part is not None]


def _shares(nvml: Any, device: Device) -> bool:
    """Whether this chip computes in the main memory: NVML tells of no other than "Not Supported"."""
    name = text(ask(nvml, lambda: nvml.nvmlDeviceGetName(device.whole))).lower()
    return any(chip in name for chip in _SHARING)
