"""Commands that only look: plan, past runs."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from core.arrangement import in_order
from core.catalog import spec_of
from core.choices import Bias, Initialisation, Schedule
from core.cli.advise import Goal
from core.cli.check import Answer, Passage, Question, check, columns_of, folder_of
from core.cli.choices import (
    BiasChoice,
    Dora,
    LoraPlus,
    Neftune,
    Rslora,
    ScheduleChoice,
    ShallowRank,
    Start,
    chosen,
)  # fmt: skip
from core.cli.learn import plan_of
from core.cli.output import Json, result_out
from core.data.clean import Cleaning
from core.data.lengths import RowLengths
from core.data.prepare import examine
from core.data.rows import DataReport
from core.i18n import _
from core.plan import Method, Mix, TrainingPlan
from core.planning import length_reason, rows_in, with_intervals
from core.runs import RunFolder, list_runs
from core.settings import load, runs_root
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
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Data files, folders or archives.")],
    model: Annotated[str, typer.Option(metavar="MODEL", help="Catalogue id or model folder.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Where to write the plan.")],
    method: Annotated[Method | None, typer.Option(help="Take this method instead of the recommended one.")] = None,
    goal: Goal = "medium",
    clean: Annotated[bool, typer.Option(help="Clean the rows as `check` does before they are learned.")] = False,
    mix: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Mix in rows of this file, general dialogue mostly; may be repeated."),
    ] = None,
    mix_share: Annotated[float, typer.Option(min=0.001, max=0.9, help="Their share of all rows.")] = Mix.share,
    staged: Annotated[bool, typer.Option(help="Learn the files one after the other, the last one longest.")] = False,
    weights: Annotated[
        str, typer.Option(metavar="NUMBERS", help="How often an epoch sees each file, such as 1,0.5.")
    ] = "",
    validation: Annotated[Path | None, typer.Option(metavar="FILE", help="Check with the rows of this file.")] = None,
    validation_share: Annotated[
        float | None, typer.Option(min=0.0, max=0.5, help="Keep this share of the rows aside to check with.")
    ] = None,
    passage: Passage = 0,
    question: Question = "",
    answer: Answer = "",
    rslora: Rslora = False,
    dora: Dora = False,
    initialisation: Start = Initialisation.DEFAULT,
    lora_plus: LoraPlus = 1.0,
    shallow_rank: ShallowRank = 0,
    neftune: Neftune = 0.0,
    bias: BiasChoice = Bias.NONE,
    schedule: ScheduleChoice = Schedule.COSINE,
    json: Json = False,
) -> None:
    count_for = RowLengths(folder_of(spec_of(model)))
    cleaning = Cleaning() if clean else None
    columns = columns_of(question, answer)
    named = tuple(str(f.absolute()) for f in files)
    report, _cleaned, _private = examine(named, cleaning, columns=columns, passage=passage, count=count_for)
    plan = replace(plan_of(model, report, method, goal), cleaning=cleaning, columns=columns, passage=passage)
    plan = _arranged(plan, report, tuple(str(file.absolute()) for file in mix or ()), mix_share, weights, staged=staged)
    plan = _checked_with(plan, report, validation, validation_share)
    plan = chosen(
        plan, rslora=rslora, dora=dora, initialisation=initialisation, lora_plus=lora_plus, shallow_rank=shallow_rank,
        neftune=neftune, bias=bias, schedule=schedule,
    )  # fmt: skip
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
    plan: TrainingPlan, report: DataReport, mixes: tuple[str, ...], share: float, weights: str, *, staged: bool
) -> TrainingPlan:
    """The plan with its mixes, weights and stages. Raises BadParameter for what cannot be."""
    if not mixes and not staged and not weights:
        return plan
    try:
        changed = replace(
            plan,
            mix=tuple(Mix(name, share / len(mixes)) for name in mixes),
            weights=tuple(map(float, weights.split(","))) if weights else (),
            stages=in_order(plan.data, plan.epochs) if staged else (),
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    return with_intervals(changed, rows_in(report))


def _checked_with(plan: TrainingPlan, report: DataReport, validation: Path | None, share: float | None) -> TrainingPlan:
    """The plan with the rows to check with that were asked for. Raises BadParameter for both a file and a share."""
    if validation is not None and share is not None:
        raise typer.BadParameter(_("give either a file or a share"), param_hint="--validation")
    if validation is not None:
        return with_intervals(replace(plan, validation=str(validation.absolute())), rows_in(report))
    if share is None:
        return plan
    # asked for is asked for, also of few rows
    return replace(with_intervals(replace(plan, validation_share=share), rows_in(report)), validation_share=share)


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
