"""How far the reading of several files is, and whether it is to stop."""

from collections.abc import Callable

from core.data.source import Halted, Source


class Way:
    """How far the reading is, over all files; hears every block that is read and asks whether to stop."""

    def __init__(self, progress: Callable[[int, int], None], stopped: Callable[[], bool]) -> None:
        self._progress, self._stopped = progress, stopped
        self.total = 0
        self._before = 0

    def told(self, done: int) -> None:
        """Tell on; `done` is bytes of the file being read. Raises Halted."""
        if self._stopped():
            raise Halted
        self._progress(min(self._before + done, self.total), self.total)

    def passed(self, source: Source) -> None:
        """A file is done."""
        self._before += source.share
        self.told(0)

    def reached(self, done: int) -> None:
        """All files of a name are done."""
        self._before = done
        self.told(0)
