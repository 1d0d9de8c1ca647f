"""A complete plan from what the wizard, or the command line, knows so far."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.arrangement import arranged
from core.catalog import STARTER, ModelSpec
from core.data.letters import SLACK
from core.data.portions import held_back, portions
from core.data.rows import DataReport
from core.fit import UNFITTED, Constants
from core.fitting import Room
from core.gpu import Card
from core.plan import Method, TrainingPlan
from core.reasons import OURS, Reason, ReasonCode
from core.recommend import MODERN, fitted, practice
from core.shapes import FEWEST_TOKENS, least, shapes
from core.speed import recomputing
from core.tiers import rules
from core.wizard import WizardState

#: The documents' save interval (D0); shorter runs save at least TIMES_SAVED times.
SAVE_EVERY = 500
TIMES_SAVED = 5
#: The starter model was made for English and reads Chinese byte by byte: it needs more and larger steps
#: (measured on the Chinese sample: 9 of 10 questions after 119 such steps, 2 of 10 after 53 of the usual ones).
CHINESE_STARTER: dict[str, Any] = {"accumulation": 4, "learning_rate": 2e-3}
#: Below this many rows a validation share would take away more than it tells.
ROWS_TO_VALIDATE = 20
#: Lengths are multiples of this; a limit below SHORTEST saves nothing.
LENGTH_STEP = 64
SHORTEST = 128
#: The share of rows that stays whole when a few very long ones would cost too much.
KEPT_WHOLE = 0.99

#: Rows of all files, or of each.
Rows = int | Sequence[int]


def plan_for(state: WizardState, constants: Constants = UNFITTED) -> TrainingPlan:
    """Return the recommended plan for the wizard's model and data. Raises ValueError when either is missing."""
    if state.model is None or state.report is None:
        raise ValueError("model and data come first")
    plan = make_plan(
        state.model, state.model_folder, state.report, state.card, state.method, state.goal, constants=constants
    )
    plan = replace(plan, cleaning=state.cleaning, columns=state.columns, passage=state.passage)
    return with_intervals(arranged(plan, state.arrangement), rows_in(state.report))


def make_plan(
    model: ModelSpec,
    folder: Path | None,
    report: DataReport,
    card: Card | None,
    method: Method | None = None,
    goal: str = "medium",
    *,
    constants: Constants = UNFITTED,
) -> TrainingPlan:
    """Recommended settings for a model, data and card; steps, evaluation and save intervals follow the rows.

    The longest sequence follows the rows' lengths in tokens where they are known (see `length_reason`).
    `constants` are those of the card.
    """
    room = Room(card.free_bytes, goal, _capability(card), constants) if card else None
    plan = _settings(model, card, method or Method.LORA, goal, constants)
    if model.id == STARTER and _mostly_chinese(report):
        plan = replace(plan, **CHINESE_STARTER)
    if report.tokens:
        plan = _with_length(plan, model, report, room)
    elif room is not None and not room.holds(room.needs(model, plan)):
        # the starter model's own settings need more than those that were fitted
        plan = _fastest(plan, model, room) or least(plan)
    named = str(folder) if model.source == "folder" and folder else model.id
    return with_intervals(replace(plan, model=named, data=report.files), rows_in(report))


def with_intervals(plan: TrainingPlan, rows: Rows) -> TrainingPlan:
    """Set save and evaluation intervals so that short runs have checkpoints and a validation curve too."""
    every = max(1, min(SAVE_EVERY, math.ceil(total_steps(plan, rows) / TIMES_SAVED)))
    share = plan.validation_share if _sum(rows) >= ROWS_TO_VALIDATE else 0.0
    return replace(plan, save_every=every, evaluate_every=every, validation_share=share)


def rows_in(report: DataReport) -> Rows:
    """Rows to learn from in each file of a report, or in all where nobody counted them apart."""
    return report.by_file or report.learned


def training_rows(plan: TrainingPlan, rows: Rows, mixes: Mapping[str, int] | None = None) -> int:
    """Rows that an epoch trains: without the validation share, with the plan's mixes, in all its stages.

    `mixes` says how many rows the files of the mixes hold; else they hold as many as are asked for.
    """
    return sum(portion.rows for portion in portions(plan, _by_file(plan, rows), mixes))


def checking_rows(plan: TrainingPlan, rows: Rows) -> int:
    """Rows that are set aside to check with."""
    return sum(held_back(plan, _by_file(plan, rows)))


def total_steps(plan: TrainingPlan, rows: Rows, mixes: Mapping[str, int] | None = None) -> int:
    """Optimizer steps of the run, as the trainer counts them: the last, smaller step of an epoch is one too.

    Stages follow on each other without a border: only the last step of all may be smaller. `mixes` as in
    `training_rows`.
    """
    if plan.steps:
        return plan.steps
    found = portions(plan, _by_file(plan, rows), mixes)
    if plan.stages:
        return max(1, _steps(plan, sum(portion.seen for portion in found)))
    return max(1, math.ceil(max(1, _steps(plan, found[0].rows)) * plan.epochs))


def _steps(plan: TrainingPlan, rows: int) -> int:
    return math.ceil(math.ceil(rows / plan.batch) / plan.accumulation)


def _by_file(plan: TrainingPlan, rows: Rows) -> Sequence[int]:
    """The rows of each file of the plan; alike where only their sum is known."""
    if not isinstance(rows, int) and len(rows) == len(plan.data):
        return rows
    whole, rest = divmod(_sum(rows), len(plan.data))
    return [whole + (place < rest) for place in range(len(plan.data))]


def _sum(rows: Rows) -> int:
    return rows if isinstance(rows, int) else sum(rows)


def length_reason(plan: TrainingPlan, report: DataReport) -> Reason | None:
    """Say what the plan's longest sequence does to the rows; None when their lengths are not known."""
    if not report.tokens:
        return None
    facts = {"tokens": plan.tokens, "longest": report.tokens["longest"]}
    cut = report.rows_longer_than(plan.tokens)
    if cut:
        return Reason(ReasonCode.LENGTH_CUTS, facts | {"rows_cut": cut, "share": cut / max(1, report.learned)}, OURS)
    return Reason(ReasonCode.LENGTH_WHOLE, facts, OURS)


def _with_length(plan: TrainingPlan, model: ModelSpec, report: DataReport, room: Room | None) -> TrainingPlan:
    """The plan with the shortest length that cuts nothing, or next to nothing where that would cost too much."""
    most = model.context or math.inf
    slack = 1.0 if report.tokens_exact else SLACK
    whole = _rounded(report.tokens["longest"] * slack)
    if report.tokens["longest"] <= most:
        whole = int(min(whole, most))
    nearly = min(whole, _rounded(_keeping(report) * slack))
    if room is None:
        # a processor's time is short: rows are as long as practice allows, or shorter
        return replace(plan, tokens=int(min(whole, plan.tokens, most)))
    start = rules()["start"]
    rows = plan.effective_batch
    batch = math.gcd(start["batch"], rows)
    usual = replace(plan, batch=batch, accumulation=rows // batch, checkpointing=start["checkpointing"])
    small = _fastest(replace(usual, tokens=int(min(nearly, most))), model, room)
    if small is None:
        return _longest_that_fits(usual, model, room, int(min(nearly, most)))
    large = _fastest(replace(usual, tokens=whole), model, room) if whole <= most else None
    return large if large and recomputing(large) <= recomputing(small) else small


def _fastest(plan: TrainingPlan, model: ModelSpec, room: Room) -> TrainingPlan | None:
    """The fastest shape of a plan that fits, None when there is none."""
    if not room.holds(room.needs(model, least(plan))):
        return None
    return next((s for s in shapes(model.architecture, plan) if room.holds(room.needs(model, s))), None)


def _longest_that_fits(plan: TrainingPlan, model: ModelSpec, room: Room, wanted: int) -> TrainingPlan:
    """The longest sequence below `wanted` that fits at all; the smallest plan there is when none does."""
    smallest = least(replace(plan, tokens=min(wanted, FEWEST_TOKENS)))
    low, high = FEWEST_TOKENS // LENGTH_STEP, (wanted - 1) // LENGTH_STEP
    found = None
    while low <= high:
        middle = (low + high) // 2
        shape = _fastest(replace(plan, tokens=middle * LENGTH_STEP), model, room)
        if shape is None:
            high = middle - 1
        else:
            found, low = shape, middle + 1
    return found or smallest


def _keeping(report: DataReport) -> int:
    """The least length that keeps KEPT_WHOLE of the rows whole."""
    allowed = math.floor((1 - KEPT_WHOLE) * report.learned)
    bounds = (bound for bound, _rows in report.lengths if report.rows_longer_than(bound) <= allowed)
    return next(bounds, report.tokens["longest"])


def _rounded(tokens: float) -> int:
    return max(SHORTEST, math.ceil(tokens / LENGTH_STEP) * LENGTH_STEP)


def _capability(card: Card) -> tuple[int, int]:
    return card.capability if any(card.capability) else MODERN


def _mostly_chinese(report: DataReport) -> bool:
    text = "".join(m.content for row in report.preview for m in row.messages)
    han = sum("\u4e00" <= letter <= "\u9fff" for letter in text)
    return han > 0.3 * len(text)


def _settings(model: ModelSpec, card: Card | None, method: Method, goal: str, constants: Constants) -> TrainingPlan:
    known = practice(goal).plan
    if card is None:
        plan = replace(known, method=method)
    else:
        chosen = fitted(model, method, card.free_bytes, goal, capability=card.capability, constants=constants)
        plan = replace(chosen.plan, card=card.index)
    if model.id == STARTER:
        # a 135M model learns in minutes with a larger rate and more modules than the documents' models
        learned = {name: getattr(known, name) for name in ("learning_rate", "epochs", "dropout", "targets")}
        return replace(plan, **learned)
    if card is None:
        return replace(plan, learning_rate=TrainingPlan.learning_rate, epochs=TrainingPlan.epochs)
    return plan
