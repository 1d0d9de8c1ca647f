"""A download in the window: bytes, speed, time left, and Pause, Go on and Cancel."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QProgressBar, QWidget

from core.events import Stage, StageName
from core.i18n import _
from core.wording import count, duration, gigabytes, joined, stage_words
from gui.pages.model_fetch import Fetching
from gui.widgets.buttons import button
from gui.widgets.text import Elided, column, label, row


class FetchLine(QWidget):
    """Two lines and a bar; the signals say what the user wants."""

    paused = Signal()
    went_on = Signal()
    cancelled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("fetch_line")
        self._words = Elided("", "strong")
        self._files = label("", "muted", wrap=False)
        self._amount = label("", "muted", wrap=False, name="fetch_amount")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(_("Progress"))
        self.hold = button(_("&Pause"), "pause_fetch", self.paused.emit, icon="pause")
        self.go_on = button(_("&Go on"), "go_on_fetch", self.went_on.emit, icon="play")
        self.stop = button(_("Cancel"), "cancel_fetch", self.cancelled.emit)
        self.stop.setToolTip(_("What has arrived stays: the next time it goes on there."))
        top, under = row(self._words, self._files), row(self._amount, None)
        top.setStretch(0, 1)
        left = column(top, self._bar, under, spacing=6)
        whole = row(left, self.hold, self.go_on, self.stop, spacing=12)
        whole.setStretch(0, 1)
        self.setLayout(whole)

    def show_fetching(self, fetching: Fetching) -> None:
        """Show how far it is."""
        phase, stage = fetching.phase, fetching.stage
        self._words.setText(self._title(fetching))
        self.hold.setVisible(phase == "fetching")
        self.go_on.setVisible(phase == "paused")
        known = stage is not None and stage.stage is StageName.DOWNLOADING and stage.total > 0
        self.hold.setEnabled(known)
        self.stop.setEnabled(phase != "stopping")
        self._show_bar(stage, still=phase == "paused")
        self._files.setText(_files(stage) if known else "")
        self._amount.setText(_amount(stage, paused=phase == "paused") if stage is not None else "")

    def _title(self, fetching: Fetching) -> str:
        if fetching.phase == "asking":
            return _("Asking what there is of {model}…").format(model=fetching.title)
        if fetching.phase == "stopping":
            return _("Stopping…")
        if fetching.phase == "paused":
            return _("{model} waits").format(model=fetching.title)
        if fetching.stage is not None and fetching.stage.stage is not StageName.DOWNLOADING:
            return f"{fetching.title}: {stage_words(fetching.stage.stage)}"
        return _("Downloading {model}").format(model=fetching.title)

    def _show_bar(self, stage: Stage | None, *, still: bool) -> None:
        if stage is None or stage.total <= 0:
            # a bar that runs says that something happens: not while it waits
            self._bar.setRange(0, 1 if still else 0)
            return
        self._bar.setRange(0, 1000)
        self._bar.setValue(min(1000, stage.done * 1000 // stage.total))


def _files(stage: Stage | None) -> str:
    if stage is None or not stage.files:
        return ""
    return _("{done} of {files} files").format(done=count(stage.files_done), files=count(stage.files))


def _amount(stage: Stage, *, paused: bool) -> str:
    """How much is here, how fast more comes, and for how long."""
    if stage.total <= 0 or stage.unit != "bytes":
        return ""
    parts = [_("{done} of {size}").format(done=gigabytes(stage.done), size=gigabytes(stage.total))]
    if paused:
        return joined(parts[0] + " ·", _("What has arrived stays."))
    if stage.pace > 0:
        parts.append(f"{stage.pace / 1e6:.1f} MB/s")
    if stage.seconds is not None and stage.done < stage.total:
        parts.append(_("{time} left").format(time=duration(stage.seconds)))
    return " · ".join(parts)
