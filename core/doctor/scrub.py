"""Takes out of a text what tells who a person is or lets others in: names, places, addresses, tokens, passwords.

It rather takes too much: who helps reads around a gap, and what is out cannot be taken back.
"""

import getpass
import json
import os
import platform
import re
import socket
import sys
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from core.data.private import Kind, find_all

#: Names that tell nothing about anybody.
_NOBODYS = frozenset(
    {"root", "user", "admin", "administrator", "ubuntu", "debian", "guest", "default", "public", "home", "localhost",
     "localdomain", "local", "linux", "windows", "desktop", "laptop", "python", "solotune", "torch", "cuda", "proxy",
     # what stands in the place of other things
     "computer", "secret", "login", "e-mail", "mail", "card", "data", "runs", "models", "file", "all users", "shared"}
)  # fmt: skip
#: Separators of a path as they stand in texts: also twice, in JSON and in Python's own notation.
_SLASH = r"(?:/|\\{1,4}|%2[Ff]|%5[Cc])"
#: A name in a path: escaped, with spaces where the path goes on behind it, or without.
_NAME = (
    r"(?:(?:\\{1,2}u[0-9a-fA-F]{4})+"
    rf"|[^/\\:*?\"'<>|\r\n\t]{{1,64}}?(?={_SLASH})|[^/\\:*?\"'<>|\s,;()\[\]{{}}=&]{{1,64}})"
)
_HOMES = re.compile(
    rf"(?i)(?P<before>(?:\b[a-z](?::|%3a)|{_SLASH}mnt{_SLASH}[a-z]|{_SLASH}(?:cygdrive|wsl\.localhost){_SLASH}[^/\\\s]+|)"
    rf"{_SLASH}(?:users|documents and settings|home|export{_SLASH}home|var{_SLASH}home){_SLASH})"
    rf"(?P<name>(?!<user>){_NAME})"
)
_DRIVES = re.compile(rf"(?i)(?P<before>{_SLASH}(?:run{_SLASH})?media{_SLASH})(?P<name>(?!<user>){_NAME})(?={_SLASH})")
#: What stands between two pieces of a word that was broken at the end of a line: indents, quotes, frames.
_BREAK = r"[ \t'\"│|\\]*(?:\r?\n|\\n)[ \t'\"│|>]*"
_LOGIN = re.compile(
    r"(?i)(?P<before>[a-z][a-z0-9+.-]{1,20}:(?:/|\\/){2})(?P<login>[^\s/@\"'<>]{0,256}(?::[^\s@\"'<>]{0,256})?)@"
)
#: user:password@server without a scheme, as proxies are often given.
_BARE_LOGIN = re.compile(r"(?<![\w/.@:-])[\w.%+-]{1,64}:[^\s/\"'<>]{3,128}@(?=[\w-]+(?:\.[\w-]+)*:\d{1,5}\b)")
_HEADER = re.compile(
    r"(?i)(?P<before>(?:proxy-)?authorization[\"']?\s*[:=]\s*[\"']?(?:b[\"'])?|(?:set-)?cookie[\"']?\s*[:=]\s*[\"']?"
    r"|x-[a-z-]*(?:token|key|auth)[a-z-]*[\"']?\s*[:=]\s*[\"']?)(?P<value>[^\r\n\"']+)"
)
_BEARER = re.compile(r"(?i)\b(?P<before>bearer|basic)\s+(?P<value>[A-Za-z0-9_\-./+~=]{6,})")
_NAMED = re.compile(
    r"(?i)(?P<before>(?:api[_-]?key|access[_-]?key|secret|passw(?:or)?d|passphrase|pwd|_token|auth[_-]?token|"
    r"access[_-]?token|hf_?token|\btoken|passwort|kennwort|密码|口令|令牌|credential|private[_-]?key|signature|\bsig)[\w-]{0,40}"
    r"(?:[\"']?\s*[:=：]\s*[\"']?|(?:(?<=token)|(?<=password))\s+(?=\S*\d)(?=\S*[a-z])))"
    r"(?P<value>(?![\"'\s]|none\b|null\b|true\b|false\b|<)[^\s\"',;&)\]}]{6,})"
)
#: What keys of services begin with; shorter than the services make them, for pieces of keys tell too.
_KEYS = re.compile(
    r"(?<![A-Za-z0-9])(?:hf(?:_|%5[Ff]|\\{1,2}u005[Ff])[A-Za-z0-9]{8,}|ms-[0-9A-Fa-f-]{12,}|api_org_[A-Za-z0-9]{8,}|sk-[A-Za-z0-9_-]{12,}"
    r"|gh[pousr]_[A-Za-z0-9]{12,}|github_pat_\w{12,}|glpat-[\w-]{12,}|AKIA[A-Z0-9]{12,}|LTAI[A-Za-z0-9]{12,}"
    r"|AIza[\w-]{20,}|xox[abeoprs]-[\w-]{10,}|(?:gsk|r8|wandb_v1)_\w{12,}|npm_[A-Za-z0-9]{20,}|pypi-[\w-]{20,}"
    r"|eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?|[0-9a-f]{40}(?![0-9a-f]))"
)
#: A token of Hugging Face has 34 letters and figures; here the end of a line stands within them.
_BROKEN_KEY = re.compile(rf"hf_(?P<one>[A-Za-z0-9]{{0,33}}){_BREAK}(?P<two>[A-Za-z0-9]{{1,34}})(?![A-Za-z0-9])")
_MAIL = re.compile(r"[^\s@\"'<>(),;:=|/\\]{1,64}(?:@|%40|＠)[\w.-]+\.[^\W\d_]{2,}", re.UNICODE)
_CARD = re.compile(r"\b(?:GPU|MIG)-[0-9a-fA-F]{8}-[0-9a-fA-F-]{20,}")
#: Behind an escape sequence a word begins, although a letter stands before it: "%3Dada", "\\nada".
_ESCAPED = r"(?<=%[0-9A-Fa-f]{2})|(?<=\\[nrtfbv])|(?<=\\u[0-9A-Fa-f]{4})"
#: Colours of terminals, also as Python, JSON and addresses write them.
_COLOURS = re.compile(r"(?i)(?:\x1b|\\{1,4}(?:x|u00)1b|%1b)(?:\[|%5b)[0-9;]*[a-z]")
_Rule = tuple[re.Pattern[str], str]
#: No numbers of telephones and cards: a number of bytes looks the same, and rows are taken out otherwise.
_PRIVATE = (Kind.KEY, Kind.EMAIL, Kind.IP)


class Scrubber:
    """Scrubs texts of one person on one computer.

    `names` are words that must not stay (user, host), `paths` folders that get a short name, `secrets` passwords that
    are known here, `replaced` texts with what comes in their place, such as the names of data files.
    """

    def __init__(
        self,
        names: Mapping[str, str] | None = None,
        paths: Mapping[str, str] | None = None,
        secrets: Iterable[str] = (),
        replaced: Mapping[str, str] | None = None,
    ) -> None:
        own = {
            name: stand
            for name, stand in (names or {}).items()
            if (len(name) > 1 or not name.isascii()) and name.lower() not in _NOBODYS
        }
        places = {path: stand for path, stand in (paths or {}).items() if len(path) > 3}
        hidden = {secret: "<secret>" for secret in secrets if len(secret) > 2 and secret not in "<secret>"}
        self._first = [*_literal(hidden, _as_secret), *_literal(replaced or {}, _as_word)]
        self._rules = _literal(places, _as_path)
        self._names = _literal(own, _as_word)
        self._secrets = _literal(hidden, _as_secret)

    def scrub(self, text: str) -> str:
        """Return the text without what tells."""
        text = _COLOURS.sub("", text)
        for pattern, stand in (*self._first, *self._rules):
            text = pattern.sub(stand, text)
        text = _BARE_LOGIN.sub("<login>@", _LOGIN.sub(lambda match: f"{match['before']}<login>@", text))
        text = _HEADER.sub(_cut, text)
        text = _BEARER.sub(lambda match: f"{match['before']} <secret>", text)
        text = _BROKEN_KEY.sub(lambda m: "<secret>" if len(m["one"] + m["two"]) == 34 else m[0], text)
        text = _KEYS.sub("<secret>", text)
        text = _NAMED.sub(_cut, text)
        text = _HOMES.sub(lambda match: f"{match['before']}<user>", text)
        text = _DRIVES.sub(lambda match: f"{match['before']}<user>", text)
        text = _MAIL.sub("<e-mail>", text)
        text = _CARD.sub("<card id>", text)
        text = _without_private(text)
        for pattern, stand in self._names:
            text = pattern.sub(stand, text)
        return text

    def plain(self, value: Any) -> Any:
        """Return a JSON-ready value with every text and every name in it scrubbed."""
        if isinstance(value, str):
            return self.scrub(value)
        if isinstance(value, dict):
            return {self.scrub(str(name)): self.plain(each) for name, each in value.items()}
        return [self.plain(each) for each in value] if isinstance(value, list) else value

    def leaves(self, text: str) -> bool:
        """Whether something that must not stay is left: the last look before a text is given away."""
        known = (*self._secrets, *self._rules, *self._names)
        return any(pattern.search(text) for pattern, _stand in known) or bool(_KEYS.search(text))


def scrubber_here(
    proxies: Iterable[str] = (), replaced: Mapping[str, str] | None = None, folders: Mapping[str, str] | None = None
) -> Scrubber:
    """The scrubber for who uses this computer now; `proxies` are addresses that may hold a password."""
    known = [*proxies, *urllib.request.getproxies().values(), *_index_addresses()]
    return Scrubber(_names_here(known), {**(folders or {}), **_paths_here()}, _secrets_here(known), replaced)


def _names_here(proxies: Iterable[str]) -> dict[str, str]:
    names = {}
    asked: tuple[Callable[[], str], ...] = (getpass.getuser, lambda: Path.home().name, _full_name)
    for ask in asked:
        with suppress(Exception):  # without a password file, a home or a name nobody knows any
            names[ask().strip()] = "<user>"
    for variable in ("USER", "USERNAME", "LOGNAME", "SUDO_USER"):
        names[os.environ.get(variable, "")] = "<user>"
    for host in (socket.gethostname(), platform.node(), os.environ.get("COMPUTERNAME", "")):
        names[host] = names[host.partition(".")[0]] = "<computer>"
    names[os.environ.get("USERDOMAIN", "")] = "<computer>"
    with suppress(Exception):
        names |= dict.fromkeys(_others(), "<user>")
    for address in proxies:
        with suppress(ValueError):
            names[unquote(urlsplit(address).username or "")] = "<user>"
    return {name: stand for name, stand in names.items() if name}


def _full_name() -> str:
    if sys.platform == "win32":
        return ""
    import pwd

    return pwd.getpwuid(os.getuid()).pw_gecos.partition(",")[0]


def _others() -> Iterable[str]:
    """Who else has an account here: logs name their folders too."""
    if sys.platform == "win32":
        return [home.name for home in Path.home().parent.iterdir() if home.is_dir()]
    import pwd

    # of people, not of services; a word of three letters is in too many others
    first = 501 if sys.platform == "darwin" else 1000
    return [one.pw_name for one in pwd.getpwall() if first <= one.pw_uid < 60_000 and len(one.pw_name) > 3]


def _paths_here() -> dict[str, str]:
    homes = {os.environ.get("HOME", ""), os.environ.get("USERPROFILE", ""), os.environ.get("SOLOTUNE_HOME", "")}
    with suppress(RuntimeError):
        homes.add(str(Path.home()))
    return {home: "<home>" for home in homes if home and home not in ("/", "/root")}


def _secrets_here(proxies: Iterable[str]) -> set[str]:
    """Passwords of proxies, and tokens in the environment."""
    known = {value for name, value in os.environ.items() if _NAMED.search(f"{name}={value}") and len(value) > 5}
    for address in proxies:
        with suppress(ValueError):
            parts = urlsplit(address if "//" in address else f"//{address}")
            known |= {parts.password} if parts.password else set()
    # without what it begins with a token is as good
    return known | {unquote(word) for word in known} | {word.removeprefix("hf_") for word in known}


def _index_addresses() -> list[str]:
    return [value for name, value in os.environ.items() if name.startswith("PIP_") and "://" in value]


def _literal(texts: Mapping[str, str], spelled: Callable[[str], str]) -> list[_Rule]:
    """Patterns for texts, the longest first, so that a part does not spoil the whole."""
    ordered = sorted(texts.items(), key=lambda item: -len(item[0]))
    return [(re.compile("|".join(dict.fromkeys(map(spelled, _spellings(text)))), re.IGNORECASE), stand)
            for text, stand in ordered if len(text.strip()) > 1 or not text.isascii()]  # fmt: skip


def _spellings(text: str) -> list[str]:
    """A text as it may stand in logs, addresses and JSON; a single Chinese letter only where it is escaped."""
    escaped = (quote(text), quote(text, safe=""), json.dumps(text)[1:-1])
    return list(dict.fromkeys(escaped if len(text) == 1 else (text, repr(text)[1:-1], *escaped)))


def _as_path(path: str) -> str:
    """A folder with any kind and number of slashes, and not only the beginning of another name."""
    parts = [re.escape(part) for part in re.split(r"[/\\]+|%2F|%5C", path.rstrip("/\\"))]
    return _SLASH.join(parts) + r"(?![\w-])"


def _as_secret(secret: str) -> str:
    """A password or token, also one that was broken at the end of a line."""
    return rf"(?:{_BREAK})?".join(map(re.escape, secret)) if len(secret) > 8 else re.escape(secret)


def _as_word(name: str) -> str:
    """A name that stands by itself; letters of other scripts stand without spaces."""
    if not name.isascii():
        return re.escape(name)
    # "ada2024" is still hers; of very short names digits make another word ("x1" in 0x12)
    word = "[A-Za-z]" if len(name) > 2 else "[A-Za-z0-9]"
    return rf"(?:(?<!{word})|{_ESCAPED}){re.escape(name)}(?!{word})"


def _cut(match: re.Match[str]) -> str:
    return f"{match['before']}<secret>"


def _without_private(text: str) -> str:
    pieces, at = [], 0
    for finding in find_all(text, _PRIVATE):
        pieces += [text[at : finding.start], f"<{finding.kind.replace('_', ' ')}>"]
        at = finding.end
    return "".join(pieces) + text[at:]
