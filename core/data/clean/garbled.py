"""Text that was read in the wrong encoding ("donâ€™t", "浣犲ソ"): repaired where the bytes still tell, else told."""

import re

import ftfy
from ftfy.badness import is_bad

from core.data.clean.look import Found, Look, Seen, excerpt

#: What UTF-8 looks like as cp1252, cp1251 and MacRoman; ftfy looks closer, which takes a hundred times as long.
_SUSPECT = re.compile(
    "[\u00c2-\u00f4][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013\u2014"
    "\u2018-\u201e\u2020-\u2022\u2026\u2030\u2039\u203a\u20ac\u2122]"
    "|[РС][\u0402-\u040f\u0452-\u045f\u0490\u0491\u00a0-\u00bf\u2013-\u203a][РС]|‚Ä|√[©®§°±¶]|¬[†∞©£∑]"
)
#: What the first letters of common Chinese in UTF-8 become when read as GBK; hardly any Chinese text uses them.
_SUSPECT_CHINESE = re.compile("[锛銆鐨鏄浣鎴涓浜鍦鍙鍜杩鏈璇鍥闂绛闄鎬鏂鏁濡鑳浠涔瀹鐢]")
#: Bytes that were lost for good: U+FFFD read as GBK, and fresh memory of a C++ program.
_LOST = re.compile("锟斤拷|烫烫烫|屯屯屯|\ufffd")
#: The row is about encodings: it shows such words on purpose.
_ABOUT = re.compile(r"乱码|编码|\bencod|\bdecod|mojibake|latin-?1|utf-?8|cp1252|8859", re.IGNORECASE)
_HAN = re.compile("[\u3400-\u9fff]")
#: The 500 letters that make up three quarters of Chinese would be too many; these make up a quarter.
_COMMON = frozenset(
    "的一是不了在人有我他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可里后小么心多天而能好都然没日于起还发成事只作当想看文无开手用主行方又如前所本见经头面公同三已老从动两长"
)


def look() -> Look:
    """The step."""
    return _look


def _look(seen: Seen) -> Found | None:
    text = seen.text
    if text.isascii() or not (_SUSPECT.search(text) or _SUSPECT_CHINESE.search(text) or _LOST.search(text)):
        return None
    if _ABOUT.search(text):
        return None
    changed = seen.changed(repaired)
    if changed is not None:
        return Found("", changed)
    if lost := _LOST.search(text):
        return Found(excerpt(text, lost.start(), lost.end()))
    odd = _SUSPECT_CHINESE.findall(text)
    if len(odd) >= 4 and len(set(odd)) >= 3 and len(odd) * 8 >= len(_HAN.findall(text)):
        place = text.index(odd[0])
        return Found(excerpt(text, place, place + 1))
    suspect = _SUSPECT.search(text)
    if suspect and any(is_bad(message.text) for message in seen.messages):
        return Found(excerpt(text, suspect.start(), suspect.end()))
    return None


def repaired(text: str) -> str:
    """Return a text with its letters as they were meant; the text itself when the bytes do not tell."""
    if text.isascii():
        return text
    if _SUSPECT_CHINESE.search(text):
        text = _from_gbk(text)
    return ftfy.fix_encoding(text) if _SUSPECT.search(text) else text


def _from_gbk(text: str) -> str:
    """Undo UTF-8 read as GBK, line by line, where every byte fits and the result is plainer Chinese."""
    return "\n".join(map(_line_from_gbk, text.split("\n")))


def _line_from_gbk(line: str) -> str:
    if len(_SUSPECT_CHINESE.findall(line)) < 2:
        return line
    try:
        meant = line.encode("gb18030").decode("utf-8")
    except UnicodeError:
        return line
    letters, before = _HAN.findall(meant), _HAN.findall(line)
    if len(letters) < 2 or len(before) <= len(letters):
        return line
    # a sentence of common letters does not become another sentence of common letters by chance
    return meant if _common(letters) > _common(before) or len(letters) >= 8 else line


def _common(letters: list[str]) -> float:
    return sum(letter in _COMMON for letter in letters) / len(letters)
