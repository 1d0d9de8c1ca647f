"""Simulated trainings as run folders, for pictures of what nobody can make happen at will: heat, spikes, no memory."""

import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from core.codec import to_plain
from core.events import (
    Evaluated,
    Event,
    Finished,
    Measured,
    Noted,
    Paused,
    Stage,
    StageName,
    StepDone,
    Wait,
    WentOn,
)  # fmt: skip
from core.plan import TrainingPlan
from core.runs import RunFolder
from core.wire import encode
from tests.curves import Curve, overfit

#: Steps after which a run that goes on is shown.
SHOWN = 260


def coach(plan: TrainingPlan) -> Iterator[Event]:
    """Overfitting, with an answer that goes round in circles."""
    curve = replace(overfit(3), answers=4, answer=_answer)
    yield from _with_power(curve.events(200))


def hot(plan: TrainingPlan) -> Iterator[Event]:
    """Waits for a cooler card, after an earlier pause by the user."""
    curve = Curve(seed=4, heat=lambda at, value: min(60 + at // 8, 88))
    step = 0
    for event in _with_power(curve.events(SHOWN)):
        yield event
        step = event.step if isinstance(event, StepDone) else step
        if isinstance(event, StepDone) and step == 90:
            yield Paused(step=step, time=event.time)
            yield WentOn(step=step, seconds=0.1, time=event.time + 0.1)
    # the last event is not a step's: a moment later the guard saw the heat
    yield Paused(step=step, reason=Wait.TEMPERATURE, time=event.time + 0.01)
    yield _reading(event.time + 1, 9.1e9, 84)


def spike(plan: TrainingPlan) -> Iterator[Event]:
    """Two steps with gradients that stand out, and the rows of them."""
    odd = (130, SHOWN - 9)
    curve = Curve(
        seed=5, norm=lambda at, value: value * 14 if at in odd else value,
        loss=lambda at, value: value * 1.7 if at in odd else value,
    )  # fmt: skip
    chance = random.Random(1)
    for event in _with_power(curve.events(SHOWN)):
        yield event
        if isinstance(event, StepDone) and event.step in odd:
            rows = [[plan.data[0], line] for line in sorted(chance.sample(range(2, 190), 16))]
            facts = {"step": event.step, "norm": event.gradient_norm, "usual": 0.62, "loss": event.loss, "rows": rows}
            yield Noted(code="gradient_spike", facts=facts, time=event.time)


def early(plan: TrainingPlan) -> Iterator[Event]:
    """Stopped early: the best adapter is kept."""
    end, seen = None, list[Evaluated]()
    for event in _with_power(overfit(6).events(240)):
        end = event
        seen += [event] if isinstance(event, Evaluated) else []
        yield event
    best = min(seen, key=lambda each: each.loss or 9.0)
    assert end is not None
    yield Noted(code="stopped_early", facts={"step": 240, "waited": 3}, time=end.time)
    facts = {"step": best.step, "loss": best.loss, "last_step": 240, "last_loss": seen[-1].loss}
    yield Noted(code="best_kept", facts=facts, time=end.time)
    yield Finished(time=end.time + 1)


def comeback(plan: TrainingPlan) -> Iterator[Event]:
    """Ran out of memory at step 150, and went on from step 120 with half the micro-batch."""
    curve = Curve(seed=7, used=lambda at: 0.4)
    last = 0.0
    for event in _with_power(curve.events(150)):
        last = event.time
        yield event
    smaller = replace(plan, batch=max(plan.batch // 2, 1))
    yield Noted(code="memory_stepped", facts={"step": 120, "plan": to_plain(smaller)}, time=last + 1)
    yield Stage(stage=StageName.STARTING, time=last + 1)
    begun = None
    for event in _with_power(replace(curve, used=lambda at: 0.31).events(SHOWN)):
        if begun is None and isinstance(event, StepDone) and event.step == 121:
            begun = event.time
            yield Noted(code="resumed", facts={"step": 120}, time=last + 7)
        if begun is not None:
            yield replace(event, time=event.time - begun + last + 8)


SCENES: dict[str, Callable[[TrainingPlan], Iterator[Event]]] = {
    "train_coach": coach, "train_hot": hot, "train_spike": spike, "train_early": early, "train_comeback": comeback,
}  # fmt: skip


def write(root: Path, scene: str, plan: TrainingPlan) -> RunFolder:
    """Make the run of a scene; one that goes on is held by this process."""
    run = RunFolder(root / f"20260101-000000_{scene}")
    run.path.mkdir(parents=True)
    plan = replace(plan, epochs=3.0, evaluate_every=40, save_every=40, stages=())
    plan.save(run.plan_file)
    events = list(SCENES[scene](plan))
    late = time.time() - events[-1].time
    lines = (encode(replace(event, time=event.time + late)) + "\n" for event in events)
    run.events_file.write_text("".join(lines), encoding="utf-8")
    if not isinstance(events[-1], Finished):
        run.hold(os.getpid())
    return run


def _with_power(events: Iterator[Event]) -> Iterator[Event]:
    """The card's power and utilisation go with its temperature; a simulated second is a tenth of a real one."""
    begin: float | None = None
    chance = random.Random(2)
    for event in events:
        begin = event.time if begin is None else begin
        moved = replace(event, time=begin + 10 * (event.time - begin))
        if isinstance(moved, StepDone):
            moved = replace(moved, seconds=10 * moved.seconds)
        if isinstance(moved, Measured):
            heat = moved.temperature or 0
            watts = 150 + 1.2 * heat + chance.uniform(-9, 9)
            moved = replace(
                moved, power_watts=watts, utilisation=chance.randint(93, 99), total_bytes=12_880_000_000,
                used_bytes=round(moved.used_bytes * 0.55),
            )  # fmt: skip
        yield moved


def _reading(moment: float, used: float, heat: int) -> Measured:
    return Measured(
        time=moment, used_bytes=round(used), total_bytes=12_880_000_000, on_card=True, temperature=heat,
        power_watts=45.0, utilisation=2,
    )  # fmt: skip


def _answer(step: int, question: int) -> str:
    if step > 100 and question < 2:
        return "You can reset the machine. " * 12
    return f"Hold the green key for {question + 3} seconds, then let the tank run empty."
