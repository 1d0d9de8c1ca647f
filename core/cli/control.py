"""Commands to a training that another process does: pause it, let it go on, stop it."""

import time
from pathlib import Path

import typer

from core.cli.named import Run
from core.cli.output import Json, result_out
from core.cli.work import resumable, train_run
from core.commands import Command, GoOn, Pause, Stop
from core.i18n import _
from core.problems import Code, Trouble
from core.runs import RunFolder
from core.wording import state_words

#: Seconds that a training may take to do what it was told: to pause or stop it ends its step, and saves.
PATIENCE = 120.0


def add_to(app: typer.Typer) -> None:
    """Register this module's commands."""
    app.command("pause", help="Let a training wait before its next step.")(pause)
    app.command("resume", help="Go on with a training that waits, or that was interrupted.")(resume)
    app.command("stop", help="Let a training save and end.")(stop)


def pause(run: Run, json: Json = False) -> int:
    return _told(_living(run), Pause(), json)


def resume(run: Run, json: Json = False) -> int:
    folder = RunFolder.open(run)
    if folder.is_busy():
        return _told(folder, GoOn(), json)
    return train_run(resumable(run), resume=True, json=json)


def stop(run: Run, json: Json = False) -> int:
    return _told(_living(run), Stop(), json)


def _living(path: Path) -> RunFolder:
    run = RunFolder.open(path)
    if not run.is_busy():
        raise Trouble(Code.RUN_IDLE, path=run.path)
    return run


def _told(run: RunFolder, command: Command, json: bool) -> int:
    """Leave the command and wait until it was obeyed; 1 when that took too long."""
    run.order(command)
    until = time.monotonic() + PATIENCE
    while not (done := _obeyed(run, command)) and time.monotonic() < until:
        time.sleep(0.2)
    history = run.history()
    state = run.state(history)
    waits = history.waiting is not None and run.is_busy()
    if json:
        result_out({"kind": "told", "done": done, "state": state, "waiting": waits, "step": history.step})
    else:
        words = _("waits") if waits else state_words(state)
        print(_("{run}: {state}, step {step} of {total}").format(
            run=run.name, state=words, step=history.step, total=history.total_steps))  # fmt: skip
    return 0 if done else 1


def _obeyed(run: RunFolder, command: Command) -> bool:
    if not run.is_busy():
        return True
    waits = run.history().waiting is not None
    return waits if isinstance(command, Pause) else not waits and isinstance(command, GoOn)
