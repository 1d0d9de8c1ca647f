"""A problem in words: what happened, what it means, what to do, and a fold-out with the details."""

import json
import platform
import sys

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLayout, QPushButton, QVBoxLayout

from core.doctor.worth import doctor_for
from core.i18n import _
from core.problems import Problem
from core.wording import Action, action_label, explain
from gui import theme
from gui.calls import call_doctor
from gui.icons import Icon
from gui.widgets.buttons import button
from gui.widgets.fold import Fold
from gui.widgets.text import column, label, row


class ProblemCard(QFrame):
    """Title, advice, one action; `acted` carries the action, `closed` says the user has read it."""

    acted = Signal(object)
    closed = Signal()

    #: The icon, and its colour.
    ICON = ("trouble", "trouble")

    def __init__(self, problem: Problem, *, actions: frozenset[str] | None = None, closable: bool = False) -> None:
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
        self._buttons.addStretch(1)
        self._body = inner = column(self.title, self.advice, self._buttons, self._details(problem), spacing=6)
        if words.action is Action.REPORT:
            self.add(button(action_label(Action.REPORT), "problem_report", self._copy))
        elif words.action is not None and (actions is None or words.action in actions):
            action = words.action
            self.add(button(action_label(action), "problem_action", lambda: self.acted.emit(action)))
        checks = doctor_for(problem)
        if checks:
            self.add(button(_("Ask the doctor"), "problem_doctor", lambda: call_doctor(self, checks)))
        if closable:
            self.add(button(_("Close"), "problem_close", self.closed.emit))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(2 * theme.GRID, 12, 2 * theme.GRID, 12)
        icon = column(Icon(*self.ICON))
        icon.addStretch(1)
        line = row(icon, inner, spacing=12)
        line.setStretch(1, 1)
        outer.addLayout(line)

    def add(self, extra: QPushButton) -> None:
        """Put another button beside the action."""
        self._buttons.insertWidget(self._buttons.count() - 1, extra)

    def insert(self, extra: QLayout, *, behind: bool = False) -> None:
        """Put more between the advice and the buttons, or `behind` these."""
        self._body.insertLayout(3 if behind else 2, extra)

    def _copy(self) -> None:
        """Put everything that is known of the problem on the clipboard."""
        facts = json.dumps(self.problem.facts, ensure_ascii=False, indent=1, default=str)
        report = (
            self.title.text(),
            self.advice.text(),
            str(self.problem.code),
            facts,
            sys.version,
            platform.platform(),
        )
        QGuiApplication.clipboard().setText("\n".join(report))

    def _details(self, problem: Problem) -> Fold:
        facts = json.dumps(problem.facts, ensure_ascii=False, indent=1, default=str)
        text = label(f"{problem.code}\n{facts}" if problem.facts else str(problem.code), "small")
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        return Fold(_("Details"), "problem_details", column(text))
