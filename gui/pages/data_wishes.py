"""What the user wants of the data on the Data page: other cleaning, rows left alone, files learned in another way."""

from dataclasses import replace

from PySide6.QtCore import QObject, QTimer, Signal

from core.arrangement import Arrangement
from core.data.clean import Cleaning, Mode, StepName, Touch
from core.plan import Mix
from core.planning import rows_in, with_intervals
from core.wizard import WizardState, arrange
from gui.pages.data_look import Extras, Wish, wish_of

#: Milliseconds after the last switch before the data is read again.
AFTER_SWITCH = 700


class Wishes(QObject):
    """Collects changes of how files are looked at; `due` carries the Wish a moment after the last one."""

    due = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.wish = Wish(())
        self._left: dict[str, Touch] = {}
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(AFTER_SWITCH)
        self._soon.timeout.connect(lambda: self.due.emit(self.wish))

    @property
    def waiting(self) -> bool:
        """Whether a change will be due in a moment."""
        return self._soon.isActive()

    def stop(self) -> None:
        """Forget what is not due yet."""
        self._soon.stop()

    def begin(self, state: WizardState) -> None:
        """Start from how the state's report came about, unless files were looked at since."""
        if not self.wish.files:
            self.wish = wish_of(state)

    def _change(self, cleaning: Cleaning) -> None:
        self.wish = replace(self.wish, cleaning=cleaning)
        self._soon.start()

    @property
    def _cleaning(self) -> Cleaning:
        return self.wish.cleaning or Cleaning()

    def switch(self, step: StepName, mode: Mode) -> None:
        """Have a cleaning step do something else."""
        self._change(self._cleaning.switched(step, mode))

    def leave(self, touch: Touch, alone: bool) -> None:
        """Take a row out of all cleaning, or back into it."""
        key = touch.row.key
        self._left[key] = touch
        self._change(self._cleaning.excepting(key) if alone else self._cleaning.including(key))

    def include_all(self) -> None:
        """Clean every row again."""
        self._change(replace(self._cleaning, except_rows=()))

    def left(self, cleaning: Cleaning | None) -> list[Touch]:
        """The rows that a cleaning leaves alone, as far as they were left here."""
        return [touch for key, touch in self._left.items() if cleaning and key in cleaning.except_rows]


def rearranged(state: WizardState, arrangement: Arrangement) -> WizardState:
    """The state with its files learned in another way; the same state where that cannot be."""
    if arrangement == state.arrangement:
        return state
    try:
        found = arrange(state, arrangement)
    except ValueError:  # more than nine tenths would be mixed in
        return state
    if found.plan is None or found.report is None:
        return found
    share = found.plan.validation_share
    return replace(found, plan=replace(with_intervals(found.plan, rows_in(found.report)), validation_share=share))


def with_extras(state: WizardState, what: str, paths: list[str]) -> Arrangement:
    """The arrangement with files beside the data: to "mix" in, or as "validation", of which there is one."""
    now, own = state.arrangement, state.report.files if state.report else ()
    new = [path for path in dict.fromkeys(paths) if path not in (*own, *now.beside)]
    if what == "mix":
        return replace(now, mix=(*now.mix, *(Mix(path, Mix.share / len(new)) for path in new)))
    return replace(now, validation=new[0]) if new else now


def without_broken(arrangement: Arrangement, extras: Extras) -> Arrangement:
    """The arrangement without the files that cannot be read."""
    broken = extras.problems
    mix = tuple(one for one in arrangement.mix if one.file not in broken)
    return replace(arrangement, mix=mix, validation="" if arrangement.validation in broken else arrangement.validation)
