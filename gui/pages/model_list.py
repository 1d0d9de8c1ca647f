"""The list of models: one tile each, made once, drawn anew when something changed, hidden where it is not wanted."""

from collections.abc import Iterable, Mapping, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from core.catalog import ModelSpec
from core.tiers import kept_bytes
from core.wizard import WizardState
from gui import theme
from gui.desk import Desk
from gui.pages.model_cards import Fit, fit_of
from gui.pages.model_filters import Wanted
from gui.pages.model_places import Shelf
from gui.pages.model_tile import ModelTile


class ModelList(QWidget):
    """`chosen` carries the ModelSpec of the tile that was pressed."""

    chosen = Signal(object)

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._fits: dict[str, Fit] = {}
        self._judged: object = None
        self._drawn: object = None
        self.setProperty("role", "column")
        #: Tiles by model id, in the order in which they stand.
        self.tiles: dict[str, ModelTile] = {}
        self._kept: dict[str, ModelTile] = {}
        self._inner = QVBoxLayout(self)
        self._inner.setContentsMargins(0, 0, 0, 0)
        self._inner.setSpacing(theme.GRID)

    def arrange(self, specs: Iterable[ModelSpec]) -> None:
        """Put the tiles of these models one under the other; a tile that is there already only moves."""
        wanted = {spec.id: spec for spec in specs}
        if [tile.spec for tile in self.tiles.values()] == list(wanted.values()):
            return
        self.setUpdatesEnabled(False)
        for name in [name for name, tile in self._kept.items() if wanted.get(name) != tile.spec]:
            gone = self._kept.pop(name)
            self._inner.removeWidget(gone)
            gone.hide()
            gone.deleteLater()
        for place, spec in enumerate(wanted.values()):
            if spec.id not in self._kept:
                self._kept[spec.id] = self._make(spec)
            if (item := self._inner.itemAt(place)) is None or item.widget() is not self._kept[spec.id]:
                self._inner.removeWidget(self._kept[spec.id])
                self._inner.insertWidget(place, self._kept[spec.id])
        self.tiles = {name: self._kept[name] for name in wanted}
        self.setUpdatesEnabled(True)

    def _make(self, spec: ModelSpec) -> ModelTile:
        tile = ModelTile(spec)
        tile.clicked.connect(lambda _on=False: self.chosen.emit(spec))
        return tile

    def show_models(
        self, specs: Sequence[ModelSpec], state: WizardState, shelf: Shelf, exact: Mapping[str, int]
    ) -> bool:
        """Show how each model fits and where it is, and return whether anything is another than before.

        `exact` holds the download sizes in bytes that a source has told.
        """
        advice = state.recommendation
        judged = (state.card, advice, self._desk.constants(state.card), kept_bytes())
        if (judged, specs, shelf, exact) == self._drawn:
            return False
        self._drawn = (judged, specs, shelf, exact)
        if judged != self._judged:
            self._judged, self._fits = judged, {}
        self.arrange(specs)
        for name, tile in self.tiles.items():
            if name not in self._fits:
                self._fits[name] = fit_of(state, tile.spec, self._desk)
            why = advice.reasons if advice and advice.model.id == name else ()
            tile.draw(self._fits[name], shelf.place(tile.spec), why, exact.get(name, 0))
        return True

    def check(self, chosen: ModelSpec | None) -> None:
        """Mark the chosen one."""
        for name, tile in self.tiles.items():
            tile.setChecked(chosen is not None and name == chosen.id)

    def filter(self, wanted: Wanted) -> int:
        """Hide what is not wanted, and return how many are shown."""
        kept = {name: wanted.keeps(tile.spec, tile.words, tile.fit, tile.place) for name, tile in self.tiles.items()}
        self.setUpdatesEnabled(False)
        for name, shown in kept.items():
            self.tiles[name].setVisible(shown)
        self.setUpdatesEnabled(True)
        return sum(kept.values())
