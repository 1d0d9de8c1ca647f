"""Cards, their memory and their users, as NVML tells them or keeps them to itself."""

import builtins
from collections.abc import Callable
from inspect import signature
from typing import Any

import pytest

from core import gpu
from core.gpu import cards, read
from core.problems import Code, Trouble
from tests import fake_nvml
from tests.fake_nvml import (
    GIB,
    FakeCard,
    FakeNvml,
    NVMLError,
    NVMLError_DriverNotLoaded,
    NVMLError_GpuIsLost,
    NVMLError_GpuNotFound,
    NVMLError_LibraryNotFound,
    NVMLError_LibRmVersionMismatch,
    NVMLError_NoPermission,
    NVMLError_NotSupported,
    NVMLError_ResetRequired,
    NVMLError_Uninitialized,
    NVMLError_Unknown,
)

Install = Callable[[FakeNvml], FakeNvml]


def test_a_card_is_told_with_all_it_says(install: Install) -> None:
    install(FakeNvml(FakeCard(free=20 * GIB)))
    (card,) = cards()
    assert (card.index, card.name) == (0, "NVIDIA GeForce RTX 4090")
    assert (card.total_bytes, card.free_bytes) == (24564 << 20, 20 * GIB)
    assert card.used_bytes == (24564 << 20) - 20 * GIB
    assert (card.capability, card.driver, card.cuda) == ((8, 9), "580.95.05", "13.0")
    assert (card.temperature, card.power_watts, card.power_limit_watts, card.utilisation) == (41, 35.5, 450.0, 7)
    assert (card.uuid, card.mig, card.unified, card.imagined) == ("GPU-5f0c", False, False, False)


def test_every_card_keeps_its_own_index(install: Install) -> None:
    install(FakeNvml(FakeCard(name="A"), FakeCard(name="B", capability=(7, 5))))
    first, second = cards()
    assert [(c.index, c.name, c.bf16) for c in (first, second)] == [(0, "A", True), (1, "B", False)]


def test_names_may_come_as_bytes(install: Install) -> None:
    install(FakeNvml(FakeCard(name=b"Tesla T4"), driver=b"535.1", cuda=12110))
    (card,) = cards()
    assert (card.name, card.driver, card.cuda) == ("Tesla T4", "535.1", "12.11")


@pytest.mark.parametrize("error", [NVMLError_LibraryNotFound("gone"), NVMLError_DriverNotLoaded("no driver")])
def test_no_driver_means_no_card(install: Install, error: NVMLError) -> None:
    install(FakeNvml(fails={"nvmlInit": error}))
    with pytest.raises(Trouble) as caught:
        cards()
    assert caught.value.problem.code is Code.NO_GPU


def test_a_driver_without_cards_means_no_card(install: Install) -> None:
    install(FakeNvml())
    with pytest.raises(Trouble) as caught:
        cards()
    assert caught.value.problem.code is Code.NO_GPU


@pytest.mark.parametrize("call", ["nvmlInit", "nvmlDeviceGetCount"])
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NVMLError_LibRmVersionMismatch("version mismatch"), Code.DRIVER_MISMATCH),
        (NVMLError_NoPermission("Insufficient Permissions"), Code.DRIVER_PERMISSION),
        (NVMLError_GpuIsLost("GPU is lost"), Code.GPU_LOST),
        (NVMLError_Unknown("Unknown Error"), Code.DRIVER),
    ],
)
def test_a_failing_driver_has_its_problem(install: Install, call: str, error: NVMLError, code: Code) -> None:
    install(FakeNvml(FakeCard(), fails={call: error}))
    with pytest.raises(Trouble) as caught:
        cards()
    assert caught.value.problem.code is code
    assert caught.value.problem.facts["text"] == str(error)


def test_after_a_failure_the_next_look_starts_afresh(install: Install) -> None:
    fake = install(FakeNvml(FakeCard(), fails={"nvmlDeviceGetCount": NVMLError_Uninitialized("reset")}))
    with pytest.raises(Trouble):
        cards()
    fake.fails.clear()
    assert len(cards()) == 1
    assert fake.calls["nvmlInit"] == 2


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real: Any = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "pynvml":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    gpu.close()
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(Trouble) as caught:
        cards()
    assert caught.value.problem.code is Code.PACKAGE_MISSING
    assert caught.value.problem.facts == {"package": "nvidia-ml-py"}
    assert read() is None


@pytest.mark.parametrize(
    ("call", "attribute", "empty"),
    [
        ("nvmlDeviceGetName", "name", ""),
        ("nvmlDeviceGetCudaComputeCapability", "capability", (0, 0)),
        ("nvmlDeviceGetComputeRunningProcesses_v3", "processes", ()),
    ],
)
def test_what_a_card_keeps_to_itself_is_left_out(install: Install, call: str, attribute: str, empty: object) -> None:
    card = FakeCard(processes=[(1, "game", 5)], fails={call: NVMLError_NotSupported("Not Supported")})
    install(FakeNvml(card))
    (found,) = cards()
    assert getattr(found, attribute) == empty
    assert found.total_bytes == card.total


def test_driver_versions_that_are_not_told_are_left_out(install: Install) -> None:
    silent = NVMLError_NotSupported("Not Supported")
    fails = {"nvmlSystemGetDriverVersion": silent, "nvmlSystemGetCudaDriverVersion_v2": silent}
    install(FakeNvml(FakeCard(), fails=fails))
    (card,) = cards()
    assert (card.driver, card.cuda) == ("", "")


def test_a_lost_card_does_not_hide_the_other(install: Install) -> None:
    lost = FakeCard(fails={"nvmlDeviceGetMemoryInfo": NVMLError_GpuIsLost("GPU is lost")})
    install(FakeNvml(lost, FakeCard(name="alive")))
    (card,) = cards()
    assert (card.index, card.name) == (1, "alive")


@pytest.mark.parametrize("call", ["nvmlDeviceGetMemoryInfo", "nvmlDeviceGetHandleByIndex"])
@pytest.mark.parametrize("error", [NVMLError_GpuIsLost("x"), NVMLError_ResetRequired("x"), NVMLError_GpuNotFound("x")])
def test_when_every_card_is_lost_that_is_said(install: Install, call: str, error: NVMLError) -> None:
    install(FakeNvml(FakeCard(fails={call: error}), FakeCard(fails={call: error}), FakeCard(fails={call: error})))
    with pytest.raises(Trouble) as caught:
        cards()
    assert caught.value.problem.code is Code.GPU_LOST


def test_a_reading_has_watts_and_degrees(install: Install) -> None:
    install(FakeNvml(FakeCard(free=20 * GIB)))
    reading = read(0)
    assert reading is not None
    assert (reading.used_bytes, reading.total_bytes) == ((24564 << 20) - 20 * GIB, 24564 << 20)
    assert (reading.temperature, reading.power_watts, reading.utilisation) == (41, 35.5, 7)


def test_a_reading_leaves_out_what_is_not_told(install: Install) -> None:
    fails = {
        "nvmlDeviceGetTemperature": NVMLError_NotSupported(""),
        "nvmlDeviceGetPowerUsage": NVMLError_NoPermission(""),
        "nvmlDeviceGetUtilizationRates": NVMLError_NotSupported(""),
    }
    install(FakeNvml(FakeCard(fails=dict(fails))))
    reading = read(0)
    assert reading is not None
    assert (reading.temperature, reading.power_watts, reading.utilisation) == (None, None, None)


def test_readings_keep_nvml_open(install: Install) -> None:
    fake = install(FakeNvml(FakeCard()))
    for _ in range(50):
        assert read(0) is not None
    assert fake.calls["nvmlInit"] == 1
    assert "nvmlShutdown" not in fake.calls


def test_there_is_no_reading_of_a_card_that_is_not_there(install: Install) -> None:
    install(FakeNvml(FakeCard()))
    assert read(1) is None


def test_there_is_no_reading_without_a_driver(install: Install) -> None:
    install(FakeNvml(fails={"nvmlInit": NVMLError_LibraryNotFound("gone")}))
    assert read(0) is None


def test_a_lost_card_reads_none_and_may_come_back(install: Install) -> None:
    card = FakeCard()
    fake = install(FakeNvml(card))
    assert read(0) is not None
    card.fails["nvmlDeviceGetMemoryInfo"] = NVMLError_GpuIsLost("GPU is lost")
    assert read(0) is None
    card.fails.clear()
    assert read(0) is not None
    assert fake.calls["nvmlInit"] == 2


def test_the_real_nvml_is_understood_on_any_computer() -> None:
    """With a card there are cards, without one it is a Problem about the driver: never another exception."""
    gpu.close()
    try:
        found = cards()
    except Trouble as trouble:
        codes = (Code.NO_GPU, Code.DRIVER, Code.DRIVER_MISMATCH, Code.DRIVER_PERMISSION, Code.GPU_LOST, Code.CARD_SPLIT)
        assert trouble.problem.code in codes
    else:
        assert all(card.total_bytes > card.free_bytes >= 0 for card in found)
    finally:
        gpu.close()


def test_the_fake_has_no_call_that_pynvml_lacks() -> None:
    """Guards the fake: each of its calls, constants and errors is in the real package, and takes the same arguments."""
    pynvml = pytest.importorskip("pynvml")
    names = [name for name in dir(FakeNvml) if name.startswith(("nvml", "NVML_"))]
    errors = [name for name in vars(fake_nvml) if name.startswith("NVMLError_")]
    assert len(names) > 20
    assert len(errors) > 10
    assert [name for name in names + errors if not hasattr(pynvml, name)] == []
    for name in names:
        real, fake = getattr(pynvml, name), getattr(FakeNvml, name)
        if callable(fake):
            assert len(signature(real).parameters) == len(signature(fake).parameters) - 1, name
        else:
            assert real == fake, name
