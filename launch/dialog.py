"""Shows a sentence in a small window of the system, for starts by double-click where no console is seen."""

from __future__ import annotations

import shutil
import subprocess
import sys

_SECONDS = 20


def show(sentence: str) -> None:
    """Show the sentence, with whatever this computer has for that; without anything, nothing happens."""
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.user32.MessageBoxW(None, sentence, "SoloTune", 0x40)
        return
    for command in commands(sentence):
        if shutil.which(command[0]) and _begin(command):
            return


def commands(sentence: str) -> list[list[str]]:
    """Return the commands that show a sentence on macOS and on the desktops of Linux, the best first."""
    if sys.platform == "darwin":
        quoted = sentence.replace("\\", "\\\\").replace('"', '\\"')
        return [["osascript", "-e", f'display notification "{quoted}" with title "SoloTune"']]
    return [
        ["notify-send", "--app-name=SoloTune", "--icon=solotune", "SoloTune", sentence],
        ["kdialog", "--title", "SoloTune", "--passivepopup", sentence, str(_SECONDS)],
        ["zenity", "--info", "--no-markup", f"--timeout={_SECONDS}", "--title=SoloTune", f"--text={sentence}"],
        ["xmessage", "-timeout", str(_SECONDS), sentence],
    ]


def _begin(command: list[str]) -> bool:
    quiet = subprocess.DEVNULL
    try:
        subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet)
    except OSError:
        return False
    return True
