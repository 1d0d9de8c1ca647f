"""Reads run.py's command-line words, sees to the set-up and starts what was asked for."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import NamedTuple

from launch.dialog import show
from launch.sentences import SetupError, say
from launch.stamp import Place, clean_environment, is_ready, running_python, wanted_build

#: How all tests run: each file on one core, on four at most, for every one takes memory of its own.
SIDE_BY_SIDE = ("-n", "logical", "--maxprocesses", "4", "--dist", "loadfile")
OWN_OPTIONS = ("--repair", "--debug", "--window")


class Wish(NamedTuple):
    """What the command line asks for."""

    words: list[str]
    repair: bool = False
    debug: bool = False
    window: bool = False

    @property
    def is_test(self) -> bool:
        """Whether the tests are to run."""
        return self.words[:1] == ["test"] and not self.window

    @property
    def is_uninstall(self) -> bool:
        """Whether SoloTune is to go from this computer."""
        return self.words[:1] == ["--uninstall"] and not self.window


def read_wish(argv: list[str]) -> Wish:
    """Take run.py's own options off the front of the command line."""
    count = 0
    while count < len(argv) and argv[count] in OWN_OPTIONS:
        count += 1
    return Wish(argv[count:], *(option in argv[:count] for option in OWN_OPTIONS))


def make_command(place: Place, wish: Wish) -> list[str]:
    """Return the command that does what was asked for, in the environment's Python."""
    python = str(place.python)
    if wish.is_test:
        return [python, "-m", "pytest", *(wish.words[1:] or SIDE_BY_SIDE)]
    # -P, because the folder where the person stands may hold a core.py or gui.py of its own.
    if wish.words and not wish.window:
        return [python, "-P", "-m", "core", *wish.words]
    if sys.platform == "win32":
        python = str(place.python.with_name("pythonw.exe"))
    return [python, "-P", "-m", "gui", *wish.words]


def start(root: Path, argv: list[str]) -> int:
    """Set up what is missing, start what was asked for and return the exit code."""
    wish = read_wish(argv)
    seen = sys.stderr is not None and sys.stderr.isatty()
    _make_printable()
    try:
        return _start(Place(root), wish, seen)
    except KeyboardInterrupt:
        sentence, code = say("interrupted"), 130
    except SetupError as problem:
        if wish.debug:
            raise
        sentence, code = str(problem), 1
    except Exception as error:
        if wish.debug:
            raise
        sentence, code = say("unexpected", error=f"{type(error).__name__}: {error}"), 1
    print(sentence, file=sys.stderr, flush=True)
    if wish.window and not seen:
        show(sentence)
    return code


def _start(place: Place, wish: Wish, seen: bool) -> int:
    if wish.is_uninstall:
        from launch.uninstall import uninstall

        return uninstall(place, wish.words)
    if wish.repair or not is_ready(place, wish.is_test, wanted_build(), running_python()):
        # Imported only here, so that all other starts do without its time.
        from launch.setup import ensure

        if wish.window and not seen:
            # started by a shortcut: without this word nothing would be seen for minutes
            show(say("first_use"))
        ensure(place, wish.is_test, wish.repair)
    if wish.is_test:
        os.chdir(place.root)
    return _become(make_command(place, wish))


def _become(command: list[str]) -> int:
    env = clean_environment()
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "posix":
        os.execve(command[0], command, env)
    return _run_beside(command, env)


def _run_beside(command: list[str], env: dict[str, str]) -> int:
    import subprocess

    process = subprocess.Popen(command, env=env)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            # The console sends Ctrl-C to both, and the program itself decides what it means.
            continue


def _make_printable() -> None:
    # Without a console Windows gives a program no streams at all.
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
    # A console that knows no Chinese shows question marks then, in place of an error.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
