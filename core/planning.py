"""A complete plan from what the wizard, or the command line, knows so far."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.catalog import STARTER, ModelSpec
from core.data.rows import DataReport
from core.gpu import Card
from core.plan import Method, TrainingPlan
from core.recommend import fitted, practice
from core.vram import Estimate, estimate
from core.wizard import WizardState

#: The documents' save interval (D0); shorter runs save at least TIMES_SAVED times.
SAVE_EVERY = 500
TIMES_SAVED = 5
#: The starter model was made for English and reads Chinese byte by byte: it needs more and larger steps
#: (measured on the Chinese sample: 9 of 10 questions after 119 such steps, 2 of 10 after 53 of the usual ones).
CHINESE_STARTER: dict[str, Any] = {"batch": 4, "learning_rate": 2e-3}
#: Below this many rows a validation share would take away more than it tells.
ROWS_TO_VALIDATE = 20


def plan_for(state: WizardState) -> TrainingPlan:
    """Return the recommended plan for the wizard's model and data. Raises ValueError when either is missing."""
    if state.model is None or state.report is None:
        raise ValueError("model and data come first")
    return make_plan(state.model, state.model_folder, state.report, state.card, state.method, state.goal)


def make_plan(
    model: ModelSpec,
    folder: Path | None,
    report: DataReport,
    card: Card | None,
    method: Method | None = None,
    goal: str = "medium",
) -> TrainingPlan:
    """Recommended settings for a model, data and card; steps, evaluation and save intervals follow the rows."""
    plan = _settings(model, card, method or Method.LORA, goal)
    if model.id == STARTER and _mostly_chinese(report):
        plan = replace(plan, **CHINESE_STARTER)
    named = str(folder) if model.source == "folder" and folder else model.id
    return with_intervals(replace(plan, model=named, data=report.files), report.usable)


def with_intervals(plan: TrainingPlan, rows: int) -> TrainingPlan:
    """Set save and evaluation intervals so that short runs have checkpoints and a validation curve too."""
    every = max(1, min(SAVE_EVERY, math.ceil(total_steps(plan, rows) / TIMES_SAVED)))
    share = plan.validation_share if rows >= ROWS_TO_VALIDATE else 0.0
    return replace(plan, save_every=every, evaluate_every=every, validation_share=share)


def training_rows(plan: TrainingPlan, rows: int) -> int:
    """Rows that train, after the validation share."""
    if plan.validation or not plan.validation_share or rows < ROWS_TO_VALIDATE:
        return rows
    return rows - max(1, round(rows * plan.validation_share))


def total_steps(plan: TrainingPlan, rows: int) -> int:
    """Optimizer steps of the run, as the trainer counts them: the last, smaller step of an epoch is one too."""
    if plan.steps:
        return plan.steps
    batches = math.ceil(training_rows(plan, rows) / plan.batch)
    per_epoch = max(1, math.ceil(batches / plan.accumulation))
    return max(1, math.ceil(per_epoch * plan.epochs))


def estimate_for(plan: TrainingPlan, model: ModelSpec) -> Estimate:
    """Predicted memory of the plan on a card."""
    return estimate(model.architecture, plan)


def _mostly_chinese(report: DataReport) -> bool:
    text = "".join(m.content for row in report.preview for m in row.messages)
    han = sum("\u4e00" <= letter <= "\u9fff" for letter in text)
    return han > 0.3 * len(text)


def _settings(model: ModelSpec, card: Card | None, method: Method, goal: str) -> TrainingPlan:
    known = practice(goal).plan
    if card is None:
        plan = replace(known, method=method)
    else:
        plan = replace(fitted(model, method, card.free_bytes, goal).plan, card=card.index)
    if model.id == STARTER:
        # a 135M model learns in minutes with a larger rate and more modules than the documents' models
        learned = {name: getattr(known, name) for name in ("learning_rate", "epochs", "dropout", "targets")}
        return replace(plan, **learned)
    if card is None:
        return replace(plan, learning_rate=TrainingPlan.learning_rate, epochs=TrainingPlan.epochs)
    return plan
