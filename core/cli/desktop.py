"""Options without a command: the shortcut of the computer, and taking SoloTune off it."""

import os
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from core.cli.output import Json, result_out
from core.desktop import shortcut
from core.desktop.uninstall import Kept, Uninstalled, uninstall
from core.i18n import N_, _
from core.wording import gigabytes

#: Set by run.py, which removes the environment after this command.
BY_RUN = "SOLOTUNE_BY_RUN"

_WHAT = {"shortcut": N_("Shortcut"), "cache": N_("Cache"), "runs": N_("Runs"), "models": N_("Models"),
         "settings": N_("Settings")}  # fmt: skip


def add_to(app: typer.Typer) -> None:
    """Register this module's options."""
    app.callback(invoke_without_command=True)(options)


def options(
    context: typer.Context,
    install_shortcut: Annotated[
        bool, typer.Option("--install-shortcut", help="Put SoloTune into the menu and onto the desktop.")
    ] = False,
    remove_shortcut: Annotated[bool, typer.Option("--remove-shortcut", help="Take it out of there again.")] = False,
    uninstall_all: Annotated[
        bool, typer.Option("--uninstall", help="Remove shortcut and cache; says what it leaves and how big it is.")
    ] = False,
    with_data: Annotated[
        bool, typer.Option("--with-data", help="With --uninstall: also remove runs, models and settings.")
    ] = False,
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
    json: Json = False,
) -> None:
    asked = [install_shortcut, remove_shortcut, uninstall_all, version]
    if sum(asked) != (context.invoked_subcommand is None) or (with_data and not uninstall_all):
        raise typer.BadParameter(_("choose one of these: {choices}").format(choices=_CHOICES))
    if install_shortcut:
        _say_files(list(shortcut.install().files), as_json=json, words=_("SoloTune is in the menu now."))
    elif remove_shortcut:
        _say_files(shortcut.remove(), as_json=json, words=_("The shortcut is gone."))
    elif uninstall_all:
        done = uninstall(with_data=with_data, by_run=bool(os.environ.get(BY_RUN)))
        result_out(done) if json else _say(done)
    elif version:
        number = metadata.version("solotune")
        result_out({"version": number}) if json else print(f"SoloTune {number}")


_CHOICES = "--install-shortcut, --remove-shortcut, --uninstall [--with-data], --version, COMMAND"


def _say_files(files: list[str], *, as_json: bool, words: str) -> None:
    if as_json:
        return result_out({"files": files})
    print(words)
    for name in files:
        if Path(name).suffix not in (".png", ".svg"):
            print(f"  {name}")
    return None


def _say(done: Uninstalled) -> None:
    if done.removed:
        print(_("Removed:"))
        _say_kept(done.removed)
    if done.left:
        print(_("Left, as it is yours:"))
        _say_kept(done.left)
    if done.program:
        print(_("The program itself is removed with: {command}").format(command=done.program))


def _say_kept(kept: tuple[Kept, ...]) -> None:
    for one in kept:
        if Path(one.path).suffix not in (".png", ".svg"):
            size = f"  {gigabytes(one.bytes)}" if one.bytes else ""
            print(f"  {_(_WHAT[one.what])}{size}  {one.path}")
