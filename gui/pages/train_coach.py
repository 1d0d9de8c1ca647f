"""The coach beside the charts: what is observed in a training, worst first, what it means, and what can be done."""

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from core.history import RunHistory
from core.i18n import _
from core.plan import TrainingPlan
from core.watch import Observation, Remedy, Severity, observe, remedies
from core.wording import Action, action_label
from core.wording.watch import observation_words, remedy_words, severity_words
from gui.icons import Icon
from gui.widgets.buttons import Chip, button
from gui.widgets.text import clear, column, label, panel, row

_MATTER = (Severity.TROUBLE, Severity.CAUTION)
SEVERITY_ICONS = {Severity.TROUBLE: "trouble", Severity.CAUTION: "warning", Severity.GOOD: "done"}
#: Remedies that one observation offers.
MOST = 2


class CoachPanel(QWidget):
    """`acted` carries the Action that was pressed, `planned` the plan of a remedy, `step_asked` a step to look at."""

    acted = Signal(object)
    planned = Signal(object)
    step_asked = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("coach")
        self._shown: object = None
        #: Severity and title of what matters most, None while nothing does.
        self.worst: tuple[Severity, str] | None = None
        frame, inner = panel()
        inner.addWidget(label(_("How it goes"), "strong"))
        self._list = QVBoxLayout()
        self._list.setSpacing(16)
        inner.addLayout(self._list)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)

    def set(self, history: RunHistory, plan: TrainingPlan | None, offered: frozenset[Action]) -> None:
        """Judge the history; `offered` are the actions that make sense now."""
        seen = observe(history, plan) if plan is not None else ()
        said = [(each, observation_words(each)) for each in seen]
        shown = ([(each.code, words) for each, words in said], offered, plan)
        if shown == self._shown:
            return
        self._shown = shown
        self.worst = next(((each.severity, words.title) for each, words in said if each.severity in _MATTER), None)
        clear(self._list)
        known: list[Remedy] = []
        for each, words in said:
            helpful = remedies(each, plan, history.total_steps) if plan is not None else ()
            found = [remedy for remedy in helpful if remedy not in known][:MOST]
            known += found
            action = words.action if words.action in offered else None
            self._list.addWidget(self._note(each, words.title, words.advice, action, found))
        if not seen:
            running = history.last is None
            quiet = _("Nothing stands out so far.") if running else _("Nothing stood out at the end.")
            self._list.addWidget(label(quiet, "muted"))

    def _note(self, each: Observation, title: str, advice: str, action: Action | None, found: list[Remedy]) -> QWidget:
        tone = str(each.severity)
        head = label(title, "body" if each.severity is Severity.GOOD else "strong", name=f"observed_{each.code}")
        head.setAccessibleName(f"{severity_words(tone)}: {title}")
        words = column(head, spacing=6)
        if advice:
            words.addWidget(label(advice, "muted"))
        words.addLayout(self._buttons(each, action))
        if found:
            words.addWidget(label(_("For the next run:"), "small"))
            words.addLayout(column(*(_beside(self._chip(remedy, title)) for remedy in found), spacing=6))
        icon = Icon(SEVERITY_ICONS[each.severity], tone, 16)
        icon.setToolTip(severity_words(tone))
        line = row(spacing=8)
        line.addWidget(icon, 0, Qt.AlignmentFlag.AlignTop)
        line.addLayout(words, 1)
        whole = QWidget()
        whole.setLayout(line)
        return whole

    def _buttons(self, each: Observation, action: Action | None) -> QVBoxLayout:
        found = column(spacing=6)
        if each.facts.get("rows"):
            show = button(_("Show its rows"), "show_rows", partial(self.step_asked.emit, each.step))
            found.addLayout(row(show, None))
        if action is not None:
            act = button(action_label(action), f"coach_{action}", lambda: self.acted.emit(action))
            found.addLayout(row(act, None))
        return found

    def _chip(self, remedy: Remedy, why: str) -> Chip:
        said = remedy_words(remedy)
        chip = Chip(said, f"remedy_{remedy.name}")
        chip.setMaximumWidth(chip.fontMetrics().horizontalAdvance(said) + 32)
        chip.setAccessibleDescription(why)
        chip.clicked.connect(lambda: self.planned.emit(remedy.plan))
        return chip


def _beside(chip: Chip) -> QHBoxLayout:
    """A chip at the left of its line, as wide as its words need."""
    line = row(chip)
    line.setStretch(0, 1)
    line.addStretch(0)
    return line


def offers(*, here: bool, waiting: bool, best: bool, over: bool) -> frozenset[Action]:
    """The actions that a note may offer, by whether the run goes on here, waits, has evaluations, or is over."""
    found = {Action.CHANGE_PLAN, Action.TRY_SMALLER} if over else set()
    if here:
        found |= {Action.STOP_KEEP_BEST} if best else set()
        found |= set() if waiting else {Action.PAUSE}
    return frozenset(found)
