"""What comes to the window from outside: files and folders that were dropped, named at the start, or handed over."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QDropEvent

from core.i18n import _
from core.problems import Code, Problem
from core.wizard import Step, WizardState
from gui.answers import viewable
from gui.opening import started_over
from gui.pages.data import DataPage
from gui.widgets.notice import Notice

if TYPE_CHECKING:
    from gui.main_window import MainWindow

#: Files of a run that stand for it when they are opened by themselves.
_OF_A_RUN = ("plan.json", "events.jsonl")


@dataclass(frozen=True)
class Arrival:
    """Paths by what they are: the first run among them, data, and what is not there."""

    run: Path | None = None
    data: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def sorted_out(paths: Iterable[str]) -> Arrival:
    """Tell runs from data."""
    run: Path | None = None
    data, missing = list[str](), list[str]()
    for name in paths:
        path = Path(name).absolute()
        folder = path.parent if path.name in _OF_A_RUN else path
        if (folder / "plan.json").is_file():
            run = run or folder
        else:
            (data if path.exists() else missing).append(str(path))
    return Arrival(run, data, missing)


class Arrivals(QObject):
    """Opens what comes to one window, and keeps data until there is a model to read it with."""

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        self._window = window
        self._waiting: list[str] = []
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def take(self, paths: Iterable[str]) -> None:
        """Open a run, or read data; nothing, when there are no paths."""
        found = sorted_out(paths)
        for name in found.missing:
            self._window.desk.trouble(Problem(Code.DATA_MISSING, {"path": name}))
        if found.run is not None:
            self._window.open_run(found.run)
        elif found.data:
            self._read(found.data)

    def follow(self, state: WizardState) -> None:
        """The window shows another state: the Data page gets what waits for it."""
        if self._waiting and state.step is Step.DATA:
            waiting, self._waiting = self._waiting, []
            self._window.notices.withdraw("data_waits")
            self._read(waiting)

    def _read(self, files: list[str]) -> None:
        window = self._window
        if window.state.training:
            # the run goes on, and is found among the runs
            window.propose(started_over(window.state))
        if not viewable(window.state, Step.DATA):
            self._waiting = files
            self._say_waiting(files)
            return
        window.go(Step.DATA)
        page = window.page(Step.DATA)
        assert isinstance(page, DataPage)
        page.take_files(files)

    def _say_waiting(self, files: list[str]) -> None:
        window = self._window
        words = _("“{name}” is read on the Data page, once a model is chosen.").format(name=Path(files[0]).name)
        notice = Notice(words, _("Choose a model"), "data_waits")
        notice.accepted.connect(lambda: window.go(Step.MODEL))
        window.notices.withdraw("data_waits")
        window.notices.put(notice)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.DragEnter and isinstance(event, QDropEvent):
            if event.mimeData().hasUrls():
                event.acceptProposedAction()
            return True
        if event.type() is QEvent.Type.Drop and isinstance(event, QDropEvent):
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            self.take(url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile())
            return True
        return super().eventFilter(watched, event)
