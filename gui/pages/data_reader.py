"""The jobs of the Data page: one that reads the files to learn from, one that reads those beside them."""

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from core.arrangement import Arrangement
from core.events import Failed, Finished, Last, Stage
from core.jobs.extras import ExtrasJob
from core.jobs.jobs import InspectJob
from gui.jobs import JobRunner, JobThread, Lane
from gui.pages.data_look import Look, Shelf, Wish, extras_of, look_of


class DataReader(QObject):
    """`looked` carries a Look, `failed` its Problem, `staged` how far it is; `ended` comes last, whatever happened.

    `extras_read` carries Extras of the Look that is asked for last.
    """

    looked = Signal(object)
    failed = Signal(object)
    staged = Signal(object)
    ended = Signal()
    extras_read = Signal(object)

    def __init__(self, runner: JobRunner, parent: QObject) -> None:
        super().__init__(parent)
        self._runner = runner
        self._shelf, self._keep = Shelf(), Path()
        self._job: JobThread | None = None
        self._beside: JobThread | None = None
        self._next: tuple[Wish, str] | None = None
        self._asked: tuple[Path | None, tuple[str, ...], str] | None = None
        #: The folder of the model whose tokenizer counted the last rows.
        self.counted_for = ""
        #: How the last files were looked at.
        self.wish = Wish(())

    @property
    def busy(self) -> bool:
        """Whether the files to learn from are being read."""
        return self._job is not None

    def look(self, wish: Wish, tokenizer: str) -> None:
        """Read files; what is being read already is not wanted any more."""
        if self._job is not None:
            self._next = wish, tokenizer
            self._runner.cancel(self._job)
            return
        self.wish, self.counted_for = wish, tokenizer
        self._keep = self._shelf.next()
        job = InspectJob(
            wish.files, tokenizer, cleaning=wish.cleaning, columns=wish.columns, passage=wish.passage,
            keep=str(self._keep),
        )  # fmt: skip
        self._job = self._runner.start(job, self._heard, lane=Lane.BESIDE)

    def read_extras(self, look: Look, arrangement: Arrangement) -> None:
        """Read the files beside a look, unless they are known or on their way."""
        mixes, validation = tuple(mix.file for mix in arrangement.mix), arrangement.validation
        known, asked = look.extras, (look.rows, mixes, validation)
        if known is not None and (known.mixes, known.validation) == (mixes, validation):
            return
        if not arrangement.beside or look.rows is None or asked == self._asked:
            return
        self._asked = asked
        self._runner.cancel(self._beside)
        wish = look.wish
        job = ExtrasJob(
            str(look.rows), mixes, validation, cleaning=wish.cleaning, columns=wish.columns, passage=wish.passage
        )
        self._beside = self._runner.start(job, self._heard_beside, lane=Lane.BESIDE)

    def cancel(self) -> None:
        """Stop reading."""
        self._next = None
        self._runner.cancel(self._job)
        self._runner.cancel(self._beside)
        self._asked = None

    def _heard(self, event: object) -> None:
        if isinstance(event, Stage):
            self.staged.emit(event)
        if not isinstance(event, Last):
            return
        self._job = None
        if self._next is not None:
            wanted, self._next = self._next, None
            self.look(*wanted)
            return
        if isinstance(event, Failed):
            self.failed.emit(event.problem)
        elif isinstance(event, Finished):
            self.looked.emit(look_of(self.wish, event.result, self._keep))
        self.ended.emit()

    def _heard_beside(self, event: object) -> None:
        if not isinstance(event, Finished) or self._asked is None:
            return
        _rows, mixes, validation = self._asked
        found = extras_of(mixes, validation, event.result)
        # what an earlier job says is of no use
        if found.rows.keys() | found.problems.keys() == {*mixes, validation} - {""}:
            self.extras_read.emit(found)
