"""Observation: what was seen in a training, as a code with facts; core.wording.watch has the sentences."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How much an observation matters, worst first."""

    TROUBLE = "trouble"
    CAUTION = "caution"
    GOOD = "good"


class WatchCode(StrEnum):
    """Every code an Observation can carry. The comment lists the facts that come with it.

    Within a severity what comes first here matters most.
    """

    NOT_A_NUMBER = "not_a_number"  # steps (how many of the newest), learning_rate; or evaluation (its step)
    DIVERGING = "diverging"  # loss (now), lowest, learning_rate
    NOT_LEARNING = "not_learning"  # first_loss, loss; still: "gradient", "rate", "tokens" or "loss"
    MEMORY_SPILL = "memory_spill"  # usual, now (tokens a second), used_bytes, total_bytes
    NO_BETTER = "no_better"  # waited, best_step, best_loss, best_perplexity, perplexity; source D3
    OVERFITTING = "overfitting"  # training_loss, validation_loss, share (how far above), best_step, best_loss; D3
    MEMORISED = "memorised"  # loss, validation_loss (absent without validation)
    REPEATING = "repeating"  # answers, of, example; source D3
    SAME_ANSWER = "same_answer"  # answers, of, example
    DRIFTING = "drifting"  # answers, of; scripts (how many changed their script); source D3
    PLATEAU = "plateau"  # steps, loss
    THROTTLED = "throttled"  # usual, now, temperature
    SLOWER = "slower"  # usual, now
    GRADIENT_SPIKE = "gradient_spike"  # norm, usual, loss, rows ([[file, line], …], absent when nobody noted them)
    LEARNING = "learning"  # first_loss, loss; perplexity, before (absent without validation)


@dataclass(frozen=True)
class Observation:
    """Something seen at `step` that began at `since_step`; facts are plain numbers and strings."""

    code: WatchCode
    severity: Severity
    step: int
    since_step: int
    facts: dict[str, Any] = field(default_factory=dict)
