"""Commands that take a run elsewhere: its series as a table, itself once more, and itself as a plain script."""

import json as jsons
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from core.capsule import Difference, capsule_of, differences, read_capsule
from core.cli.named import Run
from core.cli.output import Json, ending, follow, result_out
from core.cli.work import train_run
from core.codec import to_plain
from core.data.kept import order_of
from core.disk import expect_room
from core.events import Finished
from core.files import write_text
from core.hub import find_folder
from core.i18n import _
from core.jobs.jobs import ScriptJob
from core.jobs.process import JobProcess
from core.runs import RunFolder
from core.series import COLUMNS, write_csv
from core.settings import load, models_root, runs_root
from core.wording.capsule import difference_lines


def add_to(app: typer.Typer) -> None:
    """Register this module's commands."""
    app.command("export-csv", help="Write all series of a run as a table. Losses, rates, speed, memory, heat.")(table)
    app.command("repeat", help="Train a run once more, and say what differs here from then.")(repeat)
    app.command("script", help="Write a run as one plain Python script. It needs transformers and peft alone.")(script)


def table(
    run: Run,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The file to write.")],
    json: Json = False,
) -> None:
    history = RunFolder.open(run).history()
    output.absolute().parent.mkdir(parents=True, exist_ok=True)
    write_csv(history, output)
    if json:
        return result_out({"file": str(output), "rows": len(history.steps), "columns": COLUMNS})
    print(output)
    return None


def repeat(
    run: Run,
    only_make: Annotated[bool, typer.Option("--only-make", help="Make the run, but do not train it yet.")] = False,
    json: Json = False,
) -> int:
    old = RunFolder.open(run)
    plan = old.plan()
    folder = find_folder(plan.model, models_root(load()))
    expect_room(runs_root(load()), plan)
    then, now = read_capsule(old), capsule_of(plan, folder)
    found = differences(then, now) if then else ()
    order = order_of(old.data, plan)
    new = RunFolder.create(runs_root(load()), plan)
    kept = order is not None and bool(order.copies)
    if kept:
        shutil.copytree(old.data, new.data)
        write_text(new.repeats, jsons.dumps({"run": old.name, "differences": to_plain(found)}, indent=1))
    _say(found, known=then is not None, rows_kept=kept)
    if only_make:
        result_out({"run": str(new.path), "differences": to_plain(found)}) if json else print(new.path)
        return 0
    print(_("Run folder: {path}").format(path=new.path), file=sys.stderr)
    return train_run(new, resume=False, json=json)


def script(
    run: Run,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="The script to write; its rows lie beside it.")
    ],
    json: Json = False,
) -> int:
    folder = RunFolder.open(run)
    find_folder(folder.plan().model, models_root(load()))
    target = output.expanduser().absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    last = follow(JobProcess(ScriptJob(str(folder.path), str(target)), log=folder.path / "script.log"))
    if not isinstance(last, Finished):
        return ending(last, as_json=json)
    if json:
        result_out({"kind": "finished", **last.result})
    else:
        print(*(target.with_name(name) for name in last.result["files"]), sep="\n")
    return 0


def _say(found: tuple[Difference, ...], *, known: bool, rows_kept: bool) -> None:
    if not known:
        print(_("The run kept no record of where it was trained, so nothing can be compared."), file=sys.stderr)
    elif not found:
        print(_("Data, model, card and versions are those of then."), file=sys.stderr)
    for line in difference_lines(found, rows_kept=rows_kept):
        print(line, file=sys.stderr)
