"""From files to the rows that are trained: read, clean, mix, split, put into stages. The one way for report and run."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from core.data.clean import Cleaning, CleanReport, StepName
from core.data.columns import Columns
from core.data.inspect import Progress, Reading, Refuses, Stopped
from core.data.lengths import RowLengths
from core.data.portions import mixed_in, repeated, stages_of
from core.data.prepared import Prepared, Stage
from core.data.rows import Conversation, DataReport
from core.data.source import Halted
from core.data.split import chosen, ranked
from core.plan import TrainingPlan

if TYPE_CHECKING:
    from core.data.clean.pipeline import Cleaned


#: After so many rows it is told how far it is.
_TOLD = 1000


def prepare(
    plan: TrainingPlan,
    progress: Progress = lambda done, total: None,
    stopped: Stopped = lambda: False,
    folder: Path | None = None,
    refuses: Refuses | None = None,
) -> Prepared:
    """Read the plan's files and choose the rows of every stage; the same plan and files give the same rows.

    `folder` gets the rows, where each came from, and what cleaning did (core.data.kept). `refuses` says which rows the
    model's template cannot show. Raises what `core.data.inspect.inspect_files` raises, Halted when `stopped`, and
    OSError.
    """
    way = _Way(plan, progress, stopped, refuses)
    own = way.read(plan.data, folder)
    checks = way.read((plan.validation,)).rows if plan.validation else []
    most = mixed_in(plan, sum(repeated(len(own.rows), weight) for weight in plan.weights or (1.0,)))
    mixes = [way.some((mix.file,), count) for mix, count in zip(plan.mix, most, strict=True)]
    ours, theirs, *generals = way.groups([own.rows, checks, *mixes])
    if plan.validation:
        aside, trained = list[int](), set(ours)
        validation = [row for row, group in zip(checks, theirs, strict=True) if group not in trained]
    else:
        aside = chosen(own.rows, plan.validation_share, plan.seed, groups=ours, sources=own.sources)
        validation = [own.rows[place] for place in aside]
    # what is checked with is not learned in passing
    checked = {ours[place] for place in aside} | set(theirs)
    general = [
        [row for row, group in zip(rows, groups, strict=True) if group not in checked]
        for rows, groups in zip(mixes, generals, strict=True)
    ]
    stages, wanted, mixed = _stages(plan, own, set(aside), general)
    shared = len(checks) - len(validation) if plan.validation else 0
    found = Prepared(stages, validation, own.report, own.clean_report, mixed, wanted, shared)
    if folder is not None:
        from core.data.kept import keep

        return replace(found, kept=keep(folder, plan, own.rows, found))
    return found


def examine(
    files: tuple[str, ...],
    cleaning: Cleaning | None = None,
    *,
    columns: Columns | None = None,
    passage: int = 0,
    count: RowLengths | None = None,
    progress: Progress = lambda done, total: None,
    checked: Progress = lambda done, total: None,
    stopped: Stopped = lambda: False,
    keep: Path | None = None,
) -> tuple[DataReport, CleanReport | None, dict[str, int]]:
    """Report on files as `prepare` would read and clean them; no more rows are held than fit into a bounded memory.

    Also returns how many pieces of private data there are of each kind (core.data.private.Kind) in the rows that
    reached that step. `progress` hears bytes read, `checked` then rows. `keep` is a file that gets the rows to learn
    from. Raises like `prepare`; where nothing is cleaned or kept, a report on the rows so far instead of Halted.
    """
    alone = cleaning is None and keep is None
    reading = Reading(
        files, progress, stopped, columns=columns, passage=passage, count=count if alone else None,
        refuses=count.refuses if count is not None else None,
    )  # fmt: skip
    if alone:
        for _row in reading:
            pass
        return reading.report(), None, {}
    from core.data.clean.pipeline import clean
    from core.data.clean.written import write_rows

    with clean(_told(_going(reading, stopped), checked), cleaning or Cleaning(())) as cleaned:
        by_file = [0] * len(files)
        for done, (place, row) in enumerate(_sorted_in(cleaned, reading.by_file)):
            if done % _TOLD == 0:
                checked(done, len(cleaned))
            by_file[place] += 1
            if count is not None:
                count.add(row)
            if stopped():
                raise Halted
        private = Counter[str]()
        for touch in cleaned.touches(StepName.PRIVATE):
            private.update(_counted(touch.found))
        if keep is not None:
            write_rows(keep, cleaned)
        report = reading.report(count)
        if cleaning is None:
            return report, None, {}
        report = replace(report, by_file=tuple(by_file), kept=len(cleaned))
        return report, cleaned.report, dict(sorted(private.items()))


@dataclass(frozen=True)
class _Rows:
    """Rows to learn from; `sources` says for each which of the files it came from."""

    rows: list[Conversation]
    sources: list[int]
    report: DataReport
    clean_report: CleanReport | None = None


class _Way:
    """How a plan's files become rows. Everything raises Halted when `stopped`."""

    def __init__(self, plan: TrainingPlan, progress: Progress, stopped: Stopped, refuses: Refuses | None) -> None:
        self._plan, self._progress, self._stopped, self._refuses = plan, progress, stopped, refuses

    def read(self, files: tuple[str, ...], folder: Path | None = None) -> _Rows:
        """Every row of files, cleaned where the plan asks for it; what that did is kept in `folder`."""
        plan = self._plan
        reading = Reading(
            files, self._progress, self._stopped, columns=plan.columns, passage=plan.passage, refuses=self._refuses
        )
        if plan.cleaning is None:
            rows = list(_going(reading, self._stopped))
            sources = [place for place, count in enumerate(reading.by_file) for _row in range(count)]
            return _Rows(rows, sources, reading.report())
        from core.data.clean.pipeline import clean
        from core.data.clean.written import write_cleaned

        with clean(_going(reading, self._stopped), plan.cleaning) as cleaned:
            found = list(_sorted_in(cleaned, reading.by_file))
            if folder is not None:
                write_cleaned(folder, cleaned)
            sources, rows = [place for place, _row in found], [row for _place, row in found]
            count = Counter(sources)
            by_file = tuple(count[place] for place in range(len(files)))
            report = replace(reading.report(), by_file=by_file, kept=len(rows))
            return _Rows(rows, sources, report, cleaned.report)

    def some(self, files: tuple[str, ...], most: int) -> list[Conversation]:
        """The rows of a mix that come into question: some more than will be taken."""
        rows = self.read(files).rows
        return [rows[place] for place in ranked(rows, self._plan.seed)[: most + most // 10 + 100]]

    def groups(self, sets: list[list[Conversation]]) -> list[list[int]]:
        """What belongs together in and across sets of rows, as far as anything is set apart at all."""
        plan, rows = self._plan, [row for one in sets for row in one]
        found: Sequence[int] = range(len(rows))
        if plan.validation or plan.validation_share:
            from core.data.clean.overlap import groups

            similar = (plan.cleaning or Cleaning()).similar
            found = groups(_going(rows, self._stopped), similar)
        ends = list(accumulate(map(len, sets)))
        return [list(found[end - len(one) : end]) for one, end in zip(sets, ends, strict=True)]


def _told(rows: Iterable[Conversation], checked: Progress) -> Iterator[Conversation]:
    """The rows; tells when they are all read, because looking at all of them together takes a while."""
    yield from rows
    checked(0, 0)


def _going(rows: Iterable[Conversation], stopped: Stopped) -> Iterator[Conversation]:
    """The rows; raises Halted when `stopped`, also where a reading ended early because of that."""
    for row in rows:
        if stopped():
            break
        yield row
    if stopped():
        raise Halted


def _sorted_in(cleaned: "Cleaned", by_file: Sequence[int]) -> Iterator[tuple[int, Conversation]]:
    """Yield the rows that stay, each with the place of the file that it came from."""
    ends = list(accumulate(by_file))
    return ((bisect_right(ends, number), row) for number, row in cleaned.numbered())


def _counted(found: str) -> dict[str, int]:
    """The kinds of private data in a row, from "email 1, phone 2"."""
    return {kind: int(number) for kind, number in (one.rsplit(" ", 1) for one in found.split(", "))}


def _stages(
    plan: TrainingPlan, own: _Rows, aside: set[int], general: list[list[Conversation]]
) -> tuple[tuple[Stage, ...], int, int]:
    """The stages; how many rows were to be mixed in, and how many were."""
    weights = plan.weights or (1.0,) * len(plan.data)
    kept: list[list[Conversation]] = [[] for _file in plan.data]
    for at, row in enumerate(own.rows):
        if at not in aside:
            kept[own.sources[at]].append(row)
    trained = [_repeated(rows, weight, plan.seed) for rows, weight in zip(kept, weights, strict=True)]
    stages, wanted, mixed = list[Stage](), 0, 0
    for names, epochs in stages_of(plan):
        rows = [row for name, learned in zip(plan.data, trained, strict=True) if name in names for row in learned]
        for count, source in zip(mixed_in(plan, len(rows)), general, strict=True):
            wanted, mixed = wanted + count, mixed + min(count, len(source))
            rows += source[:count]
        stages.append(Stage(rows, epochs))
    return tuple(stages), wanted, mixed


def _repeated(rows: list[Conversation], weight: float, seed: int) -> list[Conversation]:
    """The rows of a file as often as an epoch sees them: whole times all, and a part of them once more."""
    whole, rest = divmod(repeated(len(rows), weight), max(len(rows), 1))
    part = sorted(ranked(rows, seed)[:rest]) if rest else []
    return rows * whole + [rows[place] for place in part]
