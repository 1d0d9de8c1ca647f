"""One side of the Test page: a conversation with the base or with the tuned weights."""

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QVBoxLayout, QWidget

from core.events import Answered, Side
from core.i18n import _
from core.wizard import WizardState
from gui.pages.page import scroll_area
from gui.widgets.bubble import Bubble
from gui.widgets.text import clear, label, panel


def side_words(side: Side) -> str:
    """The heading of a column."""
    return {Side.BASE: _("Base"), Side.TUNED: _("Tuned")}.get(side, str(side))


class TalkColumn(QWidget):
    """Bubbles, newest at the bottom; `ask` returns the messages that make up the conversation so far."""

    def __init__(self, side: Side) -> None:
        super().__init__()
        self.setObjectName(f"talk_{side}")
        self.setAccessibleName(side_words(side))
        self._side = side
        self._messages: list[dict[str, str]] = []
        self._open: Bubble | None = None
        frame, inner = panel(margin=16)
        inner.addWidget(label(side_words(side), "lead"))
        hint = _("before fine-tuning") if side is Side.BASE else _("after fine-tuning")
        inner.addWidget(label(hint, "small"))
        self._bubbles = QVBoxLayout()
        self._bubbles.setSpacing(8)
        holder = QWidget()
        holder.setProperty("role", "column")
        stack = QVBoxLayout(holder)
        stack.setContentsMargins(0, 0, 8, 0)
        stack.addLayout(self._bubbles)
        stack.addStretch(1)
        self._area = scroll_area(holder)
        self._area.setMinimumHeight(220)
        inner.addWidget(self._area, 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)

    def ask(self, question: str) -> list[dict[str, str]]:
        """Show the question and an empty answer."""
        self._messages.append({"role": "user", "content": question})
        self._bubbles.addWidget(Bubble("user", question))
        self._open = Bubble("assistant", "…")
        self._bubbles.addWidget(self._open)
        self._down()
        return list(self._messages)

    def write(self, text: str) -> None:
        """Add a piece of the answer."""
        if self._open is not None:
            self._open.set_text(("" if self._open.text == "…" else self._open.text) + text)
            self._down()

    def finish(self, event: Answered, state: WizardState) -> None:
        """Show the whole answer, and which weights gave it: the event says so, not the column."""
        self._messages.append({"role": "assistant", "content": event.answer})
        if self._open is None:
            return
        self._open.set_text(event.answer or _("(no answer)"))
        self._open.set_who(_answered_by(event, state))
        self._open = None
        self._down()

    def drop(self) -> None:
        """Give up on an answer that will not come."""
        if self._open is not None:
            self._open.set_who(_("not finished"))
            self._open = None
            self._messages.append({"role": "assistant", "content": ""})

    def clear(self) -> None:
        """Forget the conversation."""
        self._messages, self._open = [], None
        clear(self._bubbles)

    @property
    def last_answer(self) -> str:
        return self._messages[-1]["content"] if self._messages and not self._open else ""

    def _down(self) -> None:
        bar = self._area.verticalScrollBar()
        QTimer.singleShot(0, bar, lambda: bar.setValue(bar.maximum()))


def _answered_by(event: Answered, state: WizardState) -> str:
    model = state.model.title if state.model else ""
    if event.side is Side.BASE:
        who = _("Answered by {model}, adapter off").format(model=model)
    else:
        who = _("Answered by {model}, adapter on").format(model=model)
    return who + " · " + _("cut at the length limit") if event.cut else who
