"""Cards to plan for that are not in this computer: a table of known ones, or any size in GB."""

import difflib
import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache

from core.assets import resource
from core.gpu import Card
from core.problems import Code, Trouble

GIB = 1 << 30
#: What a card of which only the size is given can do: bf16, as every card sold since 2020.
_USUAL = (8, 0)
_SIZE = re.compile(r"(\d+(?:[.,]\d+)?)\s*(?:gb|gib|g)?", re.IGNORECASE)
#: A model by its number alone: "4090", "4060 Ti".
_NUMBER = re.compile(r"\d{4}(?!\d)")
#: Words of a card's full name that people leave out.
_LEFT_OUT = re.compile(r"\b(?:nvidia|geforce|quadro|tesla|graphics|card|gpu|generation)\b", re.IGNORECASE)
_MOST_GB = 999


@dataclass(frozen=True)
class KnownCard:
    """A card as it is sold: memory in GB, compute capability, memory bandwidth in GB/s (0 = not given).

    `ecc`: error correction is on as it comes, and takes its room out of the memory.
    """

    name: str
    memory_gb: int
    capability: tuple[int, int]
    bandwidth: int = 0
    ecc: bool = False

    @property
    def total_bytes(self) -> int:
        """What the card reports, within half a per cent: as many GiB as its box says GB.

        Of GDDR memory error correction takes a sixteenth: a T4 of 16 GB reports 15,360 MiB, an L4 of 24 GB 23,034.
        """
        total = self.memory_gb * GIB
        return total - total // 16 if self.ecc else total


@lru_cache(maxsize=1)
def known_cards() -> tuple[KnownCard, ...]:
    """Every card of resources/cards.toml, in its order."""
    rows = tomllib.loads(resource("cards.toml").read_text(encoding="utf-8"))["card"]
    return tuple(KnownCard(**row | {"capability": _capability(row["capability"])}) for row in rows)


def imagined(what: str) -> Card:
    """A card with nothing on it, by its name ("RTX 4090", in any spelling) or its memory ("24", "24 GB").

    A size in GB is taken as GiB, since that is what cards report; a name of which there is one card only may be cut
    short ("RTX PRO 6000"). Raises Trouble(CARD_UNKNOWN) with the names that come nearest.
    """
    known = _named(_plain(what))
    if known is not None:
        return _card(f"NVIDIA {known.name}", known.total_bytes, known.capability)
    size = _SIZE.fullmatch(what.strip())
    gigabytes = float(size[1].replace(",", ".")) if size else 0.0
    if 0 < gigabytes <= _MOST_GB:
        return _card(f"{gigabytes:g} GB", int(gigabytes * GIB), _USUAL)
    raise Trouble(Code.CARD_UNKNOWN, card=what.strip()[:60], near=", ".join(_nearest(_plain(what))))


def _named(wanted: str) -> KnownCard | None:
    """The card of this plain name, with or without its memory behind it; None when none or several could be meant."""
    spellings = {f"rtx{wanted}", f"gtx{wanted}"} if _NUMBER.match(wanted) else {wanted}
    for known in known_cards():
        name = _plain(known.name)
        if spellings & {name, f"{name}{known.memory_gb}gb"}:
            return known
    begun = [known for known in known_cards() if _plain(known.name).startswith(wanted)]
    # fewer letters than a model has are no name yet
    return begun[0] if len(begun) == 1 and len(wanted) > 3 else None


def _nearest(wanted: str) -> list[str]:
    """Names for a person who typed something else: those that hold it, else those that look like it."""
    names = {_plain(known.name): known.name for known in known_cards()}
    holding = [name for name in names if len(wanted) > 1 and wanted in name]
    return [names[name] for name in holding[:3] or difflib.get_close_matches(wanted, names, n=3, cutoff=0.5)]


def _card(name: str, total_bytes: int, capability: tuple[int, int]) -> Card:
    return Card(0, name, total_bytes, total_bytes, capability=capability, imagined=True)


def _plain(name: str) -> str:
    """A name as it is compared: without the maker, spaces and case; "RTX 4060 Ti 16 GB" is "rtx4060ti16gb"."""
    return re.sub(r"[\s_-]+", "", _LEFT_OUT.sub(" ", name)).lower()


def _capability(text: str) -> tuple[int, int]:
    major, _dot, minor = text.partition(".")
    return int(major), int(minor)
