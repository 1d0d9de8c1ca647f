"""E-mail addresses and IP addresses.

No finding are IP addresses that lead to nobody's machine in particular: loopback, unspecified, link-local, multicast
and documentation ranges, masks, whole networks, the first address of a private network (every router), and the public
name servers. Others in private networks are findings: they tell how somebody's network is built. "@example.com" is a
finding, because a person's name may stand before it.
"""

import ipaddress
import re
from collections.abc import Iterator

from core.data.private.folded import Folded
from core.data.private.kinds import Finding, Kind

_LOCAL = r"A-Za-z0-9.!#$%&'*+/=?^_`{|}~\-"
_IDN_ENDS = "中国|中國|公司|网络|網絡|香港|台湾|台灣|在线|商城|рф|укр|한국|भारत|みんな"
_NO_MORE = r"(?![A-Za-z0-9_(@]|[.-][A-Za-z0-9])"
_EMAIL = re.compile(
    rf"""(?<![{_LOCAL}@])([{_LOCAL}]{{1,64}}+)@
    ( (?:[A-Za-z0-9](?:[A-Za-z0-9-]{{0,61}}[A-Za-z0-9])?\.){{1,8}}(?P<end>[A-Za-z]{{2,18}}){_NO_MORE}
    | (?:[^\W_](?:[\w-]{{0,61}}[^\W_])?\.){{1,8}}(?:(?:{_IDN_ENDS})|(?P<idn_end>[A-Za-z]{{2,18}})){_NO_MORE} )""",
    re.VERBOSE,
)
#: Ends that are no country's two letters; the full list has 1,400 and grows, code has "x@W.weight".
_ENDS_IN_ONE = (
    "academy aero africa agency app art asia bank bio biz blog care cat center chat cloud club com company coop "
    "corp design dev digital eco edu email energy eu example farm finance fit fun games global gmbh gov group "
    "guru health home host house icu inc info institute int internal international jobs kim lan land law legal "
    "life link live llc local love ltd mail media mil mobi money museum name net network news ninja one online "
    "org page party photo plus post press pro pub red ren rocks run sale school science services shop site social "
    "software solar solutions space store studio support systems team tech test today tools top travel university "
    "video vip wang website win work world xyz zone "
)
_ENDS = frozenset(_ENDS_IN_ONE.split())
#: Not countries, where code has them: "x@W.mT", "a@b.py".
_NOT_COUNTRIES = frozenset({"py", "js", "ts", "md", "mT", "mH"})

_OPEN, _SHUT = r"[\[({<]", r"[\])}>]"
_WRITTEN = re.compile(
    rf"""(?<![{_LOCAL}@])
    (?P<name>[A-Za-z0-9][A-Za-z0-9._+-]{{0,63}}+(?:[ ](?:dot|DOT)[ ][A-Za-z0-9_-]{{1,30}}+){{0,2}})
    (?P<at>[ ]?{_OPEN}[ ]?(?:at|AT|@)[ ]?{_SHUT}[ ]?|[ ]AT[ ]|[ ]at[ ])
    (?P<host>[A-Za-z0-9-]{{1,63}}+)
    (?P<rest>(?:(?:[ ]?{_OPEN}[ ]?(?:dot|DOT|\.)[ ]?{_SHUT}[ ]?|[ ]DOT[ ]|[ ]dot[ ]|\.)[A-Za-z0-9-]{{2,24}}+){{1,4}})
    (?![A-Za-z0-9_(@])""",
    re.VERBOSE,
)
_MAILERS = re.compile(
    "gmail|googlemail|outlook|hotmail|live|yahoo|icloud|me|qq|foxmail|163|126|sina|sohu|proton|protonmail|gmx",
    re.IGNORECASE,
)
_MAIL_WORD = re.compile(r"mail|邮箱|reach|contact|write", re.IGNORECASE)

_IPV4 = re.compile(r"(?<![0-9A-Za-z_.\-])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9A-Za-z_\-]|\.[0-9])")
_IPV6 = re.compile(
    r"(?<![0-9A-Za-z_.])[23][0-9A-Fa-f]{3}:(?:[0-9A-Fa-f]{0,4}:){2,7}(?:[0-9A-Fa-f]{1,4})?(?![0-9A-Za-z_:])"
)
_VERSION_WORD = re.compile(
    r"(?:版本号?|驱动|固件|章|节|第|[A-Za-z]/|[=<>~^]=|[<>~^]"
    r"|(?<![a-z])(?:version|ver\.?|v|release|firmware|section|chapter|build|upgrade to|oid))"
    r"\s*(?:is|是|为|:)?\s*$",
    re.IGNORECASE,
)
_IP_WORD = re.compile(r"ip|addr|地址|host|主机|server|服务器|ping|://|@|login|登录|dns|from|来自|via", re.IGNORECASE)
#: Plain numbers on both sides: a drawing's path or a table.
_BEFORE_COLUMN = re.compile(r"(?<![0-9.])-?[0-9]*\.?[0-9]+\s$")
_AFTER_COLUMN = re.compile(r"\s-?[0-9]*\.?[0-9]+(?![0-9.])")
#: Name servers for everybody.
_PUBLIC_IN_ONE = (
    "8.8.8.8 8.8.4.4 1.1.1.1 1.0.0.1 9.9.9.9 149.112.112.112 208.67.222.222 208.67.220.220 114.114.114.114 "
    "114.114.115.115 223.5.5.5 223.6.6.6 119.29.29.29 180.76.76.76 4.2.2.2 1.2.4.8 2001:4860:4860::8888 "
    "2001:4860:4860::8844 2606:4700:4700::1111 2606:4700:4700::1001 2400:3200::1 2400:3200:baba::1 "
)
_PUBLIC = frozenset(_PUBLIC_IN_ONE.split())
_DOCUMENTATION = tuple(
    ipaddress.ip_network(net)
    for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20")
)
_GLOBAL6 = ipaddress.ip_network("2000::/3")


def emails(folded: Folded) -> Iterator[Finding]:
    """E-mail addresses, with plus signs and international domains."""
    for found in _EMAIL.finditer(folded.plain):
        name, start = found[1], found.start()
        # what wraps an address in text may also be part of one
        trimmed = name.lstrip(".'`*/#=|{!&?$")
        for mark in ("=", "|", "/"):
            trimmed = trimmed.rpartition(mark)[2]
        start += len(name) - len(trimmed)
        if not trimmed or trimmed.endswith(".") or not _known_end(found["end"] or found["idn_end"] or "中国"):
            continue
        repository = trimmed == "git" and folded.after(found.end(), 1) == ":"
        if repository or _is_code(trimmed, found[2]) or _in_url(folded, start):
            continue
        yield folded.finding(Kind.EMAIL, start, found.end(), f"{trimmed}@{found[2]}".lower())


def written_emails(folded: Folded) -> Iterator[Finding]:
    """E-mail addresses in words, "name [at] domain [dot] com", where nothing else can be meant."""
    for found in _written(folded.plain):
        rest = re.sub(r"[ \[\](){}<>]*\b(?:dot|DOT)\b[ \[\](){}<>]*|[ \[\](){}<>]*\.[ \[\](){}<>]*", ".", found["rest"])
        plain = found["at"] == " at "
        if not _known_end(rest.rpartition(".")[2].lower()) or (plain and not re.search("dot", found["rest"])):
            continue
        told = _MAIL_WORD.search(folded.before(found.start(), 30))
        if plain and not (told and _MAILERS.fullmatch(found["host"])):
            continue
        name = re.sub(" (?:dot|DOT) ", ".", found["name"])
        yield folded.finding(Kind.EMAIL, *found.span(), f"{name}@{found['host']}{rest}".lower())


def _written(text: str) -> Iterator[re.Match[str]]:
    """What may be an address in words; "me at jane.doe" must not hide "jane.doe (at) …" behind it."""
    at = 0
    while found := _WRITTEN.search(text, at):
        yield found
        at = found.start("host") if found["at"] == " at " else found.end()


def ipv4(folded: Folded) -> Iterator[Finding]:
    """IPv4 addresses of somebody's machine; no version numbers."""
    for found in _IPV4.finditer(folded.plain):
        if not (_is_version(folded, found) or _is_network(folded, found.end())) and _somebodys(found[0]):
            yield folded.finding(Kind.IP, *found.span(), found[0])


def ipv6(folded: Folded) -> Iterator[Finding]:
    """IPv6 addresses of somebody's machine."""
    for found in _IPV6.finditer(folded.plain):
        address = _somebodys(found[0])
        if address and not _is_network(folded, found.end()):
            yield folded.finding(Kind.IP, *found.span(), address)


def _known_end(end: str) -> bool:
    return (len(end) == 2 and end not in _NOT_COUNTRIES) or not end.isascii() or end.lower() in _ENDS


def _is_code(name: str, host: str) -> bool:
    """Whether `name@host` is rather a product of matrices, "q@k.mT", or a template."""
    if "{" in name or "}" in name:
        return True
    return len(name) == 1 and bool(re.fullmatch(r"[A-Za-z]\.(?:mT|T|mH|to|is)", host))


def _in_url(folded: Folded, start: int) -> bool:
    """Whether a place is before the host of an address such as "https://user:word@host"."""
    before = folded.before(start, 80)
    _, slashes, user = before.rpartition("://")
    return bool(slashes) and not re.search(r"[\s/?#]", user)


def _is_version(folded: Folded, found: re.Match[str]) -> bool:
    before = folded.before(found.start(), 24)
    if _VERSION_WORD.search(before) and not before.endswith("://"):
        return True
    if _BEFORE_COLUMN.search(before) and _AFTER_COLUMN.match(folded.after(found.end(), 12)):
        return True
    small = max(map(int, found[0].split("."))) < 32
    return small and not _IP_WORD.search(before)


def _is_network(folded: Folded, end: int) -> bool:
    length = re.match("/([0-9]{1,3})", folded.after(end, 4))
    return length is not None and int(length[1]) not in (32, 128)


def _somebodys(text: str) -> str:
    """The address in its shortest form; "" when it is none or belongs to nobody."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        somebodys = address in _GLOBAL6
    else:
        first, last = int(address) >> 24, int(address) & 255
        somebodys = 0 < first < 224 and last not in (0, 255) and not (address.is_private and last == 1)
    nobodys = address.is_loopback or address.is_link_local or any(address in net for net in _DOCUMENTATION)
    return str(address) if somebodys and not nobodys and str(address) not in _PUBLIC else ""
