"""Model page: the models on offer, the recommended one first, how each would fit, and a way to get it."""

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFrame, QLineEdit, QPushButton, QVBoxLayout

from core.catalog import ModelSpec, spec_of
from core.events import Failed, Finished, Last, Stage
from core.i18n import _
from core.jobs.jobs import FetchJob
from core.problems import Trouble
from core.wizard import WizardState, choose_model
from core.wording import Action, gigabytes, joined
from gui.choose import choose_folder, open_folder
from gui.desk import Desk
from gui.jobs import JobThread, Lane
from gui.pages.model_cards import ModelTile, fit_of, method_for
from gui.pages.page import Page
from gui.widgets.buttons import button, primary
from gui.widgets.problem_card import ProblemCard
from gui.widgets.progress import ProgressLine
from gui.widgets.text import clear, label, row

#: What this page can do about a problem.
_ACTIONS = frozenset({Action.RETRY, Action.CHOOSE_FOLDER, Action.OPEN_LICENCE, Action.FREE_DISK})


class ModelPage(Page):
    """One tile a model; under them, always in sight, what is left to do for the chosen one."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, _("Which model should learn?"), _("Smaller models learn faster and fit more easily."))
        self._tiles: dict[str, ModelTile] = {}
        self._own: list[ModelSpec] = []
        self._drawn: object = None
        self._fetch: JobThread | None = None
        self._fetching: ModelSpec | None = None
        self.search = QLineEdit()
        self.search.setObjectName("search_model")
        self.search.setPlaceholderText(_("Search by name, size or language"))
        self.search.setAccessibleName(_("Search models"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        folder = button(_("Choose a &folder…"), "choose_folder", self._choose_folder, icon="folder")
        folder.setToolTip(_("A model folder with config.json, tokenizer and safetensors files"))
        self.column.addLayout(row(self.search, folder))
        self._problems = QVBoxLayout()
        self._list = QVBoxLayout()
        self._list.setSpacing(8)
        self.column.addLayout(self._problems)
        self.column.addLayout(self._list)
        self._nothing = label(_("No model matches. Clear the search to see all of them."), "muted")
        self._nothing.hide()
        self.column.addWidget(self._nothing)
        self.column.addStretch(1)
        self._build_dock()

    def _build_dock(self) -> None:
        self._dock = QFrame()
        self._dock.setObjectName("footer")
        inner = QVBoxLayout(self._dock)
        inner.setContentsMargins(32, 12, 32, 12)
        self._chosen = label("", "body", name="model_status")
        self.get = primary(_("&Get it"), "get_model", self._get)
        self._progress = ProgressLine("cancel_fetch")
        self._progress.cancelled.connect(self._cancel)
        line = row(self._chosen, self.get)
        line.setStretch(0, 1)
        inner.addLayout(line)
        inner.addWidget(self._progress)
        self._progress.hide()
        self.dock(self._dock)

    def show_state(self, state: WizardState) -> None:
        super().show_state(state)
        drawn = (state.card, state.recommendation, len(self._own))
        if drawn != self._drawn:
            self._drawn = drawn
            self._draw_list()
        for spec_id, tile in self._tiles.items():
            tile.setChecked(state.model is not None and spec_id == state.model.id)
        self._show_dock()

    def _specs(self) -> list[ModelSpec]:
        """Own folders first, then the recommended model, then the catalogue by size."""
        advice = self.state.recommendation
        first = [advice.model] if advice else []
        chosen = [self.state.model] if self.state.model and self.state.model.source == "folder" else []
        found: dict[str, ModelSpec] = {spec.id: spec for spec in (*self._own, *chosen, *first, *self.desk.models())}
        return list(found.values())

    def _draw_list(self) -> None:
        clear(self._list)
        self._tiles = {}
        advice = self.state.recommendation
        for spec in self._specs():
            reasons = advice.reasons if advice and advice.model.id == spec.id else ()
            tile = ModelTile(spec, fit_of(self.state, spec, self.desk), self.desk.model_folder(spec), reasons)
            tile.clicked.connect(lambda _on=False, s=spec: self.choose(s))
            self._tiles[spec.id] = tile
            self._list.addWidget(tile)
        self._filter(self.search.text())

    def _filter(self, text: str) -> None:
        words = text.lower().split()
        shown = 0
        for tile in self._tiles.values():
            match = all(word in tile.words for word in words)
            tile.setVisible(match)
            shown += match
        self._nothing.setVisible(shown == 0)

    def choose(self, spec: ModelSpec) -> None:
        """Choose a model; its files may still have to come."""
        clear(self._problems)
        chosen = choose_model(self.state, spec, self.desk.model_folder(spec))
        if spec != self.state.model:
            chosen = replace(chosen, method=method_for(self.state, spec, self.desk.constants(self.state.card)))
        self.proposed.emit(chosen)

    def take_folder(self, folder: Path) -> None:
        """Choose a model folder of the user's own."""
        clear(self._problems)
        try:
            spec = spec_of(str(folder))
            here = self.desk.model_folder(spec)
            if here is None:
                from core.hub.folder import check_model_folder

                check_model_folder(folder)
        except Trouble as trouble:
            self._show_problem(ProblemCard(trouble.problem, actions=frozenset({Action.CHOOSE_FOLDER})))
            return
        self._own = [spec, *(s for s in self._own if s.id != spec.id)]
        self.choose(spec)

    def _choose_folder(self) -> None:
        found = choose_folder(self, _("Choose a model folder"), Path.home())
        if found is not None:
            self.take_folder(found)

    def _show_problem(self, card: ProblemCard) -> None:
        clear(self._problems)
        card.acted.connect(self._act)
        self._problems.addWidget(card)

    def _act(self, action: Action) -> None:
        if action is Action.RETRY:
            self._get()
        elif action is Action.OPEN_LICENCE and self.state.model is not None:
            QDesktopServices.openUrl(QUrl(f"https://huggingface.co/{self.state.model.repo or self.state.model.id}"))
        elif action is Action.FREE_DISK:
            open_folder(self.desk.models_root)
        elif action is Action.CHOOSE_FOLDER:
            self._choose_folder()

    def _show_dock(self) -> None:
        spec, here = self.state.model, self.state.model_folder
        busy = self._fetch is not None
        self._dock.setVisible(spec is not None or busy)
        self._progress.setVisible(busy)
        self._chosen.setVisible(not busy)
        self.get.setVisible(not busy and spec is not None and here is None)
        if spec is None:
            return
        if here is not None:
            self._chosen.setText(_("{model} is on this computer.").format(model=spec.title))
        else:
            size = gigabytes(spec.download_bytes) if spec.download_bytes else _("size unknown")
            words = _("{model} has to be downloaded once: {size}.").format(model=spec.title, size=size)
            if spec.gated:
                words = joined(words, _("Its makers ask you to accept their licence on huggingface.co first."))
            self._chosen.setText(words)

    def primary(self) -> QPushButton | None:
        return self.get if self.get.isVisible() else None

    def _get(self) -> None:
        spec = self.state.model
        if spec is None or self._fetch is not None:
            return
        clear(self._problems)
        self._fetching = spec
        self._progress.begin(_("Starting…"))
        self._fetch = self.desk.runner.start(FetchJob(spec.id), self._heard, lane=Lane.BESIDE)
        self._show_dock()

    def _cancel(self) -> None:
        self.desk.runner.cancel(self._fetch)

    def _heard(self, event: object) -> None:
        if isinstance(event, Stage):
            self._progress.show_stage(event)
        if not isinstance(event, Last):
            return
        self._fetch, spec, self._fetching = None, self._fetching, None
        self._drawn = None
        if isinstance(event, Failed):
            self._show_problem(ProblemCard(event.problem, actions=_ACTIONS))
        if isinstance(event, Finished) and spec is not None and self.state.model == spec:
            self.proposed.emit(choose_model(self.state, spec, Path(event.result["folder"])))
        elif self.isVisible():
            self.show_state(self.state)

    def shutdown(self) -> None:
        self._cancel()
