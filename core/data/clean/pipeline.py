"""clean(): rows in, a report and the cleaned rows out, in bounded memory and the same every time.

The rows are read once. What single rows show is done at once and the rows go to a temporary file; what only the whole
set shows (duplicates, labels, translation) is decided from a few numbers a row; then the kept rows are read back.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.data.clean.bands import Bands
from core.data.clean.cleaning import Cleaning, Mode, StepName, row_number
from core.data.clean.ledger import Ledger
from core.data.clean.look import Look, Seen, beginning, difference, excerpt, weight
from core.data.clean.near import near_duplicates, said
from core.data.clean.report import LISTED, CleanReport, Effect, RowRef, StepReport, Touch
from core.data.clean.spool import Spool
from core.data.clean.steps import BY_NAME, ORDER, STEPS, Step
from core.data.rows import Conversation

#: Rows that are looked at together for near duplicates.
_BLOCK = 512

Stopped = Callable[[], bool]
Progress = Callable[[int], None]


def clean(
    conversations: Iterable[Conversation],
    cleaning: Cleaning | None = None,
    *,
    progress: Progress = lambda rows: None,
    stopped: Stopped = lambda: False,
    folder: Path | None = None,
) -> "Cleaned":
    """Clean rows; close what comes back, or use it in a `with`, to give its temporary files back.

    `progress` hears how many rows were looked at; when `stopped`, the rows so far are cleaned and the report is not
    `complete`. `folder` takes the temporary files, about as large as the rows. Raises OSError when the disk is full.
    """
    made = Cleaned(cleaning or Cleaning(), folder)
    try:
        made._read(conversations, progress, stopped)
        made._decide()
    except BaseException:
        made.close()
        raise
    return made


class Cleaned:
    """A cleaned set: iterate over it, as often as needed, for the rows that stay; `report` says what was done."""

    report: CleanReport

    def __init__(self, cleaning: Cleaning, folder: Path | None = None) -> None:
        self.cleaning = cleaning
        self._spool = Spool(folder)
        self._ledger = Ledger(cleaning)
        self._bands = None if cleaning.mode(StepName.NEAR) is Mode.OFF else Bands(cleaning.similar, folder)
        self._looks = [
            (step, cleaning.mode(step.name), step.look(cleaning))
            for step in STEPS
            if step.look and cleaning.mode(step.name) is not Mode.OFF
        ]
        self._except = frozenset(int(key, 16) for key in cleaning.except_rows)
        # a row with nothing in it cannot be learned from: who keeps such rows keeps what is in them
        self._may_empty = cleaning.mode(StepName.SHORT) is Mode.ACT
        self._excepted = 0
        self._complete = True
        self._likes: dict[StepName, np.ndarray[tuple[int], np.dtype[np.int32]]] = {}

    def __enter__(self) -> "Cleaned":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def __len__(self) -> int:
        return int(self._ledger.kept.sum())

    def __iter__(self) -> Iterator[Conversation]:
        return (row for _number, row in self.numbered())

    def numbered(self) -> Iterator[tuple[int, Conversation]]:
        """Yield the rows that stay, each with its place among the rows that came in."""
        for number, (kept, (row, _notes)) in enumerate(zip(self._ledger.kept, self._spool, strict=True)):
            if kept:
                yield number, row

    def touches(self, step: StepName | None = None) -> Iterator[Touch]:
        """Yield everything that was touched, or what one step touched, row by row in the order of the set."""
        wanted = BY_NAME[step].bit if step else -1
        for number in np.flatnonzero(self._ledger.bits.astype(np.int32) & wanted).tolist():
            yield from (touch for touch in self._touches_of(number) if step in (None, touch.step))

    def close(self) -> None:
        """Give the temporary files back."""
        self._spool.close()
        if self._bands:
            self._bands.close()

    def _read(self, conversations: Iterable[Conversation], progress: Progress, stopped: Stopped) -> None:
        numbers, texts = list[int](), list[str]()
        for conversation in conversations:
            if stopped():
                self._complete = False
                break
            row = self._look_at(conversation)
            if row is not None and self._bands:
                numbers.append(len(self._spool) - 1)
                texts.append(said(row))
            if len(numbers) == _BLOCK and self._bands:
                self._bands.add(numbers, texts)
                numbers, texts = [], []
            if len(self._spool) % _BLOCK == 0:
                progress(len(self._spool))
        if numbers and self._bands:
            self._bands.add(numbers, texts)
        progress(len(self._spool))

    def _look_at(self, conversation: Conversation) -> Conversation | None:
        """Take one row through the steps and put it aside; None when a step dropped it."""
        key = row_number(conversation)
        seen = Seen(conversation)
        bits = open_bits = dropped = 0
        notes = list[tuple[str, str, str, str]]()
        excepted = key in self._except
        self._excepted += excepted
        for step, mode, look in () if excepted else self._looks:
            found = look(seen)
            if found is None or (found.changed and not self._may_empty and _is_emptied(found.changed)):
                continue
            before, after = difference(seen.conversation, found.changed) if found.changed else ("", "")
            notes.append((step.name.value, found.what, before, after))
            if found.open:
                open_bits |= step.bit
                continue
            bits |= step.bit
            if mode is Mode.ACT and found.changed:
                seen = Seen(found.changed)
            elif mode is Mode.ACT and step.acts is Effect.DROPPED:
                dropped = ORDER[step.name] + 1
                break
        answer = seen.answer
        digest = key if seen.conversation is conversation else row_number(seen.conversation)
        number = int.from_bytes(hashlib.blake2b(answer.encode("utf-8", "surrogatepass"), digest_size=8).digest())
        letters = weight(answer) if len(answer) < 256 else 255
        self._ledger.add(key, digest, number, letters, bits, open_bits, dropped)
        self._spool.add(seen.conversation, tuple(notes))
        return None if dropped else seen.conversation

    def _decide(self) -> None:
        """Decide what only the whole set shows, then sum up."""
        ledger, cleaning = self._ledger, self.cleaning
        ledger.settle()
        free = np.isin(ledger.keys, np.array(sorted(self._except), np.uint64))
        if cleaning.mode(StepName.EXACT) is not Mode.OFF:
            self._mark(StepName.EXACT, ledger.exact(free))
        if self._bands:
            # an exact duplicate that was only reported is not a near one as well
            chosen = ledger.kept & (self._likes.get(StepName.EXACT, np.full(len(ledger), -1)) < 0)
            likes = near_duplicates(self._spool, self._bands, chosen, cleaning.similar, cleaning.keep)
            likes[free] = -1
            self._mark(StepName.NEAR, likes)
        if cleaning.mode(StepName.SAME_ANSWER) is not Mode.OFF:
            likes = ledger.repeated_answers()
            likes[free] = -1
            self._mark(StepName.SAME_ANSWER, likes)
        self.report = self._summed_up()

    def _mark(self, name: StepName, likes: "np.ndarray[tuple[int], np.dtype[np.int32]]") -> None:
        self._likes[name] = likes
        self._ledger.mark(name, likes >= 0)

    def _summed_up(self) -> CleanReport:
        ledger = self._ledger
        kept = ledger.kept
        changing = sum(
            step.bit for step, mode, _look in self._looks if mode is Mode.ACT and step.acts is Effect.CHANGED
        )
        return CleanReport(
            rows=len(ledger),
            kept=int(kept.sum()),
            changed=int((kept & ((ledger.bits & changing) > 0)).sum()),
            steps=tuple(self._listed(report) for report in ledger.reports()),
            kind=ledger.kind,
            short=ledger.short,
            short_kept=int((kept & (ledger.weights < min(self.cleaning.shortest, 255))).sum()),
            mixed=ledger.mixed,
            translation=ledger.translation,
            excepted=self._excepted,
            complete=self._complete,
        )

    def _listed(self, report: StepReport) -> StepReport:
        bit = 1 << ORDER[report.step]
        first = np.flatnonzero((self._ledger.bits & bit) > 0)[:LISTED]
        touches = (touch for number in first for touch in self._touches_of(int(number)) if touch.step is report.step)
        return replace(report, touches=tuple(touches))

    def _touches_of(self, number: int) -> Iterator[Touch]:
        row, notes = self._spool[number]
        told = {name: rest for name, *rest in notes}
        bits = int(self._ledger.bits[number])
        for step in STEPS:
            if not bits & step.bit:
                continue
            effect = self._effect(step, number)
            if step.look:
                found, before, after = told[step.name]
                yield Touch(step.name, effect, self._ref(number, row), found, before or excerpt(said(row)), after)
            else:
                yield self._pair(step, effect, number, row)

    def _pair(self, step: Step, effect: Effect, number: int, row: Conversation) -> Touch:
        """A row beside the one that it repeats."""
        first = int(self._likes[step.name][number])
        other = self._spool[first][0]
        told = said if step.name is not StepName.SAME_ANSWER else (lambda one: Seen(one).answer)
        found = str(int(self._ledger.same[number])) if step.name is StepName.SAME_ANSWER else ""
        texts = (beginning(told(row)), beginning(told(other)))
        return Touch(step.name, effect, self._ref(number, row), found, *texts, self._ref(first, other))

    def _effect(self, step: Step, number: int) -> Effect:
        if self._ledger.dropped[number] == ORDER[step.name] + 1:
            return Effect.DROPPED
        acts = step.acts is Effect.CHANGED and self.cleaning.mode(step.name) is Mode.ACT
        return Effect.CHANGED if acts else Effect.REPORTED

    def _ref(self, number: int, row: Conversation) -> RowRef:
        return RowRef(row.file, row.line, f"{int(self._ledger.keys[number]):016x}")


def _is_emptied(row: Conversation) -> bool:
    return any(message.is_empty for message in row.messages)


def cleaned_by(step: StepName, conversation: Conversation, cleaning: Cleaning | None = None) -> Conversation:
    """Return a single row as one step would leave it, for showing all of it before and after."""
    looks: Iterator[Look] = (one.look(cleaning or Cleaning()) for one in STEPS if one.name is step and one.look)
    found = next((look(Seen(conversation)) for look in looks), None)
    return found.changed if found and found.changed else conversation
