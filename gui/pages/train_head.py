"""The head of the Train page: where a run stands, and the buttons that start, pause, stop and resume it."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMenu, QProgressBar, QVBoxLayout, QWidget

from core.i18n import _
from core.runs import RunState
from core.wizard import WizardState
from gui.live_run import LiveRun
from gui.pages.train_words import resume_words
from gui.widgets.buttons import button, primary
from gui.widgets.text import label, row


class TrainHead(QWidget):
    """Words, buttons and a bar; the page connects the buttons. `pause_asked` says whether the card shall be freed."""

    pause_asked = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self.progress = label("", "lead", name="train_progress")
        self.more = label("", "muted", name="train_more")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(_("Progress"))
        self.start = primary(_("&Start"), "start", icon="play")
        self.go_on = primary(_("&Go on"), "go_on", icon="play")
        self.pause = button(_("&Pause"), "pause", lambda: self.pause_asked.emit(False), icon="pause")
        self.pause_more = button("", "pause_more", self._open_menu, icon="chevron-down", kind="quiet")
        self.pause_more.setAccessibleName(_("More ways to pause"))
        self.pause_more.setToolTip(self.pause_more.accessibleName())
        self.free = button("", "free_card", lambda: self.pause_asked.emit(True))
        self.stop = button(_("&Stop and save"), "stop", icon="stop")
        self.resume = primary(_("&Resume"), "resume", icon="play")
        self.again = button(_("Train &again"), "train_again")
        pause = row(self.pause, self.pause_more, spacing=0)
        #: Stands beside the title.
        self.buttons = QWidget()
        self.buttons.setLayout(row(self.start, self.resume, self.go_on, pause, self.free, self.stop, self.again))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(2)
        outer.addWidget(self.progress)
        outer.addWidget(self.more)
        outer.addSpacing(8)
        outer.addWidget(self._bar)

    def show_buttons(
        self, state: WizardState, live: LiveRun | None, other: LiveRun | None, *, blocked: bool = False
    ) -> None:
        """Offer what can be done with the run; `other` is the one that trains now."""
        stands = live.state if live else None
        running = stands is RunState.RUNNING
        # a run that another process trains hears what it is told, too, but nobody there would wait with it set aside
        ours = running and live is other
        waiting = live.history.waiting if live and running else None
        broken = stands in (RunState.STOPPED, RunState.FAILED, RunState.INTERRUPTED)
        stopping = bool(live and live.stopping)
        self.start.setVisible(live is None or stands is RunState.NEW)
        self.start.setEnabled(other is None and state.plan is not None and not state.imagined and not blocked)
        self.go_on.setVisible(waiting is not None)
        self.go_on.setEnabled(not stopping)
        self.pause.setVisible(running and waiting is None)
        self.pause_more.setVisible(ours and waiting is None)
        # a run that does not learn yet has nothing to wait for
        ready = bool(live and live.history.steps and not stopping)
        self.pause.setEnabled(ready)
        self.pause_more.setEnabled(ready)
        self.free.setVisible(ours and waiting is not None and not waiting.released)
        self.free.setText(free_words(live))
        self.free.setEnabled(not stopping)
        self.stop.setVisible(running)
        self.stop.setEnabled(not stopping)
        self.resume.setVisible(broken)
        self.resume.setText(resume_words(live))
        self.resume.setEnabled(other is None)
        # with nothing saved, starting over is all there is
        self.again.setVisible(stands is RunState.FINISHED or bool(broken and live and live.checkpoint_step))
        self.again.setEnabled(other is None)

    def show_words(self, said: str, more: str, live: LiveRun | None) -> None:
        """Say how far the run is."""
        self.progress.setText(said)
        self.more.setText(more)
        self.more.setVisible(bool(more))
        total = live.history.total_steps if live else 0
        stands = live.state if live else None
        running = stands is RunState.RUNNING
        # a run that ended early is as finished as any
        self._bar.setVisible(running or (total > 0 and stands is not RunState.FINISHED))
        self._bar.setRange(0, total if total or not running else 0)
        self._bar.setValue(live.history.step if live and total else 0)

    def _open_menu(self) -> None:
        menu = self.pause_menu()
        menu.popup(self.pause_more.mapToGlobal(self.pause_more.rect().bottomLeft()))

    def pause_menu(self) -> QMenu:
        """The ways to pause, with what each means."""
        menu = QMenu(self)
        for words, release in (
            (_("Pause: going on is instant"), False),
            (_("Pause and free the memory for other programs"), True),
        ):
            menu.addAction(words).triggered.connect(lambda _on=False, freed=release: self.pause_asked.emit(freed))
        return menu


def free_words(live: LiveRun | None) -> str:
    """What frees the memory that a paused training holds."""
    on_card = bool(live and live.history.memory and live.history.memory[-1].on_card)
    return _("&Free the card") if on_card else _("&Free the memory")
