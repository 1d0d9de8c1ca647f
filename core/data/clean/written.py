"""A cleaned set as a folder: rows.jsonl to learn from, report.json, and touched.jsonl with every row that changed."""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from core import codec
from core.data.clean.cleaning import Mode, StepName
from core.data.clean.pipeline import Cleaned
from core.data.clean.report import CleanReport, StepReport, Touch
from core.data.private import Kind, Masker
from core.data.rows import Conversation
from core.files import folder_in_place

ROWS, REPORT, TOUCHED, CLEANING = "rows.jsonl", "report.json", "touched.jsonl", "cleaning.json"


def write_cleaned(folder: Path, cleaned: Cleaned) -> Path:
    """Write a cleaned set into `folder` (in its place, or not at all) and return the path of its rows.

    Rows are in the `messages` shape, running text is a `text`, with the `file` and `line` that they came from.
    Where private data is masked, what was there before is masked in the report too: a run folder is passed on.
    Raises OSError.
    """
    shown = _shown(cleaned)
    with folder_in_place(folder) as beside:
        write_rows(beside / ROWS, cleaned)
        with (beside / TOUCHED).open("w", encoding="utf-8", newline="\n") as touched:
            for touch in cleaned.touches():
                touched.write(codec.dumps(shown(touch)) + "\n")
        steps = tuple(_report(step, shown) for step in cleaned.report.steps)
        (beside / REPORT).write_text(codec.dumps(replace(cleaned.report, steps=steps)) + "\n", encoding="utf-8")
        (beside / CLEANING).write_text(codec.dumps(cleaned.cleaning) + "\n", encoding="utf-8")
    return folder / ROWS


def write_rows(path: Path, conversations: Iterable[Conversation]) -> None:
    """Write rows as JSON lines, beside `path` and then in its place. Raises OSError."""
    beside = path.with_name(f".{path.name}.part")
    try:
        with beside.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as rows:
            for row in conversations:
                rows.write(json.dumps(row.written() | {"file": row.file, "line": row.line}, ensure_ascii=False))
                rows.write("\n")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def read_report(folder: Path) -> CleanReport:
    """Read the report of a cleaned set. Raises OSError, codec.CodecError and ValueError for a damaged one."""
    return codec.from_plain(CleanReport, json.loads((folder / REPORT).read_text(encoding="utf-8")), strict=False)


def _report(step: StepReport, shown: Callable[[Touch], Touch]) -> StepReport:
    return replace(step, touches=tuple(map(shown, step.touches)))


def _shown(cleaned: Cleaned) -> Callable[[Touch], Touch]:
    """How a touch is written down."""
    cleaning = cleaned.cleaning
    if cleaning.mode(StepName.PRIVATE) is not Mode.ACT:
        return lambda touch: touch
    kinds = tuple(map(Kind, cleaning.private)) or tuple(Kind)

    def shown(touch: Touch) -> Touch:
        # a Masker of its own for each: the numbers in its placeholders would not be those in the rows
        masker = Masker(kinds)
        if touch.step is StepName.PRIVATE:
            return replace(touch, before="")
        return replace(
            touch,
            found=masker.mask_text(touch.found),
            before=masker.mask_text(touch.before),
            after=masker.mask_text(touch.after),
        )

    return shown
