"""What jobs hear: small frozen commands; core.wire makes them lines of JSON.

Command
├── Stop                  end in good order and keep what is there
├── Pause, GoOn           a training waits; it goes on
├── Stay                  a training goes on when the window is gone
├── Say                   a chat answers
├── Predict               an open dry run predicts another plan
└── ShowRow, FindRow, CountTokens   open tokens show a row, find a text, add everything up
"""

from dataclasses import dataclass, field
from typing import Any

from core.events import Side, Wait


@dataclass(frozen=True, kw_only=True)
class Stop:
    """Command to a job: end in good order and keep what is there."""


@dataclass(frozen=True, kw_only=True)
class Pause:
    """Command to a training: wait before the next step, for `reason`, until `GoOn`; `release` frees the card too."""

    reason: Wait = Wait.USER
    release: bool = False


@dataclass(frozen=True, kw_only=True)
class GoOn:
    """Command to a paused training: go on."""


@dataclass(frozen=True, kw_only=True)
class Stay:
    """Command to a training: go on when whoever started it is gone."""


@dataclass(frozen=True, kw_only=True)
class Say:
    """Command to a chat: answer `messages` ({"role", "content"} each) with the weights in `sides`."""

    messages: tuple[dict[str, str], ...]
    sides: tuple[Side, ...] = (Side.BASE, Side.TUNED)
    max_new_tokens: int = 256
    temperature: float = 0.0
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Predict:
    """Command to an open dry run: predict `plan` (core.plan.TrainingPlan as plain values) and answer by `number`.

    `facts` are those of the job unless they are given.
    """

    number: int
    plan: dict[str, Any]
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ShowRow:
    """Command to open tokens: show `row` (from 0) token by token and answer by `number`."""

    number: int
    row: int


@dataclass(frozen=True, kw_only=True)
class FindRow:
    """Command to open tokens: name the rows that hold `text`, in upper or lower case, and answer by `number`."""

    number: int
    text: str


@dataclass(frozen=True, kw_only=True)
class CountTokens:
    """Command to open tokens: encode every training row and answer by `number` what comes of them."""

    number: int


Command = Stop | Pause | GoOn | Stay | Say | Predict | ShowRow | FindRow | CountTokens
