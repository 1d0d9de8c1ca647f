"""Training on several cards or computers: the command of a training, with `accelerate launch` before it."""

import atexit
import os
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout

from core.cli.coach import Coach
from core.cli.output import Progress, ending, result_out
from core.events import Event, Finished, Last
from core.jobs.together import train_here
from core.launcher import is_first
from core.runs import RunFolder
from core.wire import encode


def train_together(make: Callable[[], RunFolder], *, resume: bool, json: bool) -> int:
    """Train the run that `make` makes on this process and its siblings; only the first of them says anything."""
    end, told = _End(), _Told(json=json)
    # before anything else is: what was registered first is called last
    atexit.register(end.come)
    last = train_here(make, told.hear, resume=resume)
    end.status = told.status if is_first() else int(not isinstance(last, Finished))
    return end.status


class _End:
    """Ends the process at once when Python is done with it.

    Threads with which processes talk to each other (gloo) are left behind, and now and then one of them aborts a
    process that is taken apart beneath it: its launcher then ends the first one, which still answers.
    """

    #: The exit status; None while Python is to end the process itself.
    status: int | None = None

    def come(self) -> None:
        """Write out what was said, and go."""
        if self.status is not None:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(self.status)


class _Told:
    """Progress on standard error, or every event as a line of JSON on standard output; and how it ended."""

    def __init__(self, *, json: bool) -> None:
        # while it trains the streams of Python lead into the run's log
        self._json, self._out, self._errors = json, sys.stdout, sys.stderr
        self._coach: Coach | None = None
        self._progress: Progress | None = None
        self.status = 0

    def hear(self, run: RunFolder, event: Event) -> None:
        """Show an event of `run`."""
        if not self._json:
            self._show(run, event)
        elif not isinstance(event, Last):
            print(encode(event), file=self._out, flush=True)
        if isinstance(event, Last):
            # at once: whoever started the processes ends all of them when one has failed
            with redirect_stdout(self._out), redirect_stderr(self._errors):
                self.status = self._ended(run, event)

    def _show(self, run: RunFolder, event: Event) -> None:
        if self._coach is None or self._progress is None:
            self._coach = Coach(run, self._errors)
            self._progress = Progress(self._errors, left=self._coach.left)
        self._coach.hear(event)
        self._progress.see(event)

    def _ended(self, run: RunFolder, last: Last) -> int:
        if not isinstance(last, Finished):
            return ending(last, as_json=self._json, run=str(run.path))
        result_out({"kind": "finished", **last.result}) if self._json else print(last.result["adapter"])
        return 0
