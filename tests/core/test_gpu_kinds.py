"""Cards that are not as usual: split ones, WSL, chips in the main memory, hidden drivers, cards that come and go."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from core import gpu, nvml
from core.gpu import cards, read, visible_device
from core.jobs import choose
from core.problems import Code, Trouble
from core.wording import card_notes
from tests.fake_nvml import (
    GIB,
    FakeCard,
    FakeNvml,
    NVMLError_FunctionNotFound,
    NVMLError_GpuIsLost,
    NVMLError_LibraryNotFound,
    NVMLError_NoPermission,
    NVMLError_NotSupported,
)
from tests.fakes import new_run

Install = Callable[[FakeNvml], FakeNvml]

SILENT = NVMLError_NotSupported("Not Supported")


def split(*parts: FakeCard | None) -> FakeCard:
    """A card in MIG mode; NVML tells its whole memory only to administrators."""
    secret = {"nvmlDeviceGetMemoryInfo": NVMLError_NoPermission("Insufficient Permissions")}
    return FakeCard(name="NVIDIA A100-SXM4-40GB", capability=(8, 0), parts=list(parts), fails=dict(secret))


def part(uuid: str, slices: int, gib: int, name: str = "") -> FakeCard:
    """A part of a card: no sensors, no number for CUDA."""
    quiet = dict.fromkeys(("nvmlDeviceGetTemperature", "nvmlDeviceGetPowerUsage"), SILENT)
    return FakeCard(name=name or f"NVIDIA A100-SXM4-40GB MIG {slices}g.{gib}gb", total=gib * GIB, free=gib * GIB - GIB,
                    uuid=uuid, slices=slices, fails=dict(quiet))  # fmt: skip


# ---- memory ----------------------------------------------------------------------------------------------------------


def test_the_drivers_own_memory_is_not_the_programs(install: Install) -> None:
    install(FakeNvml(FakeCard(total=24 * GIB, free=20 * GIB, reserved=GIB)))
    (card,) = cards()
    assert (card.free_bytes, card.used_bytes, card.reserved_bytes) == (20 * GIB, 4 * GIB, GIB)
    assert card.programs_bytes == 3 * GIB


def test_a_driver_that_does_not_tell_its_own_memory(install: Install) -> None:
    old = {"nvmlDeviceGetMemoryInfo_v2": NVMLError_FunctionNotFound("Function Not Found")}
    install(FakeNvml(FakeCard(free=20 * GIB, fails=dict(old))))
    (card,) = cards()
    assert (card.free_bytes, card.reserved_bytes, card.programs_bytes) == (20 * GIB, 0, card.used_bytes)


@pytest.mark.parametrize("name", ["NVIDIA GB10", "Orin (nvgpu)", "NVIDIA Thor"])
@pytest.mark.parametrize("how", ["not supported", "zero"])
def test_a_chip_without_memory_of_its_own_has_the_computers(install: Install, name: str, how: str) -> None:
    fails = {"nvmlDeviceGetMemoryInfo": SILENT} if how == "not supported" else {}
    install(FakeNvml(FakeCard(name=name, capability=(12, 1), total=0, free=0, fails=dict(fails))))
    (card,) = cards()
    assert card.unified and card.total_bytes == psutil.virtual_memory().total
    assert 0 < card.free_bytes < card.total_bytes
    assert any("main memory" in note for note in card_notes(card))
    reading = read(0)
    assert reading is not None and reading.total_bytes == card.total_bytes


def test_a_card_with_memory_that_is_not_told_is_no_such_chip(install: Install) -> None:
    install(FakeNvml(FakeCard(fails={"nvmlDeviceGetMemoryInfo": SILENT})))
    with pytest.raises(Trouble) as caught:
        cards()
    assert caught.value.problem.code is Code.DRIVER
    assert read(0) is None


# ---- cards in parts --------------------------------------------------------------------------------------------------


def test_a_split_card_is_its_parts(install: Install) -> None:
    install(FakeNvml(split(part("MIG-a", 3, 20), None, part("MIG-b", 1, 5)), FakeCard(name="whole")))
    first, second, third = cards()
    assert [(c.index, c.uuid, c.mig) for c in (first, second)] == [(0, "MIG-a", True), (1, "MIG-b", True)]
    assert (first.name, first.total_bytes, first.free_bytes) == (
        "NVIDIA A100-SXM4-40GB MIG 3g.20gb",
        20 * GIB,
        19 * GIB,
    )
    assert (first.capability, first.temperature, first.utilisation) == ((8, 0), 41, None)
    assert (third.index, third.name, third.mig) == (2, "whole", False)
    assert any("MIG" in note for note in card_notes(first)) and not card_notes(third)
    reading = read(1)
    assert reading is not None and (reading.total_bytes, reading.uuid) == (5 * GIB, "MIG-b")


def test_a_part_that_is_named_like_the_card_gets_its_profile(install: Install) -> None:
    unknown = part("MIG-b", 2, 10, "NVIDIA A30")
    unknown.fails["nvmlDeviceGetAttributes_v2"] = SILENT
    install(FakeNvml(split(part("MIG-a", 2, 10, "NVIDIA A30"), unknown)))
    assert [card.name for card in cards()] == ["NVIDIA A30 MIG 2g.10gb", "NVIDIA A30 MIG"]


def test_a_card_split_into_nothing_is_a_problem_of_its_own(install: Install) -> None:
    install(FakeNvml(split()))
    with pytest.raises(Trouble) as caught:
        cards()
    assert caught.value.problem.code is Code.CARD_SPLIT
    install(FakeNvml(split(), FakeCard(name="whole")))
    assert [card.name for card in cards()] == ["whole"]


# ---- which one CUDA takes --------------------------------------------------------------------------------------------


def test_cuda_takes_a_card_by_number_and_a_part_by_name(install: Install) -> None:
    install(FakeNvml(FakeCard(), FakeCard(uuid="GPU-2")))
    assert [visible_device(n) for n in (0, 1)] == ["0", "1"]
    # behind parts the driver's numbers are not those of the list
    install(FakeNvml(split(part("MIG-a", 3, 20), part("MIG-b", 3, 20)), FakeCard(uuid="GPU-2")))
    assert [visible_device(n) for n in (0, 1, 2)] == ["MIG-a", "MIG-b", "GPU-2"]


def test_a_plan_for_a_card_that_is_not_here_does_not_run_elsewhere(install: Install) -> None:
    install(FakeNvml(FakeCard()))
    with pytest.raises(Trouble) as caught:
        visible_device(1)
    assert caught.value.problem.code is Code.CARD_GONE
    install(FakeNvml(fails={"nvmlInit": NVMLError_LibraryNotFound("none")}))
    assert visible_device(1) == "1"


def test_a_job_counts_cards_as_the_driver_does(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", {"CUDA_DEVICE_ORDER": "FASTEST_FIRST"})
    install(FakeNvml(FakeCard(), FakeCard(uuid="GPU-2")))
    run = new_run(tmp_path, card=1)
    choose.choose_card(str(run.path))
    assert {name: value for name, value in os.environ.items() if name.startswith("CUDA")} == {
        "CUDA_VISIBLE_DEVICES": "1",
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
    }


def test_an_own_choice_of_the_user_stays(install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = {"CUDA_VISIBLE_DEVICES": "3", "PYTORCH_ALLOC_CONF": "backend:cudaMallocAsync"}
    monkeypatch.setattr(os, "environ", dict(own))
    choose.choose_card(str(new_run(tmp_path, card=1).path))
    assert os.environ == own


# ---- systems ---------------------------------------------------------------------------------------------------------


def test_inside_windows_programs_are_not_guessed(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    fails = {"nvmlDeviceGetUtilizationRates": SILENT, "nvmlDeviceGetPowerUsage": SILENT}
    install(FakeNvml(FakeCard(processes=[(1, "/init", None)], fails=dict(fails))))
    assert not cards()[0].wsl
    monkeypatch.setattr("platform.release", lambda: "6.6.87.2-microsoft-standard-WSL2")
    (card,) = cards()
    assert (card.wsl, card.processes, card.utilisation, card.power_watts) == (True, (), None, None)
    (note,) = card_notes(card)
    assert "WSL" in note


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="sonames are Linux's")
def test_a_library_that_the_linker_does_not_know_is_brought_in(tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("needs a C compiler")
    hidden = tmp_path / "hidden" / "libnvidia-ml.so.1"
    hidden.parent.mkdir()
    source = tmp_path / "nvml.c"
    source.write_text("int nvmlInitWithFlags(unsigned f) { return 0; } int nvmlShutdown(void) { return 0; }")
    build = [compiler, "-shared", "-fPIC", "-Wl,-soname,libnvidia-ml.so.1", "-o", str(hidden), str(source)]
    subprocess.run(build, check=True, capture_output=True)
    code = (
        "import sys, pynvml; from core import nvml, gpu\n"
        "nvml.PLACES = ('/no/such/place', sys.argv[1])\n"
        "print(gpu._session.open() is pynvml)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(hidden)], cwd=Path(__file__).parents[2], capture_output=True, text=True
    )
    assert told.stdout == "True\n", told.stderr


def test_without_a_hidden_library_there_is_no_card(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nvml, "PLACES", ("/no/such/place",))
    fake = install(FakeNvml(FakeCard(), fails={"nvmlInit": NVMLError_LibraryNotFound("none")}))
    with pytest.raises(Trouble) as caught:
        cards()
    assert caught.value.problem.code is Code.NO_GPU
    assert fake.calls == {"nvmlInit": 1}


# ---- cards that come and go ------------------------------------------------------------------------------------------


def test_a_card_that_was_plugged_in_is_seen_at_the_next_look(install: Install) -> None:
    first, second = FakeCard(), FakeCard(name="eGPU", uuid="GPU-2")
    install(FakeNvml(first))
    assert len(cards()) == 1
    later = FakeNvml(first, second)
    gpu._nvml = lambda: later  # the fixture puts the real one back
    assert [card.name for card in cards()] == [first.name, "eGPU"]


def test_readings_tell_which_card_they_are_of(install: Install) -> None:
    """Unplugging the first card moves the second one up into its number."""
    fake = install(FakeNvml(FakeCard(uuid="GPU-1"), FakeCard(uuid="GPU-2")))
    before = read(0)
    fake.cards[0].fails["nvmlDeviceGetMemoryInfo"] = NVMLError_GpuIsLost("GPU is lost")
    assert read(0) is None
    del fake.cards[0]
    after = read(0)
    assert before is not None and after is not None
    assert (before.uuid, after.uuid) == ("GPU-1", "GPU-2")
    assert read(1) is None


def test_one_name_in_the_middle_of_a_list_of_cards_may_be_missing(install: Install) -> None:
    lost = FakeCard(fails={"nvmlDeviceGetHandleByIndex": NVMLError_GpuIsLost("GPU is lost")})
    install(FakeNvml(FakeCard(uuid="GPU-1"), lost, FakeCard(uuid="GPU-3")))
    assert [(card.index, card.uuid) for card in cards()] == [(0, "GPU-1"), (2, "GPU-3")]
    assert read(1) is None
    assert isinstance(read(2), gpu.Reading)


def test_the_memory_module_is_asked_once_a_reading(install: Install) -> None:
    fake = install(FakeNvml(FakeCard()))
    cards()
    fake.calls.clear()
    for _ in range(10):
        read(0)
    assert SimpleNamespace(**fake.calls) == SimpleNamespace(
        nvmlDeviceGetMemoryInfo=10, nvmlDeviceGetTemperature=10, nvmlDeviceGetPowerUsage=10,
        nvmlDeviceGetUtilizationRates=10,
    )  # fmt: skip
