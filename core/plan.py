"""TrainingPlan: everything a run needs, as one frozen value that is also a file."""

import json
import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from core.codec import CodecError, from_plain, to_plain
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

#: Target presets of the documents (D1, D4), in the module names of Llama-type models.
TARGETS: dict[str, tuple[str, ...]] = {
    "minimal": ("q_proj", "v_proj"),
    "standard": ("q_proj", "k_proj", "v_proj"),
    "recommended": ("q_proj", "k_proj", "v_proj", "o_proj"),
    "full": ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"),
}


@dataclass(frozen=True)
class TrainingPlan:
    """What was asked of a run. Defaults follow the documents (domain rules, see resources/tiers.toml).

    `model` is a catalogue id or a folder; `data` and `validation` are files. `targets` is a preset name or
    module names separated by commas. `checkpointing` is "none", "full" or a number n (every n layers).
    `tokens` is the longest sequence. `steps` > 0 overrides `epochs`. `card` counts as NVML does.
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
)


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
