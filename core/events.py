"""What jobs say and hear: small frozen records; core.wire makes them lines of JSON.

Event
├── Stage                 what the job is busy with, with a count where there is one
├── StepDone              one optimizer step
├── Evaluated, Saved      one pass over the validation rows; a checkpoint or an adapter is complete on disk
├── Measured              memory, once a second, written by the parent
├── Noted                 something worth telling, as a code with facts
├── Contacted             a host on the network that the job speaks to
├── Fragment, Answered    a piece of an answer while it is being written; a whole one, and which weights gave it
├── Sampled               an answer while training goes on, to see what is being learned
├── Paused, WentOn        training waits, and why; training goes on
├── Predicted             memory of a plan, by the dry run
├── RowTokens, RowsFound, TokenTotals: rows as training sees them, token by token (core.tokens)
├── Diagnosed, Probed     what the doctor found, and a trial of its self-test (core.findings)
└── Last                  exactly one ends every job
    ├── Finished          with the job's result
    ├── Stopped           asked to stop; what is kept
    └── Failed            with a Problem
"""

import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from core.problems import Problem


class StageName(StrEnum):
    """What a job can be busy with."""

    STARTING = "starting"
    DOWNLOADING = "downloading"
    CONVERTING = "converting"
    READING = "reading"
    LOADING = "loading"
    ENCODING = "encoding"
    PROBING = "probing"
    TRAINING = "training"
    EVALUATING = "evaluating"
    SAVING = "saving"
    SETTLING = "settling"
    CLEANING = "cleaning"
    ANSWERING = "answering"
    MERGING = "merging"
    REPLAYING = "replaying"
    EXAMINING = "examining"
    MOVING = "moving"
    COMPARING = "comparing"


class Side(StrEnum):
    """Which weights gave an answer."""

    BASE = "base"
    TUNED = "tuned"
    MERGED = "merged"


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something a job said; `time` is seconds since the epoch."""

    time: float = field(default_factory=time.time)


@dataclass(frozen=True, kw_only=True)
class Stage(Event):
    """The job is busy with `stage`; `done` of `total` in `unit` ("bytes", "rows", …) when total > 0.

    A download also tells its `pace` (bytes a second, mean of the last seconds), the `seconds` it will still take (None
    while nobody can know), and `files_done` of `files`.
    """

    stage: StageName
    done: int = 0
    total: int = 0
    unit: str = ""
    pace: float = 0.0
    seconds: float | None = None
    files_done: int = 0
    files: int = 0


@dataclass(frozen=True, kw_only=True)
class StepDone(Event):
    """One optimizer step: mean loss over trained tokens, None when it was NaN or infinite.

    `rows` rows with `tokens` tokens were read, `trained_tokens` of these learned from; `seconds` is all that passed
    since the step before but evaluations, samples, saving and pauses. `peak_bytes` is torch's allocator's.
    """

    step: int
    total_steps: int
    epoch: float
    loss: float | None
    learning_rate: float
    gradient_norm: float | None = None
    trained_tokens: int = 0
    seconds: float = 0.0
    peak_bytes: int | None = None
    tokens: int = 0
    rows: int = 0


@dataclass(frozen=True, kw_only=True)
class Evaluated(Event):
    """Validation loss (mean over trained tokens) and perplexity = exp(loss) at `step`."""

    step: int
    loss: float | None
    perplexity: float | None


@dataclass(frozen=True, kw_only=True)
class Saved(Event):
    """A complete checkpoint or adapter is on disk; `path` is relative to the run folder."""

    step: int
    path: str


@dataclass(frozen=True, kw_only=True)
class Measured(Event):
    """Memory in use: of the card when there is one, else of the training process. Bytes."""

    used_bytes: int
    total_bytes: int
    on_card: bool
    temperature: int | None = None
    power_watts: float | None = None
    utilisation: int | None = None


@dataclass(frozen=True, kw_only=True)
class Noted(Event):
    """Something worth telling: a code that wording.py knows, with facts."""

    code: str
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Contacted(Event):
    """The job is about to speak to `host` on the network; told once for each host."""

    host: str


@dataclass(frozen=True, kw_only=True)
class Fragment(Event):
    """A piece of an answer as it is written."""

    side: Side
    text: str


@dataclass(frozen=True, kw_only=True)
class Answered(Event):
    """A whole answer, which weights gave it, and whether the length limit cut it."""

    side: Side
    question: str
    answer: str
    tokens: int = 0
    seconds: float = 0.0
    cut: bool = False


@dataclass(frozen=True, kw_only=True)
class Sampled(Event):
    """What `side` answers to `question` after `step` steps (0: before training); `cut` by the length limit.

    `expected` is the answer of the data where the question is a row of it.
    """

    step: int
    side: Side
    question: str
    answer: str
    expected: str = ""
    cut: bool = False


class Wait(StrEnum):
    """Why training waits."""

    USER = "user"
    TEMPERATURE = "temperature"
    POWER = "power"
    QUIET_HOURS = "quiet_hours"
    DISK = "disk"


@dataclass(frozen=True, kw_only=True)
class Paused(Event):
    """Training waits at `step`; with `released` its process has ended, a checkpoint kept, and the card is free."""

    step: int
    reason: Wait = Wait.USER
    released: bool = False


@dataclass(frozen=True, kw_only=True)
class WentOn(Event):
    """Training goes on after a pause of `seconds`."""

    step: int
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Predicted(Event):
    """Memory of a plan by the dry run: the answer to the `Predict` of that number; 0 is the job's own plan."""

    number: int
    total_bytes: int = 0
    items: dict[str, int] = field(default_factory=dict)
    trained_parameters: int = 0
    seconds: float = 0.0
    problem: Problem | None = None


@dataclass(frozen=True, kw_only=True)
class Last(Event):
    """Base of the one event that ends a job."""


@dataclass(frozen=True, kw_only=True)
class Finished(Last):
    """The job did all it was asked; `result` holds what the command line prints."""

    result: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Stopped(Last):
    """The job was asked to stop and did; a training run can go on from `step` when `resumable`."""

    step: int = 0
    resumable: bool = False


@dataclass(frozen=True, kw_only=True)
class Failed(Last):
    """The job ended on a problem; a training run can go on from its last checkpoint when `resumable`."""

    problem: Problem
    resumable: bool = False
