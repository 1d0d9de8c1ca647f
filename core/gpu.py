"""Graphics cards through NVML: names, memory, who uses it, live readings."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import PureWindowsPath
from typing import Any, TypeVar

import psutil

from core.problems import Code, Trouble

T = TypeVar("T")

#: NVML's words for "there is no NVIDIA card or no driver here"; all its other words are trouble with the
#: driver.
_NOTHING_THERE = ("NVMLError_LibraryNotFound", "NVMLError_DriverNotLoaded")
_LOST = ("NVMLError_GpuIsLost", "NVMLError_ResetRequired", "NVMLError_Uninitialized", "NVMLError_Unknown")
#: How NVML spells "not available" as a number of bytes (Windows).
_NOT_AVAILABLE = 2**64 - 1


@dataclass(frozen=True)
class GpuProcess:
    """A program that holds memory of a card; `used_bytes` is None where the driver keeps it to itself."""

    pid: int
    name: str
    used_bytes: int | None


@dataclass(frozen=True)
class Card:
    """One card as NVML reports it. Memory in bytes; `capability` is (major, minor), (0, 0) when unknown."""

    index: int
    name: str
    total_bytes: int
    free_bytes: int
    capability: tuple[int, int] = (0, 0)
    driver: str = ""
    cuda: str = ""
    processes: tuple[GpuProcess, ...] = ()

    @property
    def used_bytes(self) -> int:
        return self.total_bytes - self.free_bytes

    @property
    def bf16(self) -> bool:
        """Real bf16 arithmetic starts at capability 8.0; older cards only emulate it."""
        return self.capability >= (8, 0)


@dataclass(frozen=True)
class Reading:
    """Live values of a card; None where the card or driver does not tell."""

    used_bytes: int
    total_bytes: int
    temperature: int | None = None
    power_watts: float | None = None
    utilisation: int | None = None


def cards() -> tuple[Card, ...]:
    """Return every card in the order of the PCI bus.

    Raises Trouble: NO_GPU without an NVIDIA card or driver, DRIVER when the driver fails, PACKAGE_MISSING
    without nvidia-ml-py. What a card keeps to itself is left out; a card that does not answer at all is
    passed over as long as another one does.
    """
    nvml = _session.open()
    try:
        count = nvml.nvmlDeviceGetCount()
        driver, cuda = _driver_version(nvml), _cuda_version(nvml)
    except nvml.NVMLError as error:
        close()
        raise _trouble(error) from error
    if count == 0:
        raise Trouble(Code.NO_GPU)
    found, failed = [], None
    for index in range(count):
        try:
            found.append(_card(nvml, index, driver, cuda))
        except nvml.NVMLError as error:
            failed = error
    if failed and not found:
        close()
        raise _trouble(failed) from failed
    return tuple(found)


def read(index: int = 0) -> Reading | None:
    """Return live values of card `index`, None when there is no such card or it was lost.

    NVML stays open between calls: a call takes well under a millisecond of the processor.
    """
    try:
        nvml = _session.open()
    except Trouble:
        return None
    try:
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    except nvml.NVMLError as error:
        if type(error).__name__ in _LOST:
            close()
        return None
    power = _ask(nvml, lambda: int(nvml.nvmlDeviceGetPowerUsage(handle)))
    return Reading(
        used_bytes=int(memory.total) - int(memory.free),
        total_bytes=int(memory.total),
        temperature=_ask(nvml, lambda: int(nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU))),
        power_watts=None if power is None else power / 1000,
        utilisation=_ask(nvml, lambda: int(nvml.nvmlDeviceGetUtilizationRates(handle).gpu)),
    )


def close() -> None:
    """Let go of NVML; the next call opens it again."""
    _session.close()


class _Session:
    """NVML, opened once for the process: opening costs tens of milliseconds, reading almost nothing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._nvml: Any = None

    def open(self) -> Any:
        """Return the opened pynvml module. Raises Trouble as `cards` does."""
        with self._lock:
            if self._nvml is None:
                nvml = _nvml()
                try:
                    nvml.nvmlInit()
                except nvml.NVMLError as error:
                    raise _trouble(error) from error
                self._nvml = nvml
            return self._nvml

    def close(self) -> None:
        with self._lock:
            nvml, self._nvml = self._nvml, None
            if nvml is not None:
                _ask(nvml, nvml.nvmlShutdown)


_session = _Session()


def _nvml() -> Any:
    """The pynvml module; tests put a FakeNvml here. Raises Trouble(PACKAGE_MISSING)."""
    try:
        import pynvml
    except ImportError:
        raise Trouble(Code.PACKAGE_MISSING, package="nvidia-ml-py") from None
    return pynvml


def _trouble(error: Exception) -> Trouble:
    if type(error).__name__ in _NOTHING_THERE:
        return Trouble(Code.NO_GPU)
    return Trouble(Code.DRIVER, text=str(error))


def _ask(nvml: Any, question: Callable[[], T]) -> T | None:
    """The answer, or None where this card or driver does not give one."""
    try:
        return question()
    except nvml.NVMLError:
        return None


def _driver_version(nvml: Any) -> str:
    return _text(_ask(nvml, nvml.nvmlSystemGetDriverVersion))


def _cuda_version(nvml: Any) -> str:
    """The newest CUDA that the driver knows, such as "13.0"."""
    number = _ask(nvml, nvml.nvmlSystemGetCudaDriverVersion_v2)
    return f"{number // 1000}.{number % 1000 // 10}" if number else ""


def _card(nvml: Any, index: int, driver: str, cuda: str) -> Card:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    major, minor = _ask(nvml, lambda: nvml.nvmlDeviceGetCudaComputeCapability(handle)) or (0, 0)
    return Card(
        index=index,
        name=_text(_ask(nvml, lambda: nvml.nvmlDeviceGetName(handle))),
        total_bytes=int(memory.total),
        free_bytes=int(memory.free),
        capability=(int(major), int(minor)),
        driver=driver,
        cuda=cuda,
        processes=tuple(_processes(nvml, handle)),
    )


def _processes(nvml: Any, handle: Any) -> Iterator[GpuProcess]:
    """Programs that compute or draw on the card, most memory first; one that does both is named once."""
    used: dict[int, int | None] = {}
    lists = (nvml.nvmlDeviceGetComputeRunningProcesses_v3, nvml.nvmlDeviceGetGraphicsRunningProcesses_v3)
    for running in lists:
        for process in _ask(nvml, partial(running, handle)) or ():
            told, pid = process.usedGpuMemory, int(process.pid)
            used[pid] = used.get(pid) if told in (None, _NOT_AVAILABLE) else int(told)
    for pid in sorted(used, key=lambda pid: (-(used[pid] or 0), pid)):
        yield GpuProcess(pid, _process_name(nvml, pid), used[pid])


def _process_name(nvml: Any, pid: int) -> str:
    """The program's file name without its folder, empty when nobody tells (another user's, or gone)."""
    path = _text(_ask(nvml, lambda: nvml.nvmlSystemGetProcessName(pid)))
    if not path:
        try:
            path = psutil.Process(pid).name()
        except psutil.Error:
            return ""
    # splits at both kinds of slash
    return PureWindowsPath(path).name


def _text(value: bytes | str | None) -> str:
    """NVML answers with bytes in old versions of its package."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value or ""
