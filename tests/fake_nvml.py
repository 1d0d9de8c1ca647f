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


class NVMLError_ResetRequired(NVMLError):  # noqa: N801, N818
    pass


class NVMLError_GpuNotFound(NVMLError):  # noqa: N801, N818
    pass


class NVMLError_NotFound(NVMLError):  # noqa: N801, N818
    pass


class NVMLError_FunctionNotFound(NVMLError):  # noqa: N801, N818
    pass


class NVMLError_Unknown(NVMLError):  # noqa: N801, N818
    pass


@dataclass
class FakeCard:
    """One card; `processes` and `graphics` are (pid, name, bytes or None). `fails` names calls that raise.

    `parts` are the instances of a card in MIG mode, None when it is not split; a part is a card without a sensor.
    """

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
    uuid: str = "GPU-5f0c"
    reserved: int = 300 << 20
    milliwatts_limit: int = 450_000
    parts: "list[FakeCard | None] | None" = None
    slices: int = 0


class FakeNvml:
    """Stands where the pynvml module stands: `monkeypatch.setattr("core.gpu._nvml", lambda: FakeNvml(...))`.

    `fails` maps the name of a call to the error it raises. `calls` counts calls by name.
    """

    NVMLError = NVMLError
    NVML_TEMPERATURE_GPU = 0
    NVML_DEVICE_MIG_ENABLE = 1
    nvmlMemory_v2 = 0x02000028  # noqa: N815

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
        if "nvmlDeviceGetHandleByIndex" in self.cards[index].fails:
            raise self.cards[index].fails["nvmlDeviceGetHandleByIndex"]
        return self.cards[index]

    def nvmlDeviceGetName(self, card: FakeCard) -> str | bytes:  # noqa: N802
        self._called("nvmlDeviceGetName", card)
        return card.name

    def nvmlDeviceGetUUID(self, card: FakeCard) -> str:  # noqa: N802
        self._called("nvmlDeviceGetUUID", card)
        return card.uuid

    def nvmlDeviceGetMemoryInfo(self, card: FakeCard, version: int | None = None) -> Any:  # noqa: N802
        self._called("nvmlDeviceGetMemoryInfo" + ("_v2" if version else ""), card)
        used = card.total - card.free
        if version:
            return SimpleNamespace(total=card.total, free=card.free, used=used, reserved=card.reserved)
        return SimpleNamespace(total=card.total, free=card.free, used=used)

    def nvmlDeviceGetMigMode(self, card: FakeCard) -> list[int]:  # noqa: N802
        self._called("nvmlDeviceGetMigMode", card)
        if card.slices:
            raise NVMLError_InvalidArgument("Invalid Argument")
        return [int(card.parts is not None), int(card.parts is not None)]

    def nvmlDeviceGetMaxMigDeviceCount(self, card: FakeCard) -> int:  # noqa: N802
        self._called("nvmlDeviceGetMaxMigDeviceCount", card)
        return 7

    def nvmlDeviceGetMigDeviceHandleByIndex(self, card: FakeCard, index: int) -> FakeCard:  # noqa: N802
        self._called("nvmlDeviceGetMigDeviceHandleByIndex", card)
        part = dict(enumerate(card.parts or [])).get(index)
        if part is None:
            raise NVMLError_NotFound("Not Found")
        return part

    def nvmlDeviceGetAttributes_v2(self, card: FakeCard) -> Any:  # noqa: N802
        self._called("nvmlDeviceGetAttributes_v2", card)
        if not card.slices:
            raise NVMLError_NotSupported("Not Supported")
        return SimpleNamespace(gpuInstanceSliceCount=card.slices, memorySizeMB=card.total >> 20)

    def nvmlDeviceGetCudaComputeCapability(self, card: FakeCard) -> tuple[int, int]:  # noqa: N802
        self._called("nvmlDeviceGetCudaComputeCapability", card)
        return card.capability

    def nvmlDeviceGetTemperature(self, card: FakeCard, _sensor: int) -> int:  # noqa: N802
        self._called("nvmlDeviceGetTemperature", card)
        return card.temperature

    def nvmlDeviceGetPowerUsage(self, card: FakeCard) -> int:  # noqa: N802
        self._called("nvmlDeviceGetPowerUsage", card)
        return card.milliwatts

    def nvmlDeviceGetEnforcedPowerLimit(self, card: FakeCard) -> int:  # noqa: N802
        self._called("nvmlDeviceGetEnforcedPowerLimit", card)
        return card.milliwatts_limit

    def nvmlDeviceGetUtilizationRates(self, card: FakeCard) -> Any:  # noqa: N802
        self._called("nvmlDeviceGetUtilizationRates", card)
        if card.slices or card.parts is not None:
            raise NVMLError_NotSupported("Not Supported")
        return SimpleNamespace(gpu=card.utilisation, memory=0)

    def nvmlDeviceGetComputeRunningProcesses_v3(self, card: FakeCard) -> list[Any]:  # noqa: N802
        self._called("nvmlDeviceGetComputeRunningProcesses_v3", card)
        return _running(card.processes)

    def nvmlDeviceGetComputeRunningProcesses_v2(self, card: FakeCard) -> list[Any]:  # noqa: N802
        self._called("nvmlDeviceGetComputeRunningProcesses_v2", card)
        return _running(card.processes)

    def nvmlDeviceGetGraphicsRunningProcesses_v3(self, card: FakeCard) -> list[Any]:  # noqa: N802
        self._called("nvmlDeviceGetGraphicsRunningProcesses_v3", card)
        return _running(card.graphics)

    def nvmlDeviceGetGraphicsRunningProcesses_v2(self, card: FakeCard) -> list[Any]:  # noqa: N802
        self._called("nvmlDeviceGetGraphicsRunningProcesses_v2", card)
        return _running(card.graphics)


def _running(programs: list[tuple[int, str, int | None]]) -> list[Any]:
    return [SimpleNamespace(pid=pid, usedGpuMemory=used) for pid, _name, used in programs]
