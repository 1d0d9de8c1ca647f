"""Sample answers by question: what the base said, what the model said after which step, and what changed in between."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from operator import itemgetter

from core.events import Sampled, Side
from core.history import RunHistory

#: Words with the space behind them; letters of scripts without spaces each on their own.
_EACH = r"\u3000-\u9fff\uac00-\ud7af\uff00-\uffef"
_UNIT = re.compile(rf"[{_EACH}]|[^\s{_EACH}]+\s*|\s+")
#: Answers that share less than this of the new one's words are two answers.
_ALIKE = 0.3


@dataclass(frozen=True)
class AnswerTimeline:
    """One question's answers: `base` before training, `rounds` by step, `expected` of the data, "" where unknown."""

    question: str
    expected: str = ""
    base: Sampled | None = None
    rounds: tuple[Sampled, ...] = ()


@dataclass(frozen=True)
class Piece:
    """A piece of an answer, and whether it was not there in the answer before."""

    text: str
    new: bool


def timelines(history: RunHistory) -> tuple[AnswerTimeline, ...]:
    """The questions of a run in the order in which they were asked."""
    by_question: dict[str, list[Sampled]] = {}
    for sample in history.sampled:
        by_question.setdefault(sample.question, []).append(sample)
    return tuple(
        AnswerTimeline(
            question,
            next((sample.expected for sample in samples if sample.expected), ""),
            next((sample for sample in samples if sample.side is Side.BASE), None),
            tuple(sample for sample in samples if sample.side is not Side.BASE),
        )
        for question, samples in by_question.items()
    )


def pieces(before: str, after: str) -> tuple[Piece, ...]:
    """`after` in pieces, by what of it is new against `before`; words are compared, not letters.

    One piece, all new, where the two have little in common: a word here and there is no likeness.
    """
    old, new = ([unit.strip() for unit in _UNIT.findall(text)] for text in (before, after))
    units, known = _UNIT.findall(after), set[int]()
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    blocks = [block for block in matcher.get_matching_blocks() if block.size]
    for block in blocks:
        borders = block.b in (0, len(new) - block.size)
        if block.size > 1 or borders or len(blocks) == 1:
            known |= set(range(block.b, block.b + block.size))
    if len(known) < _ALIKE * len(units):
        return (Piece(after, True),) if after else ()
    marked = ((place not in known, unit) for place, unit in enumerate(units))
    return tuple(Piece("".join(unit for _new, unit in run), fresh) for fresh, run in groupby(marked, itemgetter(0)))


def same_words(one: str, other: str) -> bool:
    """Whether two answers say the same, word for word."""
    return bool(one.strip()) and one.split() == other.split()
