"""How a run is named on the command line: by its folder, by its name as `runs` shows it, or as `last`."""

from pathlib import Path
from typing import Annotated

import typer

from core.problems import Code, Trouble
from core.runs import list_runs
from core.settings import load, runs_root

#: What stands for the newest run.
LAST = "last"


def run_named(typed: Path | None) -> Path | None:
    """The folder of the run that was meant; what names none stays as it was typed, for the sentence that says so.

    A folder that is there comes first. Raises Trouble(RUN_MISSING) for `last` where nothing was trained yet.
    """
    if typed is None or len(typed.parts) != 1:
        return typed
    root = runs_root(load())
    if typed.exists():
        return typed
    if (root / typed / "plan.json").is_file():
        return root / typed
    if typed.name == LAST:
        newest = next(iter(list_runs(root)), None)
        if newest is None:
            raise Trouble(Code.RUN_MISSING, path=root)
        return newest.path
    return typed


_HELP = "A run: its folder, its name as `runs` shows it, or last."

Run = Annotated[Path, typer.Argument(metavar="RUN", help=_HELP, callback=run_named)]
Resumed = Annotated[
    Path | None, typer.Option(metavar="RUN", help=_HELP.replace("A run:", "Go on with a run:"), callback=run_named)
]
