"""Which encoding a text has: UTF-8 when it can be, GB18030 when it reads as Chinese, else the best guess."""

import codecs
from collections.abc import Callable
from pathlib import Path
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
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"\xd0\xcf\x11\xe0",
    b"BZh",
)


def encoding_of(path: Path, tick: Callable[[], None]) -> str | None:
    """Return the name of the encoding, "" for binary data, None when no guess holds. Raises OSError.

    Reads the file once, because a single GBK letter may come late; `tick` is called on the way and may raise.
    """
    with path.open("rb") as file:
        head = file.read(_SAMPLE)
        for mark, name in _BOMS:
            if head.startswith(mark):
                return name
        if head.startswith(_MAGIC) or b"\0" in head:
            return ""
        file.seek(0)
        wrong = _first_wrong_byte(file, tick)
        return "utf-8" if wrong is None else _guess(_sample(file, wrong))


def _first_wrong_byte(file: BinaryIO, tick: Callable[[], None]) -> int | None:
    """Return about where the file stops being UTF-8, None when it never does."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    done = 0
    try:
        while block := file.read(_BLOCK):
            tick()
            decoder.decode(block)
            done += len(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        return done + error.start
    return None


def _sample(file: BinaryIO, around: int) -> bytes:
    """Return the text around a place, without the half line at its end, which may end in half a letter."""
    file.seek(max(0, around - _SAMPLE // 2))
    sample = file.read(_SAMPLE)
    if file.read(1):
        sample = sample[: sample.rfind(b"\n") + 1] or sample
    return sample


def _guess(sample: bytes) -> str | None:
    if _is_damaged_utf8(sample):
        return "utf-8"
    if _is_chinese(sample):
        return "gb18030"
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
    return text.count("\ufffd") <= beyond // 50 and common >= 0.8 * beyond


def _beyond_ascii(text: str) -> int:
    return len(text) - len(text.encode("ascii", "ignore"))
