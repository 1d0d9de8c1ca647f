"""Which models are shown on the Model page: words that are searched for, and what the user can do with them."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton, QWidget

from core.catalog import ModelSpec
from core.i18n import _
from gui.pages.model_cards import Fit
from gui.pages.model_places import Place
from gui.widgets.buttons import button
from gui.widgets.fields import Choice
from gui.widgets.text import row

#: Licences that ask for no more than to be named: every use is free, also to earn money.
_FREE = frozenset({
    "apache-2.0", "mit", "bsd", "bsd-2-clause", "bsd-3-clause", "isc", "zlib", "unlicense", "cc0-1.0", "cc-by-4.0",
})  # fmt: skip
#: From so many languages on a model counts as one for many.
_MANY = 3


@dataclass(frozen=True)
class Wanted:
    """What the user looks for; empty choices keep every model. `language` is "zh", "many" or "en"."""

    words: str = ""
    fits: bool = False
    here: bool = False
    language: str = ""
    licence: str = ""
    size: str = ""

    def keeps(self, spec: ModelSpec, words: str, fit: Fit, place: Place) -> bool:
        """Whether a model is shown; `words` is what the search looks through, in lower case."""
        return (
            all(word in words for word in self.words.lower().split())
            and (not self.fits or fit.fits)
            and (not self.here or bool(place.kind))
            and (not self.language or self.language in spoken(spec))
            and (not self.licence or (self.licence == "free") == is_free(spec))
            and self.size in ("", spec.size_class)
        )


def is_free(spec: ModelSpec) -> bool:
    """Whether the licence allows all uses. One that is not known may have conditions."""
    return spec.licence.lower() in _FREE


def spoken(spec: ModelSpec) -> tuple[str, ...]:
    """The model's languages, with "many" where there are enough of them."""
    return (*spec.languages, *(("many",) if len(spec.languages) >= _MANY else ()))


class Filters(QWidget):
    """Two switches and three lists side by side; `changed` when one of them was."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.fits = self._switch(_("Fits my card"), "filter_fits")
        self.here = self._switch(_("Downloaded"), "filter_here")
        self.language = self._list(
            "filter_language", _("Language"),
            (("", _("Language")), ("zh", _("Chinese")), ("many", _("Multilingual")), ("en", _("English"))),
        )  # fmt: skip
        self.licence = self._list(
            "filter_licence", _("Licence"),
            (("", _("Licence")), ("free", _("Free for all uses")), ("conditions", _("With conditions"))),
        )  # fmt: skip
        self.sizes = self._list(
            "filter_size", _("Size"),
            (("", _("Size")), ("small", "< 1B"), ("1.3B", "1–3B"), ("3B", "3–6B"), ("7B", "6–10B"),
             ("13B", "10–15B"), ("large", "≥ 15B")),
        )  # fmt: skip
        inner = row(self.fits, self.here, self.language, self.licence, self.sizes, None)
        self.setLayout(inner)

    def _switch(self, words: str, name: str) -> QPushButton:
        made = button(words, name, kind="chip")
        made.setCheckable(True)
        made.setMinimumHeight(30)
        made.toggled.connect(lambda _on: self.changed.emit())
        return made

    def _list(self, name: str, spoken: str, options: Sequence[tuple[str, str]]) -> Choice:
        made = Choice(name, spoken, options)
        made.setMinimumWidth(72)
        made.currentIndexChanged.connect(lambda _place: self.changed.emit())
        return made

    def wanted(self, words: str) -> Wanted:
        """What is chosen now, with the words that are searched for."""
        lists = {"language": self.language.value, "licence": self.licence.value, "size": self.sizes.value}
        return Wanted(words, self.fits.isChecked(), self.here.isChecked(), **lists)

    def show_card(self, known: bool) -> None:
        """Without a card nothing fits one, and that switch is away."""
        self.fits.setVisible(known)
        if not known:
            self.fits.setChecked(False)

    def reset(self) -> None:
        """Keep every model again."""
        for switch in (self.fits, self.here):
            switch.setChecked(False)
        for field in (self.language, self.licence, self.sizes):
            field.setCurrentIndex(0)
