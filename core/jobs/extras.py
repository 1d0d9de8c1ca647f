"""A job that reads the files beside a data set: those that are mixed in, and one to check with."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.codec import to_plain
from core.data.clean import Cleaning
from core.data.columns import Columns
from core.events import Stage, StageName
from core.jobs.talk import StopAsked, Talk
from core.problems import Problem, Trouble


@dataclass(frozen=True)
class ExtrasJob:
    """Read `mixes` and `validation` as training will; `rows` are the rows to learn from as an InspectJob kept them.

    Result: `rows` (rows of each file that can be used), `problems` (a Problem for each file that cannot be read) and
    `shared` (a core.data.shared.Shared, None without a file to check with).
    """

    rows: str
    mixes: tuple[str, ...] = ()
    validation: str = ""
    cleaning: Cleaning | None = None
    columns: Columns | None = None
    passage: int = 0

    def run(self, talk: Talk) -> dict[str, Any]:
        from core.data.source import Halted

        counts, problems, shared = dict[str, int](), dict[str, Problem](), None
        with tempfile.TemporaryDirectory(prefix="solotune-check-") as folder:
            for place, file in enumerate(dict.fromkeys((*self.mixes, *filter(None, (self.validation,))))):
                kept = Path(folder) / f"{place}.jsonl"
                try:
                    counts[file] = self._read(file, kept, talk)
                    if file == self.validation:
                        shared = self._compare(kept, talk)
                except Trouble as trouble:
                    problems[file] = trouble.problem
                except Halted:
                    raise StopAsked from None
        return {"rows": counts, "problems": to_plain(problems), "shared": to_plain(shared)}

    def _read(self, file: str, keep: Path, talk: Talk) -> int:
        from core.data.prepare import examine

        report, _cleaned, _private = examine(
            (file,),
            self.cleaning,
            columns=self.columns,
            passage=self.passage,
            progress=lambda done, total: talk.emit(
                Stage(stage=StageName.READING, done=done, total=total, unit="bytes")
            ),
            stopped=lambda: talk.stop_requested,
            keep=keep,
        )
        return report.learned

    def _compare(self, checks: Path, talk: Talk) -> Any:
        from core.data.browse import RowsFile
        from core.data.shared import shared_rows

        talk.emit(Stage(stage=StageName.CLEANING))
        similar = (self.cleaning or Cleaning()).similar
        rows, asked = RowsFile(Path(self.rows)), RowsFile(checks)
        return shared_rows(_Stoppable(rows, talk), _Stoppable(asked, talk), similar)


class _Stoppable:
    """Rows, until the job is asked to stop."""

    def __init__(self, rows: Any, talk: Talk) -> None:
        self._rows, self._talk = rows, talk

    def __iter__(self) -> Any:
        for place, row in enumerate(self._rows):
            if place % 256 == 0 and self._talk.stop_requested:
                raise StopAsked
            yield row
