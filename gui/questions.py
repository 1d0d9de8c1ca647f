"""Questions to try a run with: the sample's held-out rows, the plan's own, or rows of the data."""

import json
from pathlib import Path

from core.wizard import WizardState


def suggestions(state: WizardState, most: int = 4) -> tuple[str, ...]:
    """A few questions that the data is about."""
    plan = state.plan
    files = plan.data if plan else ()
    found = [*(plan.questions if plan else ()), *held_out(files), *_previewed(state)]
    return tuple(dict.fromkeys(found))[:most]


def held_out(files: tuple[str, ...]) -> tuple[str, ...]:
    """Questions of `<file>_heldout.jsonl` beside the data: rows that the run never saw."""
    found: list[str] = []
    for name in files:
        path = Path(name)
        beside = path.with_name(f"{path.stem}_heldout.jsonl")
        try:
            lines = beside.read_text(encoding="utf-8").splitlines()
        except OSError:
            continue
        found += [question for line in lines if (question := _question(line))]
    return tuple(found)


def _question(line: str) -> str:
    try:
        row = json.loads(line)
    except ValueError:
        return ""
    if not isinstance(row, dict):
        return ""
    return str(row.get("instruction") or row.get("question") or row.get("prompt") or "")


def _previewed(state: WizardState) -> list[str]:
    rows = state.report.preview if state.report else ()
    firsts = (next((m.content for m in row.messages if m.role == "user"), "") for row in rows if not row.has_tools)
    return [text for text in firsts if 0 < len(text) <= 200]
