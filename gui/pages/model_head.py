"""Over the list of models: the search, the filters, and the ways to a model that is not on the list."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from core.i18n import _
from core.wording import count
from gui.pages.model_add import Adding
from gui.pages.model_fetch import model_named
from gui.pages.model_filters import Filters, Wanted
from gui.widgets.buttons import button
from gui.widgets.text import column, label, row


class Head(QWidget):
    """`changed` when other models are wanted, `named` and `folder` carry what is added, `browse` asks for a folder."""

    changed = Signal()
    named = Signal(str)
    folder = Signal(object)
    browse = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.search = QLineEdit()
        self.search.setObjectName("search_model")
        self.search.setPlaceholderText(_("Search by name, maker, size or language"))
        self.search.setAccessibleName(_("Search models"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(lambda _text: self.changed.emit())
        self.filters = Filters()
        self.filters.changed.connect(self.changed.emit)
        add = button(_("&Add by name…"), "add_model", self._open, icon="plus")
        folder = button(_("Choose a &folder…"), "choose_folder", self.browse.emit, icon="folder")
        folder.setToolTip(_("A model folder with config.json, tokenizer and safetensors files"))
        self.adding = Adding()
        self.adding.hide()
        self.adding.named.connect(self.named.emit)
        self.adding.folder.connect(self.folder.emit)
        self._shown = label("", "muted", wrap=False, name="models_shown")
        self._all = button(_("Show all"), "show_all_models", self.reset, kind="quiet")
        self._look_up = button("", "look_up_searched", self._ask, kind="quiet", icon="plus")
        self._line = QWidget()
        self._line.setLayout(row(self._shown, self._all, self._look_up, None))
        self._line.hide()
        top = row(self.search, add, folder)
        top.setStretch(0, 1)
        self.setLayout(column(top, self.filters, self.adding, self._line, spacing=12))

    def _open(self) -> None:
        self.adding.open(model_named(self.search.text()))

    def _ask(self) -> None:
        self.named.emit(model_named(self.search.text()))

    def reset(self) -> None:
        """Want every model again."""
        self.search.clear()
        self.filters.reset()

    def wanted(self) -> Wanted:
        """What the user looks for."""
        return self.filters.wanted(self.search.text())

    def show_count(self, shown: int, every: int) -> None:
        """Say how many are shown, where it is not all; a name that is not among them can be looked up."""
        name = model_named(self.search.text())
        self._line.setVisible(shown < every)
        self._look_up.setVisible(shown == 0 and bool(name))
        self._look_up.setText(_("Look up {model}").format(model=name))
        words = _("{shown} of {all} models").format(shown=count(shown), all=count(every))
        self._shown.setText(words if shown else _("No model matches."))
