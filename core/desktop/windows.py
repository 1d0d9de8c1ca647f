"""Shortcuts on Windows: .lnk files in the Start menu and on the desktop, written by the shell of the system itself.

The Windows Script Host's own shortcuts know only the letters of one code page: a path in Chinese would come out as
question marks on an English system. Those of Shell.Application know all letters.
"""

import base64
import os
import re
import subprocess
from pathlib import Path

from core.assets import resource
from core.desktop.program import Program
from core.i18n import _

LINK = "SoloTune.lnk"
_SECONDS = 60


def place(program: Program) -> list[Path]:
    """Put the shortcut into this person's Start menu and onto the desktop; returns the files. Raises OSError."""
    said = _powershell(script(program, resource("icons", "app", "solotune.ico")))
    return [Path(line) for line in said.splitlines() if line.endswith(LINK)]


def places() -> list[Path]:
    """Every file that a shortcut may consist of."""
    try:
        return [Path(line) for line in _powershell(_FOLDERS + "$folders").splitlines() if line.endswith(LINK)]
    except OSError:
        menu = Path(os.environ.get("APPDATA", "")) / "Microsoft" / "Windows" / "Start Menu" / "Programs"
        return [menu / LINK]


_FOLDERS = f"""$ErrorActionPreference = 'Stop'
[Console]::OutputEncoding = [Text.Encoding]::UTF8
$folders = 'Programs', 'DesktopDirectory' | ForEach-Object {{ [Environment]::GetFolderPath($_) }} |
  Where-Object {{ $_ }} | ForEach-Object {{ Join-Path $_ '{LINK}' }}
"""


def script(program: Program, icon: Path) -> str:
    """The PowerShell script that writes the shortcuts and prints where they are."""
    target, *arguments = program.command
    return (
        _FOLDERS
        + f"""$shell = New-Object -ComObject Shell.Application
foreach ($file in $folders) {{
  [IO.Directory]::CreateDirectory((Split-Path $file)) | Out-Null
  [IO.File]::WriteAllBytes($file, [byte[]]@())
  $link = $shell.NameSpace((Split-Path $file)).ParseName((Split-Path $file -Leaf)).GetLink
  $link.Path = {quoted(target)}
  $link.Arguments = {quoted(subprocess.list2cmdline(arguments))}
  $link.WorkingDirectory = {quoted(program.root)}
  $link.Description = {quoted(_("Fine-tune a language model on one GPU"))}
  $link.SetIconLocation({quoted(str(icon))}, 0)
  $link.Save($file)
  $file
}}
"""
    )


def quoted(words: str) -> str:
    """A string as PowerShell takes it literally; it counts typographic quotation marks as quotation marks too."""
    return "'" + re.sub("(['\u2018\u2019\u201a\u201b])", r"\1\1", words) + "'"


def encoded(words: str) -> str:
    """A script as -EncodedCommand takes it, which no code page of a console can change."""
    return base64.b64encode(words.encode("utf-16-le")).decode("ascii")


def _powershell(words: str) -> str:
    """Run a script; returns what it prints. Raises OSError with what went wrong."""
    command = ["powershell.exe", "-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-EncodedCommand"]
    try:
        done = subprocess.run(
            [*command, encoded(words)], capture_output=True, text=True, encoding="utf-8", errors="replace",
            timeout=_SECONDS, check=False, creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise OSError(str(error)) from error
    if done.returncode:
        raise OSError(done.stderr.strip()[:500])
    return done.stdout
