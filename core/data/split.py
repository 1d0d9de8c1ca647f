"""Rows to learn from and rows to check with: the same choice every time, equal rows always on one side."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence

from core.data.rows import Conversation

#: From so many rows on, a share above zero sets at least one row aside.
ENOUGH = 10


def split(
    conversations: Sequence[Conversation], share: float, seed: int
) -> tuple[list[Conversation], list[Conversation]]:
    """Return (training, validation) rows in their order, about `share` of them in validation.

    What a row says and `seed` decide where it goes, not its place: rows added later move few others.
    At least one row stays in training, so rows that all say the same are never split.
    """
    wanted = _wanted(len(conversations), share)
    groups: defaultdict[bytes, list[int]] = defaultdict(list)
    for index, conversation in enumerate(conversations):
        groups[_key(conversation, seed)].append(index)
    aside: set[int] = set()
    for _rank, group in sorted(groups.items()):
        if len(aside) + len(group) <= wanted:
            aside.update(group)
    if wanted and not aside and len(groups) > 1:
        smallest = min(groups.values(), key=len)
        aside.update(smallest)
    training = [row for index, row in enumerate(conversations) if index not in aside]
    return training, [conversations[index] for index in sorted(aside)]


def _wanted(rows: int, share: float) -> int:
    """Number of rows to set aside."""
    if share <= 0 or rows < 2:
        return 0
    return min(max(round(rows * share), int(rows >= ENOUGH)), rows - 1)


def _key(conversation: Conversation, seed: int) -> bytes:
    said = hashlib.blake2b(str(seed).encode(), digest_size=16)
    for message in conversation.messages:
        for part in (message.role, message.content):
            data = part.encode("utf-8", "surrogatepass")
            said.update(len(data).to_bytes(8, "big") + data)
    return said.digest()
