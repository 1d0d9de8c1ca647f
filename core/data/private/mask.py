"""Replace private data by placeholders that are the same for the same number or address in a whole data set."""

import re
from collections.abc import Collection

from core.data.private.kinds import Finding, Kind
from core.data.private.search import find_all
from core.data.rows import Conversation

#: What stands in an English and in a Chinese text; kinds with one English word count together.
_WORDS = {
    Kind.ID_CARD: ("ID", "身份证号"),
    Kind.MOBILE: ("PHONE", "手机号"),
    Kind.IBAN: ("IBAN", "银行账号"),
    Kind.BANK_CARD: ("CARD", "银行卡号"),
    Kind.KEY: ("KEY", "密钥"),
    Kind.SSN: ("SSN", "社会安全号"),
    Kind.PASSPORT: ("PASSPORT", "护照号"),
    Kind.EMAIL: ("EMAIL", "邮箱"),
    Kind.LANDLINE: ("PHONE", "电话"),
    Kind.PHONE: ("PHONE", "电话"),
    Kind.IP: ("IP", "IP地址"),
}
_HAN = re.compile("[\u3400-\u9fff]")
_WORD = re.compile("(?<![A-Za-z0-9])[A-Za-z]+(?![A-Za-z0-9])")
_PLACEHOLDER = re.compile(rf"\[(?:{'|'.join({word for pair in _WORDS.values() for word in pair})})_[0-9]{{1,9}}\]")


def named(text: str, name: str) -> str:
    """A text with the name that it stands under, as a sentence would have it."""
    return f"{name}: {text}" if name else text


class Masker:
    """Masks the rows of one data set.

    The same value gets the same number in every row, however it is spelled: "[PHONE_1]" in an English text and
    "[手机号_1]" in a Chinese one. What stood there is kept in memory only, and lost with this object.
    """

    def __init__(self, kinds: Collection[Kind] = tuple(Kind)) -> None:
        self.kinds = frozenset(kinds)
        self._numbers: dict[tuple[str, str], int] = {}
        self._counts: dict[str, int] = {}
        self._originals: dict[str, str] = {}

    @property
    def originals(self) -> dict[str, str]:
        """Placeholder -> what stood there, in the spelling that came first."""
        return dict(self._originals)

    def mask(self, conversation: Conversation) -> Conversation:
        """Return the row with its private data replaced; the row itself when it has none."""
        # one language for a row, so that question and answer name a thing alike
        whole = "\n".join(message.content for message in conversation.messages[:8])
        return conversation.mended(lambda text, name: self._mask_named(text, name, whole))

    def mask_text(self, text: str, whole: str = "") -> str:
        """Return a text with its private data replaced; the language of `whole` (or the text) chooses the words."""
        pieces, at = list[str](), 0
        chinese, taken = False, frozenset[str]()
        for finding in find_all(text, self.kinds):
            if not pieces:
                chinese, taken = is_chinese(whole or text), frozenset(_PLACEHOLDER.findall(text))
            pieces += (text[at : finding.start], self._placeholder(finding, taken, chinese=chinese))
            at = finding.end
        return "".join(pieces) + text[at:] if pieces else text

    def _mask_named(self, text: str, name: str, whole: str) -> str:
        """Mask a text that may stand under a name, which tells what it is, as with keys."""
        if not name:
            return self.mask_text(text, whole)
        masked = self.mask_text(named(text, name), whole)
        return masked[len(named("", name)) :] if masked.startswith(named("", name)) else self.mask_text(text, whole)

    def restore(self, text: str) -> str:
        """Return a masked text with the originals put back, in the spelling that came first."""
        return _PLACEHOLDER.sub(lambda found: self._originals.get(found[0], found[0]), text)

    def _placeholder(self, finding: Finding, taken: frozenset[str], *, chinese: bool) -> str:
        english, han = _WORDS[finding.kind]
        key = (english, finding.value)
        number = self._numbers.get(key)
        while number is None:
            number = self._counts[english] = self._counts.get(english, 0) + 1
            # a text that has such a placeholder already must not get a second meaning for it
            if {f"[{english}_{number}]", f"[{han}_{number}]"} & taken:
                number = None
            else:
                self._numbers[key] = number
        placeholder = f"[{han if chinese else english}_{number}]"
        self._originals.setdefault(placeholder, finding.text)
        return placeholder


def is_chinese(text: str) -> bool:
    """Whether a text is a Chinese one: code and names in Latin letters may stand in it."""
    if text.isascii():
        return False
    han = len(_HAN.findall(text))
    return han > 0 and han * 2 >= len(_WORD.findall(text))
