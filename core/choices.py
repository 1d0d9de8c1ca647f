"""Choices about an adapter beyond its size: how it starts, is scaled and learns, and which of them go together."""

from enum import StrEnum
from typing import Any, Protocol


class Initialisation(StrEnum):
    """What an adapter starts from.

    Its B is zero (default); the strongest directions of the weights (PiSSA, arXiv 2404.02948) or of the data's
    activations (EVA, 2410.07170); or what 4 bits lost of the weights (LoftQ, 2310.08659).
    """

    DEFAULT = "default"
    PISSA = "pissa"
    EVA = "eva"
    LOFTQ = "loftq"


class Bias(StrEnum):
    """Which biases of the base learn too (D4): none, all there are, or those of the adapted modules."""

    NONE = "none"
    ALL = "all"
    LORA_ONLY = "lora_only"


class Schedule(StrEnum):
    """How the learning rate goes on after the warm-up."""

    COSINE = "cosine"
    LINEAR = "linear"
    CONSTANT = "constant"


class Chosen(Protocol):
    """The choices of a plan, as far as they depend on each other."""

    @property
    def method(self) -> str: ...
    @property
    def rank(self) -> int: ...
    @property
    def initialisation(self) -> Initialisation: ...
    @property
    def dora(self) -> bool: ...
    @property
    def bias(self) -> Bias: ...
    @property
    def shallow_rank(self) -> int: ...


#: How the base must be held for an adapter to start from its weights (core.plan.Method); the others start anywhere.
_NEEDS = {Initialisation.PISSA: "lora", Initialisation.LOFTQ: "qlora"}


#: PiSSA's adapter holds the strongest part of the weights: to drop some of it would disturb the base itself.
SUITS_PISSA: dict[str, Any] = {"dropout": 0.0}


def conflict(plan: Chosen) -> str:
    """Why the choices do not go together, "" when they do."""
    needed = _NEEDS.get(plan.initialisation, plan.method)
    if plan.method != needed:
        return f"initialisation: {plan.initialisation} needs the method {needed}"
    if plan.dora and plan.method == "lora8":
        # bitsandbytes 0.50 loses an 8-bit weight's scales when they are read between two steps
        return "dora: needs the method lora or qlora"
    if plan.dora and plan.initialisation in _NEEDS:
        return f"initialisation: {plan.initialisation} and dora both change what the weights are made of"
    if plan.bias is not Bias.NONE and plan.method != "lora":
        # bitsandbytes turns biases back into 16 bits at every use: steps smaller than rounding would be lost
        return "bias: learns only with the method lora"
    if plan.shallow_rank > plan.rank:
        return "shallow_rank: larger than rank"
    return ""


def ranks_of(plan: Chosen, layers: int) -> tuple[int, int]:
    """How many layers, from the first on, have the shallow rank, and the sum of the ranks of all layers."""
    shallow = layers // 2 if plan.shallow_rank else 0
    return shallow, shallow * plan.shallow_rank + (layers - shallow) * plan.rank


def giving_way(plan: Chosen, **wanted: object) -> dict[str, Any]:
    """What goes back to its default so that `plan` can get the `wanted` method, DoRA, initialisation or bias."""
    asked = {
        "method": plan.method,
        "dora": plan.dora,
        "initialisation": plan.initialisation,
        "bias": plan.bias,
    } | wanted
    changed: dict[str, Any] = {}
    needed = _NEEDS.get(Initialisation(str(asked["initialisation"])))
    if needed not in (None, asked["method"]) and "initialisation" not in wanted:
        changed["initialisation"] = Initialisation.DEFAULT
    elif needed is not None and asked["dora"]:
        changed |= {"dora": False} if "initialisation" in wanted else {"initialisation": Initialisation.DEFAULT}
    rank = int(str(wanted.get("rank", plan.rank)))
    if plan.shallow_rank > rank:
        changed["shallow_rank"] = rank
    if wanted.get("initialisation") == Initialisation.PISSA and "dropout" not in wanted:
        changed |= SUITS_PISSA
    if asked["dora"] and asked["method"] == "lora8" and "dora" not in wanted:
        changed["dora"] = False
    if asked["method"] != "lora" and asked["bias"] is not Bias.NONE and "bias" not in wanted:
        changed["bias"] = Bias.NONE
    return changed
