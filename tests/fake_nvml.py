"""FakeNvml: the pynvml calls that core.gpu makes, for cards that are not there and drivers that fail."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

GIB = 1 << 30


class NVMLError(Exception):
    """Base of NVML's errors; pynvml makes a subclass for every code, and core.gpu knows them by name."""


class NVMLError_LibraryNotFound(NVMLError):  # noqa: N801, N818 - pynvml's spelling
    pass


class NVMLError_DriverNotLoaded(NVMLError):  # noqa: N801, N818
    pass


class NVMLError_LibRmVersionMismatch(NVMLError):  # noqa: N801, N818
    pass


class NVMLError_GpuIsLost(NVMLError):  # noqa: N801, N818
    pass


class NVMLError_NotSupported(NVMLError):  # noqa: N801, N818
    pass


class NVMLError_NoPermission(NVMLError):  # noqa: N801, N818
    pass


class NVMLError_InvalidArgument(NVMLError):  # noqa: N801, N818
    pass


class NVMLError_Uninitialized(NVMLError):  # noqa: N801, N818
    pass


@dataclass
class FakeCard:
    """One card; `processes` and `graphics` are (pid, name, bytes or None). `fails` names calls that raise."""

    name: str | bytes = "NVIDIA GeForce RTX 4090"
    total: int = 24564 << 20
    free: int = 23 * GIB
    capability: tuple[int, int] = (8, 9)
    temperature: int = 41
    milliwatts: int = 35_500
    utilisation: int = 7
    processes: list[tuple[int, str, int | None]] = field(default_factory=list)
    graphics: list[tuple[int, str, int | None]] = field(default_factory=list)
    fails: dict[str, NVMLError] = field(default_factory=dict)


class FakeNvml:
    """Stands where the pynvml module stands: `monkeypatch.setattr("core.gpu._nvml", lambda: FakeNvml(...))`.

    `fails` maps the name of a call to the error it raises. `calls` counts calls by name.
    """

    NVMLError = NVMLError
    NVML_TEMPERATURE_GPU = 0

    def __init__(
        self,
        *cards: FakeCard,
        driver: str | bytes = "580.95.05",
        cuda: int = 13000,
        fails: dict[str, NVMLError] | None = None,
    ) -> None:
        self.cards, self.driver, self.cuda, self.fails = list(cards), driver, cuda, dict(fails or {})
        self.calls: dict[str, int] = {}
        self.open = False

    def _called(self, name: str, card: FakeCard | None = None) -> None:
        self.calls[name] = self.calls.get(name, 0) + 1
        if name in self.fails:
            raise self.fails[name]
        if not self.open and name != "nvmlInit":
            raise NVMLError_Uninitialized("Uninitialized")
        if card is not None and name in card.fails:
            raise card.fails[name]

    def nvmlInit(self) -> None:  # noqa: N802 - NVML's spelling, here and below
        self._called("nvmlInit")
        self.open = True

    def nvmlShutdown(self) -> None:  # noqa: N802
        self._called("nvmlShutdown")
        self.open = False

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        self._called("nvmlDeviceGetCount")
        return len(self.cards)

    def nvmlSystemGetDriverVersion(self) -> str | bytes:  # noqa: N802
        self._called("nvmlSystemGetDriverVersion")
        return self.driver

    def nvmlSystemGetCudaDriverVersion_v2(self) -> int:  # noqa: N802
        self._called("nvmlSystemGetCudaDriverVersion_v2")
        return self.cuda

    def nvmlSystemGetProcessName(self, pid: int) -> str:  # noqa: N802
        self._called("nvmlSystemGetProcessName")
        for card in self.cards:
            for known, name, _used in card.processes + card.graphics:
                if known == pid and name:
                    return name
        raise NVMLError_NoPermission("Insufficient Permissions")

    def nvmlDeviceGetHandleByIndex(self, index: int) -> FakeCard:  # noqa: N802
        self._called("nvmlDeviceGetHandleByIndex")
        if not 0 <= index < len(self.cards):
            raise NVMLError_InvalidArgument("Invalid Argument")
        return self.cards[index]

    def nvmlDeviceGetName(self, card: FakeCard) -> str | bytes:  # noqa: N802
        self._called("nvmlDeviceGetName", card)
        return card.name

    def nvmlDeviceGetMemoryInfo(self, card: FakeCard) -> Any:  # noqa: N802
        self._called("nvmlDeviceGetMemoryInfo", card)
        return SimpleNamespace(total=card.total, free=card.free, used=card.total - card.free)

    def nvmlDeviceGetCudaComputeCapability(self, card: FakeCard) -> tuple[int, int]:  # noqa: N802
        self._called("nvmlDeviceGetCudaComputeCapability", card)
        return card.capability

    def nvmlDeviceGetTemperature(self, card: FakeCard, _sensor: int) -> int:  # noqa: N802
        self._called("nvmlDeviceGetTemperature", card)
        return card.temperature

    def nvmlDeviceGetPowerUsage(self, card: FakeCard) -> int:  # noqa: N802
        self._called("nvmlDeviceGetPowerUsage", card)
        return card.milliwatts

    def nvmlDeviceGetUtilizationRates(self, card: FakeCard) -> Any:  # noqa: N802
        self._called("nvmlDeviceGetUtilizationRates", card)
        return SimpleNamespace(gpu=card.utilisation, memory=0)

    def nvmlDeviceGetComputeRunningProcesses_v3(self, card: FakeCard) -> list[Any]:  # noqa: N802
        self._called("nvmlDeviceGetComputeRunningProcesses_v3", card)
        return [SimpleNamespace(pid=pid, usedGpuMemory=used) for pid, _name, used in card.processes]

    def nvmlDeviceGetGraphicsRunningProcesses_v3(self, card: FakeCard) -> list[Any]:  # noqa: N802
        self._called("nvmlDeviceGetGraphicsRunningProcesses_v3", card)
        return [SimpleNamespace(pid=pid, usedGpuMemory=used) for pid, _name, used in card.graphics]
