"""The doctor as a job: readings in one process, and what could crash or hang, torch and the driver, in another one."""

import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from core.codec import to_plain
from core.doctor import Examination
from core.doctor.read import readers
from core.doctor.readings import Network, Reach
from core.events import Failed, Stage, StageName
from core.findings import Check, Diagnosed, Probed
from core.hub.places import Reach as Told
from core.hub.places import reach
from core.jobs.jobs import self_test
from core.jobs.process import JobProcess
from core.jobs.talk import StopAsked, Talk
from core.problems import Code, Problem, Trouble
from core.runs import list_runs
from core.settings import Settings, load, runs_root

#: Seconds in which each trial must end; the first one loads torch, which takes a minute from a slow disk.
PATIENCE = 180.0
#: Seconds between two looks at whether a trial hangs.
_LOOK_EVERY = 0.2


@dataclass(frozen=True)
class SelfTestJob:
    """Let torch and bitsandbytes compute small things: a `Probed` when each trial begins and one when it ends."""

    names: tuple[str, ...]

    def run(self, talk: Talk) -> dict[str, Any]:
        self_test(self.names, talk)
        return {}


@dataclass(frozen=True)
class DoctorJob:
    """Look at the computer. Emits a `Diagnosed` for every finding as soon as it is known.

    `checks` are the rows that are wanted, by default all (core.doctor.doctor_for names those worth it after a
    problem). Result: `findings` and `readings` as plain values.
    """

    checks: tuple[Check, ...] = tuple(Check)
    patience: float = PATIENCE

    def run(self, talk: Talk) -> dict[str, Any]:
        settings = load()
        examination = Examination(readers(settings, partial(_reach, settings)), lambda names: trials(names, talk, self))
        told, asked = [], [check for check in Check if check in self.checks]
        for finding in examination.findings(self.checks):
            talk.emit(Diagnosed(finding=finding))
            told.append(finding)
            done = asked.index(finding.check) + 1
            talk.emit(Stage(stage=StageName.EXAMINING, done=done, total=len(asked)))
            if talk.stop_requested:
                raise StopAsked
        if talk.stop_requested:
            raise StopAsked
        return {"findings": to_plain(told), "readings": to_plain(examination.readings)}


def _reach(settings: Settings) -> Network:
    """Ask every source of models, unless the environment forbids it."""
    try:
        asked = reach(settings)
    except Trouble as trouble:
        if trouble.problem.code is not Code.OFFLINE:
            raise
        return Network(offline=True, variable="HF_HUB_OFFLINE")
    return Network(sources=tuple(map(_as_read, asked)))


def _as_read(told: Told) -> Reach:
    return Reach(
        source=told.name,
        address=told.address,
        seconds=None if told.milliseconds is None else told.milliseconds / 1000,
        problem=_why(told.problem),
        date=told.date,
        asked_at=told.asked_at,
        certificate=told.certificate,
    )


def _why(problem: Problem | None) -> str:
    if problem is None:
        return ""
    status = problem.facts.get("status")
    return str(problem.facts.get("text") or (f"HTTP {status}" if status else ""))


def trials(
    names: Collection[str], talk: Talk, job: DoctorJob, test: Callable[[tuple[str, ...]], Any] = SelfTestJob
) -> Iterator[Probed]:
    """Run the self-test in a process of its own and yield what each trial says at its end.

    After a trial whose process dies ("crashed") those behind it go on in another one; after one that does not answer
    ("hung") nothing does. While a training runs nothing is tried: that would take memory of the card from it.
    """
    if any(run.is_busy() for run in list_runs(runs_root(load()))):
        for name in names:
            yield Probed(name=name, outcome="left_out")
        return
    left, first = tuple(names), True
    while left:
        behind: tuple[str, ...] = ()
        for probed in _in_process(test(left), talk, job.patience):
            if probed.outcome == "crashed" and probed.name in left:
                behind = left[left.index(probed.name) + 1 :]
            # what torch is was told by the first one
            if first or probed.name != Check.TORCH:
                yield probed
        left, first = behind, False


def _in_process(test: Any, talk: Talk, patience: float) -> Iterator[Probed]:
    # on Windows the log of a process that was just ended may still be held for a moment
    with tempfile.TemporaryDirectory(prefix="solotune-doctor-", ignore_cleanup_errors=True) as folder:
        # grace 0: nothing is lost when it ends at once
        process = JobProcess(test, log=Path(folder) / "log.txt", grace=0.0)
        with _Watch(process, talk, patience) as watch:
            yield from _followed(process, watch)


def _followed(process: JobProcess, watch: "_Watch") -> Iterator[Probed]:
    begun = Probed(name=Check.TORCH.value, outcome="begun")
    for event in process.events():
        watch.heard()
        if isinstance(event, Probed):
            begun = event
            if event.outcome != "begun":
                yield event
        elif watch.stopped:
            # what was ended because nobody wants to know any more tells nothing
            return
        elif isinstance(event, Failed) and watch.hung:
            facts = {"seconds": round(watch.patience)}
            yield Probed(name=begun.name, device=begun.device, outcome="hung", facts=facts)
        elif isinstance(event, Failed):
            yield Probed(name=begun.name, device=begun.device, outcome="crashed", facts=_last_facts(event))


def _last_facts(event: Failed) -> dict[str, Any]:
    known = event.problem.facts
    facts: dict[str, Any] = {
        name: known[name] for name in ("signal", "exitcode", "last_words", "text") if name in known
    }
    if event.problem.code is Code.WORKER_KILLED:
        # without memory the system kills: that says more than the number
        facts["killed"] = True
    return facts


class _Watch:
    """Ends a process that has not been heard for `patience` seconds, or whose own job was asked to stop."""

    def __init__(self, process: JobProcess, talk: Talk, patience: float) -> None:
        self.patience, self.hung, self.stopped = patience, False, False
        self._process, self._talk = process, talk
        self._heard_at = time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="doctor-watch", daemon=True)

    def heard(self) -> None:
        """Something was said."""
        self._heard_at = time.monotonic()

    def __enter__(self) -> "_Watch":
        self._process.start()
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()
        # whoever stops listening early leaves nothing behind
        self._process.kill()

    def _look(self) -> None:
        while not self._over.wait(_LOOK_EVERY):
            self.hung = time.monotonic() - self._heard_at > self.patience
            self.stopped = self._talk.stop_requested
            if self.hung or self.stopped:
                self._process.kill()
                return
