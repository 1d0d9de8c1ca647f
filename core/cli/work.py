"""Commands that work: fetch a model, train, chat, merge; each runs a job in a process of its own."""

from pathlib import Path
from typing import Annotated, Any

import typer

from core.cli.output import Json, ending, follow, result_out
from core.events import Finished, Last, Stopped
from core.i18n import _
from core.jobs.jobs import ChatJob, FetchJob, MergeJob, TrainJob
from core.jobs.process import JobProcess
from core.plan import load_plan
from core.problems import Code, Trouble
from core.runs import RunFolder
from core.settings import load, runs_root


def add_to(app: typer.Typer) -> None:
    """Register this module's commands."""
    app.command("fetch", help="Bring a catalogue model onto this computer.")(fetch)
    app.command("train", help="Train a plan, or go on with an interrupted run.")(train)
    app.command("chat", help="Ask the base and the tuned model.")(chat)
    app.command("merge", help="Write a stand-alone 16-bit model and prove that it answers the same.")(merge)


def fetch(model: str, json: Json = False) -> int:
    last = follow(JobProcess(FetchJob(model)))
    return _report(last, json, lambda result: print(result["folder"]))


def train(
    plan: Annotated[Path | None, typer.Argument(help="A plan.json.")] = None,
    resume: Annotated[Path | None, typer.Option(help="A run folder to go on with.")] = None,
    json: Json = False,
) -> int:
    if (plan is None) == (resume is None):
        raise typer.BadParameter(_("give either a plan or --resume with a run folder"))
    run = _resumable(resume) if resume else RunFolder.create(runs_root(load()), _absolute(plan))
    return train_run(run, resume=resume is not None, json=json)


def train_run(run: RunFolder, *, resume: bool, json: bool) -> int:
    """Train `run` in a child process and say how it ended."""
    last = follow(JobProcess(TrainJob(str(run.path), resume=resume), run=run), stream=json)
    if isinstance(last, Stopped):
        outcome = {"kind": "stopped", "run": str(run.path), "step": last.step, "resumable": last.resumable}
        if json:
            result_out(outcome)
        else:
            print(
                _("Stopped at step {step}. Go on with: solotune train --resume {run}").format(
                    step=last.step, run=run.path
                )
            )
        return 0
    return _report(last, json, lambda result: print(result["adapter"]), kind="finished")


def chat(
    run: Path,
    say: Annotated[list[str] | None, typer.Option(help="A question; may be given several times.")] = None,
    base: Annotated[bool, typer.Option("--base", help="Answer with the base model only.")] = False,
    json: Json = False,
) -> int:
    questions = tuple(say or ())
    folder = RunFolder.open(run)
    if not questions:
        from core.cli.talk import talk_in_terminal

        return talk_in_terminal(folder, base_only=base)
    last = follow(JobProcess(ChatJob(str(folder.path), questions, keep_open=False), log=folder.path / "chat.log"))
    return _report(last, json, lambda result: _print_answers(result["answers"], base_only=base))


def merge(
    run: Path,
    output: Annotated[Path, typer.Option("-o", "--output", help="The folder to write.")],
    json: Json = False,
) -> int:
    folder = RunFolder.open(run)
    job = MergeJob(str(folder.path), str(output.expanduser().absolute()))
    last = follow(JobProcess(job, log=folder.path / "merge.log"))
    code = _report(last, json, _print_proof)
    # a model that answers differently is kept, but no script should take it for good
    return 1 if code == 0 and isinstance(last, Finished) and not last.result["verified"] else code


def _report(last: Last, json: bool, show: Any, **more: Any) -> int:
    if not isinstance(last, Finished):
        return ending(last, as_json=json) if not isinstance(last, Stopped) else 130
    if json:
        result_out({**more, **last.result})
    else:
        show(last.result)
    return 0


def _print_answers(answers: list[dict[str, str]], *, base_only: bool) -> None:
    for row in answers:
        print(f"? {row['question']}\n  {_('base')}:  {row['before']}")
        if not base_only:
            print(f"  {_('tuned')}: {row['after']}")


def _print_proof(result: dict[str, Any]) -> None:
    print(result["folder"])
    print(
        _("{same} of {count} answers identical to the adapter on the 16-bit base").format(
            same=result["identical"], count=result["replayed"]
        )
    )


def _absolute(path: Path | None) -> Any:
    """Read the plan; files that it names relative to itself become absolute."""
    from dataclasses import replace

    assert path is not None
    plan = load_plan(path)
    home = path.absolute().parent
    named = tuple(str(home / name) for name in plan.data)
    validation = str(home / plan.validation) if plan.validation else ""
    model = str(home / plan.model) if (home / plan.model).is_dir() else plan.model
    return replace(plan, data=named, validation=validation, model=model)


def _resumable(path: Path) -> RunFolder:
    run = RunFolder.open(path)
    if run.is_busy():
        raise Trouble(Code.RUN_BUSY, path=path)
    if not run.resumable():
        raise Trouble(Code.RUN_NOT_RESUMABLE, path=path)
    return run
