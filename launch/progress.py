"""Shows the steps of the set-up, and what pip does within them, on the console."""

from __future__ import annotations

import re
import shutil
import sys
import time
import unicodedata
from typing import TextIO

from launch.sentences import say

_PHASES = (
    ("collecting", re.compile(r"^Collecting ([\w.\-\[\]]+)")),
    ("downloading", re.compile(r"^\s*Downloading (\S+) \(([^)]+)\)")),
    (
        "building",
        re.compile(r"^\s*(?:Building|Preparing) (?:wheel|editable|metadata)[^:]*?(?:for (\S+))? \("),
    ),
    ("unpacking", re.compile(r"^Installing collected packages: (.+)")),
)
_AMOUNT = re.compile(r"^Progress (\d+) of (\d+)")


def describe(line: str) -> str:
    """Return a short text for one of pip's lines, or nothing for a line of no interest."""
    for key, pattern in _PHASES:
        match = pattern.match(line)
        if match:
            what = _subject(key, *(group or "" for group in match.groups()))
            return say(key, what=what) if what else ""
    return ""


def percentage(line: str) -> str:
    """Return how much of a download is done according to pip's raw progress line, or nothing."""
    match = _AMOUNT.match(line)
    if match is None or match[2] == "0":
        return ""
    return f"{100 * int(match[1]) // int(match[2])} %"


def fit(text: str, columns: int) -> str:
    """Return the text cut or padded to a width in columns, Chinese characters taking two."""
    shown, width = "", 0
    for character in text:
        step = 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if width + step > columns:
            break
        shown, width = shown + character, width + step
    return shown + " " * (columns - width)


class Progress:
    """Numbered steps, each with one changing line on a terminal or plain lines elsewhere."""

    def __init__(self, total: int, out: TextIO | None = None) -> None:
        self._out = out or sys.stderr
        self._terminal = self._out.isatty()
        self._total = total
        self._number = 0
        self._started = 0.0
        self._text = ""
        self._amount = ""
        self.step_name = ""

    def step(self, name: str) -> None:
        """Begin the next numbered step."""
        self._number += 1
        self._started = time.monotonic()
        self._text = self._amount = ""
        self.step_name = name
        self.line(f"[{self._number}/{self._total}] {name}")

    def line(self, text: str) -> None:
        """Print a line that stays."""
        self.clear()
        print(text, file=self._out, flush=True)

    def clear(self) -> None:
        """Take the changing line away."""
        if self._terminal:
            self._draw("")
            self._out.write("\r")

    def pip_line(self, line: str) -> None:
        """Show what matters of a line that pip printed."""
        self._amount = percentage(line) or self._amount
        text = describe(line)
        if text and text != self._text:
            self._text, self._amount = text, ""
            if not self._terminal:
                self.line(f"      {text}")
        self.tick()

    def tick(self) -> None:
        """Redraw the changing line with the time that the step has taken."""
        if self._terminal:
            seconds = int(time.monotonic() - self._started)
            clock = f"{seconds // 60}:{seconds % 60:02d}"
            parts = [part for part in (clock, self._text, self._amount) if part]
            self._draw("      " + "  ".join(parts))

    def _draw(self, text: str) -> None:
        self._out.write("\r" + fit(text, shutil.get_terminal_size().columns - 1))
        self._out.flush()


def _subject(key: str, first: str, second: str = "") -> str:
    if key == "unpacking":
        return str(first.count(",") + 1)
    if key != "downloading":
        return first
    name = first.rsplit("/", 1)[-1]
    if name.endswith(".metadata"):
        return ""
    return f"{'-'.join(name.removesuffix('.tar.gz').split('-')[:2])} ({second})"
