"""Texts as sets of letter groups: what near duplicates have in common, worked out for many rows at once.

Letters are compared without case, space and punctuation. A group has 5 Latin letters or 3 Chinese ones (about a
word); texts with more Chinese than a tenth count as Chinese. Groups are 64-bit numbers, the same in every process.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.uint64]

_LATIN, _CHINESE = 5, 3
#: So many letters at the beginning tell rows that were made with one template.
OPENING = 32
_LETTERS = 0x30000
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)


def folded(text: str) -> npt.NDArray[np.uint32]:
    """Return the letters and digits of a text as numbers, without case."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    letters = _table()[np.minimum(codes, _LETTERS - 1)]
    return letters[letters > 0]


def groups_of(text: str) -> Numbers:
    """Return the groups of one text, each once, sorted."""
    groups, _offsets, _openings = groups_of_many([text], openings=False)
    return np.unique(groups)


def groups_of_many(texts: Sequence[str], *, openings: bool = True) -> tuple[Numbers, npt.NDArray[np.int64], Numbers]:
    """Return the groups of all texts one after the other, where each text's begin, and a number for its opening.

    Shapes (groups,), (texts + 1,) and (texts,). A text without a letter has no group; the opening of a text that is
    shorter than OPENING is 0, and that of all texts without `openings`.
    """
    data = "".join(texts).encode("utf-32-le", "surrogatepass")
    codes = np.frombuffer(data, np.uint32)
    letters = _table()[np.minimum(codes, _LETTERS - 1)]
    is_letter = letters > 0
    ends = np.cumsum([len(text) for text in texts], dtype=np.int64)
    counted = np.concatenate(([0], np.cumsum(is_letter, dtype=np.int64)))
    borders = np.concatenate(([0], counted[ends]))
    letters = letters[is_letter]
    wide = letters.astype(np.uint64)
    lengths = np.diff(borders)
    # Chinese, Japanese and Korean letters, and the few between them
    chinese = np.diff(np.concatenate(([0], np.cumsum((wide >= 0x3040) & (wide <= 0xD7AF))))[borders])
    sizes = np.minimum(np.where(chinese * 10 < lengths, _LATIN, _CHINESE), np.maximum(lengths, 1))
    kept = np.maximum(lengths - sizes + 1, 0) * (lengths > 0)
    offsets = np.concatenate(([0], np.cumsum(kept)))
    # the place of every group's first letter: its text's first letter and so many more
    starts = np.repeat(borders[:-1] - offsets[:-1], kept) + np.arange(offsets[-1])
    groups = np.zeros(len(starts), np.uint64)
    size_of_each = np.repeat(sizes, kept)
    for place in range(int(sizes.max(initial=0))):
        inside = size_of_each > place
        if inside.all():
            groups = (groups + wide[starts + place]) * _MULTIPLIER
        else:
            groups[inside] = (groups[inside] + wide[starts[inside] + place]) * _MULTIPLIER
    groups ^= groups >> np.uint64(31)
    groups *= _MIX
    groups ^= groups >> np.uint64(29)
    begun = _openings(wide, borders, lengths) if openings else np.zeros(len(texts), np.uint64)
    return groups, offsets, begun


def alike(one: Numbers, other: Numbers) -> float:
    """Return the share of groups that two sorted sets have in common (Jaccard, 0 to 1; 1 for two empty sets)."""
    if not len(one) and not len(other):
        return 1.0
    common = len(np.intersect1d(one, other, assume_unique=True))
    return common / (len(one) + len(other) - common)


def _openings(letters: Numbers, borders: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]) -> Numbers:
    openings = np.zeros(len(lengths), np.uint64)
    long = lengths >= OPENING
    firsts = borders[:-1][long]
    number = np.zeros(len(firsts), np.uint64)
    for place in range(OPENING):
        number = (number + letters[firsts + place]) * _MULTIPLIER
        number ^= number >> np.uint64(29)
    openings[long] = number
    return openings


@cache
def _table() -> npt.NDArray[np.uint32]:
    """For every letter its number without case, 0 for space, punctuation and marks."""
    table = np.zeros(_LETTERS, np.uint32)
    for code in range(_LETTERS):
        letter = chr(code)
        if letter.isalnum():
            lower = letter.lower()
            table[code] = ord(lower) if len(lower) == 1 else code
        # full-width letters and digits are the same as plain ones
        if 0xFF10 <= code <= 0xFF5A and table[code]:
            table[code] = ord(chr(code - 0xFEE0).lower())
    return table
