"""The note in a downloaded model's folder that says where it is from; by it the app knows its own folders."""

import json
from pathlib import Path
from typing import Any

from core.files import write_text
from core.hub.source import Listing

ORIGIN = "solotune-origin.json"


def write_origin(folder: Path, listing: Listing) -> None:
    """Leave the note: model, source, revision, licence, and the hash of each file as the source gave it."""
    facts = {
        "model": listing.model, "source": listing.source, "revision": listing.revision, "page": listing.page,
        "licence": listing.licence, "files": {file.path: file.mark for file in listing.files},
    }  # fmt: skip
    write_text(folder / ORIGIN, json.dumps(facts, indent=1, ensure_ascii=False) + "\n")


def origin_of(folder: Path) -> dict[str, Any]:
    """What the note says, {} where there is none."""
    try:
        found = json.loads((folder / ORIGIN).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
