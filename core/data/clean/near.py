"""Near duplicates: rows that MinHash brings together are compared letter group by letter group before one goes.

Alike is not yet the same. Rows made with one template, sums with other numbers, a "not" more, another label or another
subject ("sodium" for "potassium" in question and answer) are different rows, however many letters they share
(`same_but_for_words` says what counts).
"""

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from core.data.clean.bands import Bands
from core.data.clean.cleaning import Keep
from core.data.clean.look import CJK, LEARNED, weight
from core.data.clean.shingles import Numbers, alike, folded, groups_of
from core.data.clean.spool import Spool
from core.data.rows import Conversation

#: Rows of one bucket that others are compared with, and comparisons a row; more would never end where all are alike.
_LEADERS = 6
_COMPARISONS = 6
#: From so many rows with one opening on, it is a template.
_TEMPLATE_ROWS = 20
#: Answers up to this weight must be equal, longer ones so much less alike than whole rows.
_SHORT_ANSWER = 30
_SLACK_ANSWER, _SLACK_QUESTION = 0.15, 0.3
#: What remains of two questions from one template must be so alike.
_SLOT = 0.5
_REMEMBERED = 512

_NUMBER = re.compile(
    r"\d+(?:[.,]\d+)*|[二两三四五六七八九十百千万亿零〇]+"
    # "one" is mostly no number
    r"|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen"
    r"|(?:twen|thir|for|fif|six|seven|eigh|nine)ty|hundred|thousand|million|billion)\b",
    re.IGNORECASE,
)
_NOT = re.compile(
    r"\b(?:not|no|never|without|cannot|non|in(?:correct|valid)|false)\b|n['’]t\b|不|没|无|未|非|别|勿|错", re.IGNORECASE
)

_WORD = re.compile(rf"{CJK.pattern}|[^\W_]+?(?={CJK.pattern}|[\W_]|$)")

Likes = npt.NDArray[np.int32]


def said(row: Conversation) -> str:
    """What is compared: all but the system message, which many rows share."""
    return "\n".join(message.text for message in row.messages if message.role != "system")


@dataclass(frozen=True)
class Text:
    """A row as it is compared; `template` says that many rows begin like it."""

    row: Conversation
    template: bool = False

    @cached_property
    def question(self) -> str:
        """What is asked, all turns, and what tools answer."""
        return "\n".join(message.content for message in self.row.messages if message.role in ("user", "tool"))

    @cached_property
    def answer(self) -> str:
        """What is answered, all turns."""
        return "\n".join(message.text for message in self.row.messages if message.role in LEARNED)

    @cached_property
    def marks(self) -> tuple[Counter[str], int]:
        """The numbers in the row, and how often it says no."""
        whole = said(self.row)
        return Counter(map(str.lower, _NUMBER.findall(whole))), len(_NOT.findall(whole))

    @cached_property
    def words(self) -> tuple[Counter[str], Counter[str]]:
        """The words of the question and of the answer; a Chinese letter is one."""
        asked, answered = (Counter(_WORD.findall(text.lower())) for text in (self.question, self.answer))
        return asked, answered

    @cached_property
    def asked(self) -> Numbers:
        """The question's letter groups."""
        return groups_of(self.question)

    @cached_property
    def answered(self) -> Numbers:
        """The answer's letter groups."""
        return groups_of(self.answer)

    @cached_property
    def whole(self) -> Numbers:
        """All letter groups."""
        return np.union1d(self.asked, self.answered)


def same_but_for_words(one: Text, other: Text, similar: float) -> bool:
    """Whether two rows teach the same: alike as a whole, in question and in answer, with the same numbers and nots."""
    if one.marks != other.marks or one.row.tools != other.row.tools:
        return False
    if min(weight(one.answer), weight(other.answer)) <= _SHORT_ANSWER:
        if not np.array_equal(folded(one.answer), folded(other.answer)):
            return False
    elif alike(one.answered, other.answered) < similar - _SLACK_ANSWER:
        return False
    if alike(one.whole, other.whole) < similar or alike(one.asked, other.asked) < similar - _SLACK_QUESTION:
        return False
    if _other_subject(one, other):
        return False
    return not (one.template and other.template) or _same_slot(one.question, other.question)


def near_duplicates(
    spool: Spool,
    bands: Bands,
    chosen: npt.NDArray[np.bool_],
    similar: float,
    keep: Keep = Keep.FIRST,
    led: npt.NDArray[np.bool_] | None = None,
) -> Likes:
    """Return for every row the row that it repeats, -1 for none; that row itself repeats none.

    `chosen` (rows,) tells which rows count. Where `led` is given, its rows are only compared with those outside.
    """
    likes = np.full(len(spool), -1, np.int32)
    rows, buckets = bands.buckets(chosen)
    leaders = np.full((int(buckets.max(initial=-1)) + 1, _LEADERS), -1, np.int32)
    counts = np.zeros(len(leaders), np.uint8)
    openings = bands.opening_counts(len(spool))

    @lru_cache(_REMEMBERED)
    def text(row: int) -> Text:
        return Text(spool[row][0], bool(openings[row] >= _TEMPLATE_ROWS))

    for place in _in_order(spool, rows, keep, led):
        row, own = int(rows[place]), buckets[place]
        own = own[own >= 0]
        around = leaders[own].ravel()
        # who shares most bands is most alike; of those the first one
        candidates = Counter(sorted(around[around >= 0].tolist())).most_common(_COMPARISONS)
        for candidate, _shared in candidates:
            if same_but_for_words(text(candidate), text(row), similar):
                likes[row] = candidate
                break
        else:
            if led is None or not led[row]:
                free = own[counts[own] < _LEADERS]
                leaders[free, counts[free]] = row
                counts[free] += 1
    return likes


def _in_order(
    spool: Spool, rows: npt.NDArray[np.int64], keep: Keep, led: npt.NDArray[np.bool_] | None
) -> npt.NDArray[np.int64]:
    """The places in `rows` in the order in which rows are kept."""
    if led is not None:
        return np.lexsort((rows, led[rows]))
    if keep is Keep.LONGEST:
        lengths = np.array([len(said(spool[int(row)][0])) for row in rows], np.int64)
        return np.lexsort((rows, -lengths))
    return np.argsort(rows)


def _other_subject(one: Text, other: Text) -> bool:
    """Whether each row has a word in question and answer that the other has in neither, as templates put them there."""
    subjects = []
    for these, those in ((one.words, other.words), (other.words, one.words)):
        asked, answered = (set(mine - theirs) for mine, theirs in zip(these, those, strict=True))
        subjects.append(asked & answered)
    return all(subjects)


def _same_slot(one: str, other: str) -> bool:
    """Whether what two questions do not share at their beginning and end is alike or missing in one of them."""
    first, second = folded(one), folded(other)
    first, second = _after_common(first, second)
    first, second = _after_common(first[::-1], second[::-1])
    if min(len(first), len(second)) < 3:
        return max(len(first), len(second)) < 3 or min(len(first), len(second)) == 0
    pairs = [set(zip(letters[:-1].tolist(), letters[1:].tolist(), strict=True)) for letters in (first, second)]
    return len(pairs[0] & pairs[1]) >= _SLOT * len(pairs[0] | pairs[1])


def _after_common(
    one: npt.NDArray[np.uint32], other: npt.NDArray[np.uint32]
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    shorter = min(len(one), len(other))
    differing = np.flatnonzero(one[:shorter] != other[:shorter])
    common = int(differing[0]) if len(differing) else shorter
    return one[common:], other[common:]
