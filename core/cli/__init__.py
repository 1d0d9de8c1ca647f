"""The headless commands: the same core as the window, for scripts, remote machines and launchers."""

import sys
from collections.abc import Sequence

import typer

from core.cli import demo, look, work
from core.cli.output import problem_out
from core.i18n import set_language
from core.problems import diagnose
from core.settings import load

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Fine-tune a language model on one GPU. Without a command the window opens.",
)  # fmt: skip
for module in (demo, look, work):
    module.add_to(app)


def run(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit: 0 done, 1 a problem in one clear sentence, 2 wrong usage, 130 interrupted."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    set_language(load().language)
    debug = "--debug" in words
    plain = [word for word in words if word != "--debug"]
    try:
        code = app(plain, standalone_mode=False)
    except Exception as error:
        if _is_usage(error):
            sys.exit(_say_usage(error))
        if debug:
            raise
        sys.exit(problem_out(diagnose(error), as_json="--json" in words))
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)


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
