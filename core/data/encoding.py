"""Which encoding a text has: UTF-8 when it can be, GB18030 or Big5 when it reads as Chinese, else the best guess."""

import codecs
from collections.abc import Callable
from typing import BinaryIO

_BLOCK = 1 << 20
_SAMPLE = 1 << 18

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    # before UTF-16: the longer mark begins with the shorter one
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

#: What a guess may be. Rarer encodings are more often a wrong guess than a right one.
_LEGACY = ("cp1252", "big5", "shift_jis", "euc_jp", "euc_kr", "cp1251")

#: How files begin that are no text although they need not hold a NUL byte early on.
_MAGIC = (
    b"%PDF-",
    b"PK\x03\x04",
    b"\x1f\x8b",
    b"PAR1",
    b"ARROW1\0\0",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"\xd0\xcf\x11\xe0",
    b"BZh",
    b"\xfd7zXZ\0",
)


class _Binary(Exception):  # noqa: N818 - not an error
    """Raised where a text turns out to be a hole in the file or other bytes."""


def encoding_of(opened: Callable[[], BinaryIO], tick: Callable[[], None]) -> str | None:
    """Return the name of the encoding, "" for binary data, None when no guess holds. Raises OSError.

    Reads the file once, because a single GBK letter may come late; `tick` is called on the way and may raise.
    """
    with opened() as file:
        head = file.read(_SAMPLE)
        for mark, name in _BOMS:
            if head.startswith(mark):
                return name
        if head.startswith(_MAGIC):
            return ""
        if b"\0" in head:
            return _without_mark(head)
        try:
            sample = _first_wrong(file, head, tick)
        except _Binary:
            return ""
    return "utf-8" if sample is None else _guess(sample)


def _first_wrong(file: BinaryIO, head: bytes, tick: Callable[[], None]) -> bytes | None:
    """Return the text around the place where a file stops being UTF-8, None when it never does."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    before, block = b"", head
    while block:
        tick()
        try:
            decoder.decode(block)
        except UnicodeDecodeError as error:
            return _around(before + block, len(before) + error.start, file)
        if block.count(0) > len(block) // 2:
            raise _Binary
        before, block = block[-_SAMPLE:], file.read(_BLOCK)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return before
    return None


def _around(data: bytes, wrong: int, file: BinaryIO) -> bytes:
    """The text around a place, without the half line at its end, which may end in half a letter."""
    data += file.read(_SAMPLE // 2)
    sample = data[max(0, wrong - _SAMPLE // 2) : wrong + _SAMPLE // 2]
    if wrong + _SAMPLE // 2 < len(data) or file.read(1):
        sample = sample[: sample.rfind(b"\n") + 1] or sample
    return sample


def _without_mark(head: bytes) -> str:
    """UTF-16 that lacks its byte order mark: every second byte of its plain letters is zero; "" for other bytes."""
    head = head[: len(head) // 2 * 2]
    for name, zeros in (("utf-16-le", head[1::2].count(0)), ("utf-16-be", head[::2].count(0))):
        text = head.decode(name, "replace")
        # the marks of JSON, tables and lines are plain letters in every language
        plain = sum(32 <= ord(letter) < 127 or letter in "\t\r\n" for letter in text)
        known = plain + _beyond_ascii(text.encode("gb2312", "ignore").decode("gb2312"))
        if plain >= 0.8 * zeros > 0 and known >= 0.8 * len(text) and "\0" not in text:
            return name
    return ""


def _guess(sample: bytes) -> str | None:
    if _is_damaged_utf8(sample):
        return "utf-8"
    if _is_chinese(sample):
        return "gb18030"
    if _is_traditional(sample):
        return "big5"
    import charset_normalizer

    best = charset_normalizer.from_bytes(sample, cp_isolation=list(_LEGACY)).best()
    return best.encoding if best else None


def _is_damaged_utf8(sample: bytes) -> bool:
    """Whether long letters are mostly whole: a few broken rows are better than a wrong guess for all."""
    text = sample.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    return _beyond_ascii(text) - broken >= broken


def _is_chinese(sample: bytes) -> bool:
    """Whether the bytes read as GB18030 and give letters that Chinese is written with."""
    text = sample.decode("gb18030", "replace")
    beyond = _beyond_ascii(text)
    # Western texts give Chinese letters as well, but none of the common set
    common = _beyond_ascii(text.encode("gb2312", "ignore").decode("gb2312"))
    return text.count("\ufffd") <= max(1, beyond // 50) and common >= 0.8 * beyond


def _is_traditional(sample: bytes) -> bool:
    """Whether the bytes read as Big5 and give the letters of its first, frequent half or its punctuation."""
    text = sample.decode("big5", "replace")
    beyond = _beyond_ascii(text)
    frequent = sum(letter > "\x7f" and _is_frequent(letter) for letter in text)
    return text.count("\ufffd") <= max(1, beyond // 50) and frequent >= 0.9 * beyond >= 4


def _is_frequent(letter: str) -> bool:
    return b"\xa1\x40" <= letter.encode("big5", "ignore") <= b"\xc6\x7e"


def _beyond_ascii(text: str) -> int:
    return len(text) - len(text.encode("ascii", "ignore"))
