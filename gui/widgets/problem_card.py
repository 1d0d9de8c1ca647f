"""A problem in words: what happened, what it means, what to do, and a fold-out with the details."""

import json

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from core.i18n import _
from core.problems import Problem
from core.wording import action_label, explain
from gui import theme
from gui.icons import Icon
from gui.widgets.buttons import button
from gui.widgets.fold import Fold
from gui.widgets.text import column, label, row


class ProblemCard(QFrame):
    """Title, advice, one action; `acted` carries the action, `closed` says the user has read it."""

    acted = Signal(object)
    closed = Signal()

    def __init__(
        self, problem: Problem, *, actions: frozenset[str] | None = None, closable: bool = False
    ) -> None:
        """`actions` names those that the page can do; others get no button."""
        super().__init__()
        words = explain(problem)
        self.problem = problem
        self.setObjectName("problem_card")
        self.setProperty("role", "trouble")
        self.setAccessibleName(words.title)
        self.setAccessibleDescription(words.advice)
        self.title = label(words.title, "strong", name="problem_title")
        self.advice = label(words.advice, "body", name="problem_advice")
        self.advice.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._buttons = QHBoxLayout()
        inner = column(self.title, self.advice, self._buttons, self._details(problem), spacing=6)
        if words.action is not None and (actions is None or str(words.action) in actions):
            action = words.action
            self.add(button(action_label(action), "problem_action", lambda: self.acted.emit(action)))
        if closable:
            self.add(button(_("Close"), "problem_close", self.closed.emit))
        self._buttons.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(2 * theme.GRID, 12, 2 * theme.GRID, 12)
        icon = column(Icon("trouble", "trouble"))
        icon.addStretch(1)
        outer.addLayout(row(icon, inner, spacing=12))
        outer_row = outer.itemAt(0).layout()
        if isinstance(outer_row, QHBoxLayout):
            outer_row.setStretch(1, 1)

    def add(self, extra: QFrame | object) -> None:
        """Put another button beside the action."""
        self._buttons.insertWidget(max(self._buttons.count() - 1, 0) if self._has_stretch() else -1, extra)  # type: ignore[arg-type]

    def _has_stretch(self) -> bool:
        last = self._buttons.itemAt(self._buttons.count() - 1) if self._buttons.count() else None
        return last is not None and last.spacerItem() is not None

    def _details(self, problem: Problem) -> Fold:
        facts = json.dumps(problem.facts, ensure_ascii=False, indent=1, default=str)
        text = label(f"{problem.code}\n{facts}" if problem.facts else str(problem.code), "small")
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        return Fold(_("Details"), "problem_details", column(text))
