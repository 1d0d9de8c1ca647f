"""One question while it trains: the base's answer, the answer after a chosen step with what is new, and the data's."""

from html import escape

from PySide6.QtCore import QEvent, QSignalBlocker, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QLabel, QSizePolicy, QSlider, QVBoxLayout, QWidget

from core.events import Sampled
from core.i18n import _
from core.timelines import AnswerTimeline, pieces, same_words
from core.wording import count
from gui import theme
from gui.widgets.bubble import breakable
from gui.widgets.text import label, row

#: From this width on the base's answer stands beside the new one.
SIDE_BY_SIDE = 560


class Answer(QWidget):
    """Who says it, and what; what is new in it is underlined."""

    def __init__(self, name: str, role: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.who = label("", "small")
        self.body = QLabel()
        self.body.setTextFormat(Qt.TextFormat.RichText)
        self.body.setWordWrap(True)
        self.body.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.body.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._shown: tuple[str, str, str | None] = ("", "", None)
        frame = QFrame()
        frame.setProperty("role", role)
        inner = QVBoxLayout(frame)
        inner.setContentsMargins(12, 8, 12, 10)
        inner.setSpacing(2)
        inner.addWidget(self.who)
        inner.addWidget(self.body, 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)

    def set(self, who: str, text: str, before: str | None = None) -> None:
        """Show `text`; with the answer `before` it, what is new is underlined."""
        self._shown = (who, text, before)
        self.who.setText(who)
        self.body.setText(_rich(text, before))
        self.body.setAccessibleName(f"{who}: {text}")

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and hasattr(self, "_shown"):
            # the colour of what is new is that of the scheme
            self.body.setText(_rich(*self._shown[1:]))


class SampleTimeline(QWidget):
    """Follows the newest answer of a timeline until another step is chosen; the arrow keys walk through the steps."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("sample_timeline")
        self._timeline = AnswerTimeline("")
        self._chosen: int | None = None
        self.question = label("", "strong", name="sample_question")
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setObjectName("sample_step")
        self.slider.setAccessibleName(_("Step of the answer"))
        self.slider.setPageStep(1)
        self.slider.setTickPosition(QSlider.TickPosition.TicksBelow)
        self.slider.setTickInterval(1)
        self.slider.valueChanged.connect(self._moved)
        self._first, self._last = label("", "small", wrap=False), label("", "small", wrap=False)
        self.base = Answer("sample_base", "bubble-assistant")
        self.answer = Answer("sample_answer", "bubble-assistant")
        self.hint = label("", "small", name="sample_change")
        self.expected = Answer("sample_expected", "bubble-system")
        self._pair = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._pair.setSpacing(theme.GRID)
        for part in (self.base, self.answer):
            part.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
            self._pair.addWidget(part, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.GRID)
        column.addWidget(self.question)
        column.addLayout(row(self._first, self.slider, self._last))
        column.addLayout(self._pair)
        column.addWidget(self.hint)
        column.addWidget(self.expected)

    def set(self, timeline: AnswerTimeline) -> None:
        """Show a question; the step that was chosen stays chosen while it is there."""
        self._timeline = timeline
        steps = [sample.step for sample in timeline.rounds]
        place = steps.index(self._chosen) if self._chosen in steps else len(steps) - 1
        with QSignalBlocker(self.slider):
            self.slider.setRange(0, max(len(steps) - 1, 0))
            self.slider.setValue(max(place, 0))
        self.question.setText(breakable(timeline.question))
        for end, step in ((self._first, steps[:1]), (self._last, steps[-1:])):
            end.setText(_("step {step}").format(step=count(step[0])) if step else "")
            end.setVisible(len(steps) > 1)
        self.slider.setVisible(len(steps) > 1)
        self._show()

    @property
    def step(self) -> int:
        """The step whose answer is shown, 0 for the base's."""
        rounds = self._timeline.rounds
        return rounds[self.slider.value()].step if rounds else 0

    def _moved(self, place: int) -> None:
        newest = place == self.slider.maximum()
        self._chosen = None if newest else self._timeline.rounds[place].step
        self._show()

    def _show(self) -> None:
        each, place = self._timeline, self.slider.value()
        self.base.setVisible(each.base is not None)
        if each.base is not None:
            self.base.set(_who(_("Before training"), each.base), each.base.answer)
        self.answer.setVisible(bool(each.rounds))
        hint = ""
        if each.rounds:
            now, before = each.rounds[place], each.rounds[place - 1] if place else None
            who = _who(_("After step {step}").format(step=count(now.step)), now)
            if same_words(now.answer, each.expected):
                who += " · " + _("word for word as in the data")
            self.answer.set(who, now.answer, before.answer if before else None)
            hint = _hint(now, before)
            self.slider.setAccessibleDescription(_("After step {step}").format(step=count(now.step)))
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))
        self.expected.setVisible(bool(each.expected))
        self.expected.set(_("What the data says"), each.expected)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide = self.width() >= SIDE_BY_SIDE
        self._pair.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)


def _who(words: str, sample: Sampled) -> str:
    return words + " · " + _("cut at the length limit") if sample.cut else words


def _hint(now: Sampled, before: Sampled | None) -> str:
    """What is underlined; nothing at first, when the base's answer stands beside it."""
    if before is None:
        return ""
    since = count(before.step)
    if same_words(now.answer, before.answer):
        return _("Nothing has changed since step {step}.").format(step=since)
    if all(piece.new for piece in pieces(before.answer, now.answer)):
        return _("It is another answer than after step {step}.").format(step=since)
    return _("What is new since step {step} is underlined.").format(step=since)


def _rich(text: str, before: str | None) -> str:
    """Text as safe markup; nothing that a model says becomes markup itself."""
    if not text:
        return f'<span style="color: {theme.tokens().muted}">{escape(_("(no answer)"))}</span>'
    found = pieces(before, text) if before is not None else ()
    if all(piece.new for piece in found):
        return _marked(text, new=False)
    return "".join(_marked(piece.text, new=piece.new) for piece in found)


def _marked(text: str, *, new: bool) -> str:
    said = text.rstrip() if new else text
    plain, behind = (escape(breakable(part)).replace("\n", "<br>") for part in (said, text[len(said) :]))
    if not new:
        return plain
    return f'<span style="background-color: {theme.tokens().wash}; text-decoration: underline">{plain}</span>{behind}'
