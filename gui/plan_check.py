"""Asks the model's own modules what a plan needs, in a child process that is kept open while the Plan page is."""

from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from core.catalog import ModelSpec, config_of
from core.codec import to_plain
from core.commands import Predict
from core.events import Failed, Last, Predicted
from core.fit import Constants
from core.jobs.jobs import DryRunJob
from core.plan import TARGETS, TrainingPlan
from core.problems import Trouble
from core.vram import Estimate
from gui.jobs import JobRunner, JobThread, Lane

#: Milliseconds after the last change before the modules are asked, and after the last answer before they go home.
AFTER_CHANGE = 400
AFTER_ANSWER = 60_000
#: Seconds that the child gets to end by itself: it has nothing to save.
GRACE = 0.3


@dataclass(frozen=True)
class Question:
    """What the memory of a plan depends on; plans that differ in other things get the same answer."""

    model: str
    plan: TrainingPlan
    constants: Constants


def question(spec: ModelSpec, plan: TrainingPlan, constants: Constants) -> Question:
    """The question that `plan` asks; what memory does not depend on is levelled."""
    levelled = replace(
        TrainingPlan(model=plan.model, data=("?",)),
        method=plan.method,
        rank=plan.rank,
        # a preset may mean more than its names in families unlike Llama
        targets=plan.targets if plan.targets in TARGETS else ",".join(sorted(set(plan.target_modules))),
        dora=plan.dora,
        shallow_rank=plan.shallow_rank,
        bias=plan.bias,
        dropout=0.1 if plan.dropout else 0.0,
        batch=plan.batch,
        accumulation=min(plan.accumulation, 2),
        tokens=plan.tokens,
        checkpointing=plan.checkpointing,
        optimizer=plan.optimizer,
        loss=plan.loss,
        packing=plan.packing,
    )
    return Question(spec.id, levelled, constants)


class PlanCheck(QObject):
    """`answered` says that `known` or `waiting` may have changed. Nothing here ever blocks or raises."""

    answered = Signal()

    def __init__(self, runner: JobRunner, parent: QObject, *, enabled: bool = True) -> None:
        super().__init__(parent)
        self._runner, self._enabled = runner, enabled
        self._answers: dict[Question, Estimate | None] = {}
        self._wanted: tuple[Question, dict[str, Any]] | None = None
        self._child: Child | None = None
        self._broken = False
        self._soon = self._timer(AFTER_CHANGE, self._send)
        self._quiet = self._timer(AFTER_ANSWER, self.stop)

    def _timer(self, milliseconds: int, then: Any) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(milliseconds)
        timer.timeout.connect(then)
        return timer

    def known(self, asked: Question) -> Estimate | None:
        """What the modules said, None when they were not asked yet or could not say."""
        return self._answers.get(asked)

    def failed(self, asked: Question) -> bool:
        """Whether the modules could not say."""
        return self._broken or (asked in self._answers and self._answers[asked] is None)

    def waiting(self, asked: Question) -> bool:
        """Whether an answer is on its way."""
        return self._wanted is not None and self._wanted[0] == asked

    def ask(self, asked: Question, spec: ModelSpec) -> None:
        """Ask about a plan, a moment after the last change; what is known already is not asked again."""
        if not self._enabled or self._broken or self.waiting(asked):
            return
        if asked in self._answers:
            self._wanted = None
            return
        try:
            facts = config_of(spec)
        except Trouble:
            self._answers[asked] = None
            return
        self._wanted = (asked, facts)
        self._soon.start()

    def _send(self) -> None:
        if self._wanted is None or (self._child is not None and self._child.busy):
            return
        asked, facts = self._wanted
        self._quiet.stop()
        if self._child is not None and self._child.constants != asked.constants:
            self._child.stop()
            self._child = None
        if self._child is None:
            self._child = Child(self._runner, asked, facts, self)
            self._child.said.connect(self._take)
            self._child.gone.connect(self._gone)
        else:
            self._child.ask(asked, facts)

    def _take(self, asked: Question, answer: Predicted) -> None:
        self._answers[asked] = None if answer.problem else Estimate(**answer.items)
        if self.sender() is not self._child:
            return
        if self.waiting(asked):
            self._wanted = None
        self._quiet.start()
        if self._wanted is not None and not self._soon.isActive():
            self._send()
        self.answered.emit()

    def _gone(self, child: "Child", failed: bool) -> None:
        """The child ended by itself: it is not started again before the page is opened anew."""
        if child is self._child:
            self._child, self._wanted = None, None
            self._broken = failed
            self.answered.emit()

    def stop(self) -> None:
        """Let the child go; what it said stays known."""
        child, self._child = self._child, None
        self._wanted, self._broken = None, False
        self._soon.stop()
        self._quiet.stop()
        if child is not None:
            child.stop()


class Child(QObject):
    """One dry run that is kept open. `said` carries a Question and its Predicted, `gone` whether it failed."""

    said = Signal(object, object)
    gone = Signal(object, bool)

    def __init__(self, runner: JobRunner, first: Question, facts: dict[str, Any], parent: QObject) -> None:
        super().__init__(parent)
        self._runner = runner
        self._asked = [first]
        self.constants, self.busy = first.constants, True
        job = DryRunJob(first.plan, facts, keep_open=True, constants=first.constants)
        self._thread: JobThread | None = runner.start(job, self._heard, lane=Lane.BESIDE, grace=GRACE)

    def ask(self, asked: Question, facts: dict[str, Any]) -> None:
        """Ask the next question; one at a time."""
        self.busy = True
        self._asked.append(asked)
        command = Predict(number=len(self._asked) - 1, plan=dict(to_plain(asked.plan)), facts=facts)
        if self._thread is not None:
            self._thread.send(command)

    def stop(self) -> None:
        """Ask it to end."""
        self._runner.cancel(self._thread)

    def _heard(self, event: object) -> None:
        if isinstance(event, Predicted):
            self.busy = False
            self.said.emit(self._asked[event.number], event)
        elif isinstance(event, Last):
            self._thread, self.busy = None, False
            self.gone.emit(self, isinstance(event, Failed))
            self.deleteLater()
