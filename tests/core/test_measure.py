"""What the parent measures of a run, and how a run ends whose card is gone."""

import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from core.events import Event, Failed, Finished, Last, Measured, Noted, Stage, StageName
from core.jobs import process
from core.jobs.measure import MISSED, Meter
from core.jobs.process import JobProcess
from core.problems import Code, diagnose
from core.runs import RunState
from core.wording import explain, note_words
from tests.fake_nvml import (
    GIB,
    FakeCard,
    FakeNvml,
    NVMLError,
    NVMLError_GpuIsLost,
    NVMLError_GpuNotFound,
    NVMLError_InvalidArgument,
    NVMLError_LibraryNotFound,
    NVMLError_ResetRequired,
    NVMLError_Unknown,
)
from tests.fakes import Ends, Says, Waits, new_run

Install = Callable[[FakeNvml], FakeNvml]

LOST = NVMLError_GpuIsLost("GPU is lost")


def lose(card: FakeCard, error: NVMLError = LOST) -> None:
    card.fails["nvmlDeviceGetMemoryInfo"] = error


# ---- the meter -------------------------------------------------------------------------------------------------------


def test_a_card_is_measured_with_its_heat(install: Install) -> None:
    install(FakeNvml(FakeCard(total=24 * GIB, free=20 * GIB)))
    read = Meter(None).read()
    assert read is not None
    assert (read.used_bytes, read.total_bytes, read.on_card) == (4 * GIB, 24 * GIB, True)
    assert (read.temperature, read.power_watts, read.utilisation) == (41, 35.5, 7)


def test_without_a_card_the_process_is_measured(install: Install) -> None:
    install(FakeNvml(fails={"nvmlInit": NVMLError_LibraryNotFound("none")}))
    meter = Meter(psutil.Process().pid)
    for _ in range(2 * MISSED):
        read = meter.read()
        assert read is not None and not read.on_card and read.total_bytes == psutil.virtual_memory().total
    assert not meter.lost and not meter.silent()
    assert Meter(None, card=7).read() is not None  # psutil takes None for ourselves


@pytest.mark.parametrize(
    "error",
    [LOST, NVMLError_ResetRequired("x"), NVMLError_GpuNotFound("x"), NVMLError_InvalidArgument("x"),
     NVMLError_Unknown("x")],
)  # fmt: skip
def test_a_card_that_was_there_is_never_replaced_by_the_process(install: Install, error: NVMLError) -> None:
    card = FakeCard()
    install(FakeNvml(card))
    meter = Meter(psutil.Process().pid)
    assert meter.read() is not None
    lose(card, error)
    told = []
    for _ in range(MISSED + 1):
        assert meter.read() is None
        told.append(meter.lost)
    assert told == [False] * (MISSED - 1) + [True, True]
    card.fails.clear()
    assert meter.read() is not None and not meter.lost


def test_an_unplugged_card_is_not_replaced_by_the_next_one(install: Install) -> None:
    fake = install(FakeNvml(FakeCard(uuid="GPU-1"), FakeCard(uuid="GPU-2")))
    meter = Meter(psutil.Process().pid)
    assert meter.read() is not None
    lose(fake.cards[0], NVMLError_GpuNotFound("Not Found"))
    assert meter.read() is None
    del fake.cards[0]  # NVML, opened again, counts without it
    assert [meter.read() for _ in range(MISSED)] == [None] * MISSED
    assert meter.lost


def test_a_driver_that_goes_away_takes_the_card_along(install: Install) -> None:
    fake = install(FakeNvml(FakeCard()))
    meter = Meter(psutil.Process().pid)
    assert meter.read() is not None
    lose(fake.cards[0])
    fake.fails["nvmlInit"] = NVMLError_LibraryNotFound("removed")
    assert meter.read() is None and meter.silent()


# ---- a run whose card is gone ----------------------------------------------------------------------------------------


@pytest.fixture
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure and lose patience faster than in life."""
    monkeypatch.setattr(process, "MEASURE_EVERY", 0.05)
    monkeypatch.setattr(process, "LOST_GRACE", 0.3)


def follow(job: object, folder: Path, then: Callable[[Event], None]) -> list[Event]:
    run = new_run(folder)
    child = JobProcess(job, run=run)
    child.start()
    events = []
    for event in child.events():
        events.append(event)
        then(event)
    assert [type(e) for e in run.events()] == [type(e) for e in events]
    assert sum(isinstance(e, Last) for e in events) == 1
    assert run.state() is not RunState.RUNNING and not run.is_busy()
    return events


def loser(card: FakeCard) -> Callable[[Event], None]:
    """Lose the card once the child spoke; by then it was measured."""

    def then(event: Event) -> None:
        if isinstance(event, Noted) or (isinstance(event, Stage) and event.stage is not StageName.STARTING):
            lose(card)

    return then


@pytest.mark.usefixtures("brisk")
def test_a_child_that_hangs_on_a_lost_card_is_ended(install: Install, tmp_path: Path) -> None:
    card = FakeCard()
    install(FakeNvml(card))
    began = time.monotonic()
    events = follow(Waits(deaf=True, stubborn=True), tmp_path, loser(card))
    # by itself it never ends
    assert time.monotonic() - began < 200
    last = events[-1]
    assert isinstance(last, Failed) and last.problem.code is Code.GPU_LOST and last.resumable
    notes = [event for event in events if isinstance(event, Noted)]
    assert [note.code for note in notes] == ["card_lost"]
    assert note_words(notes[0]).startswith("The card does not answer")
    # nothing was measured after the card was gone, least of all the process in its place
    assert all(event.on_card for event in events if isinstance(event, Measured))
    assert explain(last.problem).title == "The card stopped answering."


@pytest.mark.usefixtures("brisk")
def test_a_card_that_comes_back_in_time_is_forgiven(install: Install, tmp_path: Path) -> None:
    card = FakeCard()
    install(FakeNvml(card))
    seen: list[Event] = []

    def then(event: Event) -> None:
        seen.append(event)
        if isinstance(event, Measured) and not any(isinstance(e, Noted) for e in seen):
            lose(card)
        if isinstance(event, Noted) and event.code == "card_lost":
            card.fails.clear()

    run = new_run(tmp_path)
    child = JobProcess(Waits(), run=run)
    child.start()
    for event in child.events():
        then(event)
        if isinstance(event, Measured) and any(isinstance(e, Noted) for e in seen):
            child.stop()
    assert not isinstance(seen[-1], Failed)
    assert sum(isinstance(e, Noted) for e in seen) == 1


@pytest.mark.usefixtures("brisk")
@pytest.mark.parametrize("how", ["crash", "kill", "raise", "silent", "exit"])
def test_whatever_a_child_dies_of_the_lost_card_is_named(install: Install, tmp_path: Path, how: str) -> None:
    card = FakeCard()
    install(FakeNvml(card))
    last = follow(Ends(how), tmp_path, loser(card))[-1]
    assert isinstance(last, Failed) and last.problem.code is Code.GPU_LOST


@pytest.mark.usefixtures("brisk")
@pytest.mark.parametrize(("how", "code"), [("trouble", Code.DATA_EMPTY), ("memory", Code.GPU_MEMORY)])
def test_a_clear_reason_of_the_child_stays(install: Install, tmp_path: Path, how: str, code: Code) -> None:
    card = FakeCard()
    install(FakeNvml(card))
    last = follow(Ends(how), tmp_path, loser(card))[-1]
    assert isinstance(last, Failed) and last.problem.code is code


@pytest.mark.usefixtures("brisk")
@pytest.mark.parametrize(("how", "code"), [("kill", Code.WORKER_KILLED), ("raise", Code.UNKNOWN)])
def test_a_card_that_answers_is_not_blamed(install: Install, tmp_path: Path, how: str, code: Code) -> None:
    install(FakeNvml(FakeCard()))
    last = follow(Ends(how), tmp_path, lambda _event: None)[-1]
    assert isinstance(last, Failed) and last.problem.code is code


@pytest.mark.usefixtures("brisk")
def test_a_job_that_ends_well_needs_no_card_at_the_end(install: Install, tmp_path: Path) -> None:
    card = FakeCard()
    install(FakeNvml(card))
    assert isinstance(follow(Says(3), tmp_path, loser(card))[-1], Finished)


@pytest.mark.parametrize(
    "words",
    ["unspecified launch failure", "the launch timed out and was terminated", "uncorrectable ECC error encountered",
     "no CUDA-capable device is detected", "unknown error"],
)  # fmt: skip
def test_what_cuda_says_of_a_lost_card_is_understood(words: str) -> None:
    error = RuntimeError(f"CUDA error: {words}\nCUDA kernel errors might be asynchronously reported at some other API")
    assert diagnose(error).code is Code.GPU_LOST
