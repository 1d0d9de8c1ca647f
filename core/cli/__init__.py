"""The headless commands: the same core as the window, for scripts, remote machines and launchers."""

import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from core.cli import (
    advise,
    again,
    cards,
    control,
    demo,
    desktop,
    doctor,
    estimate,
    look,
    models,
    samples,
    tokens,
    watch,
    work,
)
from core.cli.output import problem_out
from core.i18n import set_language
from core.problems import diagnose
from core.settings import load
from core.tiers import keep_free

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Fine-tune a language model on one GPU. Without a command the window opens.",
)  # fmt: skip
for module in (
    desktop,
    demo,
    cards,
    advise,
    estimate,
    models,
    tokens,
    look,
    work,
    control,
    watch,
    samples,
    again,
    doctor,
):
    module.add_to(app)


def run(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit: 0 done, 1 a problem in one clear sentence, 2 wrong usage, 130 interrupted."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    _open_streams(as_json="--json" in words)
    settings = load()
    set_language(settings.language)
    keep_free(settings.reserve_bytes)
    try:
        code = _answer(words)
        sys.stdout.flush()
    except BrokenPipeError:
        # who reads our output (head, a closed terminal) has gone: there is nobody left to tell
        _let_go_of_streams()
        code = 1
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


def _answer(words: list[str]) -> int:
    """Run the command; returns the exit status."""
    debug = "--debug" in words
    try:
        code = app([word for word in words if word != "--debug"], prog_name="solotune", standalone_mode=False)
    except Exception as error:
        if _is_usage(error):
            return _say_usage(error)
        if debug:
            raise
        return problem_out(diagnose(error), as_json="--json" in words)
    return code if isinstance(code, int) else 0


def _open_streams(*, as_json: bool) -> None:
    """Make every standard stream usable: closed ones lead nowhere, and no character is too strange to print."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # open for good: the number of a closed stream would go to the next pipe, and print into it
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115
    for stream, encoding, errors in (
        (sys.stdin, None, "replace"),
        (sys.stdout, "utf-8" if as_json else None, "backslashreplace"),
        (sys.stderr, None, "backslashreplace"),
    ):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding=encoding, errors=errors)


def _let_go_of_streams() -> None:
    """Lead the streams nowhere: what they still hold would make the interpreter complain at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            os.dup2(nowhere, stream.fileno())


def _is_usage(error: Exception) -> bool:
    # by name: typer brings its own copy of click along
    return any(cls.__name__ in ("ClickException", "Exit", "Abort") for cls in type(error).__mro__)


def _say_usage(error: Exception) -> int:
    if type(error).__name__ == "Abort":
        return 130
    show = getattr(error, "show", None)
    if show:
        show()
    return int(getattr(error, "exit_code", 2))
