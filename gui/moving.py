"""A move of the runs' or the models' folder as the window sees it; it goes on whatever page is shown."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from core.events import Failed, Finished, Last, Stage
from core.moving import Move, unfinished
from core.problems import Problem
from core.settings import load
from gui.jobs import JobThread, Lane

if TYPE_CHECKING:
    from gui.desk import Desk


class Mover(QObject):
    """Runs one move at a time: bring everything over, switch the settings, clear the old folder.

    `switched` carries the old and the new folder once the settings name the new one.
    """

    changed = Signal()
    switched = Signal(object, object)

    def __init__(self, desk: "Desk") -> None:
        super().__init__(desk)
        self._desk = desk
        self._job: JobThread | None = None
        self.now: Move | None = None
        self.stage: Stage | None = None
        self.problem: Problem | None = None
        #: Bytes that stayed in the old folder after the last move, and that folder.
        self.left: tuple[int, str] = (0, "")

    @property
    def busy(self) -> bool:
        return self._job is not None

    @property
    def broken_off(self) -> Move | None:
        """A move that an earlier window did not end."""
        return None if self.busy else unfinished()

    def start(self, kind: str, source: Path, target: Path) -> None:
        """Begin to move; it waits until the card's job, which may read or write there, has ended."""
        from core.jobs.moves import MoveJob

        self.now, self.problem, self.left = Move(kind, str(source), str(target)), None, (0, "")
        self._begin(MoveJob(kind, str(source), str(target)), Lane.CARD)

    def go_on(self, move: Move) -> None:
        """End a move that was broken off: clear the old folder when the settings name the new one, else move again."""
        if self._named(move) == Path(move.target):
            self.now = move
            self._clear()
        else:
            self.start(move.kind, Path(move.source), Path(move.target))

    def give_up(self, move: Move) -> None:
        """Put back what a move that was broken off has done; copies of what is kept already are left alone."""
        if self._named(move) == Path(move.target):
            from core.moving import forget

            forget()
            self.changed.emit()
        else:
            self.now, self.problem = move, None
            self._clear(back=True)

    def cancel(self) -> None:
        """Stop bringing over: everything stays where it is."""
        self._desk.runner.cancel(self._job)

    def _begin(self, job: Any, lane: Lane) -> None:
        self.stage = None
        # what was begun is put back before it ends, and a large copy takes a while to go
        self._job = self._desk.runner.start(job, self._heard, lane=lane, grace=30.0)
        self.changed.emit()

    def _clear(self, *, back: bool = False) -> None:
        from core.jobs.moves import ClearJob

        self._begin(ClearJob(back), Lane.BESIDE)

    def _named(self, move: Move) -> Path:
        return self._desk.runs_root if move.kind == "runs" else self._desk.models_root

    def _heard(self, event: object) -> None:
        if isinstance(event, Stage):
            self.stage = event
        elif isinstance(event, Last):
            self._job = None
            self._ended(event)
        else:
            return
        self.changed.emit()

    def _ended(self, last: Last) -> None:
        move, self.stage = self.now, None
        if isinstance(last, Failed):
            self.problem = last.problem
        elif isinstance(last, Finished) and move is not None and "bytes" in last.result:
            self._switch(move)
        elif isinstance(last, Finished) and move is not None:
            self.left = (int(last.result["left_bytes"]), move.source)

    def _switch(self, move: Move) -> None:
        name = f"{move.kind}_folder"
        other: dict[str, Any] = {name: move.target}
        self._desk.change(replace(self._desk.settings, **other))
        # what lies in the old folder goes only when the next start will look in the new one
        if getattr(load(), name) == move.target:
            self.switched.emit(Path(move.source), Path(move.target))
            self._clear()
