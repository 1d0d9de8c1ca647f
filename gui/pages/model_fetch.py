"""One model on its way: what its source would give, the download, and its pauses; the window shows what this says."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from core.catalog import ModelSpec, size_class
from core.codec import from_plain
from core.commands import GoOn, Pause
from core.events import Failed, Finished, Last, Paused, Stage, WentOn
from core.hub.places import is_id
from core.hub.source import Listing
from core.jobs.jobs import FetchJob
from core.jobs.models import ListJob
from core.modelconfig import architecture_of, context_of
from core.problems import Code, Problem
from gui.desk import Desk
from gui.jobs import JobThread, Lane


@dataclass(frozen=True)
class Offer:
    """What a source would give of a model: its files, and what a broken-off download has brought already. Bytes.

    `facts` are those of its config.json, {} where they are not given out without a licence.
    """

    model: str
    listing: Listing
    waiting_bytes: int
    facts: dict[str, Any]

    @property
    def needed_bytes(self) -> int:
        """What has still to come."""
        return max(self.listing.bytes - self.waiting_bytes, 0)

    @property
    def closed(self) -> Problem | None:
        """Why it is not given out yet: a licence that has to be accepted first."""
        if not self.listing.gated or self.facts:
            return None
        facts = {"model": self.model, "source": self.listing.source, "licence_page": self.listing.page}
        return Problem(Code.GATED_MODEL, facts)

    def spec(self) -> ModelSpec:
        """The model as its source describes it. Raises Trouble(MODEL_*) for impossible facts."""
        architecture = architecture_of(self.facts)
        return ModelSpec(
            id=self.model,
            title=self.model.rpartition("/")[2],
            architecture=architecture,
            size_class=size_class(architecture.parameters),
            licence=self.listing.licence,
            gated=self.listing.gated,
            context=context_of(self.facts),
            download_bytes=self.listing.bytes,
            repo=self.model,
        )


def model_named(text: str) -> str:
    """The owner/name that somebody typed, or the address of a model's page; "" when it is neither."""
    words = text.strip()
    if "://" in words:
        path = words.partition("://")[2].partition("?")[0].partition("#")[0].split("/")[1:]
        # of ModelScope's pages the names are under /models
        parts = path[1:3] if path[:1] == ["models"] else path[:2]
        words = "/".join(parts)
    return words if is_id(words) else ""


class Fetching(QObject):
    """At most one model at a time. `phase` is "", "asking", "fetching", "paused" or "stopping"; `changed` tells of all.

    `offered` carries an Offer, `arrived` the model's name and the folder, `failed` the name and a Problem; `ended`
    follows each of them, and a stop.
    """

    changed = Signal()
    offered = Signal(object)
    arrived = Signal(str, object)
    failed = Signal(str, object)
    ended = Signal()

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(parent)
        self._desk = desk
        self._thread: JobThread | None = None
        self.phase, self.model, self.title = "", "", ""
        self.stage: Stage | None = None
        #: What the sources have told, by model.
        self.offers: dict[str, Offer] = {}
        #: Download sizes that the sources have told, by model. Bytes.
        self.sizes: dict[str, int] = {}
        self._sources: dict[str, str] = {}

    def open_offer(self, model: str) -> Offer | None:
        """What its source would give of a model, None while that is not known or behind a licence."""
        offer = self.offers.get(model)
        return offer if offer is not None and offer.closed is None else None

    def bring(self, spec: ModelSpec, *, begun: bool) -> None:
        """Ask for the exact bytes first; fetch what was asked for before, and what has `begun`."""
        if begun or self.open_offer(spec.id) is not None:
            self.start(spec.id, spec.title)
        else:
            self.ask(spec.id, spec.title)

    @property
    def busy(self) -> bool:
        return bool(self.phase)

    def ask(self, model: str, title: str = "", source: str = "") -> None:
        """Ask the sources what there is of a model: files, exact bytes, whether a licence has to be accepted."""
        if self.busy or self._is_offline(model):
            return
        job = ListJob(model, token=self._desk.tokens.get(source, ""), source=source)
        self._begin("asking", model, title, job)

    def start(self, model: str, title: str = "") -> None:
        """Bring it, from the source that was asked; what is here already is not fetched again."""
        if self.busy or self._is_offline(model):
            return
        source = self._sources.get(model, "")
        job = FetchJob(model, token=self._desk.tokens.get(source, ""), source=source)
        self._begin("fetching", model, title, job)

    def pause(self) -> None:
        """Let go of the network until `go_on`."""
        if self.phase == "fetching" and self._thread is not None:
            self._thread.send(Pause())
            self._turn("paused")

    def go_on(self) -> None:
        """Fetch on after a pause."""
        if self.phase == "paused" and self._thread is not None:
            self._thread.send(GoOn())
            self._turn("fetching")

    def cancel(self) -> None:
        """Stop; what has arrived stays, and the next time goes on there."""
        if self._thread is not None:
            self._desk.runner.cancel(self._thread)
            self._turn("stopping")

    def _is_offline(self, model: str) -> bool:
        """Say so at once, without starting a process that would only say the same."""
        if self._desk.settings.offline:
            self.failed.emit(model, Problem(Code.OFFLINE, {}))
        return self._desk.settings.offline

    def _begin(self, phase: str, model: str, title: str, job: Any) -> None:
        self.model, self.title, self.stage = model, title or model, None
        self._thread = self._desk.runner.start(job, self._heard, lane=Lane.BESIDE)
        self._turn(phase)

    def _turn(self, phase: str) -> None:
        self.phase = phase
        self.changed.emit()

    def _heard(self, event: object) -> None:
        if isinstance(event, Stage):
            self.stage = event
            self.changed.emit()
        elif isinstance(event, (Paused, WentOn)) and self.phase in ("fetching", "paused"):
            self._turn("paused" if isinstance(event, Paused) else "fetching")
        elif isinstance(event, Last):
            self._end(event)

    def _end(self, event: Last) -> None:
        asked, model = isinstance(getattr(self._thread, "job", None), ListJob), self.model
        self._thread = None
        if not asked:
            # what has arrived changed what is still needed
            self.offers.pop(model, None)
        self._turn("")
        if isinstance(event, Failed):
            self.failed.emit(model, named(event.problem, model))
        elif isinstance(event, Finished) and asked:
            found = event.result
            listing = from_plain(Listing, found["listing"])
            self.offers[model] = Offer(model, listing, int(found["waiting_bytes"]), dict(found["facts"]))
            self.sizes[model], self._sources[model] = listing.bytes, listing.source
            self.offered.emit(self.offers[model])
        elif isinstance(event, Finished):
            self.arrived.emit(model, Path(event.result["folder"]))
        self.ended.emit()


def named(problem: Problem, model: str) -> Problem:
    """The problem with the name by which the window knows the model; its source may call it by another one."""
    return replace(problem, facts=problem.facts | {"model": model})
