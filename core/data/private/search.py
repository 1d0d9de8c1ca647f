"""Find private data in a text: cheap looks first, then the detectors whose marks are there, then the best of them.

Time grows with the length of the text, whatever stands in it (tests/core/test_private.py): every pattern begins at the
border of a word or number and is bounded.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from itertools import islice

from core.data.private import addresses, documents, keys, phones
from core.data.private.folded import Budget, Folded
from core.data.private.kinds import Finding, Kind

#: What `find` gives at most, and how many phone numbers it looks up for that; `find_all` has no such bounds.
MOST = 2_000
MOST_LOOKUPS = 10_000

#: Long texts are read in pieces, each with what stands around it; nothing that is found is longer than `_AHEAD`.
_PIECE = 50_000
_BEHIND = 100
_AHEAD = 12_000
_AROUND = 64

_Detector = Callable[[Folded], Iterator[Finding]]

#: Seven digits that may belong together; in full width too, for texts that are not ASCII.
_LONG_NUMBER = re.compile(r"[0-9](?:[ ().\-/]{0,3}[0-9]){6,}+")
_WIDE_NUMBER = re.compile(r"[0-9０-９](?:[^\w\n,，、。:：;；]{0,3}[0-9０-９]){6,}+")
_DOTTED = re.compile("[.．][0-9０-９]{1,3}[.．]")
_SPELLED_NUMBER = re.compile("[一幺][三四五六七八九][零〇○一二三四五六七八九幺]{9}")
_SPELLED_AT = re.compile(r"[\[({<] ?(?:at|AT|@)[ \])}>]")
_SPELLED_DOT = re.compile(r"[ \[({<](?:dot|DOT)[ \])}>]")
_KEY_WORDS = ("key", "token", "secret", "passw", "bearer")
_CHINESE_KEY_WORDS = re.compile("密钥|令牌|口令|密码")
_OF_NUMBERS: tuple[_Detector, ...] = (
    phones.mobiles, phones.landlines, phones.abroad, documents.id_cards, documents.bank_cards, documents.ibans,
    documents.passports, documents.social_security,
)  # fmt: skip
_ORDER = {kind: place for place, kind in enumerate(Kind)}


def find(text: str, kinds: Collection[Kind] = tuple(Kind), *, most: int = MOST) -> tuple[Finding, ...]:
    """Return the first `most` pieces of private data in a text, in order, without overlaps.

    Where two findings overlap the longer one stays, of equally long ones the kind that `Kind` names first.
    """
    return tuple(islice(_in_pieces(text, kinds, Budget(MOST_LOOKUPS)), most))


def find_all(text: str, kinds: Collection[Kind] = tuple(Kind)) -> Iterator[Finding]:
    """Yield what `find` gives, however much and however long that takes."""
    return _in_pieces(text, kinds, Budget())


def context(text: str, finding: Finding, around: int = 24) -> tuple[str, str, str]:
    """Return what stands before a finding, the finding and what follows, with "…" where something is left out."""
    before, after = text[max(finding.start - around, 0) : finding.start], text[finding.end : finding.end + around]
    return (
        "…" * (finding.start > around) + before,
        text[finding.start : finding.end],
        after + "…" * (finding.end + around < len(text)),
    )


def _in_pieces(text: str, kinds: Collection[Kind], budget: Budget) -> Iterator[Finding]:
    end = 0
    for start in range(0, len(text), _PIECE):
        begin = max(start - _BEHIND, 0)
        piece = text[begin : start + _PIECE + _AHEAD]
        for one in _in_piece(piece, kinds, budget):
            if start <= one.start + begin < start + _PIECE and one.start + begin >= end:
                end = one.end + begin
                yield replace(one, start=one.start + begin, end=end) if begin else one


def _in_piece(text: str, kinds: Collection[Kind], budget: Budget) -> list[Finding]:
    found = list[Finding]()
    for begin, end in _around_numbers(text):
        folded = Folded(text[begin:end], budget)
        for detector in _OF_NUMBERS:
            for one in detector(folded):
                found.append(replace(one, start=one.start + begin, end=one.end + begin) if begin else one)
    detectors = _detectors(text)
    if detectors:
        folded = Folded(text, budget)
        found += [one for detector in detectors for one in detector(folded)]
    return _best([one for one in found if one.kind in kinds])


def _around_numbers(text: str) -> list[tuple[int, int]]:
    """Where long numbers stand, with the words around them that tell what they are."""
    windows = list[tuple[int, int]]()
    for number in (_LONG_NUMBER if text.isascii() else _WIDE_NUMBER).finditer(text):
        begin, end = max(number.start() - _AROUND, 0), number.end() + _AROUND
        if windows and begin <= windows[-1][1]:
            windows[-1] = (windows[-1][0], end)
        else:
            windows.append((begin, end))
    return windows


def _detectors(text: str) -> list[_Detector]:
    """The detectors for whose findings a text has the letters: nearly all rows have none, and cost microseconds."""
    chosen = list[_Detector]()
    if not text.isascii():
        if _SPELLED_NUMBER.search(text):
            chosen.append(phones.spelled_mobiles)
        if _CHINESE_KEY_WORDS.search(text):
            chosen.append(keys.named_by_words)
    if _DOTTED.search(text):
        chosen.append(addresses.ipv4)
    if "::" in text or text.count(":") >= 7:
        chosen.append(addresses.ipv6)
    if "@" in text or "＠" in text:
        chosen += [addresses.emails, keys.passwords_in_urls]
    lower = text.lower()
    if _SPELLED_AT.search(text) or ("dot" in lower and _SPELLED_DOT.search(text)):
        chosen.append(addresses.written_emails)
    if keys.named_by_words not in chosen and any(map(lower.__contains__, _KEY_WORDS)):
        chosen.append(keys.named_by_words)
    if keys.has_signs(text):
        chosen.append(keys.named_by_service)
    if "PRIVATE KEY" in text:
        chosen.append(keys.pem_blocks)
    return chosen


def _best(found: list[Finding]) -> list[Finding]:
    """The findings that stay when of overlapping ones the best is kept, in order."""
    found.sort(key=lambda one: (one.start - one.end, _ORDER[one.kind], one.start))
    kept = list[Finding]()
    starts = list[int]()
    for one in found:
        place = bisect_left(starts, one.start)
        free_before = not place or kept[place - 1].end <= one.start
        free_after = place == len(kept) or one.end <= kept[place].start
        if free_before and free_after:
            kept.insert(place, one)
            starts.insert(place, one.start)
    return kept
