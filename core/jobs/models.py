"""Jobs about models at their sources: bring one, list one, ask how fast each source answers."""

import time
from dataclasses import dataclass, field
from typing import Any

from core.codec import to_plain
from core.events import Paused, Stage, WentOn
from core.hub.source import Convert
from core.jobs.talk import StopAsked, Talk
from core.settings import load, models_root


class _Ear:
    """Tells what a download does, and hears what the user wants of it."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._since = 0.0

    def tell(self, stage: Stage) -> None:
        """Raises StopAsked when the user cancelled."""
        if self._talk.stop_requested:
            raise StopAsked
        self._talk.emit(stage)

    def paused(self) -> bool:
        pause = self._talk.pause
        if pause is not None and not self._since:
            self._since = time.monotonic()
            self._talk.emit(Paused(step=0, reason=pause.reason))
        elif pause is None and self._since:
            self._talk.emit(WentOn(step=0, seconds=time.monotonic() - self._since))
            self._since = 0.0
        return pause is not None


def fetch_told(model: str, talk: Talk, convert: Convert, *, token: str = "", source: str = "") -> str:
    """Fetch a model, tell how it goes, and return its folder. Raises Trouble, OSError, StopAsked."""
    from core.hub import fetch

    settings, ear = load(), _Ear(talk)
    root = models_root(settings)
    return str(fetch(model, root, ear.tell, convert, settings=settings, token=token, source=source, paused=ear.paused))


@dataclass(frozen=True)
class ListJob:
    """Look what would be fetched of a model: an id of the catalogue or owner/name.

    Result: `listing` (a core.hub.source.Listing as plain values), `bytes` of all its files, `waiting_bytes` that are
    here already of a broken-off download, and `facts`, those of the model's config.json ({} where it is not given out
    without a licence): core.modelconfig.architecture_of makes an estimate of them possible before anything is fetched.
    """

    model: str
    token: str = field(default="", repr=False)
    source: str = ""

    def run(self, talk: Talk) -> dict[str, Any]:
        from core.hub import waiting_bytes
        from core.hub.bring import config_at, listed
        from core.hub.download import attended

        settings = load()

        def ask() -> dict[str, Any]:
            origin, found = listed(self.model, settings, self.token, self.source)
            return {"listing": to_plain(found), "bytes": found.bytes, "facts": config_at(origin, found)}

        def tick() -> None:
            if talk.stop_requested:
                raise StopAsked

        return {**attended(ask, tick), "waiting_bytes": waiting_bytes(self.model, models_root(settings))}


@dataclass(frozen=True)
class ReachJob:
    """Take the time that each source needs to answer. Result: `reach`, core.hub.places.Reach as plain values."""

    def run(self, talk: Talk) -> dict[str, Any]:
        from core.hub.places import reach

        return {"reach": [to_plain(one) for one in reach(load())]}
