"""Private data in conversations: find it, show it, and put placeholders in its place."""

from core.data.private.kinds import NAMES, Finding, Kind
from core.data.private.mask import Masker
from core.data.private.search import MOST, context, find, find_all

__all__ = ["MOST", "NAMES", "Finding", "Kind", "Masker", "context", "find", "find_all"]
