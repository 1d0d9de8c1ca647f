"""How many tokens a text is likely to be, judged by its letters alone, for models whose tokenizer is not here.

Letters a token, fitted on 2026-11-22 to the tokenizers of Qwen and Mistral (Tekken) over 22 languages, code and JSON:
eight of ten texts come out between 15 % below and 13 % above the mean of the two. Models made for one language
differ more: SmolLM2 needs twice as many tokens for Chinese.
"""

import math
import re

#: The most that an estimate is usually short of the truth: nine of ten texts are closer.
SLACK = 1.15
#: What chat templates write around a message, and once around a row (a system message of their own).
AROUND_MESSAGE = 5
AROUND_ROW = 10

_DIGITS = "0123456789"
_DIGIT, _ASCII, _OTHER = 0.9, 3.7, 1.4
#: Letters outside of ASCII, and how many of them make a token.
_SCRIPTS = (
    (re.compile("[\u0080-\u024f\u1e00-\u1eff]"), 2.3),  # accented Latin
    (re.compile("[\u2e80-\u303f\u3400-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff9f]"), 1.1),  # Han, full width
    (re.compile("[\u1100-\u11ff\u3040-\u30ff\uac00-\ud7af]"), 1.5),  # kana, Hangul
    (re.compile("[\u0250-\u074f]"), 2.4),  # Greek, Cyrillic, Hebrew, Arabic
)


def likely_tokens(text: str) -> int:
    """Estimate the tokens of a text without its template; at least 1 for a text that is not empty."""
    digits = sum(map(text.count, _DIGITS))
    plain = len(text) if text.isascii() else len(text.encode("ascii", "ignore"))
    tokens = digits / _DIGIT + (plain - digits) / _ASCII
    other = len(text) - plain
    for letters, each in _SCRIPTS if other else ():
        found = len(letters.findall(text))
        tokens += found / each
        other -= found
    return math.ceil(tokens + other / _OTHER)
