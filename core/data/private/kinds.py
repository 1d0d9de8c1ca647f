"""What counts as private data, and how a place where it stands is told."""

from dataclasses import dataclass
from enum import StrEnum

from core.i18n import N_


class Kind(StrEnum):
    """Kinds of private data, the most certain first: of two that claim the same letters the first one wins."""

    ID_CARD = "id_card"
    MOBILE = "mobile"
    IBAN = "iban"
    BANK_CARD = "bank_card"
    KEY = "key"
    SSN = "ssn"
    PASSPORT = "passport"
    EMAIL = "email"
    LANDLINE = "landline"
    PHONE = "phone"
    IP = "ip"


#: What people call them.
NAMES = {
    Kind.ID_CARD: N_("Chinese resident ID number"),
    Kind.MOBILE: N_("Chinese mobile number"),
    Kind.IBAN: N_("Bank account number (IBAN)"),
    Kind.BANK_CARD: N_("Bank card number"),
    Kind.KEY: N_("Key, token or password"),
    Kind.SSN: N_("US social security number"),
    Kind.PASSPORT: N_("Passport number"),
    Kind.EMAIL: N_("E-mail address"),
    Kind.LANDLINE: N_("Chinese landline number"),
    Kind.PHONE: N_("International phone number"),
    Kind.IP: N_("IP address"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A place with private data: `text` is the original's [start:end], in characters.

    `value` is the same for every spelling of one number or address ("+86 138-0000-1234" and "13800001234").
    """

    kind: Kind
    start: int
    end: int
    text: str
    value: str
