"""Where models lie on this computer, looked for off the window's thread: our folder, others' caches, folders."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from core.catalog import ModelSpec, spec_of
from core.files import free_bytes
from core.hub import waiting_bytes
from core.hub.places import is_id
from core.hub.shelf import Shelved, shelf
from core.i18n import _
from core.problems import Trouble
from core.wording import gigabytes
from gui.background import Errand
from gui.desk import Desk


@dataclass(frozen=True)
class Place:
    """Where one model is: `kind` is "ours", "cache", "folder", or "" when it is not here.

    `bytes` is what it takes on the disk, `waiting_bytes` what has arrived of a download that was broken off.
    """

    kind: str = ""
    folder: Path | None = None
    bytes: int = 0
    waiting_bytes: int = 0


@dataclass(frozen=True)
class Shelf:
    """Everything that was found: places by model id, models that are in no catalogue, and room on the drive in bytes.

    `free_bytes` is None while nobody knows.
    """

    places: dict[str, Place] = field(default_factory=dict)
    own: tuple[ModelSpec, ...] = ()
    free_bytes: int | None = None

    def place(self, spec: ModelSpec) -> Place:
        """Where a model is; a folder that the user chose is where it says."""
        found = self.places.get(spec.id)
        if found is None and spec.source == "folder":
            return Place("folder", Path(spec.id))
        return found or Place()


class Looking(QObject):
    """Looks when it is asked to; `found` once `shelf` is another one."""

    found = Signal()

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(parent)
        self._desk, self._busy, self._again = desk, False, False
        self.shelf = Shelf()
        #: Models that the user added, the newest first.
        self.own: list[ModelSpec] = []

    def look(self) -> None:
        """Look off the window's thread; what is asked for meanwhile is looked at once more."""
        self._again = self._busy
        if not self._busy:
            self._busy = True
            specs, root = (*self.own, *self._desk.models()), self._desk.models_root
            Errand(lambda: look(specs, root), self, self._take)

    def _take(self, found: object) -> None:
        self._busy = False
        if isinstance(found, Shelf):
            self.shelf = found
            self.found.emit()
        if self._again:
            self.look()


def look(specs: Iterable[ModelSpec], root: Path) -> Shelf:
    """Look under the models folder `root` and in the caches. Reads headers, never weights: not for the GUI thread."""
    known = {spec.id: spec for spec in specs}
    places, own = dict[str, Place](), list[ModelSpec]()
    for one in shelf(root):
        place = Place(
            "ours" if one.ours else "cache" if one.source == "cache" else "folder", Path(one.folder), one.bytes
        )
        if one.model in known:
            places.setdefault(one.model, place)
        elif (spec := fetched(one)) is not None:
            own.append(spec)
            places[spec.id] = place
    for spec in known.values():
        if spec.source != "folder" and spec.id not in places and (waiting := waiting_bytes(spec.id, root)):
            places[spec.id] = Place(waiting_bytes=waiting)
    return Shelf(places, tuple(own), free_bytes(root))


def fetched(one: Shelved) -> ModelSpec | None:
    """A model that was fetched by its name, as a folder with that name; None for one that cannot be read."""
    try:
        return folder_spec(Path(one.folder), one.model, one.licence)
    except Trouble:
        return None


def folder_spec(folder: Path, model: str, licence: str = "") -> ModelSpec:
    """What lies in `folder`, called by the name it was fetched by. Raises what core.catalog.spec_of does."""
    found = replace(spec_of(str(folder)), licence=licence)
    return replace(found, title=model.rpartition("/")[2], repo=model) if is_id(model) else found


def place_words(spec: ModelSpec, place: Place, exact_bytes: int = 0) -> tuple[str, str]:
    """An icon, and in a few words whether the model is here or how much would have to come.

    `exact_bytes` is what its source said, 0 while it was not asked: then the size is an estimate.
    """
    here = {
        "ours": _("On this computer"),
        "cache": _("On this computer, in a cache"),
        "folder": _("On this computer, in a folder"),
    }
    if place.kind:
        return "done", here[place.kind]
    whole = exact_bytes or spec.download_bytes
    if place.waiting_bytes and whole:
        facts = {"done": gigabytes(place.waiting_bytes), "size": gigabytes(whole)}
        return "pause", _("{done} of {size} are here").format(**facts)
    if exact_bytes:
        return "download", _("Download {size}").format(size=gigabytes(exact_bytes))
    return "download", _("Download about {size}").format(size=gigabytes(whole)) if whole else _("size unknown")
