"""Commands that work: train, chat, merge; each runs a job in a process of its own."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from core.cli.coach import Coach
from core.cli.named import Resumed, Run
from core.cli.output import Json, ending, follow, result_out
from core.cli.talk import answer_words, side_words, talk_in_terminal
from core.cli.together import train_together
from core.commands import Say
from core.disk import expect_room
from core.events import Answered, Event, Finished, Last, Side, Stopped
from core.files import tree_bytes
from core.hub import find_folder
from core.hub.folder import check_new_folder
from core.i18n import _
from core.jobs.jobs import ChatJob, MergeJob, TrainJob
from core.jobs.process import JobProcess
from core.ladder import difference, smaller
from core.launcher import launched, launched_alone
from core.plan import TrainingPlan, load_plan
from core.problems import Code, Trouble
from core.runs import RunFolder, RunState
from core.settings import load, models_root, runs_root
from core.wording import energy, reason_words


def add_to(app: typer.Typer) -> None:
    """Register this module's commands."""
    app.command("train", help="Train a plan, or go on with an interrupted run.")(train)
    app.command("chat", help="Ask the base and the tuned model.")(chat)
    app.command("merge", help="Write a stand-alone 16-bit model, and prove it. It is asked the same as the adapter.")(
        merge
    )


def train(
    plan: Annotated[Path | None, typer.Argument(metavar="PLAN", help="A plan.json, as `plan` writes it.")] = None,
    resume: Resumed = None,
    less: Annotated[bool, typer.Option("--smaller", help="Take the next plan that needs less memory.")] = False,
    json: Json = False,
) -> int:
    if (plan is None) == (resume is None):
        raise typer.BadParameter(_("give either a plan or --resume with a run folder"))

    def made() -> RunFolder:
        run = resumable(resume) if resume else _new_run(plan)
        if less:
            _step_down(run)
        print(_("Run folder: {path}").format(path=run.path), file=sys.stderr)
        return run

    if launched_alone():
        raise typer.BadParameter(
            _("accelerate starts a single process with --cpu. Say --multi_gpu: it does without cards too")
        )
    if launched():
        return train_together(made, resume=resume is not None, json=json)
    return train_run(made(), resume=resume is not None, json=json)


def train_run(run: RunFolder, *, resume: bool, json: bool) -> int:
    """Train `run` in a child process and say how it ended."""
    coach = Coach(run, sys.stderr)
    job = JobProcess(TrainJob(str(run.path), resume=resume), run=run)
    last = follow(job, stream=True) if json else follow(job, hear=coach.hear, left=coach.left)
    if kwh := run.history().energy.kwh:
        print(_("Energy of the card: {energy}").format(energy=energy(kwh)), file=sys.stderr)
    if isinstance(last, Finished):
        return _report(last, json, lambda result: print(result["adapter"]))
    if not isinstance(last, Stopped):
        return ending(last, as_json=json, run=str(run.path))
    if not json:
        print(
            _("Stopped at step {step}. Go on with: solotune train --resume {run}").format(step=last.step, run=run.path)
        )
    return ending(last, as_json=json, run=str(run.path), step=last.step, resumable=last.resumable)


def chat(
    run: Run,
    say: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="A question; may be given several times.")
    ] = None,
    base: Annotated[bool, typer.Option("--base", help="Answer with the base model only.")] = False,
    json: Json = False,
) -> int:
    folder = _trained(run)
    if json and not say:
        say = [line.strip() for line in sys.stdin if line.strip()]
        if not say:
            raise typer.BadParameter(_("give a question with --say, or one a line on standard input"))
    # bytes that are no text cannot be asked
    questions = tuple(question.encode("utf-8", "replace").decode() for question in say or ())
    if not questions:
        return talk_in_terminal(folder, base_only=base)
    sides = (Side.BASE,) if base else (Side.BASE, Side.TUNED)
    job = ChatJob(str(folder.path), questions, keep_open=False, sides=sides, longest=Say.max_new_tokens)
    cut = set[tuple[str, Side]]()

    def hear(event: Event) -> None:
        if isinstance(event, Answered) and event.cut:
            cut.add((event.question, event.side))

    last = follow(JobProcess(job, log=folder.path / "chat.log"), hear=hear)
    if isinstance(last, Finished):
        for row in last.result["answers"]:
            row["cut"] = [name for side, name in _SIDES.items() if (row["question"], side) in cut]
    return _report(last, json, lambda result: _print_answers(result["answers"]))


def merge(
    run: Run,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FOLDER", help="The folder to write.")],
    json: Json = False,
) -> int:
    folder = _trained(run)
    target = output.expanduser().absolute()
    # said now, not after torch was loaded
    check_new_folder(target, tree_bytes(find_folder(folder.plan().model, models_root(load()))))
    job = MergeJob(str(folder.path), str(target))
    last = follow(JobProcess(job, log=folder.path / "merge.log"))
    code = _report(last, json, _print_proof)
    # a model that answers differently is kept, but no script should take it for good
    return 1 if code == 0 and isinstance(last, Finished) and not last.result["verified"] else code


def _report(last: Last, json: bool, show: Any) -> int:
    if not isinstance(last, Finished):
        return ending(last, as_json=json)
    if json:
        result_out({"kind": "finished", **last.result})
    else:
        show(last.result)
    return 0


#: Where the answer of a side stands in the result of a ChatJob.
_SIDES = {Side.BASE: "before", Side.TUNED: "after"}


def _print_answers(answers: list[dict[str, Any]]) -> None:
    for row in answers:
        print(f"? {row['question']}")
        for side, name in _SIDES.items():
            if name in row:
                print(f"  {side_words(side)}: {answer_words(row[name], cut=name in row['cut'])}")


def _print_proof(result: dict[str, Any]) -> None:
    print(result["folder"])
    print(
        _("{same} of {count} answers identical to the adapter on the 16-bit base").format(
            same=result["identical"], count=result["replayed"]
        )
    )


def _new_run(path: Path | None) -> RunFolder:
    """Make a run of a plan file. What cannot be used of it is said now: no run is left behind for it."""
    assert path is not None
    plan = plan_in(path)
    find_folder(plan.model, models_root(load()))
    for name in (*plan.data, *(mix.file for mix in plan.mix), *filter(None, (plan.validation,))):
        if not Path(name).exists():
            raise Trouble(Code.DATA_MISSING, path=name)
    expect_room(runs_root(load()), plan)
    return RunFolder.create(runs_root(load()), plan)


def _step_down(run: RunFolder) -> None:
    """Put the next smaller plan in the place of the run's. Raises Trouble(GPU_MEMORY) at the end of the ladder."""
    plan = run.plan()
    below = smaller(plan)
    if below is None:
        raise Trouble(Code.GPU_MEMORY)
    run.step_down(below)
    for reason in difference(plan, below):
        print(reason_words(reason), file=sys.stderr)


def plan_in(path: Path) -> TrainingPlan:
    """Read a plan file; files that it names relative to itself become absolute. Raises Trouble(PLAN_INVALID)."""
    plan, home = load_plan(path), path.absolute().parent
    return replace(
        plan,
        data=tuple(str(home / name) for name in plan.data),
        stages=tuple(replace(stage, files=tuple(str(home / name) for name in stage.files)) for stage in plan.stages),
        mix=tuple(replace(mix, file=str(home / mix.file)) for mix in plan.mix),
        validation=str(home / plan.validation) if plan.validation else "",
        model=_model_beside(home, plan.model),
    )


def _model_beside(home: Path, model: str) -> str:
    try:
        return str(home / model) if (home / model).is_dir() else model
    except OSError:  # too long for a path
        return model


def _trained(path: Path) -> RunFolder:
    """Open a run that can answer; what is missing is said before a process starts for it."""
    run = RunFolder.open(path)
    if not run.has_adapter():
        raise Trouble(Code.RUN_NO_ADAPTER, path=run.path)
    find_folder(run.plan().model, models_root(load()))
    return run


def resumable(path: Path) -> RunFolder:
    """Open a run that can go on. Raises Trouble: RUN_MISSING, RUN_BUSY, RUN_NOT_RESUMABLE, MODEL_*."""
    run = RunFolder.open(path)
    state = run.state()
    if state is RunState.RUNNING:
        raise Trouble(Code.RUN_BUSY, path=path)
    if state is RunState.FINISHED:
        raise Trouble(Code.RUN_NOT_RESUMABLE, path=path)
    find_folder(run.plan().model, models_root(load()))
    return run
