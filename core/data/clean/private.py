"""Private data as a step: told with its kinds, or masked with the same placeholder for the same number."""

from collections import Counter

from core.data.clean.cleaning import Cleaning
from core.data.clean.look import Found, Look, Seen
from core.data.private import Kind, Masker, find
from core.data.private.mask import named


def look(cleaning: Cleaning) -> Look:
    """The step; one Masker for the whole set."""
    kinds = tuple(map(Kind, cleaning.private)) or tuple(Kind)
    masker = Masker(kinds)

    def _look(seen: Seen) -> Found | None:
        changed = masker.mask(seen.conversation)
        if changed is seen.conversation:
            return None
        pieces = (named(text, name) for text, name in seen.conversation.pieces())
        counts = Counter(one.kind for piece in pieces for one in find(piece, kinds))
        return Found(", ".join(f"{kind} {number}" for kind, number in sorted(counts.items())), changed)

    return _look
