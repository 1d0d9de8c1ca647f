"""Watches the card: its live values, and whether it still answers."""

import threading

from PySide6.QtCore import QObject, Signal

from core.gpu import Card, Reading


class CardWatch(QObject):
    """Reads a card once a second in a daemon thread; `read` carries a Reading or None.

    `answers` says that a card that answered does so no more, and that it does again.
    """

    read = Signal(object)
    answers = Signal(bool)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._index: int | None = None
        self._answered: bool | None = None
        self.read.connect(self._compare)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self, card: Card | None) -> None:
        """Watch a card; None pauses."""
        index = card.index if card else None
        if index != self._index:
            self._answered = None
        self._index = index
        if index is not None and self._thread is None:
            self._thread = threading.Thread(target=self._run, name="card-watch", daemon=True)
            self._thread.start()

    def _compare(self, reading: Reading | None) -> None:
        """A card that never answered is not lost: the page that looks for cards says what is wrong with it."""
        before, now = self._answered, reading is not None
        if before is not None or now:
            self._answered = now
        if before is not None and before != now:
            self.answers.emit(now)

    def stop(self) -> None:
        """End the thread, waiting a moment for it."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(1.5)

    def _run(self) -> None:
        from core.gpu import read

        while not self._stop.is_set():
            if self._index is not None:
                try:
                    self.read.emit(read(self._index))
                except RuntimeError:
                    return  # the window is gone
            self._stop.wait(1.0)
