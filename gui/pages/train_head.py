"""The head of the Train page: where a run stands, and the buttons that start, stop and resume it."""

from PySide6.QtWidgets import QProgressBar, QVBoxLayout, QWidget

from core.i18n import _
from core.runs import RunState
from core.wizard import WizardState
from gui.live_run import LiveRun
from gui.pages.train_words import more_words, progress_words, resume_words
from gui.widgets.buttons import button, primary
from gui.widgets.text import label, row


class TrainHead(QWidget):
    """Words, buttons and a bar; the page connects the buttons."""

    def __init__(self) -> None:
        super().__init__()
        self.progress = label("", "lead", name="train_progress")
        self.more = label("", "muted", name="train_more")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(_("Progress"))
        self.start = primary(_("&Start"), "start", icon="play")
        self.stop = button(_("&Stop and save"), "stop", icon="stop")
        self.resume = primary(_("&Resume"), "resume", icon="play")
        self.again = button(_("Train &again"), "train_again")
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self.progress)
        words.addWidget(self.more)
        line = row(spacing=24)
        line.addLayout(words, 1)
        line.addLayout(row(self.start, self.resume, self.stop, self.again))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(16)
        outer.addLayout(line)
        outer.addWidget(self._bar)

    def show_buttons(self, state: WizardState, live: LiveRun | None, other: LiveRun | None) -> None:
        """Offer what can be done with the run; `other` is the one that trains now."""
        stands = live.state if live else None
        running = stands is RunState.RUNNING
        broken = stands in (RunState.STOPPED, RunState.FAILED, RunState.INTERRUPTED)
        self.start.setVisible(live is None or stands is RunState.NEW)
        self.start.setEnabled(other is None and state.plan is not None and not state.imagined)
        self.stop.setVisible(running and live is other)
        self.stop.setEnabled(bool(live and not live.stopping))
        self.resume.setVisible(broken)
        self.resume.setText(resume_words(live))
        self.resume.setEnabled(other is None)
        # with nothing saved, starting over is all there is
        self.again.setVisible(stands is RunState.FINISHED or bool(broken and live and live.checkpoint_step))
        self.again.setEnabled(other is None)

    def show_words(self, state: WizardState, live: LiveRun | None, other: LiveRun | None) -> None:
        """Say how far the run is."""
        self.progress.setText(progress_words(live, state, busy=other))
        more = more_words(live)
        self.more.setText(more)
        self.more.setVisible(bool(more))
        total = live.history.total_steps if live else 0
        running = live is not None and live.state is RunState.RUNNING
        self._bar.setVisible(live is not None and (running or total > 0))
        self._bar.setRange(0, total if total or not running else 0)
        self._bar.setValue(live.history.step if live and total else 0)
