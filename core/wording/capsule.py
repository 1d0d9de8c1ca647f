"""Sentences for how this computer differs from where a run was trained."""

from collections.abc import Sequence
from pathlib import PurePath

from core.capsule import Difference
from core.i18n import N_, _

_NAMES = {"card": N_("card"), "processes": N_("processes"), "driver": N_("driver"), "cuda": N_("CUDA"),
          "system": N_("system")}  # fmt: skip


def difference_lines(found: Sequence[Difference], *, rows_kept: bool) -> list[str]:
    """A sentence for each difference; `rows_kept` says that the rows of then are learned whatever the files hold."""
    return [_line(each, rows_kept=rows_kept) for each in found]


def _line(each: Difference, *, rows_kept: bool) -> str:
    if each.what == "data":
        file = PurePath(each.name).name
        if rows_kept:
            return _("The file {file} is not what it was. The rows that were kept with the run are learned.").format(
                file=file
            )
        return _("The file {file} is not what it was: other rows may be learned.").format(file=file)
    if each.what == "model":
        return _("The model's file {file} is not what it was.").format(file=each.name)
    name = _(_NAMES[each.what]) if each.what in _NAMES else each.name
    words = _("Another {name}: {before} then, {now} here.")
    return words.format(name=name, before=each.before or "–", now=each.now or "–")
