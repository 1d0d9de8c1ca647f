"""One look at the computer: takes each reading once, in its own time, and tells the findings one by one."""

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from core.doctor.judge import FIELDS, TRIALS, judge
from core.doctor.readings import Readings
from core.findings import Check, Finding, Probed

#: Seconds that one reading may take; a driver or a bus that hangs never answers.
PATIENCE = 30.0
#: Longer for what looks at every file of every package: a virus scanner may look at each of them as well.
_LONGER = {"packages": 6.0}

#: By field of Readings the function that reads it.
Readers = Mapping[str, Callable[[], Any]]
#: The self-test of torch: given the names of trials, what each says when it ends.
Trials = Callable[[Collection[str]], Iterable[Probed]]


class Examination:
    """Looks through `readers` and `trials`; `readings` holds what is known so far."""

    def __init__(self, readers: Readers, trials: Trials, patience: float = PATIENCE) -> None:
        self._readers, self._trials, self._patience = readers, trials, patience
        self.readings = Readings()

    def findings(self, checks: Collection[Check] = tuple(Check)) -> Iterator[Finding]:
        """Yield the findings of `checks` in the order of the table, each as soon as it is known. Never raises."""
        asked = [check for check in Check if check in checks]
        tried = False
        for check in asked:
            if check not in TRIALS:
                self._read(FIELDS[check])
                if check is Check.CLOCK:
                    self._read("network")
                yield from judge(self.readings, [check])
            elif not tried:
                tried = True
                yield from self._try([name for name in asked if name in TRIALS])

    def _try(self, checks: list[Check]) -> Iterator[Finding]:
        # what torch says means something only beside the cards that the driver lists
        self._read("cards")
        for probed in self._trials([check.value for check in checks]):
            one = replace(self.readings, probes=(probed,))
            self.readings = replace(self.readings, probes=(*self.readings.probes, probed))
            yield from judge(one, [check for check in checks if check.value == probed.name])

    def _read(self, name: str) -> None:
        if name in self.readings.unread or getattr(self.readings, name) is not None or name not in self._readers:
            return
        answer, why = _within(self._patience * _LONGER.get(name, 1.0), self._readers[name])
        if why:
            self.readings = replace(self.readings, unread={**self.readings.unread, name: why})
        else:
            self.readings = replace(self.readings, **{name: answer})


def _within(seconds: float, reader: Callable[[], Any]) -> tuple[Any, str]:
    """What `reader` returns, or why it did not; one that hangs is left behind."""
    answers: list[tuple[Any, str]] = []

    def ask() -> None:
        try:
            answers.append((reader(), ""))
        except Exception as error:  # one reading that fails must not take the others along
            answers.append((None, f"{type(error).__name__}: {error}"[:300]))

    asking = threading.Thread(target=ask, name="reading", daemon=True)
    asking.start()
    asking.join(seconds)
    return answers[0] if answers else (None, f"no answer within {seconds:g} s")
