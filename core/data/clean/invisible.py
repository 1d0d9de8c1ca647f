"""Letters that nobody sees and tokenizers do: control characters, zero-width marks, foreign line ends."""

import re

from core.data.clean.look import Found, Look, Seen

_CONTROL = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f"
_WIDTHLESS = "\u200b\u2060-\u2064\ufeff\u180e\u00ad\ufff9-\ufffc"
_BIDI = "\u200e\u200f\u202a-\u202e\u2066-\u2069"
_JOINERS = "\u200c\u200d"
_TAGS = "\U000e0000-\U000e001f"
_ANY = re.compile(f"[\r\x85\u2028\u2029{_CONTROL}{_WIDTHLESS}{_BIDI}{_JOINERS}{_TAGS}]")
_REMOVED = re.compile(f"[{_CONTROL}{_WIDTHLESS}{_TAGS}]")
_REMOVED_WITH_BIDI = re.compile(f"[{_CONTROL}{_WIDTHLESS}{_TAGS}{_BIDI}]")
_LINE_ENDS = re.compile("\r\n|[\r\x85\u2028\u2029]")
#: Between these a joiner is spelling: Arabic and Persian, Indic and Mongolian letters, emoji made of several.
_JOINED = re.compile(
    "(?<![\u0600-\u08ff\u0900-\u0dff\u1000-\u109f\u1780-\u18af\u2190-\u2bff\ufe0f\U0001f000-\U0001faff])"
    f"[{_JOINERS}]|[{_JOINERS}](?![\u0600-\u08ff\u0900-\u0dff\u1000-\u109f\u1780-\u18af\u2190-\u2bff\U0001f000-\U0001faff])"
)
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")


def look() -> Look:
    """The step."""
    return _look


def _look(seen: Seen) -> Found | None:
    found = _ANY.search(seen.text) or (seen.conversation.tools and _ANY.search(seen.conversation.tools))
    if not found:
        return None
    changed = seen.changed(visible)
    if changed is None:
        return None
    marks = dict.fromkeys(f"U+{ord(mark):04X}" for mark in _ANY.findall(seen.text))
    return Found(" ".join(list(marks)[:8]), changed)


def visible(text: str) -> str:
    """Return a text without invisible letters and with "\\n" as line end."""
    if not _ANY.search(text):
        return text
    # the marks that turn the direction are spelling where a script runs from right to left
    removed = _REMOVED if _RIGHT_TO_LEFT.search(text) else _REMOVED_WITH_BIDI
    return _JOINED.sub("", removed.sub("", _LINE_ENDS.sub("\n", text)))
