"""Commands that only look: data report, plan, past runs."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from core.catalog import ModelSpec, spec_of
from core.cli.advise import Goal
from core.cli.cards import first_card
from core.cli.output import Json, result_out
from core.codec import to_plain
from core.data.inspect import inspect_files
from core.data.lengths import RowLengths
from core.data.rows import DataReport
from core.fit import UNFITTED, constants_of
from core.hub import local_folder
from core.hub.folder import check_model_folder
from core.i18n import _
from core.plan import Method, TrainingPlan
from core.planning import length_reason, make_plan
from core.runs import RunFolder, list_runs
from core.settings import load, measured_file, models_root, runs_root
from core.wording import (
    count,
    reason_words,
    row_problem_words,
    shape_words,
    state_words,
)


def add_to(app: typer.Typer) -> None:
    """Register this module's commands."""
    app.command("check", help="Report on data files.")(check)
    app.command("plan", help="Write a complete plan with recommended values.")(plan_command)
    app.command("runs", help="List past runs.")(runs)


def check(
    files: list[Path],
    model: Annotated[str, typer.Option(help="Count tokens for this model: catalogue id or model folder.")] = "",
    json: Json = False,
) -> None:
    folder = _folder_of(spec_of(model)) if model else None
    report = inspect_files(tuple(str(f) for f in files), count=RowLengths(folder))
    if json:
        tokens = report.tokens | {"exact": report.tokens_exact}
        return result_out(to_plain(report) | {"private": None, "tokens": tokens})
    print(
        _("{rows} rows, {usable} usable, {rejected} not used, {duplicates} duplicates, shape: {shape}").format(
            rows=count(report.rows),
            usable=count(report.usable),
            rejected=count(report.rejected),
            duplicates=count(report.duplicates),
            shape=shape_words(report.shape),
        )
    )
    if report.tokens:
        print(_tokens_line(report))
    for problem in report.problems[:20]:
        print(f"  {Path(problem.file).name}:{problem.line}  {row_problem_words(problem)}")
    return None


def plan_command(
    files: list[Path],
    model: Annotated[str, typer.Option(help="Catalogue id or model folder.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Where to write the plan.")],
    method: Annotated[Method | None, typer.Option(help="Take this method instead of the recommended one.")] = None,
    goal: Goal = "medium",
    json: Json = False,
) -> None:
    count_for = RowLengths(_folder_of(spec_of(model)))
    report = inspect_files(tuple(str(f.absolute()) for f in files), count=count_for)
    plan = plan_of(model, report, method, goal)
    output.absolute().parent.mkdir(parents=True, exist_ok=True)
    plan.save(output)
    if json:
        return result_out(plan)
    print(output)
    if reason := length_reason(plan, report):
        # standard output holds the name of the file alone, for scripts
        print(reason_words(reason), file=sys.stderr)
    return None


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


def _folder_of(spec: ModelSpec) -> Path | None:
    """Where a tokenizer can lie; of a folder nothing else needs to be there."""
    return Path(spec.id) if spec.source == "folder" else local_folder(spec, models_root(load()))


def _tokens_line(report: DataReport) -> str:
    words = (
        _("tokens a row: {shortest} to {longest}, half of them up to {median}, 99 of 100 up to {p99}")
        if report.tokens_exact
        else _("tokens a row, estimated: {shortest} to {longest}, half of them up to {median}, 99 of 100 up to {p99}")
    )
    return words.format_map({name: count(number) for name, number in report.tokens.items()})


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
