"""All three methods on a real card: they learn, fit the estimate, stop, go on, and merge into the same answers."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from core.catalog import spec_of  # noqa: E402
from core.engine.merge import merge  # noqa: E402
from core.engine.train import train  # noqa: E402
from core.events import StepDone  # noqa: E402
from core.jobs.talk import StopAsked  # noqa: E402
from core.plan import Method  # noqa: E402
from core.runs import RunFolder  # noqa: E402
from core.vram import estimate  # noqa: E402
from tests.engine.conftest import Listener, learn, one_answer  # noqa: E402, F401 - fixtures
from tests.fakes import new_run  # noqa: E402

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA card")]


@pytest.mark.parametrize("method", list(Method))
def test_every_method_learns_and_merges(learn: Callable[..., RunFolder], method: Method) -> None:  # noqa: F811
    run = learn(method=method)
    assert merge(run.path, run.path / "merged", Listener(), ("What is 4?", "What is 7?"))["verified"]


@pytest.mark.parametrize("method", list(Method))
def test_stop_and_resume(tiny_base: Path, one_answer: Path, tmp_path: Path, method: Method) -> None:  # noqa: F811
    run = new_run(tmp_path, model=str(tiny_base), data=(str(one_answer),), method=method, epochs=2.0)
    with pytest.raises(StopAsked) as stopped:
        train(run.path, Listener(stop_when=lambda e: isinstance(e, StepDone) and e.step == 5), resume=False)
    talk = Listener()
    train(run.path, talk, resume=True)
    assert talk.of(StepDone)[0].step == stopped.value.step + 1


@pytest.mark.parametrize("method", list(Method))
@pytest.mark.parametrize("checkpointing", ["none", "2", "full"])
def test_the_peak_stays_within_the_estimate(
    tmp_path: Path,
    middle_base: Path,
    one_answer: Path,  # noqa: F811
    method: Method,
    checkpointing: str,
    record_property: Callable[[str, Any], None],
) -> None:
    run = new_run(
        tmp_path, model=str(middle_base), data=(str(one_answer),), method=method, checkpointing=checkpointing, batch=8,
        steps=4,
    )  # fmt: skip
    torch.cuda.reset_peak_memory_stats()
    talk = Listener()
    train(run.path, talk, resume=False)
    measured = max(s.peak_bytes for s in talk.of(StepDone))
    # rows are shorter than the plan allows, so the estimate of the plan is an upper bound
    predicted = estimate(spec_of(str(middle_base)).architecture, replace(run.plan(), tokens=64)).total_bytes
    record_property("measured_bytes", measured)
    record_property("predicted_bytes", predicted)
    assert measured < predicted
