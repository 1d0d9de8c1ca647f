"""Made-up readings for pictures of the doctor: a computer that is ready, one with troubles, and answers of sources."""

from dataclasses import replace
from typing import Any

from core.doctor.readings import (
    Cards,
    Clock,
    Keyring,
    Memory,
    Network,
    Packages,
    Place,
    Power,
    Python,
    Reach,
    Readings,
    Screen,
    System,
)
from core.findings import Probed
from core.gpu import Card
from core.programs import GpuProcess

GB = 10**9
_NOW = 1_800_000_000.0
_CARD = Card(0, "NVIDIA GeForce RTX 5070 Ti", 17 * GB, 16 * GB, (12, 0), "580.65", "13.0")
_CU130 = ["sm_80", "sm_86", "sm_90", "sm_100", "sm_120", "compute_120"]
_TORCH: dict[str, Any] = {
    "version": "2.13.0+cu130", "cuda": "13.0", "architectures": _CU130, "available": True, "visible": None,
    "devices": [{"device": "cuda:0", "name": _CARD.name, "capability": [12, 0]}],
}  # fmt: skip
_TRIALS: dict[str, dict[str, Any]] = {
    "product": {"format": "bfloat16", "error": 0.0028},
    "four_bit": {"forward": 0.003, "backward": 0.003, "held": 0.092},
    "eight_bit": {"forward": 0.008, "backward": 0.008},
    "optimizer": {"fused": 1e-8, "eight_bit": 0.0097},
    "triton": {"version": "3.5.0"},
}
#: What three sources answered, as core.jobs.models.ReachJob tells it.
REACHED: tuple[dict[str, Any], ...] = (
    {"name": "huggingface", "address": "https://huggingface.co", "milliseconds": 182.4},
    {"name": "mirror", "address": "https://hf-mirror.com", "milliseconds": 2410.0},
    {
        "name": "modelscope", "address": "https://modelscope.cn", "milliseconds": None,
        "problem": {"code": "no_network", "facts": {"what": "https://modelscope.cn"}},
    },
)  # fmt: skip


def good() -> Readings:
    """All is well."""
    return Readings(
        python=Python("3.12.4", 64),
        packages=Packages(41),
        system=System("linux", "Ubuntu 24.04"),
        cards=Cards((_CARD,)),
        places=tuple(Place(name, f"/home/me/{name}", 412 * GB, 1000 * GB) for name in ("settings", "runs", "models")),
        memory=Memory(34 * GB, 21 * GB, 8 * GB, "linux"),
        power=Power(True),
        network=Network(sources=(Reach("huggingface", "https://huggingface.co", 0.182, date=_NOW, asked_at=_NOW),
                                 Reach("modelscope", "https://modelscope.cn", 0.064, date=_NOW, asked_at=_NOW))),
        clock=Clock(_NOW, _NOW - 86_400),
        keyring=Keyring("SecretService"),
        screen=Screen(),
        probes=(Probed(name="torch", facts=_TORCH), *_probes(_TRIALS)),
    )  # fmt: skip


def bad() -> Readings:
    """A build without code for the card, a kernel that fails, a full disk, a busy card, and no way to one source."""
    busy = replace(_CARD, free_bytes=8 * GB, processes=(GpuProcess(4242, "blender", 6 * GB),))
    old = _TORCH | {"version": "2.13.0+cu126", "cuda": "12.6", "architectures": ["sm_50", "sm_80", "sm_90"]}
    ready = good()
    models = Place("models", "/home/me/models", 400_000_000, 1000 * GB)
    unreached = Reach("huggingface", "https://huggingface.co", problem="timed out")
    other = Reach("modelscope", "https://modelscope.cn", 0.064, date=_NOW, asked_at=_NOW)
    failed = Probed(
        name="four_bit", device=_CARD.name, outcome="failed",
        facts={"error": "RuntimeError", "text": "CUDA error: no kernel image is available for execution on the device"},
    )  # fmt: skip
    return replace(
        ready,
        cards=Cards((busy,)),
        places=(ready.places[0], ready.places[1], models) if ready.places else (),
        network=Network(sources=(unreached, other)),
        power=Power(False),
        probes=(Probed(name="torch", facts=old), failed),
    )


def _probes(trials: dict[str, dict[str, Any]]) -> tuple[Probed, ...]:
    return tuple(Probed(name=name, device=_CARD.name, facts=facts) for name, facts in trials.items())
