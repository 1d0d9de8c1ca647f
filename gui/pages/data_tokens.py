"""The token view: any row as training sees it, token by token, beside the exact text that chat hands to the model."""

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QIntValidator
from PySide6.QtWidgets import QBoxLayout, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from core.commands import CountTokens, FindRow, ShowRow
from core.data.rows import Conversation
from core.events import Failed, Last, Stage, StageName
from core.i18n import _
from core.jobs.jobs import TokensJob
from core.plan import TrainingPlan
from core.tokens import Kind, RowsFound, RowTokens, TokenTotals
from core.wording import count
from gui.jobs import JobRunner, JobThread, Lane
from gui.pages.data_totals import TotalsView
from gui.pages.data_touched import place
from gui.widgets.badge import Badge
from gui.widgets.buttons import button
from gui.widgets.problem_card import ProblemCard
from gui.widgets.progress import ProgressLine
from gui.widgets.text import Elided, clear, column, label, line, row
from gui.widgets.token_view import TokenSample, TokenView, kind_words

#: Letters of a row that it is looked up by.
_KNOWN_BY = 120
#: More rows than this are counted when the user asks for it: no row can be shown in the meantime.
COUNTED_AT_ONCE = 20_000
#: Milliseconds after a report before its tokens are counted without being asked for.
SOON = 1200


class TokensView(QWidget):
    """Opens the rows in a child process when it is first shown; `plan` is the one whose data and length count.

    `counted` carries the TokenTotals of all rows, unless they were known before.
    """

    counted = Signal(object)

    def __init__(
        self, runner: JobRunner, plan: TrainingPlan, steps: str = "", totals: TokenTotals | None = None
    ) -> None:
        super().__init__()
        self.setObjectName("tokens")
        self._runner, self.plan = runner, plan
        self._thread: JobThread | None = None
        self._ready = self._failed = False
        self._number = 0
        self._row, self._of = 0, 0
        self._found: tuple[int, ...] = ()
        self._waiting: list[ShowRow | FindRow | CountTokens] = []
        self._known = totals is not None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(SOON)
        self._soon.timeout.connect(self.open)
        self._totals = TotalsView(plan, totals)
        self._totals.asked.connect(self._count_all)
        self._build(steps)

    def _build(self, steps: str) -> None:
        self._progress = ProgressLine("cancel_tokens", cancel=False)
        self._problems = QVBoxLayout()
        self._body = QWidget()
        self._body.hide()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(8)
        outer.addWidget(self._progress)
        outer.addLayout(self._problems)
        outer.addWidget(self._body, 1)
        self._previous = button(_("Previous row"), "previous_row", lambda: self.show_row(self._row - 1), kind="quiet")
        self._next = button(_("Next row"), "next_row", lambda: self.show_row(self._row + 1), kind="quiet")
        self._jump = QLineEdit()
        self._jump.setObjectName("jump_token_row")
        self._jump.setFixedWidth(72)
        self._jump.setAccessibleName(_("Row number"))
        self._jump.returnPressed.connect(lambda: self.show_row(int(self._jump.text() or 1) - 1))
        self._rows_in_all = label("", "muted", wrap=False)
        self._search = QLineEdit(placeholderText=_("Search in all rows"))
        self._search.setObjectName("search_tokens")
        self._search.setAccessibleName(self._search.placeholderText())
        self._search.returnPressed.connect(self._find)
        head = row(self._previous, self._jump, self._rows_in_all, self._next, spacing=8)
        head.addWidget(self._search, 1)
        self._facts = label("", "strong", name="token_facts")
        self._place = Elided("", "small")
        self.view = TokenView()
        self._here = Elided("", "small")
        self.view.pointed.connect(lambda number: self._here.setText(self.view.words(number)))
        self._prompt = QPlainTextEdit(readOnly=True)
        self._prompt.setObjectName("prompt")
        self._prompt.setAccessibleName(_("What chat hands to the model"))
        self._as_in_chat = Badge("good", "", wrap=True, role="small")
        left = column(self._facts, self._place, self.view, self._here, spacing=4)
        left.setStretch(2, 1)
        right = column(label(_("What chat hands to the model"), "strong"), self._prompt, self._as_in_chat, spacing=4)
        right.setStretch(1, 1)
        sides = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        sides.setSpacing(24)
        sides.addLayout(left, 3)
        sides.addLayout(right, 2)
        inner = QVBoxLayout(self._body)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(8)
        inner.addLayout(head)
        inner.addLayout(sides, 1)
        inner.addLayout(_legend())
        self._steps = label(steps, "muted")
        inner.addWidget(line())
        inner.addWidget(self._totals)
        inner.addWidget(self._steps)
        self.show_plan(self.plan, steps)

    def show_plan(self, plan: TrainingPlan, steps: str) -> None:
        """Show what the rows come to in a plan; one whose rows become the same tokens."""
        self.plan = plan
        self._totals.show_plan(plan)
        self._steps.setText(steps)
        self._steps.setVisible(bool(steps) and not (self._known and self._totals.tells_steps))

    def open(self) -> None:
        """Start reading, once."""
        if self._thread is None and not self._ready:
            clear(self._problems)
            self._progress.show()
            self._progress.begin(_("Turning the rows into tokens"))
            self._thread = self._runner.start(TokensJob(self.plan), self._heard, lane=Lane.BESIDE, grace=0.3)

    def open_soon(self) -> None:
        """Start in a moment, when there is something to count."""
        if not self._known and self._thread is None and not self._ready and not self._failed:
            self._soon.start()

    def show_row(self, number: int) -> None:
        """Ask for a row by its number, from 0."""
        if self._of:
            number = max(0, min(number, self._of - 1))
        self._number += 1
        self._ask(ShowRow(number=self._number, row=number))

    def show_conversation(self, conversation: Conversation) -> None:
        """Ask for the row that says the same."""
        self._number += 1
        self._ask(FindRow(number=self._number, text=conversation.messages[0].content[:_KNOWN_BY]))

    def _find(self) -> None:
        text = self._search.text().strip()
        if not text:
            return
        self._number += 1
        self._ask(FindRow(number=self._number, text=text))

    def _count_all(self) -> None:
        self._ask(CountTokens(number=0))

    def _ask(self, command: ShowRow | FindRow | CountTokens) -> None:
        if self._ready and self._thread is not None:
            self._thread.send(command)
        else:
            self._waiting = [command]
            self.open()

    def _heard(self, event: object) -> None:
        if isinstance(event, Stage) and event.stage is StageName.ENCODING and self._ready:
            self._totals.show_stage(event)
        elif isinstance(event, Stage):
            self._progress.show_stage(event)
        elif isinstance(event, TokenTotals):
            self._known = True
            self._totals.show_totals(event)
            self.show_plan(self.plan, self._steps.text())
            self.counted.emit(event)
        elif isinstance(event, RowTokens):
            self._show(event)
        elif isinstance(event, RowsFound) and event.number == self._number:
            later = [number for number in event.rows if number > self._row]
            if event.rows:
                self.show_row((later or list(event.rows))[0])
            self._search.setToolTip(_("Found in {n} rows").format(n=count(event.of)))
            self._search.setProperty("nothing", not event.rows)
            if not event.rows:
                self._facts.setText(_("No row holds “{text}”.").format(text=self._search.text().strip()))
        elif isinstance(event, Last):
            self._thread, self._ready = None, False
            self._progress.hide()
            self._failed = isinstance(event, Failed)
            if isinstance(event, Failed):
                self._problems.addWidget(ProblemCard(event.problem, actions=frozenset()))

    def _show(self, event: RowTokens) -> None:
        first = not self._ready
        self._ready = True
        self._progress.hide()
        self._body.show()
        waiting, self._waiting = self._waiting, []
        for command in waiting if first else ():
            self._ask(command)
        if first and not self._known and event.of <= COUNTED_AT_ONCE:
            self._count_all()
        if event.number < self._number and not first:
            return
        self._row, self._of = event.row, event.of
        self._previous.setEnabled(event.row > 0)
        self._next.setEnabled(event.row + 1 < event.of)
        self._jump.setText(str(event.row + 1))
        self._jump.setValidator(QIntValidator(1, event.of, self._jump))
        self._rows_in_all.setText(_("of {n}").format(n=count(event.of)))
        self.view.show_tokens(event.tokens)
        self._here.setText(_("Point at a token to see its number and kind; arrow keys move from one to the next."))
        self._prompt.setPlainText(event.prompt)
        self._place.setText(place(event))
        self._facts.setText(_facts(event))
        same = _("Training saw exactly this in front of the answer.")
        other = _("Training saw something else in front of the answer: the template writes the two differently.")
        self._as_in_chat.set("good" if event.as_in_chat else "caution", same if event.as_in_chat else other)
        self._as_in_chat.setVisible(bool(event.prompt))

    def close_rows(self) -> None:
        """Let the child go."""
        self._soon.stop()
        self._runner.cancel(self._thread)


def _facts(event: RowTokens) -> str:
    if event.problem is not None:
        return _("The chat template cannot write this row.")
    said = _("{n} of {total} tokens are trained").format(n=count(event.trained), total=count(event.total))
    cut = sum(len(piece.ids) for piece in event.tokens if piece.kind is Kind.TRUNCATED)
    if cut:
        said += " · " + _("{n} are cut off").format(n=count(cut))
    if event.validation:
        said += " · " + _("a validation row: it is only checked with")
    if event.skipped:
        said = _("Left out of the training: nothing of this row would be learned.")
    return said


def _legend() -> QBoxLayout:
    found = row(spacing=6)
    for kind in (Kind.TRAINED, Kind.CONTEXT, Kind.SPECIAL, Kind.TRUNCATED):
        name, meaning = kind_words(kind)
        words = label(name, "small", wrap=False)
        words.setToolTip(meaning)
        found.addWidget(TokenSample(kind), 0, Qt.AlignmentFlag.AlignVCenter)
        found.addWidget(words)
        found.addSpacing(10)
    found.addStretch(1)
    return found
