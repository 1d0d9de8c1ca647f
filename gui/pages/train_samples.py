"""The panel of sample answers on the Train page: the questions, and the answers to one of them by and by."""

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from core.history import RunHistory
from core.i18n import _
from core.timelines import AnswerTimeline, timelines
from gui.widgets.sample_timeline import SampleTimeline
from gui.widgets.text import label, panel

#: Questions in sight; more of them scroll.
IN_SIGHT = 5


class SamplesPanel(QWidget):
    """Shows the samples of a history, whether the run lives or is long over."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("samples")
        self._seen: tuple[object, ...] | None = None
        self._found: dict[str, AnswerTimeline] = {}
        self.empty = label("", "muted", name="samples_empty")
        self.questions = QListWidget()
        self.questions.setObjectName("sample_questions")
        self.questions.setAccessibleName(_("Questions"))
        self.questions.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.questions.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.questions.setUniformItemSizes(True)
        self.questions.currentItemChanged.connect(self._choose)
        self.timeline = SampleTimeline()
        frame, inner = panel()
        inner.addWidget(label(_("Answers while it learns"), "lead"))
        inner.addWidget(self.empty)
        inner.addWidget(self.questions)
        inner.addWidget(self.timeline)
        inner.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        self.set(None)

    def set(self, history: RunHistory | None) -> None:
        """Show what was sampled; cheap when nothing is new."""
        sampled = history.sampled if history else []
        seen = (id(history), len(sampled), sampled[-1].time if sampled else 0.0, bool(history and history.running))
        if seen == self._seen:
            return
        self._seen = seen
        self._found = {each.question: each for each in timelines(history)} if history else {}
        self.empty.setText(
            _("The first answers come before the first step.")
            if history is not None and history.running and not history.steps
            else _("This run answered no questions while it trained.")
        )
        for part, there in ((self.empty, not sampled), (self.questions, len(self._found) > 1)):
            part.setVisible(there)
        self.timeline.setVisible(bool(sampled))
        self._list()
        self._choose()

    @property
    def chosen(self) -> str:
        """The question whose answers are shown, "" for none."""
        item = self.questions.currentItem()
        return str(item.data(Qt.ItemDataRole.UserRole)) if item else ""

    def _list(self) -> None:
        if not self._found or [self._question(at) for at in range(self.questions.count())] == list(self._found):
            return
        before = self.chosen
        with QSignalBlocker(self.questions):
            self.questions.clear()
            for question in self._found:
                item = QListWidgetItem(" ".join(question.split()))
                item.setData(Qt.ItemDataRole.UserRole, question)
                item.setToolTip(question)
                self.questions.addItem(item)
            names = list(self._found)
            self.questions.setCurrentRow(names.index(before) if before in names else 0)
        self.questions.ensurePolished()
        rows = self.questions.sizeHintForRow(0) * min(IN_SIGHT, len(self._found))
        self.questions.setFixedHeight(rows + 2 * self.questions.frameWidth())

    def _question(self, at: int) -> str:
        return str(self.questions.item(at).data(Qt.ItemDataRole.UserRole))

    def _choose(self, *_items: object) -> None:
        if (found := self._found.get(self.chosen)) is not None:
            self.timeline.set(found)
