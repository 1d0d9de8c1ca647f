"""Graphics cards through NVML: names, memory, who uses it, live readings, and the name CUDA knows a card by."""

from dataclasses import dataclass
from typing import Any

from core.nvml import Device, Memory, Session, ask, is_wsl, memory, text, trouble
from core.problems import Code, Trouble
from core.programs import GpuProcess, enough, programs

__all__ = ["Card", "GpuProcess", "Reading", "cards", "close", "read", "to_close", "visible_device"]


@dataclass(frozen=True)
class Card:
    """One card, or a part of one (`mig`), as NVML reports it; what it does not tell is None or empty.

    Memory in bytes, of which the driver itself keeps `reserved_bytes`; `capability` is (major, minor), (0, 0) when
    unknown; temperature in °C, power in watts, utilisation in per cent. `imagined`: a card to plan for that is not
    here. `unified`: the card computes in the computer's main memory. `wsl`: Linux inside Windows, where the driver
    tells nothing about programs.
    """

    index: int
    name: str
    total_bytes: int
    free_bytes: int
    capability: tuple[int, int] = (0, 0)
    driver: str = ""
    cuda: str = ""
    processes: tuple[GpuProcess, ...] = ()
    uuid: str = ""
    reserved_bytes: int = 0
    temperature: int | None = None
    power_watts: float | None = None
    power_limit_watts: float | None = None
    utilisation: int | None = None
    mig: bool = False
    unified: bool = False
    wsl: bool = False
    imagined: bool = False

    @property
    def used_bytes(self) -> int:
        """What is not free: programs and the driver."""
        return self.total_bytes - self.free_bytes

    @property
    def programs_bytes(self) -> int:
        """What programs hold, also those that are not named: used memory without the driver's own."""
        return max(0, self.used_bytes - self.reserved_bytes)

    @property
    def bf16(self) -> bool:
        """Real bf16 arithmetic starts at capability 8.0; older cards only emulate it."""
        return self.capability >= (8, 0)


@dataclass(frozen=True)
class Reading:
    """Live values of a card; None where the card or driver does not tell. `uuid` says which card it was."""

    used_bytes: int
    total_bytes: int
    temperature: int | None = None
    power_watts: float | None = None
    utilisation: int | None = None
    uuid: str = ""


def cards() -> tuple[Card, ...]:
    """Return every card in the order of the PCI bus; a card that is split (MIG) as its parts.

    Raises Trouble: NO_GPU without an NVIDIA card or driver, DRIVER_MISMATCH after an update without a restart,
    DRIVER_PERMISSION, GPU_LOST or DRIVER when the driver fails, CARD_SPLIT when there is only a card split into no
    parts, PACKAGE_MISSING without nvidia-ml-py. What a card keeps to itself is left out; a card that does not
    answer at all is passed over as long as another one does.
    """
    with _session.lock:
        # only a fresh NVML sees a card that was plugged in since
        _session.close()
        nvml = _session.open()
        try:
            devices = _session.devices()
        except nvml.NVMLError as error:
            close()
            raise trouble(error) from error
        found, failed = [], _session.failed
        version, cuda = text(ask(nvml, nvml.nvmlSystemGetDriverVersion)), _cuda_version(nvml)
        for device in devices:
            try:
                found.append(_card(nvml, device, version, cuda))
            except nvml.NVMLError as error:
                failed = error
        if found:
            return tuple(found)
        empty = _session.empty
        close()
    if failed is not None:
        raise trouble(failed) from failed
    raise Trouble(Code.CARD_SPLIT if empty else Code.NO_GPU)


def read(index: int = 0) -> Reading | None:
    """Return live values of card `index`, None when there is no such card or it was lost.

    NVML stays open between calls: a call takes well under a millisecond of the processor (tests/bench/nvml.py).
    """
    with _session.lock:
        try:
            nvml = _session.open()
        except Trouble:
            return None
        try:
            device = next((found for found in _session.devices() if found.index == index), None)
            if device is None:
                return None
            told = memory(nvml, device)
        except nvml.NVMLError:
            # lost, unplugged or reset: its handle is worth nothing any more
            close()
            return None
        return Reading(
            used_bytes=told.total - told.free, total_bytes=told.total, temperature=_temperature(nvml, device),
            power_watts=_watts(nvml, "nvmlDeviceGetPowerUsage", device), utilisation=_utilisation(nvml, device),
            uuid=device.uuid,
        )  # fmt: skip


def close() -> None:
    """Let go of NVML; the next call opens it again."""
    _session.close()


def to_close(card: Card, wanted_bytes: int) -> tuple[GpuProcess, ...]:
    """The fewest programs on `card` whose closing frees `wanted_bytes`, largest first; empty when they cannot.

    Never the desktop, nor a process of SoloTune.
    """
    return enough(card.processes, wanted_bytes)


def visible_device(index: int) -> str:
    """What CUDA_VISIBLE_DEVICES must say for card `index` (in the order of the PCI bus): its number, or its UUID.

    Parts of a card have no number for CUDA, and they shift the numbers of the cards after them. Without a driver
    that answers it is the number. Raises Trouble(CARD_GONE) when there are cards and this one is not among them.
    """
    try:
        found = cards()
    except Trouble:
        return str(index)
    card = next((card for card in found if card.index == index), None)
    if card is None:
        raise Trouble(Code.CARD_GONE, card=index)
    return card.uuid if card.uuid and any(other.mig for other in found) else str(index)


def _nvml() -> Any:
    """The pynvml module; tests put a FakeNvml here. Raises Trouble(PACKAGE_MISSING)."""
    try:
        import pynvml
    except ImportError:
        raise Trouble(Code.PACKAGE_MISSING, package="nvidia-ml-py") from None
    return pynvml


# looked up at every opening, so that a test can put another one in its place
_session = Session(lambda: _nvml())


def _card(nvml: Any, device: Device, version: str, cuda: str) -> Card:
    told: Memory = memory(nvml, device, reserved=True)
    major, minor = ask(nvml, lambda: nvml.nvmlDeviceGetCudaComputeCapability(device.whole)) or (0, 0)
    wsl = is_wsl()
    return Card(
        index=device.index, name=_name(nvml, device), uuid=device.uuid, mig=device.mig,
        total_bytes=told.total, free_bytes=told.free, reserved_bytes=told.reserved, unified=told.unified,
        capability=(int(major), int(minor)), driver=version, cuda=cuda, wsl=wsl,
        # Windows keeps the programs to itself there; what the driver lists instead are no numbers of this Linux
        processes=() if wsl else tuple(programs(nvml, device.handle)),
        temperature=_temperature(nvml, device), utilisation=_utilisation(nvml, device),
        power_watts=_watts(nvml, "nvmlDeviceGetPowerUsage", device),
        power_limit_watts=_watts(nvml, "nvmlDeviceGetEnforcedPowerLimit", device),
    )  # fmt: skip


def _name(nvml: Any, device: Device) -> str:
    """The card's name; a part's name says which ("NVIDIA A100-SXM4-40GB MIG 3g.20gb")."""
    name = text(ask(nvml, lambda: nvml.nvmlDeviceGetName(device.handle)))
    if not device.mig or " MIG " in name:
        return name
    name = name or text(ask(nvml, lambda: nvml.nvmlDeviceGetName(device.whole)))
    has = ask(nvml, lambda: nvml.nvmlDeviceGetAttributes_v2(device.handle))
    if has is None:
        return f"{name} MIG"
    return f"{name} MIG {has.gpuInstanceSliceCount}g.{round(has.memorySizeMB / 1024)}gb"


def _temperature(nvml: Any, device: Device) -> int | None:
    """Degrees Celsius of the whole card: a part has none of its own."""
    return ask(nvml, lambda: int(nvml.nvmlDeviceGetTemperature(device.whole, nvml.NVML_TEMPERATURE_GPU)))


def _watts(nvml: Any, question: str, device: Device) -> float | None:
    milliwatts = ask(nvml, lambda: int(getattr(nvml, question)(device.whole)))
    return None if milliwatts is None else milliwatts / 1000


def _utilisation(nvml: Any, device: Device) -> int | None:
    return ask(nvml, lambda: int(nvml.nvmlDeviceGetUtilizationRates(device.handle).gpu))


def _cuda_version(nvml: Any) -> str:
    """The newest CUDA that the driver knows, such as "13.0"."""
    number = ask(nvml, nvml.nvmlSystemGetCudaDriverVersion_v2)
    return f"{number // 1000}.{number % 1000 // 10}" if number else ""
