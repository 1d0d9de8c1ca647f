"""Model page: the models on offer, the recommended one first, how each would fit, and a way to get it."""

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QPushButton

from core.catalog import STARTER, ModelSpec, spec_of
from core.hub.folder import check_model_folder
from core.i18n import _
from core.problems import Problem, Trouble
from core.wizard import WizardState, choose_model
from core.wording import Action, gigabytes
from gui.background import failed
from gui.choose import choose_folder, open_folder
from gui.desk import Desk
from gui.pages.model_add import FolderDrop, known_here
from gui.pages.model_cards import method_for
from gui.pages.model_dock import Dock
from gui.pages.model_fetch import Fetching, Offer
from gui.pages.model_head import Head
from gui.pages.model_list import ModelList
from gui.pages.model_places import Looking, Place, folder_spec
from gui.pages.model_remove import Removal, is_used
from gui.pages.model_troubles import Troubles
from gui.pages.page import Page
from gui.widgets.badge import Badge


class ModelPage(Page):
    """One tile a model; under them, always in sight, what is left to do for the chosen one."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, _("Which model should learn?"), _("Smaller models learn faster and fit more easily."))
        self.looking = Looking(desk, self)
        self.looking.found.connect(self._found)
        self.removal = Removal(desk, self)
        self.removal.done.connect(self._removed)
        self._came: tuple[str, Path] | None = None
        self.fetching = Fetching(desk, self)
        self.fetching.changed.connect(self._show_dock)
        self.fetching.offered.connect(self._offered)
        self.fetching.arrived.connect(self._arrived)
        self.fetching.failed.connect(self._failed)
        self.fetching.ended.connect(self.looking.look)
        self.troubles = Troubles(desk)
        self.troubles.retried.connect(self._retry)
        self.troubles.folder_wanted.connect(self._choose_folder)
        self.troubles.appeared.connect(lambda: self.bring_into_view(self.troubles))
        self.head = Head()
        self.head.changed.connect(self._filter)
        self.head.named.connect(self.add)
        self.head.folder.connect(self.take_folder)
        self.head.browse.connect(self._choose_folder)
        self.list = ModelList(desk)
        self.list.chosen.connect(self.choose)
        for part in (self.head, self.troubles, self.list):
            self.column.addWidget(part)
        self.column.addStretch(1)
        self._dock = Dock()
        self.get = self._dock.get
        for signal, act in (
            (self._dock.wanted, self._get), (self._dock.declined, self._decline), (self._dock.removed, self._remove),
            (self._dock.shown, self._open_folder), (self._dock.line.paused, self.fetching.pause),
            (self._dock.line.went_on, self.fetching.go_on), (self._dock.line.cancelled, self.fetching.cancel),
        ):  # fmt: skip
            signal.connect(act)
        self.dock(self._dock)
        FolderDrop(self).dropped.connect(self.take_folder)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.looking.look()

    def show_state(self, state: WizardState) -> None:
        super().show_state(state)
        self.head.filters.show_card(state.card is not None)
        self._draw_list()
        self.list.check(state.model)
        self._show_dock()
        if self._came is not None:
            # not from within the window's own drawing
            QTimer.singleShot(0, self._take_in)

    def _specs(self) -> list[ModelSpec]:
        """What was just added first, then the recommended model, those fetched by name, and the catalogue by size."""
        advice = self.state.recommendation
        first = [advice.model] if advice else []
        chosen = [self.state.model] if self.state.model and self.state.model.source == "folder" else []
        every = (*self.looking.own, *chosen, *first, *self.looking.shelf.own, *self.desk.models())
        found = dict[str, ModelSpec]()
        for spec in every:
            found.setdefault(spec.id, spec)
        return list(found.values())

    def _draw_list(self) -> None:
        if self.list.show_models(self._specs(), self.state, self.looking.shelf, dict(self.fetching.sizes)):
            self._filter()

    def _filter(self) -> None:
        self.head.show_count(self.list.filter(self.head.wanted()), len(self.list.tiles))

    def _found(self) -> None:
        self._draw_list()
        self._show_dock()

    def choose(self, spec: ModelSpec) -> None:
        """Choose a model; its files may still have to come."""
        self.troubles.clear()
        self.head.adding.hide()
        chosen = choose_model(self.state, spec, self.desk.model_folder(spec))
        if spec != self.state.model:
            chosen = replace(chosen, method=method_for(self.state, spec, self.desk.constants(self.state.card)))
        self.proposed.emit(chosen)

    def take_folder(self, folder: Path) -> None:
        """Choose a model folder of the user's own."""
        self.troubles.clear()
        try:
            spec = spec_of(str(folder))
            if self.desk.model_folder(spec) is None:
                check_model_folder(folder)
        except Trouble as trouble:
            self.troubles.show_problem(trouble.problem, frozenset({Action.CHOOSE_FOLDER}))
            return
        self._keep(spec)

    def _keep(self, spec: ModelSpec) -> None:
        self.looking.own = [spec, *(s for s in self.looking.own if s.id != spec.id)]
        self.choose(spec)

    def _choose_folder(self) -> None:
        found = choose_folder(self, _("Choose a model folder"), Path.home())
        if found is not None:
            self.take_folder(found)

    def add(self, model: str) -> None:
        """Choose a model by its name: one of the list, one that is here, or else one that its source describes."""
        self.troubles.clear()
        found = known_here(model, self.desk.models_root)
        if found is None:
            self.fetching.ask(model)
        elif found.source == "folder":
            self._keep(found)
        else:
            self.head.reset()
            self.choose(found)

    def _offered(self, offer: Offer) -> None:
        if offer.closed is not None:
            self.troubles.show_gate(offer.closed)
        elif offer.model not in self.list.tiles:
            try:
                self._keep(offer.spec())
            except Trouble as trouble:
                self._failed(offer.model, trouble.problem)
        self._draw_list()
        self._show_dock()

    def _arrived(self, model: str, folder: Path) -> None:
        self._came = (model, folder)
        if self.isVisible():
            self._take_in()

    def _take_in(self) -> None:
        """Go on with what was fetched, if it is still the chosen one."""
        (model, folder), self._came = self._came or ("", Path()), None
        spec = self.state.model
        if spec is None or spec.id != model:
            return
        if spec.id not in {known.id for known in self.desk.models()}:
            try:
                spec = folder_spec(folder, model, spec.licence)
            except Trouble as trouble:
                self._failed(model, trouble.problem)
                return
            self.looking.own = [own for own in self.looking.own if own.id != model]
            self.looking.look()
        self.proposed.emit(choose_model(self.state, spec, folder))

    def _failed(self, model: str, problem: Problem) -> None:
        self.troubles.show_problem(problem)

    def _retry(self, model: str, source: str) -> None:
        """Go on after a problem: with the chosen model, or with the one that was about to be added."""
        self.troubles.clear()
        chosen = self.state.model
        if source or chosen is None or chosen.id != model:
            self.fetching.ask(model, source=source)
        else:
            self._get()

    def _get(self) -> None:
        """First ask for the exact bytes and show them; then fetch. What was begun before just goes on."""
        spec = self.state.model
        if spec is None or self.fetching.busy:
            return
        self.troubles.clear()
        self.fetching.bring(spec, begun=spec.id == STARTER or self.looking.shelf.place(spec).waiting_bytes > 0)

    def _decline(self) -> None:
        if self.state.model is not None:
            self.fetching.offers.pop(self.state.model.id, None)
        self._draw_list()
        self._show_dock()

    def _place(self) -> Place:
        """Where the chosen model is; what was found last may be older than what is known of it."""
        spec, folder = self.state.model, self.state.model_folder
        place = self.looking.shelf.place(spec) if spec else Place()
        if folder is None:
            return Place(waiting_bytes=place.waiting_bytes)
        return place if place.folder == folder else Place("folder", folder)

    def _show_dock(self) -> None:
        spec, place = self.state.model, self._place()
        self._dock.show_all(spec, place, self.looking.shelf, self.fetching)
        self._dock.allow_removal(spec is None or not is_used(spec, place, self.desk))

    def _open_folder(self) -> None:
        if self.state.model_folder is not None:
            open_folder(self.state.model_folder)

    def _remove(self) -> None:
        if self.state.model is not None:
            self.removal.start(self.state.model, self._place())

    def _removed(self, found: object) -> None:
        problem = failed(found)
        if problem is not None:
            self.troubles.show_problem(problem)
        elif isinstance(found, int):
            self.troubles.say(Badge("good", _("{size} are free again.").format(size=gigabytes(found))))
        self.looking.look()
        spec = self.state.model
        if spec is not None and self.state.model_folder is not None and not self.state.model_folder.exists():
            gone = spec.source == "folder"
            self.proposed.emit(replace(self.state, model=None if gone else spec, model_folder=None))

    def primary(self) -> QPushButton | None:
        return self.get if self.get.isVisible() and self.get.isEnabled() else None

    def shutdown(self) -> None:
        self.fetching.cancel()
