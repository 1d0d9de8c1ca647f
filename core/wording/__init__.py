"""The one place for words: trouble, stages, reasons, names and numbers, in the language in use."""

from core.wording.names import (
    blocker_words,
    goal_words,
    method_words,
    part_words,
    shape_words,
    stage_words,
    state_words,
    step_words,
)
from core.wording.numbers import count, duration, gigabytes, percent
from core.wording.problems import explain
from core.wording.reasons import note_words, reason_words, row_problem_words, sourced_words
from core.wording.sentences import joined, parameters
from core.wording.words import Action, Words, action_label

__all__ = [
    "Action",
    "Words",
    "action_label",
    "blocker_words",
    "count",
    "duration",
    "explain",
    "gigabytes",
    "goal_words",
    "joined",
    "method_words",
    "note_words",
    "parameters",
    "part_words",
    "percent",
    "reason_words",
    "row_problem_words",
    "shape_words",
    "sourced_words",
    "stage_words",
    "state_words",
    "step_words",
]
