"""The one place for words: trouble, stages, reasons, names and numbers, in the language in use."""

from core.wording.cards import card_notes, close_words, live_words, program_words, technical_words
from core.wording.documents import topic_words
from core.wording.learnable import fix_words, level_words
from core.wording.names import (
    blocker_words,
    goal_words,
    method_words,
    part_hint,
    part_words,
    shape_words,
    stage_words,
    state_words,
    step_words,
)
from core.wording.notes import note_words
from core.wording.numbers import about, count, duration, energy, gigabytes, percent
from core.wording.problems import explain
from core.wording.reasons import reason_words, row_problem_words, sourced_words
from core.wording.sentences import joined, parameters
from core.wording.words import Action, Words, action_label

__all__ = [
    "Action",
    "Words",
    "about",
    "action_label",
    "blocker_words",
    "card_notes",
    "close_words",
    "count",
    "duration",
    "energy",
    "explain",
    "fix_words",
    "gigabytes",
    "goal_words",
    "joined",
    "level_words",
    "live_words",
    "method_words",
    "note_words",
    "parameters",
    "part_hint",
    "part_words",
    "percent",
    "program_words",
    "reason_words",
    "row_problem_words",
    "shape_words",
    "sourced_words",
    "stage_words",
    "state_words",
    "step_words",
    "technical_words",
    "topic_words",
]
