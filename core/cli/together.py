"""Training on several cards or computers: the command of a training, with `accelerate launch` before it."""

import sys
from collections.abc import Callable

from core.cli.coach import Coach
from core.cli.output import Progress, ending, result_out
from core.events import Event, Finished, Last
from core.jobs.together import is_first, train_here
from core.runs import RunFolder
from core.wire import encode


def train_together(make: Callable[[], RunFolder], *, resume: bool, json: bool) -> int:
    """Train the run that `make` makes on this process and its siblings; only the first of them says anything."""
    told = _Told(json=json)
    last = train_here(make, told.hear, resume=resume)
    if not is_first():
        return 0 if isinstance(last, Finished) else 1
    if isinstance(last, Finished):
        result_out({"kind": "finished", **last.result}) if json else print(last.result["adapter"])
        return 0
    return ending(last, as_json=json, run=told.folder)


class _Told:
    """Progress on standard error, or every event as a line of JSON on standard output."""

    def __init__(self, *, json: bool) -> None:
        # while it trains the streams of Python lead into the run's log
        self._json, self._out, self._errors = json, sys.stdout, sys.stderr
        self._coach: Coach | None = None
        self._progress: Progress | None = None
        self.folder = ""

    def hear(self, run: RunFolder, event: Event) -> None:
        """Show an event of `run`."""
        self.folder = str(run.path)
        if self._json:
            if not isinstance(event, Last):
                print(encode(event), file=self._out, flush=True)
            return
        if self._coach is None or self._progress is None:
            self._coach = Coach(run, self._errors)
            self._progress = Progress(self._errors, left=self._coach.left)
        self._progress.see(event)
        self._coach.hear(event)
