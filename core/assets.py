"""Paths to the files that SoloTune ships, from a source tree and from an installed package alike."""

from pathlib import Path

import resources


def resource(*parts: str) -> Path:
    """Return the path of a shipped file, for example `resource("samples", "support_en.jsonl")`."""
    return Path(str(resources.__file__)).parent.joinpath(*parts)
