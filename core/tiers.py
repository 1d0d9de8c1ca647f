"""resources/tiers.toml as values: the documents' rules on memory, rank and data, each with its source."""

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from core.assets import resource
from core.plan import Method

GB = 1_000_000_000
GIB = 1 << 30


@dataclass(frozen=True)
class Tier:
    """One row of the VRAM table; GB = 1e9 bytes, `to_gb` is 0 where the row is open upwards."""

    name: str
    from_gb: int
    to_gb: int
    size_class: str
    method: Method
    source: str
    code: str


@dataclass(frozen=True)
class SizeClass:
    """The model that stands for a class, and the method it starts with when a larger class does not fit."""

    name: str
    model: str
    method: Method


@dataclass(frozen=True)
class Goal:
    """Rank by task: the documents' range, the value taken from it, and the modules to adapt."""

    rank: int
    low: int
    high: int
    targets: str
    source: str


@lru_cache(maxsize=1)
def rules() -> dict[str, Any]:
    """The whole of tiers.toml."""
    return tomllib.loads(resource("tiers.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def tiers() -> tuple[Tier, ...]:
    """The VRAM table, smallest cards first."""
    return tuple(Tier(**row | {"method": Method(row["method"])}) for row in rules()["tier"])


def tier_of(total_bytes: int) -> Tier:
    """The tier of a card with `total_bytes` of memory.

    A card sold as n GB reports between n * 1e9 and n * 2^30 bytes, error correction included, so that
    comparing with n * 1e9 puts every card into the tier of the number on its box.
    """
    return next(tier for tier in reversed(tiers()) if total_bytes >= tier.from_gb * GB or tier.from_gb == 0)


def card_gb(total_bytes: int) -> int:
    """The number on the box of a card that reports `total_bytes`; whole GB where no such card is sold."""
    sold = (size for size in rules()["card_sizes_gb"] if size * GB <= total_bytes <= size * GIB)
    return int(next(sold, total_bytes // GB))


@lru_cache(maxsize=1)
def classes() -> dict[str, SizeClass]:
    """The size classes by name, largest first."""
    return {row["name"]: SizeClass(**row | {"method": Method(row["method"])}) for row in rules()["class"]}


class _Kept:
    """Bytes of a card that this process leaves to others beside the reserve of the rules."""

    size_bytes = 0


def keep_free(size_bytes: int) -> None:
    """From now on every plan that this process makes or checks leaves `size_bytes` of a card to other programs."""
    _Kept.size_bytes = max(0, size_bytes)


def kept_bytes() -> int:
    """What the user wants to keep free on the card."""
    return _Kept.size_bytes


def reserve_bytes() -> int:
    """What a plan leaves free on a card: the reserve of the rules and what the user wants to keep."""
    return int(rules()["reserve_bytes"]) + kept_bytes()


def goal_of(goal: str) -> Goal:
    """The rule for a task: "simple", "medium" or "complex". Raises ValueError for any other."""
    found = rules()["goal"].get(goal)
    if found is None:
        raise ValueError(f"goal: {goal!r} is not one of {', '.join(rules()['goal'])}")
    return Goal(**found)
