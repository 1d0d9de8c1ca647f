"""The doctor's table as text, for terminals and for the zip."""

import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

from core.i18n import _
from core.wording.doctor import CHECKS, check_words, finding_words, repair_words, verdict_words

if TYPE_CHECKING:
    from core.findings import Finding

#: By Level; the second one for terminals that know no more than ASCII.
_MARKS = {"good": ("✓", "+"), "note": ("·", "-"), "caution": ("!", "!"), "trouble": ("✗", "X")}
#: All marks of the first kind.
MARKS = "".join(mark for mark, _plain in _MARKS.values())
_COLUMNS = 100


def row(finding: "Finding", *, ascii_only: bool = False) -> str:
    """One finding: its mark, its check and its title, and below what to do."""
    words = finding_words(finding)
    width = max(_places(_(name)) for name in CHECKS.values())
    name = check_words(finding.check)
    head = f"{_MARKS[finding.level][ascii_only]} {name}{' ' * (width - _places(name) + 2)}"
    lines = [head + words.title]
    if words.advice and finding.level != "good":
        indent = " " * _places(head)
        lines += [indent + line for line in _wrapped(words.advice, _COLUMNS - _places(head))]
    return "\n".join(lines)


def report(findings: Iterable["Finding"], repair: str = "") -> str:
    """The whole table with its verdict, and the command that repairs where something is to be repaired."""
    told = list(findings)
    return "\n".join([*map(row, told), "", *closing(told, repair)]) + "\n"


def closing(findings: Iterable["Finding"], repair: str = "") -> list[str]:
    """What stands below the table: the verdict, and how to repair."""
    told = list(findings)
    needed = repair and any(finding.fix == "repair" for finding in told)
    return [verdict_words(told), *([repair_words(repair)] if needed else [])]


def _wrapped(text: str, columns: int) -> list[str]:
    """Text in lines; Chinese has no spaces to break at and takes two places a letter."""
    if text.isascii() or _places(text) <= len(text) * 1.2:
        return textwrap.wrap(text, columns)
    lines, line = [], ""
    for letter in text:
        if _places(line + letter) > columns and letter not in "，。：；！？、）”":
            lines.append(line)
            line = ""
        line += letter
    return [*lines, line]


def _places(text: str) -> int:
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)
