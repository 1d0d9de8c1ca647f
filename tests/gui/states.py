"""Wizard states and runs on disk that many tests start from."""

import time
from dataclasses import replace
from pathlib import Path

from core.catalog import STARTER, spec_of
from core.data.rows import Conversation, DataReport, Message, RowProblem, Shape
from core.events import Event, Measured, Saved, Stage, StageName
from core.gpu import Card, GpuProcess
from core.plan import TrainingPlan
from core.planning import plan_for
from core.recommend import recommend
from core.runs import RunFolder
from core.wire import encode
from core.wizard import Step, WizardState, choose_card, choose_data, choose_model, choose_plan
from tests.gui.fakes import step_done, write_adapter

GB = 10**9
CARD = Card(
    0, "NVIDIA GeForce RTX 4070", 12_880_000_000, 10_900_000_000, (8, 9), "580.1", "13.0",
    (GpuProcess(7, "firefox", 700_000_000),),
)  # fmt: skip


def with_card(card: Card = CARD) -> WizardState:
    return choose_card(WizardState(), card, recommend(card.total_bytes, card.free_bytes))


def report(tmp_path: Path, usable: int = 40, rejected: int = 0) -> DataReport:
    file = str(tmp_path / "data.jsonl")
    rows = tuple(
        Conversation((Message("user", f"Question {n}?"), Message("assistant", f"Answer {n}.")), file, n + 1)
        for n in range(3)
    )
    problems = tuple(RowProblem(file, n + 1, "empty_answer") for n in range(min(rejected, 1000)))
    return DataReport(
        (file,), usable + rejected, usable, Shape.ALPACA, ("instruction", "output"), problems, rejected, 2,
        {"median": 80, "longest": 300}, rows,
        tokens={"total": 4000, "mean": 100, "shortest": 20, "median": 80, "p95": 250, "p99": 300, "longest": 300},
        tokens_exact=True, tokens_model=str(tmp_path), lengths=((128, usable - usable // 4), (320, usable // 4)),
    )  # fmt: skip


def planned(state: WizardState, tmp_path: Path, step: Step = Step.TRAIN) -> WizardState:
    """Everything answered up to `step`."""
    ready = choose_data(choose_model(state, spec_of(STARTER), tmp_path), report(tmp_path))
    return replace(choose_plan(ready, plan_for(ready)), step=step)


def write_run(
    root: Path,
    plan: TrainingPlan,
    name: str,
    *,
    steps: int = 20,
    last: Event | None = None,
    adapter: bool = False,
) -> RunFolder:
    """A run's folder as it lies on the disk; without `last` the run was interrupted."""
    run = RunFolder(root / name)
    run.path.mkdir(parents=True)
    plan.save(run.plan_file)
    begin = time.time() - 1000
    events: list[Event] = [Stage(time=begin, stage=StageName.TRAINING)]
    for step in range(1, steps + 1):
        events.append(replace(step_done(step, 40), time=begin + step))
        events.append(Measured(time=begin + step, used_bytes=GB, total_bytes=12 * GB, on_card=True))
    events.append(Saved(time=begin + steps, step=steps, path="checkpoints/checkpoint"))
    events += [last] if last else []
    run.events_file.write_text("".join(encode(event) + "\n" for event in events), encoding="utf-8")
    run.log_file.write_text("".join(f"line {n}\n" for n in range(5000)), encoding="utf-8")
    if adapter:
        write_adapter(run.path)
    return run
