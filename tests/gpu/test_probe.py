"""The probe on a real card: what does not fit is stepped down and trains, and no training outgrows what was proven."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from core.engine.gauge import CONTEXT_GROWTH, CardGauge  # noqa: E402
from core.engine.train import train  # noqa: E402
from core.events import Failed, Finished, Noted, Stage, StageName, StepDone  # noqa: E402
from core.fit import constants_of  # noqa: E402
from core.jobs.jobs import TrainJob  # noqa: E402
from core.jobs.talk import StopAsked  # noqa: E402
from core.plan import Method, load_plan  # noqa: E402
from core.problems import Code, Trouble  # noqa: E402
from core.runs import RunFolder  # noqa: E402
from core.settings import measured_file  # noqa: E402
from tests.engine.conftest import Listener  # noqa: E402
from tests.fakes import happenings  # noqa: E402

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA card")]

MIB, GIB = 1 << 20, 1 << 30
MakeRun = Callable[..., RunFolder]


class SmallCard(CardGauge):
    """The real card, of which this process may take `room` bytes only (None: all); remembers each rehearsal."""

    def __init__(self, room: int | None = None) -> None:
        super().__init__(0)
        self._room = room
        #: Allocated and needed bytes of each rehearsal, and what ended it.
        self.tried: list[tuple[int, int, str]] = []

    @property
    def room_bytes(self) -> int:
        whole = super().room_bytes
        return whole if self._room is None else min(self._room, whole)

    @contextmanager
    def measuring(self) -> Iterator[None]:
        ended = ""
        try:
            with super().measuring():
                yield
        except BaseException as error:
            ended = type(error).__name__
            raise
        finally:
            self.tried.append((torch.cuda.max_memory_allocated(), self.need.total_bytes, ended))


def notes(talk: Listener) -> dict[str, dict[str, Any]]:
    return {note.code: note.facts for note in talk.of(Noted)}


def taken(make_run: MakeRun, **settings: Any) -> int:
    """What the rehearsal of a run takes where there is plenty."""
    gauge = SmallCard()
    train(make_run(**settings).path, Listener(), resume=False, gauge=gauge)
    return gauge.tried[0][1]


def test_what_does_not_fit_runs_out_of_memory_is_stepped_down_and_trains_to_the_end(
    middle_run: MakeRun, record_property: Callable[[str, Any], None]
) -> None:
    big, small = {"batch": 16, "accumulation": 1}, {"batch": 4, "accumulation": 4}
    room = round(1.03 * taken(middle_run, **small)) + CONTEXT_GROWTH
    # torch caps at no less than a hundredth of the card
    assert max(room, torch.cuda.mem_get_info()[1] // 100) < 0.8 * taken(middle_run, **big)
    run, talk, gauge = middle_run(**big, steps=0, epochs=2.0), Listener(), SmallCard(room)
    result = train(run.path, talk, resume=False, gauge=gauge)
    record_property("tried", gauge.tried)
    assert gauge.tried[0][2] == "OutOfMemoryError" and gauge.tried[-1][2] == ""
    asked, done = load_plan(run.path / "asked.json"), run.plan()
    assert asked.batch == 16 and 1 <= done.batch <= 4 and done.effective_batch == asked.effective_batch
    told = notes(talk)
    assert {"probe_stepped", "stepped_batch", "probe_fits"} <= told.keys()
    assert told["probe_fits"]["measured_bytes"] <= room
    steps = talk.of(StepDone)
    assert result["steps"] == steps[-1].step == steps[-1].total_steps and run.has_adapter()
    # the promise holds to the end of training, not only in the rehearsal
    assert result["proven_bytes"] <= result["peak_bytes"] <= room
    assert max(step.peak_bytes for step in steps) <= room


@pytest.mark.parametrize("method", list(Method))
@pytest.mark.parametrize("checkpointing", ["none", "2", "full"])
def test_training_never_takes_more_than_its_rehearsal(
    middle_run: MakeRun, method: Method, checkpointing: str, record_property: Callable[[str, Any], None]
) -> None:
    run, talk, gauge = middle_run(method=method, checkpointing=checkpointing, batch=4, steps=0), Listener(), SmallCard()
    result = train(run.path, talk, resume=False, gauge=gauge)
    allocated, proven, _ended = gauge.tried[0]
    after = max(step.peak_bytes for step in talk.of(StepDone))
    record_property("allocated", (allocated, after))
    record_property("reserved", (proven, result["peak_bytes"]))
    assert len(talk.of(StepDone)) >= 5
    # the longest rows were rehearsed: shorter ones allocate less, whatever their order
    assert after <= 1.01 * allocated
    # pieces of other lengths may leave gaps in what is reserved
    assert result["peak_bytes"] <= 1.1 * proven + 64 * MIB
    assert notes(talk)["probe_fits"]["measured_bytes"] == proven


def test_at_the_end_of_the_ladder_it_is_said(middle_run: MakeRun) -> None:
    with pytest.raises(Trouble) as caught:
        train(middle_run(batch=2).path, Listener(), resume=False, gauge=SmallCard(64 * MIB))
    assert caught.value.problem.code is Code.GPU_MEMORY


def test_stop_is_heard_during_the_rehearsal_and_gives_the_memory_back(middle_run: MakeRun) -> None:
    run, gauge = middle_run(batch=4), SmallCard()
    talk = Listener(stop_when=lambda e: isinstance(e, Stage) and e.stage is StageName.LOADING)
    with pytest.raises(StopAsked):
        train(run.path, talk, resume=False, gauge=gauge)
    assert not talk.of(StepDone) and not run.has_adapter() and not (run.path / "probe").exists()
    del talk
    gauge.release()
    assert torch.cuda.memory_allocated() < 64 * MIB


def test_the_cap_is_lifted_once_the_plan_is_proven(middle_run: MakeRun) -> None:
    room = round(1.03 * taken(middle_run, batch=2)) + CONTEXT_GROWTH
    gauge = SmallCard(room)
    train(middle_run(batch=2).path, Listener(), resume=False, gauge=gauge)
    gauge.release()
    more = torch.empty(room + GIB, dtype=torch.uint8, device="cuda")
    assert more.numel() == room + GIB


def test_the_gauge_measures_what_is_taken_and_holds_its_cap() -> None:
    gauge = SmallCard(4 * GIB)
    with gauge.measuring():
        held = torch.empty(GIB, dtype=torch.uint8, device="cuda")
        del held
    assert GIB <= gauge.need.torch_bytes <= GIB + 64 * MIB
    with pytest.raises(torch.OutOfMemoryError), gauge.measuring():
        torch.empty(5 * GIB, dtype=torch.uint8, device="cuda")
    assert gauge.need.torch_bytes < 4 * GIB


def test_a_fresh_process_knows_what_cuda_itself_takes() -> None:
    """Context and libraries, which no allocator counts: some hundred megabytes."""
    code = (
        "import torch\n"
        "from core.engine.gauge import CardGauge\n"
        "gauge = CardGauge(0)\n"
        "with gauge.measuring():\n"
        "    a = torch.ones(2048, 2048, device='cuda', dtype=torch.bfloat16)\n"
        "    (a @ a).sum().item()\n"
        "print(gauge.need.outside_bytes)"
    )
    root = Path(__file__).parents[2]
    said = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert 100_000_000 < int(said.stdout.split()[-1]) < 1_500_000_000


def test_a_run_in_its_own_process_is_proven_and_learned_from(middle_run: MakeRun) -> None:
    """As the window starts it: worker, expandable segments, the card's own gauge."""
    run = middle_run(batch=4)
    events = happenings(TrainJob(str(run.path)), run)
    assert isinstance(events[-1], Finished), [e for e in events if isinstance(e, Failed)]
    proof = next(e.facts for e in events if isinstance(e, Noted) and e.code == "probe_fits")
    assert 0 < proof["measured_bytes"] < proof["room_bytes"]
    (line,) = measured_file().read_text(encoding="utf-8").splitlines()
    told = json.loads(line)
    assert told["outside_bytes"] > 100_000_000 and told["torch_bytes"] + told["outside_bytes"] <= proof["room_bytes"]
    assert constants_of(told["card"], measured_file()).samples == 1
