"""The self-test computes for real on the processor; the doctor's job survives trials that crash, hang or fail."""

import os
import signal
import sys
import time
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from core.codec import from_plain
from core.doctor import Readings, judge
from core.doctor.judge_card import RIGHT
from core.events import Event, Finished, Stage
from core.findings import Check, Diagnosed, Finding, Level, Probed
from core.jobs.doctor import DoctorJob, trials
from core.jobs.process import JobProcess
from core.jobs.talk import Talk
from core.plan import TrainingPlan
from core.runs import RunFolder
from core.settings import Settings, load, runs_root, save

NAMES = ("torch", "product", "four_bit", "eight_bit", "optimizer", "triton")


class Told:
    """A Talk that keeps what was said."""

    def __init__(self) -> None:
        self.said = list[Event]()
        self.stop_requested = False
        self.pause = None

    def emit(self, event: Event) -> None:
        self.said.append(event)

    def next_command(self) -> Any:
        raise AssertionError("nothing is to be asked")


@dataclass(frozen=True)
class Ends:
    """Says that a trial begins, then ends the process in a way of its own; without that trial it does the others."""

    how: str
    names: tuple[str, ...] = NAMES

    def run(self, talk: Talk) -> dict[str, Any]:
        talk.emit(Probed(name="torch", facts={"version": "2.13.0", "cuda": "", "available": False}))
        if "four_bit" not in self.names:
            for name in self.names:
                talk.emit(Probed(name=name))
            return {}
        talk.emit(Probed(name="four_bit", device="RTX 5090", outcome="begun"))
        time.sleep(0.3)
        print("last words of a driver", flush=True)
        if self.how == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if self.how == "exit":
            os._exit(3)
        time.sleep(60)
        return {}


def test_every_trial_is_right_on_the_processor() -> None:
    from core.engine.selftest import self_test

    told = list[Probed]()
    self_test(NAMES, told.append)
    begun = [one.name for one in told if one.outcome == "begun"]
    ended = {one.name: one for one in told if one.outcome != "begun"}
    assert tuple(begun) == NAMES
    assert {one.outcome for one in ended.values()} == {"done"}
    assert ended["product"].facts["error"] > 0  # it was rounded, so it was computed in 16 bits
    for name, limits in RIGHT.items():
        for what, most in limits.items():
            # right, with room to spare on both sides of the limit
            assert ended[name].facts[what] * 1.3 < most, (name, what, ended[name].facts)


def test_wrong_arithmetic_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that loses one column in a hundred, or a sign, is found; one that raises is told."""
    import bitsandbytes
    import torch

    from core.engine import selftest

    whole = bitsandbytes.nn.Linear8bitLt.forward

    def lossy(self: Any, x: torch.Tensor) -> torch.Tensor:
        made = whole(self, x)
        return made * (torch.arange(made.shape[-1]) % 100 != 0)

    def raising(self: Any, x: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("Error named symbol not found at line 449 in file ops.cu")

    monkeypatch.setattr(bitsandbytes.nn.Linear8bitLt, "forward", lossy)
    monkeypatch.setattr(bitsandbytes.nn.Linear4bit, "forward", raising)
    told = list[Probed]()
    selftest.self_test(("four_bit", "eight_bit"), told.append)
    found = judge(Readings(probes=tuple(told)), [Check.FOUR_BIT, Check.EIGHT_BIT])
    assert [one.code for one in found] == ["four_bit_failed", "eight_bit_wrong"]
    assert "named symbol not found" in found[0].facts["text"]


def test_a_number_that_is_none_is_told_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from core.engine import selftest

    monkeypatch.setattr(selftest, "_numbers", lambda *shape, **_: torch.full(shape[:2], float("nan")))
    told = list[Probed]()
    selftest.self_test(("product",), told.append)
    assert told[-1].facts["error"] is None
    [finding] = judge(Readings(probes=tuple(told)), [Check.PRODUCT])
    assert finding.code == "product_wrong"


def test_torch_that_cannot_be_loaded_is_told_and_nothing_else_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    from core.engine import selftest

    monkeypatch.setitem(sys.modules, "torch", None)
    told = list[Probed]()
    selftest.self_test(NAMES, told.append)
    assert [(one.name, one.outcome) for one in told] == [("torch", "begun"), ("torch", "failed")]


@pytest.mark.parametrize(
    ("how", "patience", "outcome"), [("crash", 30, "crashed"), ("exit", 30, "crashed"), ("hang", 3, "hung")]
)
def test_a_trial_that_ends_its_process_is_named(how: str, patience: float, outcome: str) -> None:
    told = list(trials(NAMES, Told(), DoctorJob(patience=patience), partial(Ends, how)))
    ended = told[1]
    assert (ended.name, ended.outcome, ended.device) == ("four_bit", outcome, "RTX 5090")
    if how == "crash":
        assert ended.facts["signal"] == "SIGSEGV"
    if how == "exit":
        assert ended.facts["exitcode"] == 3
        assert "last words of a driver" in ended.facts["last_words"]
    # after a crash the others are tried all the same; after a card that hangs nothing is
    others = [] if how == "hang" else [("eight_bit", "done"), ("optimizer", "done"), ("triton", "done")]
    assert [(one.name, one.outcome) for one in told[2:]] == others
    assert told[0].name == "torch"


def test_a_doctor_that_is_stopped_leaves_nothing_running() -> None:
    talk = Told()
    seen = []
    for probed in trials(NAMES, talk, DoctorJob(), partial(Ends, "hang")):
        seen.append(probed.outcome)
        talk.stop_requested = True
    # what was ended on purpose is no finding
    assert seen == ["done"]


def test_nothing_is_tried_while_a_training_runs() -> None:
    run = RunFolder.create(runs_root(load()), TrainingPlan(model="m", data=("a.jsonl",)))
    run.hold(os.getpid())
    told = list(trials(("torch", "product"), Told(), DoctorJob()))
    assert [(one.name, one.outcome) for one in told] == [("torch", "left_out"), ("product", "left_out")]


def test_the_job_tells_every_finding_as_it_comes() -> None:
    """The whole of it, in its own process, offline: a child of a child computes, and no source is asked."""
    save(Settings(offline=True))
    process = JobProcess(DoctorJob())
    process.start()
    events = list(process.events())
    assert isinstance(events[-1], Finished), events[-1]
    found = [event.finding for event in events if isinstance(event, Diagnosed)]
    assert [from_plain(Finding, one) for one in events[-1].result["findings"]] == found
    checks = {one.check for one in found}
    assert checks >= set(Check) - {Check.WSL, Check.CARD_ROOM, Check.POWER, Check.KEYRING}
    codes = {one.code.value for one in found}
    assert codes >= {"four_bit_good", "eight_bit_good", "optimizer_good", "product_good", "network_offline"}
    assert not [one for one in found if one.level is Level.TROUBLE and one.check is not Check.FOLDERS]
    assert from_plain(Readings, events[-1].result["readings"]).probes
    stages = [event for event in events if isinstance(event, Stage) and event.total]
    assert stages[-1].done == stages[-1].total == len(Check)
