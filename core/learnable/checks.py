"""What "Will it learn?" answers with: checks, each with a level, a reason and perhaps a fix that is a whole plan."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from core.plan import TrainingPlan
from core.reasons import Reason


class Level(StrEnum):
    """How much a check matters, worst first. Only a blocker keeps a run from starting."""

    BLOCKER = "blocker"
    WARNING = "warning"
    NOTE = "note"
    GOOD = "good"


class CheckCode(StrEnum):
    """The codes of checks, with their facts; beside them are ReasonCode.DANGER_*, ROWS_* and LENGTH_WHOLE."""

    # Blockers: nothing would be learned.
    NO_ROWS = "learn_no_rows"  # rejected
    CLEANED_AWAY = "learn_cleaned_away"  # rows: cleaning leaves none of them
    NOTHING_TRAINED = "learn_nothing_trained"  # rows, tokens: all answers begin behind the longest sequence
    FAILED = "learn_failed"  # rows: the template cannot write them
    ENDLESS = "learn_endless"  # rows: their end-of-turn token is not trained
    WARMUP_ONLY = "learn_warmup_only"  # steps: all of them are warm-up, which begins with a rate of zero

    # Rows and tokens.
    REJECTED = "learn_rejected"  # rejected, share
    INCOMPLETE = "learn_incomplete"  # rows: the reading was stopped
    FILE_EMPTY = "learn_file_empty"  # file: a file or a stage without a row
    MIXED_SHAPES = "learn_mixed_shapes"  # shapes (count)
    RUNNING_TEXT = "learn_running_text"  # rows
    MIX_LARGE = "learn_mix_large"  # share of rows that are mixed in
    NO_GENERAL = "learn_no_general"  # share (the documents' 10 %)
    SKIPPED = "learn_skipped"  # rows, share: nothing to train on is left of them
    CUT = "learn_cut"  # rows, share, tokens, longest
    BEYOND_CONTEXT = "learn_beyond_context"  # rows, context, tokens
    CONTEXT_UNCOUNTED = "learn_context_uncounted"  # tokens, context: nobody counted the rows' tokens
    TRAINED_FEW = "learn_trained_few"  # trained, each (tokens a row)
    TRAINED = "learn_trained"  # the same, and good
    PROMPTS_LONG = "learn_prompts_long"  # share of tokens that are trained

    # Steps.
    STEPS_FEW = "learn_steps_few"  # steps, low
    STEPS_GOOD = "learn_steps_good"  # steps, each (steps an epoch)
    ONE_STEP = "learn_one_step"  # rows, effective: an epoch is one step
    EPOCHS_MANY = "learn_epochs_many"  # epochs, most
    ROWS_UNSEEN = "learn_rows_unseen"  # share of the rows that no step sees

    # What the rows say.
    NOT_CLEANED = "learn_not_cleaned"  # low, high: what cleaning is worth in per cent
    EXACT = "learn_exact"  # rows, share
    NEAR = "learn_near"
    GARBLED = "learn_garbled"
    INVISIBLE = "learn_invisible"
    HTML = "learn_html"
    PRIVATE = "learn_private"
    SHORT = "learn_short"
    REFUSAL = "learn_refusal"
    LOOP = "learn_loop"
    TEMPLATE = "learn_template"
    LANGUAGE = "learn_language"
    SAME_ANSWER = "learn_same_answer"
    ONE_ANSWER = "learn_one_answer"  # share of the rows that all have the same answer
    SHORT_ANSWERS = "learn_short_answers"  # share
    CLEAN = "learn_clean"  # rows: every step of the cleaning looked and nothing is left to do

    # The model.
    MODEL_LANGUAGE = "learn_model_language"  # script, title
    TEMPLATE_FALLBACK = "learn_template_fallback"  # no facts
    TEMPLATE_OPEN = "learn_template_open"  # no facts: the template does not end an answer, SoloTune does

    # Rows to check with.
    NO_VALIDATION = "learn_no_validation"  # no facts
    VALIDATION_TOO_FEW = "learn_validation_too_few"  # rows: too few to set some aside
    VALIDATION_SMALL = "learn_validation_small"  # rows
    VALIDATION_SAME = "learn_validation_same"  # no facts: a file is in both
    VALIDATION_ONCE = "learn_validation_once"  # every, steps
    OVERLAP = "learn_overlap"  # rows, share
    VALIDATION_GOOD = "learn_validation_good"  # rows

    # Settings.
    RATE_HIGH = "learn_rate_high"  # learning_rate, limit
    RATE_LOW = "learn_rate_low"  # learning_rate, limit
    RANK_SMALL = "learn_rank_small"  # rank, trained, parameters
    RANK_LARGE = "learn_rank_large"  # rank, rows
    DROPOUT_NONE = "learn_dropout_none"  # rows
    WARMUP_LONG = "learn_warmup_long"  # share


@dataclass(frozen=True)
class Fix:
    """A plan in which a check is put right; `name` and `facts` are what its button says (core.wording.fix_words)."""

    name: str
    plan: TrainingPlan
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. `about` is a field of the plan, or a step of the cleaning, or "" for neither."""

    level: Level
    reason: Reason
    about: str = ""
    fix: Fix | None = None

    @property
    def code(self) -> str:
        """The code of the reason: a CheckCode, or a ReasonCode."""
        return self.reason.code

    @property
    def facts(self) -> dict[str, Any]:
        """The facts of the reason."""
        return self.reason.facts

    @property
    def source(self) -> str:
        """The document that says so, or "SoloTune"."""
        return self.reason.source
