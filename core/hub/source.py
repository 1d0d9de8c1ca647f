"""What every source of models can do."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from core.events import StageName

#: Tells progress: stage, done, total in bytes (total 0 when unknown). Raises to cancel.
Tell = Callable[[StageName, int, int], None]
#: Turns a GGUF file into a safetensors model folder; lives in the engine because it needs torch.
Convert = Callable[[Path, Path], None]


class Source(Protocol):
    """A place that models are brought from."""

    def fetch(self, target: Path, tell: Tell, convert: Convert) -> Path:
        """Bring the model into folder `target`, written beside and renamed. Raises Trouble."""
