"""What commands print: results on standard output (text or one JSON object), progress on standard error."""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Annotated, Any
from unicodedata import east_asian_width

import typer

from core.codec import dumps
from core.events import Event, Failed, Last, Noted, Stage, StageName, StepDone, Stopped
from core.i18n import _
from core.jobs.process import JobProcess
from core.problems import Problem
from core.wire import encode
from core.wording import duration, explain, gigabytes, joined, note_words, stage_words

Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON object on standard output.")]


def result_out(result: Any) -> None:
    """Print a result as one JSON object."""
    print(dumps(result), flush=True)


def problem_out(problem: Problem, *, as_json: bool, **more: Any) -> int:
    """Say a problem in one sentence and what to do; `more` goes into the JSON. Returns the exit status 1."""
    words = explain(problem)
    if as_json:
        told = {"problem": problem.code, "title": words.title, "advice": words.advice, "facts": problem.facts}
        result_out({**told, **more})
    else:
        print(joined(words.title, words.advice), file=sys.stderr, flush=True)
    return 1


def table_out(lines: dict[str, str]) -> None:
    """Print names and amounts in two columns; a Chinese letter takes two places of a terminal."""
    places = {name: sum(2 if east_asian_width(letter) in "WF" else 1 for letter in name) for name in lines}
    for name, amount in lines.items():
        print(name + " " * (max(places.values()) - places[name]) + f" {amount:>9}")


def not_one_of(*choices: str, hint: str | None = None) -> typer.BadParameter:
    """Wrong usage: something else than the words that can be said here."""
    return typer.BadParameter(_("choose one of these: {choices}").format(choices=", ".join(choices)), param_hint=hint)


def start(process: JobProcess) -> None:
    """Start a job. Ctrl-C reaches it too, and it must not die of that while it is still importing."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process.start()
    finally:
        signal.signal(signal.SIGINT, before)


def follow(
    process: JobProcess,
    *,
    quiet: bool = False,
    stream: bool = False,
    hear: Callable[[Event], None] = lambda event: None,
    left: Callable[[], float | None] = lambda: None,
) -> Last:
    """Run a job to its end, showing progress; Ctrl-C asks it to stop, a second Ctrl-C insists.

    `stream` prints every event as a line of JSON instead. `hear` gets every event too; `left` tells the
    seconds that are left.
    """
    show = Progress(sys.stderr, quiet=quiet or stream, left=left)
    with _started(process):
        for event in process.events():
            if isinstance(event, Last):
                last = event
            hear(event)
            try:
                if stream and not isinstance(event, Last):
                    print(encode(event), flush=True)
                show.see(event)
            except BrokenPipeError:
                # nobody reads on: what was done is kept, as after Ctrl-C
                process.stop()
    return last


def ending(last: Last, *, as_json: bool, **more: Any) -> int:
    """Exit status of a job's last event; a failure is said, 130 is that of a job that was asked to stop."""
    if isinstance(last, Failed):
        return problem_out(last.problem, as_json=as_json, **more)
    if isinstance(last, Stopped):
        if as_json:
            result_out({"kind": "stopped", **more})
        return 130
    return 0


@contextmanager
def _started(process: JobProcess) -> Iterator[None]:
    """Start the job; while inside, Ctrl-C asks it to stop in good order, and a second one ends it at once."""
    asked: list[int] = []

    def hear(_signal: int, _frame: object) -> None:
        asked.append(1)
        process.kill() if len(asked) > 1 else process.stop()

    start(process)
    before = signal.signal(signal.SIGINT, hear)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class Progress:
    """One line that is written over on a terminal, plain lines now and then elsewhere."""

    def __init__(self, out: IO[str], *, quiet: bool = False, left: Callable[[], float | None] = lambda: None) -> None:
        self._out, self._quiet, self._left = out, quiet, left
        self._live = out.isatty()
        self._shown_at = 0.0
        self._stage: StageName | None = None

    def see(self, event: Event) -> None:
        """Show an event when it is worth a line."""
        if self._quiet:
            return
        if isinstance(event, Stage):
            self._show(_stage_line(event), now=event.stage is not self._stage)
            self._stage = event.stage
        elif isinstance(event, StepDone):
            self._show(_step_line(event, self._left()), now=event.step in (1, event.total_steps))
        elif isinstance(event, Noted):
            self._show(note_words(event), now=True)
        elif isinstance(event, Last):
            self._line("")

    def _show(self, text: str, *, now: bool) -> None:
        if not now and time.monotonic() - self._shown_at < (0.2 if self._live else 5.0):
            return
        self._shown_at = time.monotonic()
        self._line(text)

    def _line(self, text: str) -> None:
        if self._live:
            self._out.write(f"\r\x1b[K{text[:100]}" if text else "\r\x1b[K")
        elif text:
            self._out.write(text + "\n")
        self._out.flush()


def _stage_line(stage: Stage) -> str:
    text = stage_words(stage.stage)
    if stage.total <= 0:
        return text
    if stage.unit == "bytes":
        text = f"{text} {gigabytes(stage.done)} / {gigabytes(stage.total)}"
        if stage.pace > 0 and stage.seconds:
            text += ", " + _("{left} left").format(left=duration(stage.seconds))
        return text
    return f"{text} {stage.done} / {stage.total}"


def _step_line(step: StepDone, left: float | None) -> str:
    loss = "–" if step.loss is None else f"{step.loss:.3f}"
    if left is None:
        return _("Step {step} of {total}, loss {loss}").format(step=step.step, total=step.total_steps, loss=loss)
    return _("Step {step} of {total}, loss {loss}, {left} left").format(
        step=step.step, total=step.total_steps, loss=loss, left=duration(left)
    )
