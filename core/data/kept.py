"""What a run learns from, kept in its folder: it goes on with the rows it began with, whatever becomes of the files.

rows.jsonl        the rows of the plan's data, after cleaning where it cleans (core.data.clean.written)
mixed.jsonl       the rows that are mixed in
validation.jsonl  the rows to check with
order.json        which of them each stage learns, and the marks of the files that they came from

Every row says which file and line it came from. A set of more than MOST_BYTES is not copied: of that only the marks are
kept, and the files themselves have to be there, unchanged, when the run goes on.
"""

import hashlib
import json
import os
import stat
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from core import codec
from core.data.clean.written import ROWS, read_report, write_rows
from core.data.portions import stages_of
from core.data.prepared import Prepared, Stage
from core.data.rows import Conversation, DataReport, conversation_of
from core.files import folder_in_place, free_bytes, write_text
from core.plan import TrainingPlan

MIXED, VALIDATION, ORDER = "mixed.jsonl", "validation.jsonl", "order.json"
#: Rows beyond this are not copied. It is half a million usual ones; the checkpoints of a run are often larger.
MOST_BYTES = 500_000_000
_BLOCK = 1 << 20
#: What of a plan decides which rows are learned.
_ASKED = (
    "data", "validation", "validation_share", "seed", "mix", "weights", "stages", "cleaning", "columns", "passage",
)  # fmt: skip


@dataclass(frozen=True)
class Order:
    """The rows of each stage, counted through rows.jsonl and then mixed.jsonl, and what is known of them.

    `asked` are the values of the plan that chose the rows. `files` holds the mark of every file that was read,
    `copies` those of the files beside this one; () where the rows were too many to be kept.
    """

    asked: dict[str, Any]
    files: dict[str, str]
    report: DataReport
    stages: tuple[tuple[int, ...], ...] = ()
    copies: dict[str, str] = field(default_factory=dict)
    mixed: int = 0
    mixed_wanted: int = 0
    shared: int = 0


def keep(folder: Path, plan: TrainingPlan, rows: Sequence[Conversation], found: Prepared) -> bool:
    """Keep what `prepare` found in `folder`, `rows` being those of the plan's data; False where they are too many.

    Cleaned rows lie there already. Raises OSError.
    """
    order = Order(
        asked=_asked(plan),
        files={name: mark(Path(name)) for name in _files(plan)},
        # a run folder is passed on: the first rows as they were before private data was masked stay out of it
        report=replace(found.report, preview=()),
        mixed=found.mixed, mixed_wanted=found.mixed_wanted, shared=found.shared,
    )  # fmt: skip
    bytes_needed = _bytes(rows) + _bytes(found.train) + _bytes(found.validation)
    fits = bytes_needed <= min(MOST_BYTES, free_bytes(folder) // 2)
    if plan.cleaning is None:
        with folder_in_place(folder) as beside:
            if fits:
                write_rows(beside / ROWS, rows)
    if fits:
        places = {id(row): place for place, row in enumerate(rows)}
        mixed = {id(row): row for row in found.train if id(row) not in places}
        places |= {one: len(rows) + place for place, one in enumerate(mixed)}
        write_rows(folder / MIXED, mixed.values())
        write_rows(folder / VALIDATION, found.validation)
        order = replace(
            order,
            stages=tuple(tuple(places[id(row)] for row in stage.rows) for stage in found.stages),
            copies={name: mark(folder / name) for name in (ROWS, MIXED, VALIDATION)},
        )
    # last: without it nothing here counts
    write_text(folder / ORDER, codec.dumps(order) + "\n")
    return fits


def order_of(folder: Path, plan: TrainingPlan) -> Order | None:
    """What was kept in `folder`; None when nothing was, when it is damaged, or when the plan asks for other rows."""
    try:
        found = codec.from_plain(Order, json.loads((folder / ORDER).read_text(encoding="utf-8")), strict=False)
    except (OSError, ValueError, RecursionError):
        return None
    return found if _asks_the_same(plan, found.asked) else None


def kept(folder: Path, plan: TrainingPlan) -> Prepared | None:
    """Return what `keep` kept, row for row; None when there is no whole copy of it."""
    order = order_of(folder, plan)
    if order is None or not order.copies:
        return None
    try:
        if any(mark(folder / name) != known for name, known in order.copies.items()):
            return None
        rows = [*_read(folder / ROWS), *_read(folder / MIXED)]
        stages = tuple(
            Stage([rows[place] for place in places], epochs)
            for places, (_files, epochs) in zip(order.stages, stages_of(plan), strict=True)
        )
        cleaned = read_report(folder) if plan.cleaning else None
        validation = _read(folder / VALIDATION)
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return Prepared(stages, validation, order.report, cleaned, order.mixed, order.mixed_wanted, order.shared, kept=True)


def changed(order: Order) -> dict[str, bool]:
    """The files that are not what they were: whether each is still there."""
    found = {name: mark(Path(name)) for name in order.files}
    return {name: bool(found[name]) for name, known in order.files.items() if found[name] != known}


def mark(path: Path) -> str:
    """A mark of a file's bytes, or of all files in a folder and their names; "" when there is nothing to read."""
    said = hashlib.blake2b(digest_size=16)
    try:
        if not path.is_dir():
            _add(said, path)
            return said.hexdigest()
        for root, folders, names in os.walk(path):
            folders.sort()
            for name in sorted(names):
                file = Path(root) / name
                said.update(os.fsencode(str(file.relative_to(path))) + b"\0")
                # what is in a folder need not be readable
                with suppress(PermissionError):
                    _add(said, file)
    except OSError:
        return ""
    return said.hexdigest()


def _add(said: hashlib.blake2b, path: Path) -> None:
    facts = path.stat()
    said.update(f"{facts.st_size}\0".encode())
    if not stat.S_ISREG(facts.st_mode):
        return
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            said.update(block)


def _files(plan: TrainingPlan) -> tuple[str, ...]:
    """Every file of which a plan's rows come, once."""
    named = (*plan.data, plan.validation, *(mix.file for mix in plan.mix))
    return tuple(dict.fromkeys(name for name in named if name))


def _asked(plan: TrainingPlan) -> dict[str, Any]:
    plain = codec.to_plain(plan)
    return {name: plain[name] for name in _ASKED}


def _asks_the_same(plan: TrainingPlan, asked: dict[str, Any]) -> bool:
    """Whether a plan still asks for the same rows; what an older version did not know yet has its default."""
    try:
        then = codec.from_plain(TrainingPlan, {"model": plan.model, **asked}, strict=False)
    except codec.CodecError:
        return False
    return all(getattr(then, name) == getattr(plan, name) for name in _ASKED)


def _bytes(rows: Iterable[Conversation]) -> int:
    """What rows take on the disk, each once; at most, where they are not plain ASCII."""
    once = {id(row): row for row in rows}
    texts = (text for row in once.values() for text in (row.tools, *(message.text for message in row.messages)))
    return sum(len(text) * (1 if text.isascii() else 3) for text in texts)


def _read(path: Path) -> list[Conversation]:
    with path.open(encoding="utf-8") as lines:
        return [conversation_of(said, said["file"], said["line"]) for said in map(json.loads, lines)]
