"""A conversation in the terminal: one question a line, the base and the tuned model answer side by side."""

import sys

from core.cli.output import problem_out, start
from core.commands import Say
from core.events import Answered, Failed, Fragment, Last, Side, Stage, StageName
from core.i18n import _
from core.jobs.jobs import ChatJob
from core.jobs.process import JobProcess
from core.runs import RunFolder


def talk_in_terminal(run: RunFolder, *, base_only: bool) -> int:
    """Read questions from standard input until its end; returns the exit status."""
    process = JobProcess(ChatJob(str(run.path)), log=run.path / "chat.log")
    start(process)
    try:
        return _converse(process, (Side.BASE,) if base_only else (Side.BASE, Side.TUNED))
    finally:
        # Ctrl-C, or nobody reads on: a conversation has nothing to save
        process.kill()


def side_words(side: Side) -> str:
    """Whose answer it is."""
    return _("base") if side is Side.BASE else _("tuned")


def answer_words(answer: str, *, cut: bool) -> str:
    """An answer, with a remark where the length limit cut it."""
    return f"{answer} [{_('cut at the length limit')}]" if cut else answer


def _converse(process: JobProcess, sides: tuple[Side, ...]) -> int:
    waiting, speaks = 0, None
    for event in process.events():
        if isinstance(event, Failed):
            return problem_out(event.problem, as_json=False)
        if isinstance(event, Last):
            break
        if isinstance(event, Fragment):
            named = "" if event.side is speaks else f"{side_words(event.side)}: "
            speaks = event.side
            print(f"{named}{event.text}", end="", flush=True)
        if isinstance(event, Answered):
            waiting, speaks = waiting - 1, None
            print(answer_words("", cut=event.cut))
        if (isinstance(event, Stage) and event.stage is StageName.ANSWERING) or isinstance(event, Answered):
            waiting = waiting if waiting > 0 else _ask(process, sides)
    return 0


def _ask(process: JobProcess, sides: tuple[Side, ...]) -> int:
    """Send the next line as a question; returns how many answers to expect."""
    print(_("You: "), end="", file=sys.stderr, flush=True)
    for line in sys.stdin:
        if line.strip():
            process.send(Say(messages=({"role": "user", "content": line.strip()},), sides=sides))
            return len(sides)
    process.stop()
    return 0
