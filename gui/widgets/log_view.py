"""The tail of a log file, folded away; it is read only while it is open and in sight."""

from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QPlainTextEdit, QVBoxLayout, QWidget

from core.i18n import _
from gui.choose import open_folder
from gui.widgets.buttons import button
from gui.widgets.fold import Fold
from gui.widgets.text import column, row

#: Bytes from the end of the file.
TAIL = 16_384


def tail(path: Path, size: int = TAIL) -> str:
    """The last whole lines of a file, empty when there is none."""
    try:
        with path.open("rb") as file:
            end = file.seek(0, 2)
            file.seek(max(end - size, 0))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    return text.partition("\n")[2] if end > size else text


class LogView(QWidget):
    """A fold with the newest lines of a log."""

    def __init__(self) -> None:
        super().__init__()
        self._path: Path | None = None
        self._awake = False
        self._text = QPlainTextEdit()
        self._text.setObjectName("log")
        self._text.setAccessibleName(_("Log"))
        self._text.setReadOnly(True)
        self._text.setUndoRedoEnabled(False)
        self._text.setFixedHeight(220)
        self._text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        whole = button(_("Open the whole log"), "open_log", self._open_file, kind="quiet", icon="file")
        self.fold = Fold(_("&Log"), "log_fold", column(self._text, row(whole, None)))
        self.fold.toggled.connect(lambda _open: self._set_timer())
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self.fold)
        self._timer = QTimer(self)
        self._timer.setInterval(1000)
        self._timer.timeout.connect(self._read)

    def follow(self, path: Path | None) -> None:
        """Show another log."""
        self._path = path
        self._text.clear()
        self._set_timer()

    def open(self) -> None:
        """Fold it out."""
        self.fold.open()

    def wake(self, awake: bool) -> None:
        """Say whether the page is in sight."""
        self._awake = awake
        self._set_timer()

    def _set_timer(self) -> None:
        if self._awake and self._path is not None and self.fold.head.isChecked():
            self._read()
            self._timer.start()
        else:
            self._timer.stop()

    def _read(self) -> None:
        text = tail(self._path) if self._path else ""
        text = text or _("Nothing was logged yet.")
        if text == self._text.toPlainText():
            return
        bar = self._text.verticalScrollBar()
        at_end = bar.value() >= bar.maximum() - 4
        self._text.setPlainText(text)
        if at_end:
            bar.setValue(bar.maximum())

    def _open_file(self) -> None:
        if self._path is not None:
            open_folder(self._path)
