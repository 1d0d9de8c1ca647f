"""A large place to drop files on; the keyboard opens the file chooser instead."""

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from gui.icons import Icon
from gui.widgets.text import label


class DropZone(QFrame):
    """Emits `dropped` with local paths and `asked` when the user wants to browse."""

    dropped = Signal(object)
    asked = Signal()

    def __init__(self, headline: str, hint: str, extra: QWidget) -> None:
        super().__init__()
        self.setObjectName("drop_zone")
        self.setProperty("role", "drop")
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(headline)
        self.setMinimumHeight(200)
        inner = QVBoxLayout(self)
        inner.setContentsMargins(24, 24, 24, 24)
        inner.setSpacing(8)
        inner.addStretch(1)
        # as wide as the zone, so that a small window breaks it into lines
        told = label(hint, "muted")
        told.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        for part in (Icon("upload", "muted", 32), label(headline, "lead", wrap=False)):
            inner.addWidget(part, 0, Qt.AlignmentFlag.AlignHCenter)
        inner.addWidget(told)
        inner.addSpacing(8)
        inner.addWidget(extra, 0, Qt.AlignmentFlag.AlignHCenter)
        inner.addStretch(1)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            event.acceptProposedAction()
            self._mark(True)

    def dragLeaveEvent(self, event: QEvent) -> None:
        self._mark(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self._mark(False)
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            self.dropped.emit(paths)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.asked.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.asked.emit()
        else:
            super().keyPressEvent(event)

    def _mark(self, over: bool) -> None:
        self.setProperty("over", over)
        self.style().unpolish(self)
        self.style().polish(self)
