"""Phone numbers: Chinese mobiles and landlines, and those of other countries as libphonenumber knows them.

Hotlines (400, 800, toll-free) and short numbers are no finding: they belong to nobody, and an answer that names one
is right to do so.
"""

import re
from collections.abc import Iterator

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberType

from core.data.private.folded import Folded, digits_of
from core.data.private.kinds import Finding, Kind

_MOBILE = re.compile(
    r"""(?<![0-9])
    (?P<country>\(?(?:\+|00)[ ]?86\)?[ -]{0,2} | \(?86\)?[ -]{0,2})?
    (?P<number>1(?:3[0-9]|4[5-9]|5[0-35-9]|6[2567]|7[0-8]|8[0-9]|9[0-35-9])
      # one point only is a fraction, "138.12345678" a degree of longitude
      (?:[0-9]{8} | [ -][0-9]{4}[ .-]?[0-9]{4} | [.][0-9]{4}[ .-][0-9]{4}
       | [0-9]{4}[ .-][0-9]{4} | [0-9][ .-]?[0-9]{3}[ .-][0-9]{4}
       | [ -][0-9]{8} | [ .-][0-9]{3}[ .-][0-9]{5} | (?:[ .-][0-9]{2}){4}))
    (?![0-9])""",
    re.VERBOSE,
)
#: Every digit apart from the next, to slip past a filter; also what begins many a row of numbers.
_APART = re.compile(r"(?<![0-9])(?<![0-9][ .-])1([ .-])[3-9](?:\1[0-9]){9}(?!\1?[0-9])")
#: Such a row is no number of a country: half of it would be masked and the rest would stay.
_ROW = re.compile(r"(?<![0-9])(?:[0-9][ .\-]){4}[0-9](?![0-9])")
_NUMERALS = "零〇○一二三四五六七八九幺"
_SPELLED = re.compile(
    rf"(?<![{_NUMERALS}十百千万亿])[一幺][三四五六七八九][{_NUMERALS}]{{9}}(?![{_NUMERALS}十百千万亿])"
)
_SPELT = str.maketrans(_NUMERALS, "0001234567891")

_LANDLINE = re.compile(
    r"""(?<![0-9.])(?<![0-9]-)
    (?: (?P<country>\(?(?:\+|00)86\)?)[ -]{0,2}(?:\(0?[1-9][0-9]{1,2}\)|0?[1-9][0-9]{1,2})[ -]{0,2}
      | (?P<area>\(0[1-9][0-9]{1,2}\)[ -]{0,2} | 0[1-9][0-9]{1,2}[ ]?-[ ]? | 0[1-9][0-9]{1,2}[ ]{1,2})
      | 0[1-9][0-9]{1,2}
    )
    [2-8][0-9]{2,3}[ -]?[0-9]{4}(?![0-9])""",
    re.VERBOSE,
)

_LOCAL = re.compile(
    r"(?:电话|座机|固话|传真)(?:号码?)?\s{0,2}(?:是|为|:){0,2}\s{0,2}"
    r"([2-8][0-9]{2,3}[ -]?[0-9]{4})(?![0-9A-Za-z_]|[-./][0-9])"
)

_ABROAD = re.compile(r"(?<![0-9A-Za-z_+])\(?\+\(?[1-9][0-9 ().\-/]{5,22}[0-9]")
_DIALLED = re.compile(r"(?<![0-9A-Za-z_+.\-])(?:00|011[ -])[1-9][0-9 ().\-]{6,20}[0-9]")
_AMERICAN = re.compile(
    # a point, then a dash is a paragraph of a law: "252.227-7013"
    r"(?<![0-9A-Za-z_.\-])(?:1[ .-])?(?!400|[0-9]{3}[.][0-9]{3}-)(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}([ .-]))"
    r"[2-9][0-9]{2}[.-][0-9]{4}(?![0-9A-Za-z_]|-[0-9A-Za-z])"
)
_NATIONAL = re.compile(
    r"(?<![0-9A-Za-z_.\-])(?:\([0-9]{1,5}\)|[0-9])[0-9 \-]{5,16}[0-9](?![0-9A-Za-z_]|[-./][0-9A-Za-z])"
)

#: Stands right before a phone number, so that one without a country may be believed.
_PHONE_WORD = re.compile(
    r"""(?:
        (?<![a-z])(?:phone|telephone|tele?|tel|mobile|cell|cellphone|fax|whatsapp|call|dial|ring|text|sms)(?:\s?(?:number|no\.?|\#))?
      | (?:手机|电话|座机|固话|传真|号码|热线|总机|联系方式|拨打?|致电|打给
          |手機|電話|市話|傳真|號碼|專線|聯絡方式|撥打?|致電|打給)(?:号码?|號碼?)?
    )
    ["']?\s*(?:is|at|on|me|us|to|是|为|:|=|\.)?\s*(?:me|us|at|on|:)?\s*(?:at|on)?["']?$""",
    re.VERBOSE | re.IGNORECASE,
)
#: Chinese hotlines and dates: what a national number elsewhere may look like and is not.
_NOT_NATIONAL = re.compile(r"[48]00[ -]?[0-9]{3}|(?:19|20)[0-9]{2}-[01]?[0-9]-[0-3]?[0-9]")
_FLOAT = re.compile(r"\+[0-9]\.[0-9]+")
_SERVICE = frozenset(
    {PhoneNumberType.TOLL_FREE, PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST, PhoneNumberType.UAN}
)
#: Tried in this order for a number whose country is not told.
_REGIONS = ("US", "GB", "FR", "DE", "IT", "ES", "JP", "KR", "HK", "TW", "SG", "IN", "AU", "BR")


def mobiles(folded: Folded) -> Iterator[Finding]:
    """Chinese mobile numbers, also with +86, in groups or in Chinese numerals."""
    for found in _MOBILE.finditer(folded.plain):
        start, end = found.span()
        country = found["country"] or ""
        if country.startswith("(") and ")" not in country:
            start += 1
        value = "+86" + digits_of(found["number"])
        sure = "+" in country or _phone_word(folded, start)
        if folded.in_word(start, end) or (not sure and folded.another_number(start, end)):
            continue
        # part numbers go on after a dash
        if re.match(r"[-.][0-9A-Za-z]|_", folded.after(end, 2)):
            continue
        yield folded.finding(Kind.MOBILE, start, end, value)
    for found in _APART.finditer(folded.plain):
        number = digits_of(found[0])
        if _MOBILE.fullmatch(number) and _phone_word(folded, found.start()):
            yield folded.finding(Kind.MOBILE, *found.span(), "+86" + number)


def spelled_mobiles(folded: Folded) -> Iterator[Finding]:
    """Chinese mobile numbers in Chinese numerals."""
    for found in _SPELLED.finditer(folded.plain):
        number = found[0].translate(_SPELT)
        if _MOBILE.fullmatch(number):
            yield folded.finding(Kind.MOBILE, *found.span(), "+86" + number)


def landlines(folded: Folded) -> Iterator[Finding]:
    """Chinese landline numbers with their area code; without one only after a word such as 电话."""
    for found in _affordable(folded, _LANDLINE):
        start, end = found.span()
        told = found["country"] or _phone_word(folded, start)
        if not told and (not found["area"] or folded.in_word(start, end) or folded.another_number(start, end)):
            continue
        number = _lookup(folded, found[0].replace("(", " ").replace(")", " ").strip(), "CN", start)
        # areas that gave up seven digits are unknown by now
        if number and phonenumbers.number_type(number) in (PhoneNumberType.FIXED_LINE, PhoneNumberType.UNKNOWN):
            yield folded.finding(Kind.LANDLINE, start, end, _e164(number))
    for found in _LOCAL.finditer(folded.plain):
        if not folded.another_number(found.start(1), found.end(1)):
            yield folded.finding(Kind.LANDLINE, *found.span(1), digits_of(found[1]))


def abroad(folded: Folded) -> Iterator[Finding]:
    """Phone numbers with a country code, American ones in their usual form, others after a word such as "phone"."""
    for found in _affordable(folded, _ABROAD):
        start = found.start() + (found[0].startswith("(") and ")" not in found[0])
        yield from _longest(folded, start, found.end(), None)
    for found in _affordable(folded, _DIALLED):
        if _phone_word(folded, found.start()):
            yield from _longest(folded, *found.span(), None)
    for found in _affordable(folded, _AMERICAN):
        if not folded.another_number(*found.span()):
            yield from _longest(folded, *found.span(), "US")
    for found in _affordable(folded, _NATIONAL):
        if _phone_word(folded, found.start()) and not (_NOT_NATIONAL.match(found[0]) or _ROW.search(found[0])):
            for region in _REGIONS:
                national = list(_longest(folded, *found.span(), region))
                if national:
                    yield national[0]
                    break


def _affordable(folded: Folded, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
    """Yield the places of a pattern as long as phone numbers may be looked up."""
    for found in pattern.finditer(folded.plain):
        if folded.budget.lookups <= 0:
            return
        yield found


def _longest(folded: Folded, start: int, end: int, region: str | None) -> Iterator[Finding]:
    for stop in folded.shorter_ends(start, end):
        text = folded.plain[start:stop]
        if len(digits_of(text)) < 7 or _FLOAT.fullmatch(text):
            return
        if re.match("[A-WYZa-wyz_]", folded.after(stop, 1)):
            continue
        if region is None:
            text = "+" + digits_of(text.removeprefix("011") if text.startswith("011") else text).lstrip("0")
        number = _lookup(folded, text, region, start if region is None else None)
        if number:
            if phonenumbers.number_type(number) not in _SERVICE:
                yield folded.finding(Kind.PHONE, start, stop, _e164(number))
            return


def _lookup(folded: Folded, text: str, region: str | None, start: int | None = None) -> PhoneNumber | None:
    """The number that `text` is, when it is a valid one; a possible one is enough after a word at `start`."""
    if folded.budget.lookups <= 0:
        return None
    folded.budget.lookups -= 1
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException:
        return None
    if phonenumbers.is_valid_number(number):
        return number
    told = start is not None and phonenumbers.is_possible_number(number) and _phone_word(folded, start)
    return number if told else None


def _phone_word(folded: Folded, start: int) -> bool:
    before = folded.before(start, 24)
    # most numbers follow something else than a word
    word = before.rstrip(" :=.#\"'")
    return word[-1:].isalpha() and bool(_PHONE_WORD.search(before))


def _e164(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
