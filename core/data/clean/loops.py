"""Answers that go round in circles: the same line, sentence or words again and again."""

import re
from collections import Counter

from core.data.clean.look import Found, Look, Seen, excerpt, weight

#: A line counts from so many letters on, a loop from so many turns on that make up so large a part of the answer.
#: Letters are Latin ones here (core.data.clean.look.weight).
_LETTERS = 6
_TURNS = 4
_SHARE = 0.4
#: The longest loop that is looked for at the end of an answer, and how many letters it must cover there.
_PERIOD = 200
_COVERED = 120
_SHORTEST = 60

_CODE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_ENDS = re.compile(r"[\n。！？!?;；]|\.\s")
_LETTER = re.compile(r"[^\W\d_]")
#: Who asks for a repetition gets one; songs and poems have refrains.
_ASKED_FOR = re.compile(
    r"\brepeat(?:ed|ing)?\b|\btimes\b|\bchant\b|\blyrics?\b|\bsong\b|\bpoem\b|\brefrain\b|\bchorus\b|\bpattern\b|\bloops?\b"
    r"|\blines? of\b|\bprints?\b|\bmantra\b|重复|遍|歌|诗|\d+\s*次|[两三四五六七八九十百]次|循环|打印|排比|口号",
    re.IGNORECASE,
)


def look() -> Look:
    """The step."""
    return _look


def _look(seen: Seen) -> Found | None:
    for answer in seen.answers:
        if len(answer) >= _SHORTEST or weight(answer) >= _SHORTEST:
            loop = loop_in(answer)
            if loop and not _ASKED_FOR.search(seen.asked) and loop not in seen.asked:
                return Found(excerpt(loop))
    return None


def loop_in(text: str) -> str:
    """Return what a text repeats, "" when it does not go round in circles. Code is left out."""
    if "```" in text:
        text = _CODE.sub("\n", text)
    return _repeated_piece(text) or _repeated_end(text)


def _repeated_piece(text: str) -> str:
    """A sentence or line that makes up much of the text."""
    pieces = [piece.strip() for piece in _ENDS.split(text)]
    if len(pieces) < _TURNS or len(set(pieces)) > len(pieces) - _TURNS + 1:
        return ""
    counts = Counter(piece for piece in pieces if len(piece) >= _LETTERS or weight(piece) >= _LETTERS)
    for piece, turns in counts.most_common(3):
        words = weight("".join(_LETTER.findall(piece))) >= _LETTERS
        if turns >= _TURNS and turns * len(piece) >= _SHARE * len(text) and words:
            return piece
    return ""


def _repeated_end(text: str) -> str:
    """Words that the text ends with again and again, as a model does that found no end."""
    text = text.rstrip()
    tail = text[-24:]
    before = text.rfind(tail, 0, len(text) - 1)
    period = len(text) - len(tail) - before
    if before < 0 or period > _PERIOD:
        return ""
    covered = period
    while text[-covered - period : len(text) - covered] == text[-period:] and covered < len(text):
        covered += period
    unit = text[-period:]
    # capitals and digits alone are codes and sequences
    if covered < _TURNS * period or weight(text[-covered:]) < _COVERED or not _LETTER.search(unit) or unit.isupper():
        return ""
    return unit.strip()
