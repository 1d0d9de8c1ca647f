"""What readings of the card and the trials of torch mean: driver, build, kernels, and whether the numbers are right."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from core.doctor.readings import Readings
from core.findings import Check, Finding, FindingCode, Probed, found
from core.gpu import Card
from core.problems import Code
from core.programs import closable

#: What other programs may hold of a card before it is worth a word. Bytes.
BUSY = 1_000_000_000
#: Relative errors (Frobenius norm of the difference over that of the exact result) up to which a result is right, some
#: four times what was measured on processors and cards: rounding to 16 bits costs 0.003, 8-bit products 0.008, five
#: steps with 8-bit averages 0.010, holding weights in NF4 0.092.
RIGHT: dict[str, dict[str, float]] = {
    "product": {"error": 0.015},
    "four_bit": {"forward": 0.015, "backward": 0.015, "held": 0.13},
    "eight_bit": {"forward": 0.04, "backward": 0.04},
    "optimizer": {"fused": 0.001, "eight_bit": 0.05},
}

_DRIVER = {
    Code.NO_GPU: FindingCode.CARD_NONE,
    Code.DRIVER_MISMATCH: FindingCode.CARD_DRIVER_MISMATCH,
    Code.DRIVER_PERMISSION: FindingCode.CARD_DRIVER_PERMISSION,
    Code.CARD_SPLIT: FindingCode.CARD_SPLIT,
    Code.GPU_LOST: FindingCode.CARD_LOST,
}
_ARCHITECTURE = re.compile(r"(sm|compute)_(\d+)(\d)([af]?)")


def card_findings(readings: Readings) -> Iterator[Finding]:
    """The cards and their driver, or what is wrong with it."""
    read = readings.cards
    if read is None:
        return
    if not read.cards:
        code = _DRIVER.get(Code(read.problem), FindingCode.CARD_DRIVER) if read.problem else FindingCode.CARD_NONE
        yield found(Check.CARD, code, **({"text": read.text} if read.text else {}))
    for card in read.cards:
        facts = {"card": card.name, "driver": card.driver, "cuda": card.cuda, "total_bytes": card.total_bytes}
        yield found(Check.CARD, FindingCode.CARD_GOOD, **facts, capability=_dotted(card.capability))


def room_findings(readings: Readings) -> Iterator[Finding]:
    """What other programs hold of each card."""
    for card in readings.cards.cards if readings.cards else ():
        names = [program.name for program in closable(card.processes)]
        facts = {"card": card.name, "used_bytes": card.programs_bytes, "free_bytes": card.free_bytes}
        busy = card.programs_bytes > BUSY
        code = FindingCode.CARD_BUSY if busy else FindingCode.CARD_ROOM_GOOD
        more = {"programs": ", ".join(dict.fromkeys(names))} if busy and names else {}
        yield found(Check.CARD_ROOM, code, **facts, **more)


def probe_findings(check: Check, readings: Readings) -> Iterator[Finding]:
    """What the trials of one name showed, on every device."""
    for probed in readings.probes:
        if probed.name == check.value and probed.outcome != "begun":
            yield from _of_probe(check, probed, readings)


def kernels_for(capability: tuple[int, int], architectures: tuple[str, ...]) -> bool:
    """Whether a build with these architectures ("sm_80", "sm_90a", "compute_120") has code for a card.

    Code for sm_XY runs on cards of the same X with a Y as large or larger; with an "a" behind it on exactly that card;
    with an "f" within the family X. What is compiled for compute_XY the driver translates for every newer card.
    """
    for kind, major, minor, only in (match.groups() for match in map(_ARCHITECTURE.fullmatch, architectures) if match):
        built = (int(major), int(minor))
        if only == "a":
            fits = capability == built
        elif kind == "sm" or only == "f":
            fits = capability[0] == built[0] and capability[1] >= built[1]
        else:
            fits = capability >= built
        if fits:
            return True
    return False


def _of_probe(check: Check, probed: Probed, readings: Readings) -> Iterator[Finding]:
    where = {"device": probed.device} if probed.device else {}
    if probed.outcome in ("crashed", "hung", "left_out"):
        code = FindingCode(f"probe_{probed.outcome}")
        yield found(check, code, check=check.value, **where, **probed.facts)
    elif check is Check.TORCH:
        yield _torch(probed, readings)
    elif check is Check.TRITON:
        version = probed.facts.get("version", "")
        code = FindingCode.TRITON_GOOD if version else FindingCode.TRITON_NONE
        yield found(check, code, **({"version": version} if version else {}))
    elif probed.outcome == "failed":
        yield found(check, FindingCode(f"{check}_failed"), **where, **probed.facts)
    else:
        right = all(_within(probed.facts.get(name), most) for name, most in RIGHT[check.value].items())
        code = FindingCode(f"{check}_good" if right else f"{check}_wrong")
        yield found(check, code, **where, **probed.facts)


def _within(error: float | None, most: float) -> bool:
    # what is no number is told as None, and is further off than anything
    return error is not None and error <= most


def _torch(probed: Probed, readings: Readings) -> Finding:
    facts = probed.facts
    if probed.outcome == "failed":
        return found(Check.TORCH, FindingCode.TORCH_BROKEN, **facts)
    told = {"version": facts["version"]} | ({"cuda": facts["cuda"]} if facts.get("cuda") else {})
    cards = readings.cards.cards if readings.cards else ()
    if not cards and not facts.get("available"):
        return found(Check.TORCH, FindingCode.TORCH_PROCESSOR, **told)
    if not facts.get("cuda"):
        return found(Check.TORCH, FindingCode.TORCH_CPU_BUILD, **told, card=cards[0].name if cards else "")
    if not facts.get("available"):
        return _unseen(cards, facts, told)
    for name, capability in _seen(facts):
        if not kernels_for(capability, tuple(facts.get("architectures", ()))):
            more = {"card": name, "capability": _dotted(capability)}
            return found(Check.TORCH, FindingCode.TORCH_NO_KERNELS, **told, **more)
    return found(Check.TORCH, FindingCode.TORCH_GOOD, **told)


def _unseen(cards: tuple[Card, ...], facts: Mapping[str, Any], told: dict[str, Any]) -> Finding:
    """Why torch, built for cards, sees none of those that the driver lists."""
    card = cards[0]
    more = {"card": card.name, "driver": card.driver, "driver_cuda": card.cuda}
    if card.cuda and _major(card.cuda) < _major(facts["cuda"]):
        return found(Check.TORCH, FindingCode.DRIVER_OLD, **told, **more)
    hidden = facts.get("visible")
    if hidden is not None and hidden.strip() in ("", "-1", "none", "NoDevFiles"):
        return found(Check.TORCH, FindingCode.TORCH_HIDDEN, **told, card=card.name)
    if not kernels_for(card.capability, tuple(facts.get("architectures", ()))) and card.capability > (0, 0):
        more = {"card": card.name, "capability": _dotted(card.capability)}
        return found(Check.TORCH, FindingCode.TORCH_NO_KERNELS, **told, **more)
    return found(Check.TORCH, FindingCode.TORCH_BLIND, **told, **more)


def _seen(facts: Mapping[str, Any]) -> Iterator[tuple[str, tuple[int, int]]]:
    for device in facts.get("devices", ()):
        yield device["name"], (int(device["capability"][0]), int(device["capability"][1]))


def _major(version: str) -> int:
    return int(version.split(".")[0])


def _dotted(capability: tuple[int, int]) -> str:
    return "{}.{}".format(*capability) if capability > (0, 0) else ""
