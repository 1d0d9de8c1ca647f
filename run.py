"""Starts SoloTune, making its own Python environment on first use."""

# This file, launch/__init__.py and launch/sentences.py keep to syntax that Python 3.6 reads, because
# an old Python has to get as far as saying that it is too old.
import sys
from pathlib import Path

from launch.sentences import python_problem, say, use_system_language


def main(argv: "list[str]") -> int:
    """Run SoloTune with these command-line words and return the exit code."""
    use_system_language()
    problem = python_problem(sys.version_info[:2], sys.maxsize > 2**32)
    if problem:
        sys.stderr.write(problem + "\n")
        code = 1
    else:
        from launch.start import start

        code = start(Path(__file__).resolve().parent, argv)
    if code and not argv:
        _keep_window_open()
    return code


def _keep_window_open() -> None:
    # After a double-click on Windows the sentence would vanish together with its console window.
    if sys.platform == "win32" and sys.stdin is not None and sys.stdin.isatty():
        input(say("press_enter"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
