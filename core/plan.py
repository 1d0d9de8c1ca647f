"""TrainingPlan: everything a run needs, as one frozen value that is also a file."""

import json
import re
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from core.choices import Bias, Initialisation, Schedule, conflict, giving_way
from core.codec import CodecError, from_plain, to_plain
from core.data.clean.cleaning import Cleaning
from core.data.columns import Columns
from core.problems import Code, Trouble


class Method(StrEnum):
    """How the base model is held while the adapter learns."""

    LORA = "lora"
    LORA8 = "lora8"
    QLORA = "qlora"


class Loss(StrEnum):
    """How the loss head works: every logit at once, or tile by tile over trained tokens only."""

    PLAIN = "plain"
    CHUNKED = "chunked"


class Optimizer(StrEnum):
    """AdamW with fp32 states, or bitsandbytes' 8-bit AdamW."""

    ADAMW = "adamw"
    ADAMW8BIT = "adamw8bit"


_EVERY = re.compile("[1-9][0-9]{0,3}")

#: Target presets of the documents (D1, D4), in the module names of Llama-type models; core.engine.targets finds what
#: other models have in their place.
TARGETS: dict[str, tuple[str, ...]] = {
    "minimal": ("q_proj", "v_proj"),
    "standard": ("q_proj", "k_proj", "v_proj"),
    "recommended": ("q_proj", "k_proj", "v_proj", "o_proj"),
    "full": ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"),
}


@dataclass(frozen=True)
class Mix:
    """A file of which rows, general dialogue mostly, are mixed in against forgetting: `share` of all rows trained."""

    file: str
    share: float = 0.1

    def __post_init__(self) -> None:
        if not self.file or not 0.001 <= self.share <= 0.9:
            raise ValueError("mix: a file and a share of 0.001 to 0.9")


@dataclass(frozen=True)
class TrainingStage:
    """Files of the plan's `data` that are learned together, `epochs` times, before the next stage begins."""

    files: tuple[str, ...]
    epochs: float = 1.0

    def __post_init__(self) -> None:
        if not self.files or len(set(self.files)) < len(self.files) or not 0.01 <= self.epochs <= 1000:
            raise ValueError("stages: each has different files and 0.01 to 1000 epochs")


@dataclass(frozen=True)
class TrainingPlan:
    """What was asked of a run. Defaults follow the documents (domain rules, see resources/tiers.toml).

    `model` is a catalogue id or a folder; `data` and `validation` are files. `targets` is a preset name or
    module names separated by commas. `checkpointing` is "none", "full" or a number n (every n layers).
    `tokens` is the longest sequence. `steps` > 0 overrides `epochs`. `card` counts as NVML does.

    `weights` says for each file of `data` how often an epoch sees its rows (0.5: half of them); none is once each.
    `stages` are learned in their order, each for epochs of its own instead of `epochs`. `mix` adds rows of other
    files to every stage. `cleaning` says how rows are cleaned (None: not at all), `columns` and `passage` how files
    are read (core.data.inspect).

    With `packing` the rows of a step share sequences without padding, kept apart by a mask: the same learning, faster.
    After `patience` evaluations without a better perplexity training ends with the best adapter (0: never, and the
    last one is kept). Every `sample_every` steps the plan's `questions`, or rows, are
    answered (0: at evaluations, as often as time allows; core.rounds).

    `rslora` scales by alpha over the root of the rank (arXiv 2312.03732); `dora` learns the size of each row of a
    weight beside its direction (2402.09353); `lora_plus` is how many times faster B learns than A (2402.12354, 1: as
    fast); the first half of the layers has `shallow_rank` (D1; 0: the same as all); `neftune` is the noise on
    embeddings in training (2310.05914; 0: none).

    Raises ValueError for impossible values.
    """

    model: str
    data: tuple[str, ...]
    method: Method = Method.LORA
    rank: int = 16
    alpha: int = 32
    targets: str = "recommended"
    dropout: float = 0.05
    learning_rate: float = 2e-4
    epochs: float = 3.0
    steps: int = 0
    batch: int = 4
    accumulation: int = 4
    tokens: int = 1024
    warmup: float = 0.03
    weight_decay: float = 0.0
    validation: str = ""
    validation_share: float = 0.05
    evaluate_every: int = 0
    save_every: int = 500
    checkpointing: str = "none"
    optimizer: Optimizer = Optimizer.ADAMW
    loss: Loss = Loss.CHUNKED
    system: str = ""
    questions: tuple[str, ...] = ()
    seed: int = 42
    card: int = 0
    note: str = field(default="")
    mix: tuple[Mix, ...] = ()
    weights: tuple[float, ...] = ()
    stages: tuple[TrainingStage, ...] = ()
    cleaning: Cleaning | None = None
    columns: Columns | None = None
    passage: int = 0
    packing: bool = True
    patience: int = 3
    sample_every: int = 0
    rslora: bool = False
    dora: bool = False
    initialisation: Initialisation = Initialisation.DEFAULT
    lora_plus: float = 1.0
    shallow_rank: int = 0
    neftune: float = 0.0
    bias: Bias = Bias.NONE
    schedule: Schedule = Schedule.COSINE

    def __post_init__(self) -> None:
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"{name}: {value} is outside {low}..{high}")
        if not self.model:
            raise ValueError("model: empty")
        if not self.data:
            raise ValueError("data: no file")
        if self.checkpointing not in ("none", "full") and not _EVERY.fullmatch(self.checkpointing):
            raise ValueError(f"checkpointing: {self.checkpointing!r} is not none, full or a number")
        if not self.target_modules:
            raise ValueError("targets: empty")
        if found := conflict(self):
            raise ValueError(found)
        self._check_data()

    def _check_data(self) -> None:
        if self.weights and len(self.weights) != len(self.data):
            raise ValueError("weights: one for each file of data")
        if not all(0.01 <= weight <= 100 for weight in self.weights):
            raise ValueError("weights: 0.01 to 100")
        if self.mix and len({mix.file for mix in self.mix} | set(self.data)) < len(self.mix) + len(set(self.data)):
            raise ValueError("mix: each file once, and none that is in data")
        if sum(mix.share for mix in self.mix) > 0.9:
            raise ValueError("mix: more than 0.9 of all rows")
        if self.stages and {name for stage in self.stages for name in stage.files} != set(self.data):
            raise ValueError("stages: exactly the files of data")
        if self.stages and self.steps:
            raise ValueError("steps: stages have epochs")
        if (self.stages or self.weights) and len(set(self.data)) < len(self.data):
            raise ValueError("data: each file once")

    @property
    def target_modules(self) -> tuple[str, ...]:
        """Module names that get an adapter, from the preset or the given list."""
        named = tuple(part.strip() for part in self.targets.split(",") if part.strip())
        return TARGETS.get(self.targets, named)

    @property
    def effective_batch(self) -> int:
        """Rows per optimizer step."""
        return self.batch * self.accumulation

    def save(self, path: Path) -> None:
        """Write the plan as indented JSON."""
        text = json.dumps(to_plain(self), ensure_ascii=False, indent=2) + "\n"
        # file names that are no text stay as JSON's own escapes
        path.write_text(text, encoding="utf-8", errors="backslashreplace")


_RANGES: tuple[tuple[str, float, float], ...] = (
    ("rank", 1, 2048),
    ("alpha", 1, 8192),
    ("dropout", 0.0, 0.5),
    ("learning_rate", 1e-7, 1.0),
    ("epochs", 0.01, 1000),
    ("steps", 0, 10_000_000),
    ("batch", 1, 4096),
    ("accumulation", 1, 4096),
    ("tokens", 16, 1_048_576),
    ("warmup", 0.0, 0.5),
    ("weight_decay", 0.0, 1.0),
    ("validation_share", 0.0, 0.5),
    ("evaluate_every", 0, 10_000_000),
    ("save_every", 1, 10_000_000),
    ("seed", 0, 2**31 - 1),
    ("card", 0, 255),
    ("passage", 0, 1_000_000),
    ("patience", 0, 1000),
    ("sample_every", 0, 10_000_000),
    ("lora_plus", 1.0, 64.0),
    ("shallow_rank", 0, 2048),
    ("neftune", 0.0, 100.0),
)


def with_method(plan: TrainingPlan, method: Method) -> TrainingPlan:
    """The plan with another method; choices that the method cannot have go back to their defaults."""
    return replace(plan, method=method, **giving_way(plan, method=method))


def load_plan(path: Path) -> TrainingPlan:
    """Read a plan file. Raises Trouble(PLAN_INVALID) with what is wrong with it."""
    try:
        return from_plain(TrainingPlan, json.loads(path.read_text(encoding="utf-8-sig")))
    except (FileNotFoundError, NotADirectoryError):
        raise Trouble(Code.PLAN_INVALID, path=path, reason="missing") from None
    except IsADirectoryError:
        raise Trouble(Code.PLAN_INVALID, path=path, reason="folder") from None
    except (CodecError, ValueError, RecursionError) as error:
        raise Trouble(Code.PLAN_INVALID, path=path, reason=str(error)[:300]) from None
