"""A question with two or three answers; Escape is always the harmless one."""

from collections.abc import Sequence

from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from gui.widgets.buttons import button
from gui.widgets.text import label, row


class Question(QDialog):
    """Shows `title` and `text`; `answers` are (value, words, kind), the first one is what Escape means."""

    def __init__(self, parent: QWidget, title: str, text: str, answers: Sequence[tuple[str, str, str]]) -> None:
        super().__init__(parent)
        self.setObjectName("question_dialog")
        self.setWindowTitle(title)
        self.setModal(True)
        self.answer = answers[0][0]
        buttons = [self._button(*answer) for answer in answers]
        inner = QVBoxLayout(self)
        inner.setContentsMargins(24, 24, 24, 20)
        inner.setSpacing(12)
        body = label(text)
        body.setMinimumWidth(380)
        inner.addWidget(label(title, "lead"))
        inner.addWidget(body)
        inner.addSpacing(8)
        inner.addLayout(row(None, *buttons))
        buttons[0].setFocus()

    def _button(self, value: str, words: str, kind: str) -> QWidget:
        made = button(words, f"answer_{value}", lambda: self._choose(value), kind=kind)
        made.setAutoDefault(True)
        return made

    def _choose(self, value: str) -> None:
        self.answer = value
        self.accept()


def ask(parent: QWidget, title: str, text: str, answers: Sequence[tuple[str, str, str]]) -> str:
    """Ask and return the value of the answer."""
    dialog = Question(parent, title, text, answers)
    dialog.exec()
    answer = dialog.answer
    dialog.deleteLater()
    return answer
