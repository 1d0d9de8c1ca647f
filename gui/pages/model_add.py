"""A model that is not on the list: looked up by its name, by its page's address, or taken from a folder."""

from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QWidget

from core.catalog import ModelSpec, spec_of
from core.hub import find_folder
from core.i18n import _
from core.problems import Trouble
from gui import theme
from gui.pages.model_fetch import model_named
from gui.pages.model_places import folder_spec
from gui.widgets.buttons import button, primary
from gui.widgets.text import column, label, row


class Adding(QFrame):
    """One field for all three. `named` carries owner/name, `folder` a path; `browse` when the user wants to look."""

    named = Signal(str)
    folder = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "panel")
        self.setObjectName("add_model_panel")
        self.field = QLineEdit()
        self.field.setObjectName("model_name")
        self.field.setPlaceholderText("Qwen/Qwen3-8B-Base")
        self.field.setAccessibleName(_("Name of a model, address of its page, or folder"))
        self.field.setClearButtonEnabled(True)
        self.field.textChanged.connect(self._typed)
        self.field.returnPressed.connect(self._add)
        self.add = primary(_("&Look it up"), "look_up", self._add)
        self.close_it = button(_("Close"), "close_add", self.hide, kind="quiet")
        self._hint = label("", "small", name="add_hint")
        line = row(self.field, self.add, self.close_it)
        line.setStretch(0, 1)
        words = label(_("Type a name such as owner/name, the address of its page, or the path of a folder."), "body")
        inner = column(words, line, self._hint, spacing=theme.GRID)
        inner.setContentsMargins(2 * theme.GRID, 12, 2 * theme.GRID, 12)
        self.setLayout(inner)
        self._typed("")

    def open(self, text: str = "") -> None:
        """Show it, with the keyboard in its field."""
        self.show()
        if text:
            self.field.setText(text)
        self.field.setFocus()

    def _typed(self, text: str) -> None:
        name, path = model_named(text), folder_named(text)
        self.add.setEnabled(bool(name or path))
        self.add.setText(_("&Use this folder") if path else _("&Look it up"))
        wrong = text.strip() and not name and not path
        known = _("No such folder, and no name of the form owner/name.") if wrong else ""
        self._hint.setText(known or _("Its source is asked what there is of it. Nothing is downloaded yet."))

    def _add(self) -> None:
        text = self.field.text()
        path, name = folder_named(text), model_named(text)
        if path is not None:
            self.folder.emit(path)
        elif name:
            self.named.emit(name)


class FolderDrop(QObject):
    """Takes a model folder that is dropped on `page`; everything else goes on to the window."""

    dropped = Signal(object)

    def __init__(self, page: QWidget) -> None:
        super().__init__(page)
        page.setAcceptDrops(True)
        page.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() not in (QEvent.Type.DragEnter, QEvent.Type.Drop) or not isinstance(event, QDropEvent):
            return False
        folders = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if len(folders) != 1 or not (folders[0] / "config.json").is_file():
            # what is not taken here is offered to the window
            event.ignore()
            return True
        event.acceptProposedAction()
        if event.type() is QEvent.Type.Drop:
            self.dropped.emit(folders[0])
        return True


def folder_named(text: str) -> Path | None:
    """The folder whose whole path somebody typed or pasted, on any drive and in any script; None when it is none."""
    words = text.strip().strip("\"'")
    if not words or "://" in words or "\0" in words:
        return None
    try:
        path = Path(words).expanduser()
        return path if path.is_absolute() and path.is_dir() else None
    except (OSError, RuntimeError):
        return None


def known_here(model: str, root: Path) -> ModelSpec | None:
    """A model of the catalogue, or one that lies under `root` or in a cache, by its name; None when it is neither."""
    try:
        return spec_of(model)
    except Trouble:
        pass
    try:
        return folder_spec(find_folder(model, root), model)
    except Trouble:
        return None
