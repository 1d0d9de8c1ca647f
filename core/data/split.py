"""Rows to learn from and rows to check with: the same choice every time, what belongs together on one side."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence

from core.data.rows import Conversation

#: From so many rows on, a share above zero sets at least one row aside.
ENOUGH = 10


def split(
    conversations: Sequence[Conversation],
    share: float,
    seed: int,
    *,
    groups: Sequence[int] | None = None,
    sources: Sequence[int] | None = None,
) -> tuple[list[Conversation], list[Conversation]]:
    """Return (training, validation) rows in their order, about `share` of them in validation.

    What a row says and `seed` decide where it goes, not its place: rows added later move few others. Rows of one
    group stay together (`core.data.clean.overlap.groups`; without, rows that say the same), and every source gives
    its part. At least one row stays in training, so rows that all belong together are never split.
    """
    sources = sources or [0] * len(conversations)
    aside = set(chosen(conversations, share, seed, groups=groups, sources=sources))
    training = [row for index, row in enumerate(conversations) if index not in aside]
    return training, [conversations[index] for index in sorted(aside)]


def chosen(
    conversations: Sequence[Conversation],
    share: float,
    seed: int,
    *,
    groups: Sequence[int] | None = None,
    sources: Sequence[int],
) -> list[int]:
    """Return the places of the rows that `split` sets aside, in order."""
    found = Counter(sources)
    room = dict(zip(found, set_aside(list(found.values()), share), strict=True))
    wanted = sum(room.values())
    if not wanted:
        return []
    together = _together(conversations, seed, groups)
    aside: list[int] = []
    for group in together:
        takes = Counter(sources[index] for index in group)
        if all(count <= room[source] for source, count in takes.items()):
            aside += group
            for source, count in takes.items():
                room[source] -= count
    if not aside and len(together) > 1:
        aside = min(together, key=len)
    return sorted(aside)


def set_aside(rows: Sequence[int], share: float) -> list[int]:
    """Return how many rows of each source are set aside: together the share of all, each its part of that."""
    total = sum(rows)
    wanted = _wanted(total, share)
    parts = [divmod(count * wanted, total) if total else (0, 0) for count in rows]
    left = wanted - sum(whole for whole, _rest in parts)
    first = set(sorted(range(len(rows)), key=lambda place: -parts[place][1])[:left])
    return [whole + (place in first) for place, (whole, _rest) in enumerate(parts)]


def ranked(conversations: Sequence[Conversation], seed: int) -> list[int]:
    """Return the places of rows in an order that hangs on what they say and on `seed` only."""
    return sorted(range(len(conversations)), key=lambda place: _key(conversations[place], seed))


def _together(conversations: Sequence[Conversation], seed: int, groups: Sequence[int] | None) -> list[list[int]]:
    """Rows that belong together, in the order in which they are set aside."""
    keys = [_key(conversation, seed) for conversation in conversations]
    found: defaultdict[bytes | int, list[int]] = defaultdict(list)
    for index, key in enumerate(keys):
        found[key if groups is None else groups[index]].append(index)
    return sorted(found.values(), key=lambda group: min(keys[index] for index in group))


def _wanted(rows: int, share: float) -> int:
    """Number of rows to set aside."""
    if share <= 0 or rows < 2:
        return 0
    return min(max(round(rows * share), int(rows >= ENOUGH)), rows - 1)


def _key(conversation: Conversation, seed: int) -> bytes:
    said = hashlib.blake2b(str(seed).encode(), digest_size=16)
    for message in conversation.messages:
        for part in (message.role, message.text):
            data = part.encode("utf-8", "surrogatepass")
            said.update(len(data).to_bytes(8, "big") + data)
    said.update(conversation.tools.encode("utf-8", "surrogatepass"))
    return said.digest()
