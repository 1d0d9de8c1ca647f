"""Commands that only look: plan, past runs."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from core.catalog import spec_of
from core.cli.advise import Goal
from core.cli.cards import first_card
from core.cli.check import Answer, Passage, Question, check, columns_of, folder_of
from core.cli.output import Json, result_out
from core.data.clean import Cleaning
from core.data.lengths import RowLengths
from core.data.prepare import examine
from core.data.rows import DataReport
from core.fit import UNFITTED, constants_of
from core.hub import local_folder
from core.hub.folder import check_model_folder
from core.plan import Method, Mix, TrainingPlan, TrainingStage
from core.planning import length_reason, make_plan, rows_in, with_intervals
from core.runs import RunFolder, list_runs
from core.settings import load, measured_file, models_root, runs_root
from core.wording import (
    reason_words,
    state_words,
)


def add_to(app: typer.Typer) -> None:
    """Register this module's commands."""
    app.command("check", help="Report on data files, and clean them.")(check)
    app.command("plan", help="Write a complete plan with recommended values.")(plan_command)
    app.command("runs", help="List past runs.")(runs)


def plan_command(
    files: list[Path],
    model: Annotated[str, typer.Option(help="Catalogue id or model folder.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Where to write the plan.")],
    method: Annotated[Method | None, typer.Option(help="Take this method instead of the recommended one.")] = None,
    goal: Goal = "medium",
    clean: Annotated[bool, typer.Option(help="Clean the rows as `check` does before they are learned.")] = False,
    mix: Annotated[list[Path] | None, typer.Option(help="Mix in rows of this file, general dialogue mostly.")] = None,
    mix_share: Annotated[float, typer.Option(min=0.001, max=0.9, help="Their share of all rows.")] = Mix.share,
    staged: Annotated[bool, typer.Option(help="Learn the files one after the other, the last one longest.")] = False,
    passage: Passage = 0,
    question: Question = "",
    answer: Answer = "",
    json: Json = False,
) -> None:
    count_for = RowLengths(folder_of(spec_of(model)))
    cleaning = Cleaning() if clean else None
    columns = columns_of(question, answer)
    named = tuple(str(f.absolute()) for f in files)
    report, _cleaned, _private = examine(named, cleaning, columns=columns, passage=passage, count=count_for)
    plan = replace(plan_of(model, report, method, goal), cleaning=cleaning, columns=columns, passage=passage)
    plan = _arranged(plan, report, tuple(str(file.absolute()) for file in mix or ()), mix_share, staged=staged)
    output.absolute().parent.mkdir(parents=True, exist_ok=True)
    plan.save(output)
    if json:
        return result_out(plan)
    print(output)
    if reason := length_reason(plan, report):
        # standard output holds the name of the file alone, for scripts
        print(reason_words(reason), file=sys.stderr)
    return None


def _arranged(
    plan: TrainingPlan, report: DataReport, mixes: tuple[str, ...], share: float, *, staged: bool
) -> TrainingPlan:
    """The plan with its mixes and stages: earlier files once, as the documents have it, the last as often as planned.

    Raises BadParameter for what cannot be.
    """
    if not mixes and not staged:
        return plan
    last = plan.data[-1]
    stages = tuple(TrainingStage((name,), plan.epochs if name == last else 1.0) for name in plan.data)
    try:
        changed = replace(
            plan, mix=tuple(Mix(name, share / len(mixes)) for name in mixes), stages=stages if staged else ()
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    return with_intervals(changed, rows_in(report))


def plan_of(model: str, report: DataReport, method: Method | None = None, goal: str = "medium") -> TrainingPlan:
    """A recommended plan for this computer's first card, or for its processor. Raises Trouble for a bad folder."""
    spec = spec_of(model)
    if spec.source == "folder":
        # a catalogue model can still be fetched; a folder is whole and safe now or it is of no use
        check_model_folder(Path(spec.id))
    folder = local_folder(spec, models_root(load()))
    card = first_card()
    learned = constants_of(card.name, measured_file()) if card else UNFITTED
    return make_plan(spec, folder, report, card, method, goal, constants=learned)


def runs(json: Json = False) -> None:
    found = [_run_row(run) for run in list_runs(runs_root(load()))]
    if json:
        return result_out({"runs": found})
    for row in found:
        print(f"{row['name']}  {row['words']}  {row['path']}")
    return None


def _run_row(run: RunFolder) -> dict[str, Any]:
    history = run.history()
    state = run.state(history)
    return {
        "name": run.name, "path": str(run.path), "state": state.value, "words": state_words(state),
        "step": history.step, "total_steps": history.total_steps,
        "first_loss": history.first_loss, "last_loss": history.last_loss,
        "adapter": run.has_adapter(), "checkpoint_step": run.checkpoint_step(),
    }  # fmt: skip
