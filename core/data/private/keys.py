"""Keys, tokens and passwords of services, by their prefixes or by the words before them."""

import math
import re
from collections import Counter
from collections.abc import Iterator

from core.data.private.folded import Folded
from core.data.private.kinds import Finding, Kind

#: What each service's keys begin with, by a letter that most texts lack, and the whole pattern.
_SERVICES = (
    ("-", "sk-", r"sk-(?:[A-Za-z0-9]{1,12}-){0,3}[A-Za-z0-9_-]{20,220}+"),  # OpenAI, Anthropic, DeepSeek, OpenRouter
    ("A", "AKIA", r"AKIA[A-Z0-9]{16}"),  # Amazon
    ("A", "ASIA", r"ASIA[A-Z0-9]{16}"),
    ("A", "LTAI", r"LTAI[A-Za-z0-9]{12,26}+"),  # Alibaba Cloud
    ("A", "AKID", r"AKID[A-Za-z0-9]{28,36}+"),  # Tencent Cloud
    ("_", "gh", r"gh[pousr]_[A-Za-z0-9]{36,255}+"),  # GitHub
    ("_", "github_pat_", r"github_pat_[A-Za-z0-9_]{50,120}+"),
    ("-", "glpat-", r"glpat-[A-Za-z0-9_-]{20,64}+"),  # GitLab
    ("A", "AIza", r"AIza[A-Za-z0-9_-]{35}"),  # Google
    ("-", "GOCSPX-", r"GOCSPX-[A-Za-z0-9_-]{28}"),
    (".", "ya29.", r"ya29\.[A-Za-z0-9_-]{30,300}+"),
    ("-", "xox", r"xox[abeoprs]-[A-Za-z0-9-]{20,200}+"),  # Slack
    ("_", "hf_", r"hf_[A-Za-z0-9]{30,40}+"),  # Hugging Face
    ("_", "k_live_", r"[sr]k_live_[A-Za-z0-9]{16,120}+"),  # Stripe
    ("_", "k_test_", r"[sr]k_test_[A-Za-z0-9]{16,120}+"),
    ("_", "npm_", r"npm_[A-Za-z0-9]{36}"),
    ("-", "pypi-", r"pypi-[A-Za-z0-9_-]{50,300}+"),
    (".", "SG.", r"SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{30,64}+"),  # SendGrid
    ("A", ":AA", r"[0-9]{8,10}:AA[A-Za-z0-9_-]{33}"),  # Telegram
    (".", "eyJ", r"eyJ[A-Za-z0-9_-]{8,2000}+\.eyJ[A-Za-z0-9_-]{8,6000}+\.[A-Za-z0-9_-]{16,1000}+"),  # JSON Web Token
)
_PATTERNS = tuple((sign, re.compile(rf"(?<![A-Za-z0-9_\-])(?:{tail})(?![A-Za-z0-9_])")) for _, sign, tail in _SERVICES)
_SIGNS = tuple((letter, tuple(s for first, s, _ in _SERVICES if first == letter)) for letter in "-_A.")
#: No letter of the body is a dash, so that a text of many beginnings is still read once.
_PEM = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:\s{0,3}[A-Za-z]{1,20}-[A-Za-z]{1,20}: [^\n]{0,80})?[^-]{32,9000}+"
    r"(?:-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----)?"
)
_NAMES = (
    r"api[_ -]?key|api[_ -]?token|api[_ -]?secret|app[_ -]?(?:key|secret)|secret(?:[_ -]?(?:access[_ -]?)?key)?"
    r"|access[_ -]?key(?:[_ -]?(?:id|secret))?|access[_ -]?token|auth[_ -]?token|refresh[_ -]?token|client[_ -]?secret"
    r"|private[_ -]?key|encryption[_ -]?key|token|passw(?:or)?d|密钥|令牌|口令|密码"
)
_NAMED = re.compile(
    rf"(?:{_NAMES})[\"']?\s{{0,3}}(?:[:=]|=>|是|为)\s{{0,3}}(?:Bearer )?[\"'`]?"
    r"([A-Za-z0-9_./+=~\-]{16,256}+)(?![(\[])"
    r"|\bBearer ([A-Za-z0-9_./+=~\-]{16,256}+)",
    re.IGNORECASE,
)
_IN_URL = re.compile(r"://([^\s:/@\"'<>]{0,64}+):([^\s:/@\"'<>]{3,128}+)@(?:[A-Za-z0-9_-]{1,63}+[.:]|\[)")
_STAND_IN = re.compile(
    r"example|your|xxxx|1234567890abcdef|placeholder|redacted|[<>{}$*]|\[\w+_[0-9]+\]", re.IGNORECASE
)
_STAND_IN_WORDS = frozenset((
    "password", "pass", "passwd", "pwd", "secret", "mypassword", "密码", "token", "key", "user", "test",
    "123", "abc", "xyz",
))  # fmt: skip
_PIECES = re.compile("[-_./+=~]")


def has_signs(text: str) -> bool:
    """Whether a text may hold a key that `named_by_service` knows."""
    return any(letter in text and any(map(text.__contains__, signs)) for letter, signs in _SIGNS)


def named_by_service(folded: Folded) -> Iterator[Finding]:
    """Keys that tell by their first letters whose they are."""
    for sign, pattern in _PATTERNS:
        if sign in folded.plain:
            for found in pattern.finditer(folded.plain):
                if not _STAND_IN.search(found[0]) and (sign != "sk-" or random_looking(found[0][3:])):
                    yield folded.finding(Kind.KEY, *found.span(), found[0])


def pem_blocks(folded: Folded) -> Iterator[Finding]:
    """Private key blocks, also ones that are cut off."""
    for found in _PEM.finditer(folded.plain):
        end = found.start() + len(found[0].rstrip())
        yield folded.finding(Kind.KEY, found.start(), end, "".join(found[0].split()))


def named_by_words(folded: Folded) -> Iterator[Finding]:
    """What follows `api_key =` and the like, when it looks random."""
    for found in _NAMED.finditer(folded.plain):
        group = 1 if found[1] else 2
        value, start = found[group].rstrip("."), found.start(group)
        if random_looking(value) and folded.after(start + len(value), 2) != ".." and not _STAND_IN.search(value):
            yield folded.finding(Kind.KEY, start, start + len(value), value)


def passwords_in_urls(folded: Folded) -> Iterator[Finding]:
    """The password of `scheme://user:password@host`."""
    for found in _IN_URL.finditer(folded.plain):
        user, password = found.groups()
        stands_in = password.lower() in _STAND_IN_WORDS or _STAND_IN.search(password)
        if not stands_in and password.lower() != user.lower():
            yield folded.finding(Kind.KEY, *found.span(2), password)


def random_looking(value: str) -> bool:
    """Whether letters and digits are mixed as chance mixes them: no words, no path, 3 bits a letter or more."""
    digits = sum(map(value.count, "0123456789"))
    if digits < 2 or digits > 0.8 * len(value):
        return False
    # words and numbers between dashes are a name, not chance
    pieces = [piece for piece in _PIECES.split(value) if piece]
    if all(piece.isalpha() or piece.isdigit() for piece in pieces):
        return False
    if sum(map(len, pieces)) / len(pieces) < 5:
        return False
    return entropy(value) >= 3.0


def entropy(value: str) -> float:
    """Shannon's entropy of the letters of a text, in bits a letter."""
    counts = Counter(value).values()
    return -sum(n / len(value) * math.log2(n / len(value)) for n in counts)
