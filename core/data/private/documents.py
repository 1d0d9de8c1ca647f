"""Numbers of people's papers and accounts: resident IDs, bank cards, IBANs, passports, social security numbers."""

import datetime
import re
from collections.abc import Iterator
from operator import mul

from core.data.private.folded import Folded, digits_of
from core.data.private.kinds import Finding, Kind

# GB 11643-1999: area, birthday, sequence, check letter by ISO 7064 MOD 11-2
_ID18 = re.compile(r"(?<![0-9A-Za-z])([1-9][0-9]{5})[ -]?((?:18|19|20)[0-9]{6})[ -]?([0-9]{3}[0-9Xx])(?![0-9A-Za-z])")
_ID15 = re.compile(r"(?<![0-9A-Za-z])([1-9][0-9]{5})([0-9]{6})([0-9]{3})(?![0-9A-Za-z])")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
#: GB/T 2260; 81 to 83 are residence permits of Hong Kong, Macau and Taiwan, 9x those of foreigners.
_PROVINCE = re.compile("1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|91")
_ID_WORD = re.compile(r"身份证|身分证|证件|公民身份|\bID (?:card|number)|identity card|resident id", re.IGNORECASE)

_CARD = re.compile(r"(?<![0-9A-Za-z_.+\-])[2-9][0-9]{3}(?:[ -]?[0-9]){8,18}(?![0-9A-Za-z_])")
#: ISO/IEC 7812 prefixes by length: Visa, Mastercard, UnionPay, Amex, Discover, JCB, Diners, Mir, older Chinese cards.
_CARDS = re.compile(
    r"""4[0-9]{15} | 4[0-9]{18} | 4[0-9]{12}
      | 5[1-5][0-9]{14} | 2(?:22[1-9]|2[3-9][0-9]|[3-6][0-9]{2}|7[01][0-9]|720)[0-9]{12}
      | 62[0-9]{14,17} | 9558[0-9]{15} | 60(?:1382|3265|3367|3445|3601|3694|3708)[0-9]{10,13}
      | 3[47][0-9]{13} | 6011[0-9]{12} | 6(?:4[4-9]|5[0-9])[0-9]{13} | 35(?:2[89]|[3-8][0-9])[0-9]{12}
      | 3(?:0[0-5]|[689][0-9])[0-9]{11} | 220[0-4][0-9]{12}""",
    re.VERBOSE,
)
_CARD_WORD = re.compile(r"卡|账[号户]|card|visa|master|amex|diners|jcb|credit|debit", re.IGNORECASE)
_LUHN = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)

_IBAN = re.compile(r"(?<![0-9A-Za-z])[A-Z]{2}[0-9]{2}(?: ?[0-9A-Z]{4}){2,7}(?: ?[0-9A-Z]{1,3})?(?![0-9A-Za-z])")
_IBANS = (
    "AD24 AE23 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 FO18 "
    "FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LI21 LT20 LU20 "
    "LV21 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SE24 SI19 SK24 "
    "SM27 TN24 TR26 UA29 VA22 VG24 XK20 "
)
#: Letters of an IBAN by country.
_IBAN_LENGTHS = {country[:2]: int(country[2:]) for country in _IBANS.split()}

_PASSPORT = re.compile(r"(?<![0-9A-Za-z])(?:[A-Z]{1,2}[0-9]{6,8}|[0-9]{9})(?![0-9A-Za-z])")
_PASSPORT_WORD = re.compile(r"(?:护照|passport)(?:[^\n.。;]|No\.){0,16}$", re.IGNORECASE)

_SSN = re.compile(
    r"(?<![0-9A-Za-z\-])(?!000|666|9)[0-9]{3}([ -])(?!00)[0-9]{2}\1(?!0000)[0-9]{4}(?![0-9A-Za-z]|-[0-9A-Za-z])"
)
_SSN_WORD = re.compile(r"ssn|social|社会安全|社安|社保号", re.IGNORECASE)


def id_cards(folded: Folded) -> Iterator[Finding]:
    """Resident ID numbers with a right check letter; the old ones of 15 digits only after a word for them."""
    for found in _ID18.finditer(folded.plain):
        number = "".join(found.groups()).upper()
        if _plausible(number[:2], number[6:14]) and _CHECK[_weighted(number) % 11] == number[17]:
            yield folded.finding(Kind.ID_CARD, *found.span(), number)
    for found in _ID15.finditer(folded.plain):
        number = found[0]
        if _plausible(number[:2], "19" + number[6:12]) and _ID_WORD.search(folded.before(found.start(), 24)):
            longer = f"{number[:6]}19{number[6:]}"
            yield folded.finding(Kind.ID_CARD, *found.span(), longer + _CHECK[_weighted(longer) % 11])


def bank_cards(folded: Folded) -> Iterator[Finding]:
    """Bank cards of a known prefix and length with a right check digit (Luhn)."""
    for found in _CARD.finditer(folded.plain):
        start = found.start()
        for end in folded.shorter_ends(start, found.end(), most=3):
            text = folded.plain[start:end]
            number = digits_of(text)
            if _is_card(text, number) and not _another(folded, start, end, len(number)):
                yield folded.finding(Kind.BANK_CARD, start, end, number)
                break


def ibans(folded: Folded) -> Iterator[Finding]:
    """International bank account numbers of a country's length with right check digits (ISO 13616, MOD 97)."""
    for found in _IBAN.finditer(folded.plain):
        length = _IBAN_LENGTHS.get(found[0][:2], 0)
        number, end = "", found.start()
        while end < found.end() and len(number) < length:
            number += folded.plain[end].strip()
            end += 1
        whole = end == found.end() or folded.plain[end] == " "
        if length and whole and len(number) == length and _mod97(number) == 1:
            yield folded.finding(Kind.IBAN, found.start(), end, number)


def passports(folded: Folded) -> Iterator[Finding]:
    """Passport numbers, only after a word for them."""
    for found in _PASSPORT.finditer(folded.plain):
        if _PASSPORT_WORD.search(folded.before(found.start(), 30)):
            yield folded.finding(Kind.PASSPORT, *found.span(), found[0])


def social_security(folded: Folded) -> Iterator[Finding]:
    """US social security numbers, only after a word for them."""
    for found in _SSN.finditer(folded.plain):
        if _SSN_WORD.search(folded.before(found.start(), 40)):
            yield folded.finding(Kind.SSN, *found.span(), digits_of(found[0]))


def _plausible(province: str, birthday: str) -> bool:
    try:
        born = datetime.date(int(birthday[:4]), int(birthday[4:6]), int(birthday[6:]))
    except ValueError:
        return False
    return bool(_PROVINCE.fullmatch(province)) and datetime.date(1890, 1, 1) < born <= datetime.date.today()


def _weighted(number: str) -> int:
    return sum(map(mul, map(int, number[:17]), _WEIGHTS))


def _is_card(text: str, number: str) -> bool:
    if not (_CARDS.fullmatch(number) and luhn(number)):
        return False
    groups = re.split("[ -]", text)
    return len(groups) == 1 or (len(groups) <= 5 and len(groups[0]) in (4, 6) and min(map(len, groups)) >= 2)


def luhn(number: str) -> bool:
    """Whether the last digit checks the others (ISO/IEC 7812-1, annex B)."""
    total = sum(map(int, number[::-2])) + sum(_LUHN[int(digit)] for digit in number[-2::-2])
    return total % 10 == 0


def _another(folded: Folded, start: int, end: int, length: int) -> bool:
    if _CARD_WORD.search(folded.before(start, 24)):
        return False
    # one number in ten passes Luhn, and many things are counted with 13 or 14 digits
    return length < 15 or folded.another_number(start, end)


def _mod97(iban: str) -> int:
    return int("".join(str(int(letter, 36)) for letter in iban[4:] + iban[:4])) % 97
