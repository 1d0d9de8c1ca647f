"""A text with its full-width letters, odd spaces and dashes made plain, every letter at its old place."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from core.data.private.kinds import Finding, Kind

_INVISIBLE = (*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xAD, 0xFEFF)
_SPACES = (0xA0, *range(0x2000, 0x200B), 0x202F, 0x3000)
_DASHES = (*range(0x2010, 0x2016), 0x2212, 0xFE58, 0xFE63)
_FOLD = (
    {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}
    | dict.fromkeys((*_SPACES, *_INVISIBLE), " ")
    | dict.fromkeys(_DASHES, "-")
)

_GROUP = re.compile("[0-9]+")

#: A word right before a number that says it is something else: "订单号：", "Invoice No.", "= 5 +".
_OTHER_NUMBER = re.compile(
    r"""(?:
        (?:订单|快递|物流|运单|工单|流水|单据|发票|账单|凭证|合同|批|货|型|车次|航班|案件|序列|商品|产品|设备|编|单|学|工|版本
          |条|条形|验证|邀请|兑换|准考证|社团|群|房间?|项目|任务|记录)(?:编?号码?|代?码)\s*(?:是|为|:|\#|=)*
      | 订单|型号|编号|条码|QQ群:?|总(?:人口|数|额|价|花费|计)\w{0,2}|合计:?|收入\w?|花费了?|金额\w?|卖出了?|(?:计算|求)
      | (?<![a-z])(?:order|invoice|tracking|serial|part|model|case|ticket|item|sku|s/?n|id|isbn|imei|ref|reference|po
          |batch|lot|product|transaction|seed|inode|block|timestamp|version|room|isrc|upc|ean|gtin|asin|build|score)
        \s?(?:no\.?|number|num|id|code|\#)?\s*(?:is|was|:|\#|=)*
      | [0-9a-z)\]]\s*[+*×÷^] | [0-9)\]]\s*= | [=!<>]=\s? | [¥$€£₤] | [0-9][.] | (?<![0-9])/ | _ | 0x | [0-9]e-
    )\s*$""",
    re.VERBOSE | re.IGNORECASE,
)
#: What follows a sum or a count.
_UNIT = re.compile(
    r"""\s*(?:
        元|円|圆|日元|美元|欧元|块|次|人(?!工)|颗|个|只|股|吨|公?斤|千克|克|米|公里|千米|平方|亿|万|千|百|字节|位|步|票|件|年
      | 的(?:平方|立方|倍)
      | (?:bytes?|bits?|people|times|dollars?|euros?|yuan|usd|cny|rmb|kg|km|k?m|tons?|meters?|metres?|items?|units?
          |votes?|steps?|tokens?|rows?|views|shares|years?)\b
      | [%‰*×÷^=] | \+\s*[0-9] | [.][0-9] | ,[0-9]{3}(?![0-9])
    )""",
    re.VERBOSE | re.IGNORECASE,
)


@dataclass
class Budget:
    """How many phone numbers may still be looked up, 30 µs each."""

    lookups: float = math.inf


@dataclass
class Folded:
    """The text that detectors read: `plain` is as long as `raw`, letter for letter."""

    raw: str
    budget: Budget = field(default_factory=Budget)
    plain: str = ""

    def __post_init__(self) -> None:
        self.plain = self.raw if self.raw.isascii() else self.raw.translate(_FOLD)

    def before(self, at: int, letters: int) -> str:
        """Up to so many letters before a place."""
        return self.plain[max(at - letters, 0) : at]

    def after(self, at: int, letters: int) -> str:
        """Up to so many letters from a place on."""
        return self.plain[at : at + letters]

    def another_number(self, start: int, end: int) -> bool:
        """Whether the words around a number say that it is an order number, a sum or a count."""
        return bool(_OTHER_NUMBER.search(self.before(start, 20)) or _UNIT.match(self.after(end, 10)))

    def in_word(self, start: int, end: int) -> bool:
        """Whether ASCII letters touch a number, as in a part number; "Tel138…" is not in a word."""
        if _LETTER.match(self.after(end, 2)):
            return True
        before = self.before(start, 8)
        # a call in code; "张三(138…)" and "Tom(138…)" in a Chinese text are people
        if self.plain is self.raw and _CALL.search(before):
            return True
        if not before or not (before[-1].isascii() and (before[-1].isalnum() or before[-1] == "_")):
            return False
        return not _LABEL.search(before)

    def shorter_ends(self, start: int, end: int, most: int = 6) -> Iterator[int]:
        """Yield `end`, then the ends of ever fewer groups of digits."""
        ends = [group.end() for group in _GROUP.finditer(self.plain, start, end)]
        yield from reversed(ends[-most:])

    def finding(self, kind: Kind, start: int, end: int, value: str) -> Finding:
        """A finding at [start:end]."""
        return Finding(kind, start, end, self.raw[start:end], value)


_LETTER = re.compile("(?!(?:wx|vx|qq))[a-z_]", re.IGNORECASE)
_CALL = re.compile(r"[A-Za-z_]\($")
_LABEL = re.compile(r"(?:tel|phone|mobile|cell|call|fax|wechat|vx|wx|qq)$", re.IGNORECASE)


def digits_of(text: str) -> str:
    """The ASCII digits of a text."""
    return "".join(_GROUP.findall(text))
