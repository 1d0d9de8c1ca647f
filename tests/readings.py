"""Made-up readings of the doctor, for tests and for pictures.

What libraries and trials say when all is well, a computer that is ready, one with troubles, and answers of sources.
"""

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
NOW = 1_800_000_000.0
CARD = Card(0, "NVIDIA GeForce RTX 5070 Ti", 17 * GB, 16 * GB, (12, 0), "580.65", "13.0")
#: The cards that builds for two versions of CUDA have code for.
CU130 = ["sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120", "compute_120"]
CU126 = ["sm_50", "sm_60", "sm_70", "sm_75", "sm_80", "sm_86", "sm_90"]
#: What trials on a card say when they go well.
RIGHT: dict[str, dict[str, Any]] = {
    "product": {"format": "bfloat16", "error": 0.0028},
    "four_bit": {"forward": 0.003, "backward": 0.003, "held": 0.092},
    "eight_bit": {"forward": 0.008, "backward": 0.008},
    "optimizer": {"fused": 1e-8, "eight_bit": 0.0097},
}


def torch_facts(card: Card) -> dict[str, Any]:
    """What a build for CUDA 13.0 says on a computer with this card."""
    seen = {"device": "cuda:0", "name": card.name, "capability": list(card.capability)}
    return {
        "version": "2.13.0+cu130", "cuda": "13.0", "architectures": CU130, "available": True, "visible": None,
        "devices": [seen],
    }  # fmt: skip


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
        cards=Cards((CARD,)),
        places=tuple(Place(name, f"/home/me/{name}", 412 * GB, 1000 * GB) for name in ("settings", "runs", "models")),
        memory=Memory(34 * GB, 21 * GB, 8 * GB, "linux"),
        power=Power(True),
        network=Network(sources=(Reach("huggingface", "https://huggingface.co", 0.182, date=NOW, asked_at=NOW),
                                 Reach("modelscope", "https://modelscope.cn", 0.064, date=NOW, asked_at=NOW))),
        clock=Clock(NOW, NOW - 86_400),
        keyring=Keyring("SecretService"),
        screen=Screen(),
        probes=(Probed(name="torch", facts=torch_facts(CARD)), *_probes(RIGHT | {"triton": {"version": "3.5.0"}})),
    )  # fmt: skip


def bad() -> Readings:
    """A build without code for the card, a kernel that fails, a full disk, a busy card, and no way to one source."""
    busy = replace(CARD, free_bytes=8 * GB, processes=(GpuProcess(4242, "blender", 6 * GB),))
    old = torch_facts(CARD) | {"version": "2.13.0+cu126", "cuda": "12.6", "architectures": CU126}
    ready = good()
    models = Place("models", "/home/me/models", 400_000_000, 1000 * GB)
    unreached = Reach("huggingface", "https://huggingface.co", problem="timed out")
    other = Reach("modelscope", "https://modelscope.cn", 0.064, date=NOW, asked_at=NOW)
    failed = Probed(
        name="four_bit", device=CARD.name, outcome="failed",
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
    return tuple(Probed(name=name, device=CARD.name, facts=facts) for name, facts in trials.items())
