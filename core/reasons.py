"""Reason: why something is recommended or warned of, as a code with facts; wording.py has the sentences.

Every amount of memory is a fact that ends in `_bytes` (int), every card size one that ends in `_gb` (1e9,
marketing). `source` names the documents ("D3", "D1, D4") or "SoloTune" for rules of our own.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

#: `Reason.source` of a rule that no document states.
OURS = "SoloTune"


class ReasonCode(StrEnum):
    """Every code a Reason can carry. The comment lists the facts that come with it.

    Beside them are the documents' rules (core.advice.rules_about): rows of tiers.toml, whose codes begin with "doc_",
    and what is told before a start (core.learnable.CheckCode), whose codes begin with "learn_".
    """

    # Which tier the card's total memory falls into (recommend.py; tiers.toml).
    TIER = "tier"  # card_gb, low_gb, high_gb (0 = open), size_class, method, total_bytes; source D3
    TIER_OPEN = "tier_open"  # as TIER: the 20-24 GB that the documents leave open; source SoloTune
    TIER_BEYOND = "tier_beyond"  # as TIER + documents_gb: above the documents' last tier; source SoloTune

    # Which model stands for the tier's class, and why this method.
    MODEL_OF_CLASS = "model_of_class"  # model, title, parameters, size_class
    MODEL_CHOSEN = "model_chosen"  # the same: a model that somebody chose
    ROUGH_ESTIMATE = "rough_estimate"  # model, title, parameters: unknown layers, the dry run decides
    METHOD_LORA = "method_lora"  # size_class, method: 16-bit base, most precise, nothing to convert
    METHOD_LORA8 = "method_lora8"  # size_class, method: 8-bit base, best value for 7B from 10 GB (D3)
    METHOD_QLORA = "method_qlora"  # size_class, method: NF4 base, the only feasible one for 13B or little memory (D3)
    METHOD_NOT_ON_CARD = "method_not_on_card"  # method, needed, capability ("7.5"): the card cannot do it
    FP16_COMPUTE = "fp16_compute"  # needed, capability: no bf16, so fp16 with fp32 adapters

    # How it stands against the memory that is free now.
    FREE_LESS_THAN_TOTAL = "free_less_than_total"  # free_bytes, total_bytes, used_bytes
    FITS = "fits"  # needed_bytes, free_bytes, left_bytes, reserve_bytes
    NOT_FITTING = "not_fitting"  # needed_bytes, free_bytes, short_bytes, reserve_bytes

    # What was changed against the tier's proposal so that it fits; one Reason for each thing that changed.
    STEPPED_BATCH = "stepped_batch"  # before, after (rows in a micro-batch), accumulation: the effective batch stays
    STEPPED_CHECKPOINTING = "stepped_checkpointing"  # before, after ("none", "4", "2", "full")
    STEPPED_TOKENS = "stepped_tokens"  # before, after (longest sequence in tokens)
    STEPPED_METHOD = "stepped_method"  # before, after (method values)
    STEPPED_MODEL = "stepped_model"  # before, after (titles), before_parameters, after_parameters
    LARGER_BATCH = "larger_batch"  # before, after, accumulation: unpacking 4-bit weights less often is faster

    # What a step costs (ladder.py; published figures, not measured on this card).
    STEP_COST = "step_cost"  # percent: more time for as many tokens
    STEP_FREE = "step_free"  # percent 0
    STEP_FASTER = "step_faster"  # percent: less time

    # What a step or an alternative does to the result.
    QUALITY_SAME = "quality_same"
    QUALITY_LORA = "quality_lora"  # 16-bit base: the most exact way
    QUALITY_LORA8 = "quality_lora8"  # 8-bit base
    QUALITY_QLORA = "quality_qlora"  # low, high: per cent behind LoRA at most; source D3
    QUALITY_SMALLER = "quality_smaller"  # a smaller model knows less
    QUALITY_LARGER = "quality_larger"
    QUALITY_CUT = "quality_cut"  # tokens: what is behind them is not learned

    # Settings.
    RANK_BY_GOAL = "rank_by_goal"  # goal, rank, low, high; source "D1, D4"
    ALPHA_TWICE_RANK = "alpha_twice_rank"  # rank, alpha; source "D3, D4"
    TARGETS_ATTENTION = "targets_attention"  # targets ("recommended"); source "D1, D4"
    TARGETS_FULL = "targets_full"  # targets ("full"): new knowledge goes beyond attention; source D4
    LEARNING_RATE = "learning_rate"  # learning_rate; source D3
    NO_RECOMPUTATION = "no_recomputation"  # checkpointing "none": the memory allows the fastest way
    SOME_RECOMPUTATION = "some_recomputation"  # checkpointing ("4", "2", "full"): time for memory

    # The longest sequence against the rows' lengths in tokens (planning.py).
    LENGTH_WHOLE = "length_whole"  # tokens, longest: no row is cut
    LENGTH_CUTS = "length_cuts"  # rows_cut, tokens, longest, share: so many rows are longer

    # What an alternative offers, always the first reason of an alternative.
    ALTERNATIVE_SAFER = "alternative_safer"  # saved_bytes, needed_bytes, method, title: more headroom
    ALTERNATIVE_FASTER = "alternative_faster"  # before_parameters, after_parameters, title: a smaller model
    ALTERNATIVE_BIGGER = "alternative_bigger"  # before_parameters, after_parameters, title, needed_bytes
    ALTERNATIVE_PRECISER = "alternative_preciser"  # method, title, needed_bytes: 16-bit base
    EXPECTED_SPEED = "expected_speed"  # percent of the first suggestion's tokens per second

    # Practice mode, for a computer without an NVIDIA card.
    PRACTICE = "practice"  # model, title, parameters
    PRACTICE_SETTINGS = "practice_settings"  # learning_rate, epochs, tokens, batch, accumulation

    # Danger signals in a plan (advice.py): warn, never block; source D4.
    DANGER_OVER_REGULARISED = "danger_over_regularised"  # rank, dropout, rank_limit 256, dropout_limit 0.2
    DANGER_ALPHA_BELOW_RANK = "danger_alpha_below_rank"  # rank, alpha: capacity unused
    DANGER_SPREAD_THIN = "danger_spread_thin"  # rank, rank_limit 8, modules (count of module names)
    DANGER_LEARNING_RATE = "danger_learning_rate"  # learning_rate, limit 5e-4: unstable with QLoRA

    # Amount of data (advice.py).
    ROWS_FEW = "rows_few"  # rows, low 10000: augment or take a smaller model; source D3
    ROWS_CLEAR_GAIN = "rows_clear_gain"  # rows, low 10000, high 100000; source D3
    ROWS_BEYOND = "rows_beyond"  # rows, high 100000: quality before quantity; source D0


@dataclass(frozen=True)
class Reason:
    """A code of ReasonCode with its facts (plain numbers and strings), and the document it comes from."""

    code: str
    facts: dict[str, Any] = field(default_factory=dict)
    source: str = ""

    @property
    def warns(self) -> bool:
        """Whether this is a danger signal rather than an explanation."""
        return self.code.startswith("danger_")
