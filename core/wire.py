"""What jobs say and hear as lines of JSON, the same on the wire and on disk."""

import json
from typing import Any

from core.codec import CodecError, dumps, from_plain, to_plain
from core.commands import Command, CountTokens, FindRow, GoOn, Pause, Predict, Say, ShowRow, Stay, Stop
from core.events import (
    Answered,
    Contacted,
    Evaluated,
    Event,
    Failed,
    Finished,
    Fragment,
    Measured,
    Noted,
    Paused,
    Predicted,
    Sampled,
    Saved,
    Stage,
    StepDone,
    Stopped,
    WentOn,
)
from core.findings import Diagnosed, Probed
from core.tokens import RowsFound, RowTokens, TokenTotals

_EVENTS: dict[str, type[Event]] = {
    "stage": Stage, "step": StepDone, "evaluated": Evaluated, "saved": Saved, "measured": Measured,
    "noted": Noted, "fragment": Fragment, "answered": Answered, "predicted": Predicted,
    "contacted": Contacted, "sampled": Sampled, "paused": Paused, "went_on": WentOn,
    "row_tokens": RowTokens, "rows_found": RowsFound, "token_totals": TokenTotals,
    "diagnosed": Diagnosed, "probed": Probed,
    "finished": Finished, "stopped": Stopped, "failed": Failed,
}  # fmt: skip
_COMMANDS: dict[str, type[Command]] = {
    "stop": Stop, "pause": Pause, "go_on": GoOn, "stay": Stay, "say": Say, "predict": Predict,
    "show_row": ShowRow, "find_row": FindRow, "count_tokens": CountTokens,
}  # fmt: skip
_KINDS = {cls: kind for table in (_EVENTS, _COMMANDS) for kind, cls in table.items()}


def encode(message: Event | Command) -> str:
    """Return `message` as one line of JSON without the line end."""
    return dumps({"kind": _KINDS[type(message)], **to_plain(message)})


def decode_event(line: str) -> Event:
    """Read one event line. Raises CodecError for half lines and for kinds this version does not know."""
    event: Event = _decode(line, _EVENTS)
    return event


def decode_command(line: str) -> Command:
    """Read one command line. Raises CodecError."""
    command: Command = _decode(line, _COMMANDS)
    return command


def _decode(line: str, table: Any) -> Any:
    try:
        data = json.loads(line)
        kind = data.pop("kind")
        cls = table[kind]
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError) as error:
        raise CodecError(f"not an event: {line[:80]!r}") from error
    return from_plain(cls, data, strict=False)
