"""What every place has in common that models come from, and what it tells."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.events import Stage

#: Tells progress. Raises to cancel.
Tell = Callable[[Stage], None]
#: Turns a GGUF file into a safetensors model folder; lives in the engine because it needs torch.
Convert = Callable[[Path, Path], None]


@dataclass(frozen=True)
class RemoteFile:
    """A file at a source: its name, its size in bytes, and a hash of it.

    `sha256` is that of the content where the source knows it, `git` the SHA-1 that git gives the file ("" if unknown).
    """

    path: str
    bytes: int
    sha256: str = ""
    git: str = ""

    @property
    def mark(self) -> str:
        """What tells this content from any other, as far as the source says."""
        return self.sha256 or self.git or str(self.bytes)


@dataclass(frozen=True)
class Listing:
    """What will be fetched of a model, known before anything is: the files, all needed ones and no other.

    `source` is a name of core.settings.SOURCES, `revision` what the files are pinned to, `page` where people read about
    the model; `gated` says that its owner wants a licence accepted there.
    """

    model: str
    source: str
    files: tuple[RemoteFile, ...]
    revision: str
    page: str = ""
    gated: bool = False
    licence: str = ""

    @property
    def bytes(self) -> int:
        """Size of all files."""
        return sum(file.bytes for file in self.files)


class Source(Protocol):
    """A place that models are brought from."""

    def fetch(self, target: Path, tell: Tell, convert: Convert) -> Path:
        """Bring the model into folder `target`, written beside and renamed. Raises Trouble."""


class Origin(Protocol):
    """A server that holds one model as files with addresses (core.hub.download brings them here)."""

    #: One of core.settings.SOURCES.
    name: str
    #: The model's id there, and the page about it.
    model: str
    page: str

    def listing(self) -> Listing:
        """Ask what there is to fetch. Raises Trouble."""

    def address(self, file: RemoteFile, revision: str) -> str:
        """Where the file's bytes are."""

    def headers(self) -> Mapping[str, str]:
        """What to send along; may hold an access token, so it is never shown or kept."""
