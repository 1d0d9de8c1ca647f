"""Under the list of models, always in sight: what is left to do for the chosen one, and the download while it runs."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from core.catalog import STARTER, ModelSpec
from core.i18n import N_, _
from core.wording import count, gigabytes, joined
from gui import theme
from gui.pages.model_fetch import Fetching, Offer
from gui.pages.model_places import Place, Shelf
from gui.pages.model_progress import FetchLine
from gui.pages.page import scroll_area
from gui.widgets.buttons import button, primary
from gui.widgets.fold import Fold
from gui.widgets.text import Elided, clear, column, label, row

#: Left over on the drive after a download (core.hub.download). Bytes.
SPARE = 200_000_000
#: How the sources are called (core.settings.SOURCES).
_SOURCES = {"huggingface": N_("Hugging Face"), "mirror": N_("the mirror"), "modelscope": N_("ModelScope")}


class Dock(QFrame):
    """Says where the chosen model is, or exactly what fetching it takes; its signals are what the user wants of it."""

    wanted = Signal()
    removed = Signal()
    shown = Signal()
    declined = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("footer")
        self._status = label("", "body", name="model_status")
        self._detail = label("", "small", name="model_detail")
        self.get = primary(_("&Get it"), "get_model", self.wanted.emit, icon="download")
        self.remove = button("", "remove_model", self.removed.emit, kind="quiet", icon="trash")
        self.open = button(_("Show the folder"), "show_model_folder", self.shown.emit, kind="quiet", icon="folder")
        self.decline = button(_("Not now"), "decline_model", self.declined.emit)
        self._files = QVBoxLayout()
        self._files.setSpacing(2)
        self._files.setContentsMargins(3 * theme.GRID, 0, 0, 0)
        inside = QWidget()
        inside.setProperty("role", "column")
        inside.setLayout(self._files)
        holder = scroll_area(inside)
        holder.setFixedHeight(112)
        self.files = Fold(_("F&iles"), "model_files", column(holder))
        self.line = FetchLine()
        words = column(self._status, self._detail, spacing=2)
        buttons = row(self.open, self.remove, self.decline, self.get)
        top = row(words, buttons, spacing=2 * theme.GRID)
        top.setStretch(0, 1)
        inner = QVBoxLayout(self)
        inner.setContentsMargins(theme.MARGIN, 12, theme.MARGIN, 12)
        inner.setSpacing(theme.GRID)
        inner.addLayout(top)
        inner.addWidget(self.files)
        inner.addWidget(self.line)
        self._listed: Offer | None = None

    def show_all(self, spec: ModelSpec | None, place: Place, shelf: Shelf, fetching: Fetching) -> None:
        """Show the chosen model, where it is, what its source offers, and what is on its way."""
        busy = fetching.busy
        mine = busy and spec is not None and fetching.model == spec.id
        self.setVisible(spec is not None or busy)
        self.line.setVisible(busy)
        if busy:
            self.line.show_fetching(fetching)
        here = bool(place.kind)
        offer = fetching.open_offer(spec.id) if spec else None
        asked = offer is not None and not here and not busy
        for part, on in (
            (self._status, spec is not None and not mine),
            (self._detail, spec is not None and not mine),
            (self.get, spec is not None and not here and not busy),
            (self.decline, asked),
            (self.files, asked),
            (self.remove, not mine and (place.kind == "ours" or (place.waiting_bytes > 0 and not asked))),
            (self.open, here),
        ):
            part.setVisible(on)
        if spec is None or mine:
            return
        self.get.setEnabled(True)
        if here:
            self._show_here(spec, place)
        elif offer is not None:
            self._show_offer(spec, offer, shelf)
        else:
            self._show_away(spec, place, shelf, fetching.sizes.get(spec.id, 0))
        self._detail.setVisible(bool(self._detail.text()))

    def allow_removal(self, allowed: bool) -> None:
        """Whether the model may be removed now."""
        self.remove.setEnabled(allowed)
        self.remove.setToolTip("" if allowed else _("Something works with this model now."))

    def _show_here(self, spec: ModelSpec, place: Place) -> None:
        self._status.setText(_("{model} is on this computer.").format(model=spec.title))
        size = gigabytes(place.bytes) if place.bytes else ""
        where = str(place.folder or "")
        used = _("It is used where it lies, and not copied.") if place.kind == "cache" else ""
        self._detail.setText(joined(" · ".join(filter(None, (size, where))), used))
        self.remove.setText(_("Remove from &disk…"))

    def _show_away(self, spec: ModelSpec, place: Place, shelf: Shelf, exact: int) -> None:
        size = gigabytes(exact or spec.download_bytes) if exact or spec.download_bytes else _("size unknown")
        if not exact and spec.id != STARTER and spec.download_bytes:
            size = _("about {size}").format(size=size)
        if place.waiting_bytes:
            facts = {"model": spec.title, "done": gigabytes(place.waiting_bytes), "size": size}
            self._status.setText(_("{model}: {done} of {size} are here already.").format(**facts))
            words = _("The download goes on where it ended.")
        else:
            self._status.setText(_("{model} has to be downloaded once: {size}.").format(model=spec.title, size=size))
            words = _("Its makers ask you to accept their licence first.") if spec.gated else ""
        self._detail.setText(joined(words, _free(shelf)))
        self.get.setText(_("&Go on") if place.waiting_bytes else _("&Get it"))
        self.remove.setText(_("Delete what has arrived…"))

    def _show_offer(self, spec: ModelSpec, offer: Offer, shelf: Shelf) -> None:
        listing = offer.listing
        source = _(_SOURCES[listing.source]) if listing.source in _SOURCES else listing.source
        facts = {
            "model": spec.title, "files": count(len(listing.files)), "size": gigabytes(listing.bytes), "source": source,
        }  # fmt: skip
        self._status.setText(_("{model}: {files} files, {size}, from {source}.").format(**facts))
        here = _("{size} of it are here already.").format(size=gigabytes(offer.waiting_bytes))
        words = [here if offer.waiting_bytes else "", _("Exactly {bytes} bytes.").format(bytes=count(listing.bytes))]
        room = shelf.free_bytes is None or shelf.free_bytes >= offer.needed_bytes + SPARE
        if not room:
            words = [_("There is not enough room: {size} more are needed.").format(
                size=gigabytes(offer.needed_bytes + SPARE - (shelf.free_bytes or 0))
            )]  # fmt: skip
        self._detail.setText(joined(*words, _free(shelf)))
        self.get.setText(_("&Start the download"))
        self.get.setEnabled(room)
        self._list(offer)

    def _list(self, offer: Offer) -> None:
        if offer is self._listed:
            return
        self._listed = offer
        clear(self._files)
        for file in sorted(offer.listing.files, key=lambda one: -one.bytes):
            size = label(_("{bytes} bytes").format(bytes=count(file.bytes)), "small", wrap=False)
            # nothing can be read under the scroll bar
            size.setContentsMargins(0, 0, 2 * theme.GRID, 0)
            line = row(Elided(file.path), size, spacing=2 * theme.GRID)
            line.setStretch(0, 1)
            self._files.addLayout(line)
        self._files.addStretch(1)


def _free(shelf: Shelf) -> str:
    if shelf.free_bytes is None:
        return ""
    return _("{size} are free on the drive of the models.").format(size=gigabytes(shelf.free_bytes))
