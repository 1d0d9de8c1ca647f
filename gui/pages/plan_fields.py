"""The fields of a plan: the few that matter in sight, the rest folded, each with its recommended value."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from core.i18n import _
from core.plan import TARGETS, Method, Optimizer, TrainingPlan
from core.wording import goal_words, method_words
from gui.pages.adapter_fields import adapter_fields, refusal_words
from gui.pages.plan_budget import BudgetView
from gui.pages.plan_line import Field, Line
from gui.pages.plan_rules import rule_words
from gui.pages.step_fields import step_fields
from gui.pages.target_names import target_words
from gui.widgets.badge import Badge
from gui.widgets.buttons import Tile, button
from gui.widgets.fields import Choice, Real, Whole, short
from gui.widgets.text import column, label, line, row

#: Plan value → what the field shows.
GOALS = ("simple", "medium", "complex")
#: The technical fields in their order.
SECTIONS = {
    "adapter": ("alpha", "targets", "dropout", "shallow_rank", "rslora", "dora", "initialisation", "bias"),
    "steps": ("learning_rate", "schedule", "warmup", "weight_decay", "batch", "accumulation", "lora_plus", "neftune",
              "seed"),
    "memory": ("checkpointing", "optimizer", "packing"),
    "checks": ("validation_share", "evaluate_every", "patience", "sample_every"),
}  # fmt: skip


class PlanFields(QWidget):
    """`changed` carries the name of a plan value and what it should become."""

    changed = Signal(str, object)
    goal_changed = Signal(str)
    reset = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[str, Line] = {}
        self._goals: dict[str, Tile] = {}
        self._grids: list[QGridLayout] = []
        self._staged = False
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(16)
        outer.addLayout(self._build_goals())
        outer.addLayout(self._grid(self._simple()))
        # a danger in a field that is not shown must be seen all the same
        self._unseen = Badge("caution", wrap=True)
        self._unseen.setObjectName("unseen_danger")
        self._data_note = label("", "muted")
        outer.addWidget(self._unseen)
        outer.addWidget(self._data_note)
        simple = set(self.lines)
        self.advanced = QWidget()
        self.budget = BudgetView()
        expert = column(line(), *self._sections(), self.budget, spacing=16)
        self.advanced.setLayout(expert)
        self._technical = set(self.lines) - simple
        outer.addWidget(self.advanced)
        again = button(_("Back to the recommended values"), "reset_plan", self.reset.emit, kind="fold", icon="refresh")
        outer.addLayout(row(again, None))

    def _build_goals(self) -> QVBoxLayout:
        group = QButtonGroup(self)
        tiles = QHBoxLayout()
        tiles.setSpacing(8)
        titles = {"simple": _("Style"), "medium": _("Answers"), "complex": _("Deep knowledge")}
        for goal in GOALS:
            inner = column(label(titles[goal], "strong"), label(goal_words(goal), "small"), spacing=2)
            tile = Tile(f"goal_{goal}", inner, pad=12)
            tile.setAccessibleName(titles[goal])
            tile.clicked.connect(lambda _on=False, g=goal: self.goal_changed.emit(g))
            group.addButton(tile)
            self._goals[goal] = tile
            tiles.addWidget(tile, 1)
        return column(label(_("What is it for?"), "strong"), tiles)

    def _simple(self) -> list[tuple[str, Field, str, str, Callable[[Any], str]]]:
        methods = [(method, method_words(method)) for method in Method]
        rank = Whole("rank", _("Rank"), 1, 2048, (4, 8, 16, 32, 64, 128, 256))
        tokens = Whole("tokens", _("Longest row"), 16, 1_048_576, (256, 512, 1024, 2048, 4096, 8192, 16384))
        tokens.setSuffix(" " + _("tokens"))
        return [
            ("method", Choice("method", _("Method"), methods), _("&Method"),
             _("How the base model is held in memory while the adapter learns"), method_words),
            ("rank", rank, _("Ran&k"), _("How much the adapter can learn; more needs more memory"), str),
            ("tokens", tokens, _("&Longest row"), _("Longer rows are cut; memory grows with it"), str),
            ("epochs", Real("epochs", _("Epochs"), 0.01, 1000, 1), _("&Epochs"),
             _("How often every row is seen"), short),
        ]  # fmt: skip

    def _sections(self) -> list[QLabel | QGridLayout]:
        """The technical fields under titles, each title with a grid."""
        titles = {"adapter": _("Adapter"), "steps": _("Learning"), "memory": _("Memory and speed"),
                  "checks": _("Evaluation")}  # fmt: skip
        facts = {fact[0]: fact for fact in self._expert()}
        assert set(facts) == {name for names in SECTIONS.values() for name in names}
        found: list[QLabel | QGridLayout] = []
        for section, names in SECTIONS.items():
            found += [label(titles[section], "strong"), self._grid([facts[name] for name in names])]
        return found

    def _expert(self) -> list[tuple[str, Field, str, str, Callable[[Any], str]]]:
        targets = [(name, f"{target_words(name)} ({len(modules)})") for name, modules in TARGETS.items()]
        seed = Whole("seed", _("Seed"), 0, 2**31 - 1)
        ways = [("none", _("Off (fastest)")), ("4", _("Every 4th layer")), ("2", _("Every 2nd layer")),
                ("full", _("Every layer (least memory)"))]  # fmt: skip
        optimizers = [(Optimizer.ADAMW, "AdamW"), (Optimizer.ADAMW8BIT, _("AdamW, 8-bit"))]
        small: Callable[[float], str] = lambda value: short(value, small=True)  # noqa: E731 - a formatter, not a function
        return [
            ("alpha", Whole("alpha", _("Alpha"), 1, 8192, (8, 16, 32, 64, 128, 256, 512)), _("Alpha"),
             _("Strength of the adapter; usually twice the rank"), str),
            ("targets", Choice("targets", _("Target modules"), targets), _("Target modules"),
             _("Which parts of the model get an adapter"), target_words),
            ("dropout", Real("dropout", _("Dropout"), 0, 0.5, 0.05), _("Dropout"),
             _("Guards against learning by heart; 0 saves memory and time"), short),
            ("learning_rate", Real("learning_rate", _("Learning rate"), 1e-7, 1, 5e-5, small=True),
             _("Learning rate"), _("Size of each step"), small),
            ("batch", Whole("batch", _("Batch"), 1, 4096, (1, 2, 4, 8, 16, 32)), _("Batch"),
             _("Rows at a time; the first thing to lower when memory is short"), str),
            ("accumulation", Whole("accumulation", _("Accumulation"), 1, 4096, (1, 2, 4, 8, 16, 32)),
             _("Accumulation"), _("Batches per step"), str),
            ("warmup", Real("warmup", _("Warm-up"), 0, 0.5, 0.01), _("Warm-up"),
             _("Share of the steps with a growing learning rate"), short),
            ("validation_share", Real("validation_share", _("Validation share"), 0, 0.5, 0.05),
             _("Validation share"), _("Share of the rows that only check what was learned"), short),
            ("checkpointing", Choice("checkpointing", _("Recomputation"), ways), _("Recomputation"),
             _("Saves memory and costs time (gradient checkpointing)"), str),
            ("optimizer", Choice("optimizer", _("Optimizer"), optimizers), _("Optimizer"),
             _("8-bit needs a quarter of the optimizer's memory"), str),
            *step_fields(),
            *adapter_fields(),
            ("seed", seed, _("Seed"), _("The same seed makes the same run"), str),
        ]  # fmt: skip

    def _grid(self, fields: list[tuple[str, Field, str, str, Callable[[Any], str]]]) -> QGridLayout:
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 3)
        grid.setColumnStretch(2, 2)
        for name, field, words, hint, recommended in fields:
            made = Line(field, words, hint, recommended, rule_words(name))
            made.add_to(grid)
            self.lines[name] = made
            self._connect(name, field)
        self._grids.append(grid)
        return grid

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is room, all fields begin at the same place."""
        super().resizeEvent(event)
        for grid in self._grids:
            grid.setColumnMinimumWidth(0, 136 if self.width() > 440 else 96)

    def _connect(self, name: str, field: Field) -> None:
        if isinstance(field, Choice):
            field.currentIndexChanged.connect(lambda _index: self.changed.emit(name, field.value))
        else:
            field.valueChanged.connect(lambda value: self.changed.emit(name, value))

    def show_plan(self, plan: TrainingPlan, recommended: TrainingPlan, goal: str, *, practice: bool) -> None:
        """Show a plan beside the recommended one."""
        for name, made in self.lines.items():
            made.show(getattr(plan, name), getattr(recommended, name))
        for known, tile in self._goals.items():
            tile.setChecked(known == goal)
        # stages have epochs of their own
        self._staged = bool(plan.stages)
        self.lines["epochs"].field.setEnabled(not plan.stages)

    def refuse(self, name: str) -> None:
        """Say at a field why its new value could not be taken."""
        if name in self.lines and refusal_words(name):
            self.lines[name].say(refusal_words(name))

    def show_notes(self, notes: dict[str, str], told: dict[str, str]) -> None:
        """Show danger signals, else what is good to know, under the fields; the data's note stands by itself."""
        if self._staged:
            told = told | {"epochs": _("Every stage has epochs of its own: see Data, Files.")}
        for name, made in self.lines.items():
            warned = notes.get(name, "")
            made.say(warned or told.get(name, ""), "caution" if warned else "muted")
        folded = self.advanced.isHidden()
        unseen = [notes[name] for name in notes if name in self.lines and folded and name in self._technical]
        self._unseen.set("caution", "\n".join(unseen))
        self._unseen.setVisible(bool(unseen))
        self._data_note.setText(notes.get("data", ""))
        self._data_note.setVisible(bool(notes.get("data")))

    def set_advanced(self, shown: bool) -> None:
        """Show every field, or the few that matter."""
        self.advanced.setVisible(shown)

    def set_locked(self, locked: bool) -> None:
        """While a run trains its plan is only shown."""
        self.setEnabled(not locked)
