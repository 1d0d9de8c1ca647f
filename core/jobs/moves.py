"""Jobs that move a folder of the app: bring everything to the new place, and clear the old one."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.events import Stage
from core.jobs.talk import StopAsked, Talk
from core.moving import Move, clear, move, undo, unfinished
from core.problems import Code, Trouble
from core.runs import list_runs

#: Seconds between two words about how far it is.
TELL_EVERY = 0.1


@dataclass(frozen=True)
class MoveJob:
    """Bring all that lies in `source` to `target`. `kind` is "runs" or "models". Result: `bytes`.

    When it ends in any other way everything is where it was. The settings, and then `ClearJob`, come after it.
    """

    kind: str
    source: str
    target: str

    def run(self, talk: Talk) -> dict[str, Any]:
        told_at = 0.0

        def tell(stage: Stage) -> None:
            nonlocal told_at
            if talk.stop_requested:
                raise StopAsked
            if stage.done == stage.total or time.monotonic() - told_at >= TELL_EVERY:
                told_at = time.monotonic()
                talk.emit(stage)

        source = Path(self.source)
        busy = next((run for run in list_runs(source) if run.is_busy()), None) if self.kind == "runs" else None
        if busy is not None:
            raise Trouble(Code.RUN_BUSY, path=busy.path)
        return {"bytes": move(self.kind, source, Path(self.target), tell)}


@dataclass(frozen=True)
class ClearJob:
    """End the move that the record tells of: delete the old files, or with `back` put everything back.

    Result: `left_bytes`, what stayed in the old folder because it was written meanwhile.
    """

    back: bool = False

    def run(self, talk: Talk) -> dict[str, Any]:
        known: Move | None = unfinished()
        if known is None:
            return {"left_bytes": 0}
        if self.back:
            undo(known)
            return {"left_bytes": 0}
        return {"left_bytes": clear(known)}
