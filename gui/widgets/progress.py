"""A line of progress: what is being done, how far, how fast, and a way to cancel."""

import time

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from core.events import Stage
from core.i18n import _
from core.wording import count, duration, gigabytes, stage_words
from gui.widgets.buttons import button
from gui.widgets.text import label


class ProgressLine(QWidget):
    """Shows Stage events; `cancelled` when the user has had enough."""

    cancelled = Signal()

    def __init__(self, name: str, *, cancel: bool = True) -> None:
        super().__init__()
        self._began: tuple[str, float, int] | None = None
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(_("Progress"))
        self._words = label("", "body", wrap=False)
        self._amount = label("", "muted", wrap=False)
        self._cancel = button(_("Cancel"), name, self._stop)
        if not cancel:
            self._cancel.hide()
        top = QHBoxLayout()
        top.addWidget(self._words)
        top.addStretch(1)
        top.addWidget(self._amount)
        left = QVBoxLayout()
        left.setSpacing(6)
        left.addLayout(top)
        left.addWidget(self._bar)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(16)
        outer.addLayout(left, 1)
        outer.addWidget(self._cancel)

    def begin(self, words: str) -> None:
        """Start again, with nothing known yet."""
        self._began = None
        self._words.setText(words)
        self._amount.setText("")
        self._bar.setRange(0, 0)
        self._cancel.setEnabled(True)

    def show_stage(self, stage: Stage) -> None:
        """Show what the job is busy with."""
        self._words.setText(stage_words(stage.stage))
        if stage.total <= 0:
            self._bar.setRange(0, 0)
            self._amount.setText("")
            return
        self._bar.setRange(0, 1000)
        self._bar.setValue(min(1000, stage.done * 1000 // stage.total))
        self._amount.setText(self._progress(stage))

    def _progress(self, stage: Stage) -> str:
        if stage.unit != "bytes":
            return f"{count(stage.done)} / {count(stage.total)}"
        text = f"{gigabytes(stage.done)} / {gigabytes(stage.total)}"
        speed = self._speed(stage)
        if speed <= 0:
            return text
        left = duration((stage.total - stage.done) / speed)
        return f"{text} · {speed / 1e6:.1f} MB/s · " + _("{time} left").format(time=left)

    def _speed(self, stage: Stage) -> float:
        """Bytes a second since this stage began, 0 while it is too early to say."""
        now = time.monotonic()
        if self._began is None or self._began[0] != stage.stage:
            self._began = (stage.stage, now, stage.done)
        _stage, since, first = self._began
        return (stage.done - first) / (now - since) if now - since > 1.0 else 0.0

    def _stop(self) -> None:
        self._cancel.setEnabled(False)
        self._words.setText(_("Stopping…"))
        self.cancelled.emit()
