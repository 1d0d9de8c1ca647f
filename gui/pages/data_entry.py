"""What the Data page shows before there is data: a place to drop files, and sample sets to try."""

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from core.assets import resource
from core.i18n import _
from gui.choose import choose_files, choose_folder
from gui.widgets.buttons import Tile, button
from gui.widgets.drop_zone import DropZone
from gui.widgets.text import column, label, row

#: Sample set → its file in resources/samples.
SAMPLES = {"en": "support_en.jsonl", "zh": "support_zh.jsonl", "untidy": "untidy.jsonl"}


class DataEntry(QWidget):
    """`chosen` carries paths of files and folders."""

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        browse = button(_("Bro&wse…"), "browse_data", self.browse, icon="file")
        folder = button(_("Choose a &folder…"), "browse_folder", self.browse_folder, icon="folder")
        both = QWidget()
        both.setLayout(row(browse, folder, spacing=8))
        zone = DropZone(
            _("Drop files or folders here"),
            _("JSON, CSV, Excel, Parquet, Word, PDF, web pages, text; also zipped. Nothing leaves this computer."),
            both,
        )
        zone.dropped.connect(self.chosen.emit)
        zone.asked.connect(self.browse)
        samples = QHBoxLayout()
        samples.setSpacing(16)
        for name, title, hint in (
            (
                "en",
                _("Sample: a support desk, in English"),
                _("196 questions about a machine that does not exist."),
            ),
            ("zh", _("Sample: a support desk, in Chinese"), _("The same machine, asked about in Chinese.")),
            (
                "untidy",
                _("Sample: an untidy set"),
                _("Repeats, private data, broken rows: see what is found and cleaned."),
            ),
        ):
            samples.addWidget(self._sample(name, title, hint), 1)
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(16)
        lines.addWidget(zone)
        lines.addWidget(label(_("Or try one of these first"), "muted"))
        lines.addLayout(samples)

    def _sample(self, name: str, title: str, hint: str) -> Tile:
        words = column(label(title, "strong"), label(hint, "muted"), spacing=2)
        tile = Tile(f"sample_{name}", words, checkable=False)
        tile.setAccessibleName(title)
        tile.setAccessibleDescription(hint)
        tile.clicked.connect(lambda: self.chosen.emit([str(resource("samples", SAMPLES[name]))]))
        return tile

    def browse(self) -> None:
        """Ask for files."""
        self.chosen.emit(choose_files(self))

    def browse_folder(self) -> None:
        """Ask for a folder."""
        self.chosen.emit(choose_data_folder(self))


def choose_data_folder(parent: QWidget) -> list[str]:
    """Ask for a folder of data; empty when the user changed their mind."""
    found = choose_folder(parent, _("Choose data"), Path.home())
    return [str(found)] if found else []
