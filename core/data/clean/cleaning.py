"""Cleaning: which steps run and how, as a value that a plan keeps."""

import hashlib
from dataclasses import dataclass, replace
from enum import StrEnum

from core.data.rows import Conversation


class StepName(StrEnum):
    """The steps in the order in which they run: repairs first, so that repaired rows are found to be equal.

    Garbled text before invisible letters: half of its bytes are such letters, and without them nothing is repaired.
    """

    GARBLED = "garbled"
    INVISIBLE = "invisible"
    HTML = "html"
    PRIVATE = "private"
    SHORT = "short"
    LONG = "long"
    REFUSAL = "refusal"
    LOOP = "loop"
    TEMPLATE = "template"
    LANGUAGE = "language"
    EXACT = "exact"
    NEAR = "near"
    SAME_ANSWER = "same_answer"


class Mode(StrEnum):
    """What a step does with what it finds: nothing (it does not look), tell, or change or drop the row."""

    OFF = "off"
    REPORT = "report"
    ACT = "act"


class Keep(StrEnum):
    """Which row of near duplicates stays."""

    FIRST = "first"
    LONGEST = "longest"


@dataclass(frozen=True)
class Switch:
    """One step and what it does."""

    step: StepName
    mode: Mode


_ACTING = (
    StepName.GARBLED, StepName.INVISIBLE, StepName.HTML, StepName.SHORT, StepName.EXACT, StepName.NEAR,
)  # fmt: skip

#: What is repaired or dropped unless said otherwise is what nobody wants to teach; the rest is a matter of taste.
RECOMMENDED = tuple(Switch(step, Mode.ACT if step in _ACTING else Mode.REPORT) for step in StepName)


@dataclass(frozen=True)
class Cleaning:
    """What to clean. A step that `steps` does not name is off; `Cleaning(())` changes nothing.

    `similar` is the share of letter groups that near duplicates have in common (Jaccard, 0.5 to 1).
    `shortest` counts Latin letters; a Chinese one counts as three. `longest` is in tokens, estimated from letters.
    `private` names the kinds of private data to look for (core.data.private.Kind), all when empty.
    Rows whose `row_key` is in `except_rows` pass untouched. Raises ValueError for impossible values.
    """

    steps: tuple[Switch, ...] = RECOMMENDED
    similar: float = 0.8
    keep: Keep = Keep.FIRST
    shortest: int = 50
    longest: int = 8192
    private: tuple[str, ...] = ()
    except_rows: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0.5 <= self.similar <= 1:
            raise ValueError("similar: between 0.5 and 1")
        if self.shortest < 0 or self.longest < 1:
            raise ValueError("shortest: 0 or more; longest: 1 or more")
        if len({switch.step for switch in self.steps}) < len(self.steps):
            raise ValueError("steps: one of them is there twice")

    def mode(self, step: StepName) -> Mode:
        """What a step does."""
        return next((switch.mode for switch in self.steps if switch.step is step), Mode.OFF)

    def switched(self, step: StepName, mode: Mode) -> "Cleaning":
        """The same with one step switched."""
        modes = {switch.step: switch.mode for switch in self.steps} | {step: mode}
        return replace(self, steps=tuple(Switch(name, modes[name]) for name in StepName if name in modes))

    def excepting(self, *keys: str) -> "Cleaning":
        """The same with more rows left as they are."""
        return replace(self, except_rows=tuple(sorted({*self.except_rows, *keys})))

    def including(self, *keys: str) -> "Cleaning":
        """The same with rows that were excepted treated like the others again."""
        return replace(self, except_rows=tuple(key for key in self.except_rows if key not in keys))


def row_number(conversation: Conversation) -> int:
    """Return 64 bits that say what a row says, the same in every process and wherever the row stands."""
    said = hashlib.blake2b(digest_size=8)
    for message in conversation.messages:
        content = message.text.encode("utf-8", "surrogatepass")
        said.update(f"{message.role} {len(content)} ".encode("utf-8", "surrogatepass") + content)
    said.update(conversation.tools.encode("utf-8", "surrogatepass"))
    return int.from_bytes(said.digest())


def row_key(conversation: Conversation) -> str:
    """Return the key by which a row is excepted: 16 hexadecimal digits of what it says, before any cleaning.

    Rows that say the same have the same key: who keeps one duplicate keeps them all.
    """
    return f"{row_number(conversation):016x}"
