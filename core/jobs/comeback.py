"""Comebacks: a training that broke for a reason that can be mended goes on in a fresh process, from its checkpoint."""

import shutil
from dataclasses import dataclass, replace

from core.codec import to_plain
from core.events import Event, Failed, Last, Noted, StepDone
from core.jobs.jobs import TrainJob
from core.ladder import gentler
from core.plan import TrainingPlan
from core.problems import Code
from core.runs import RunFolder

#: How often a run may lose its numbers (NaN, infinity) before it is given up.
MOST_ROLLBACKS = 2
#: What the learning rate is multiplied with each time.
LOWERED = 0.5


@dataclass(frozen=True)
class Again:
    """What a fresh process shall do, and what is told about it."""

    job: TrainJob
    notes: tuple[Event, ...]


class Comeback:
    """Watches the training of `run` and says whether, and how, it goes on after its process ended."""

    def __init__(self, run: RunFolder, job: TrainJob) -> None:
        self._run, self._job = run, job
        self._trained = False

    def heard(self, event: Event) -> None:
        """Take in what happened."""
        self._trained = self._trained or isinstance(event, StepDone)

    def after(self, last: Last) -> Again | None:
        """How to go on after `last`; None when that is the end. The plan in the run's folder is changed for it."""
        if not isinstance(last, Failed):
            return None
        if last.problem.code is Code.GPU_MEMORY and self._trained:
            return self._with_less_memory()
        if last.problem.code is Code.NOT_A_NUMBER:
            return self._rolled_back(last)
        return None

    def resumed(self) -> TrainJob:
        """The same training from its newest checkpoint."""
        return replace(self._job, resume=True)

    def _with_less_memory(self) -> Again | None:
        plan = self._run.plan()
        below = gentler(plan)
        return None if below is None else self._again(below, "memory_stepped", step=self._run.checkpoint_step())

    def _rolled_back(self, last: Failed) -> Again | None:
        before = [note.facts for note in self._run.history().notes if note.code == "rolled_back"]
        if len(before) >= MOST_ROLLBACKS:
            return None
        newest = self._run.checkpoint()
        if newest is not None and any(facts.get("to") == self._run.checkpoint_step() for facts in before):
            # the same checkpoint led there twice
            shutil.rmtree(newest)
        plan = self._run.plan()
        facts = {key: last.problem.facts.get(key) for key in ("what", "rows")}
        lowered = replace(plan, learning_rate=plan.learning_rate * LOWERED)
        step = int(last.problem.facts.get("step", 0))
        to = self._run.checkpoint_step()
        return self._again(lowered, "rolled_back", step=step, to=to, rate=lowered.learning_rate, **facts)

    def _again(self, plan: TrainingPlan, code: str, **facts: object) -> Again:
        self._run.step_down(plan)
        self._trained = False
        note = Noted(code=code, facts={**facts, "plan": to_plain(plan)})
        return Again(self.resumed(), (note,))
