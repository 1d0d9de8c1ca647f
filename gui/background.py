"""Small errands off the window's thread: read the card, list runs, load a history."""

import threading
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal

from core.problems import Problem, diagnose


class Errand(QObject):
    """Runs a function in a daemon thread; `done` brings its result, or a Problem, to the window's thread.

    A Python thread and not a QThread: a driver that hangs must not keep the window from closing.
    """

    done = Signal(object)

    def __init__(self, work: Callable[[], Any], parent: QObject, done: Callable[[Any], None]) -> None:
        """`done` is a method of a QObject; it is connected before the work begins, which may be quick."""
        super().__init__(parent)
        self._work = work
        self.done.connect(done)
        self.done.connect(self.deleteLater)
        self._thread = threading.Thread(target=self._run, name="errand", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        found: Any
        try:
            found = self._work()
        except Exception as error:  # everything becomes a Problem, as in a job
            found = diagnose(error)
        self._tell(found)

    def _tell(self, found: Any) -> None:
        try:
            self.done.emit(found)
        except RuntimeError:
            return  # the page that asked is gone


def failed(found: Any) -> Problem | None:
    """The problem an errand came back with, None when it succeeded."""
    return found if isinstance(found, Problem) else None
