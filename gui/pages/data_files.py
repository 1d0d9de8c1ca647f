"""The files of a data set: each with what is worth knowing of it, and ways to add and take away."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from core.data.rows import Conversation, DataReport
from core.i18n import _, ngettext
from core.wording import count
from gui.icons import Icon
from gui.widgets.buttons import button
from gui.widgets.text import Elided, label, row

#: More files than this push the report out of sight; the others are told as a number.
COLUMNS, MOST = 2, 4
#: Pixels of a name.
WIDEST = 200


class FileList(QWidget):
    """`removed` carries the path of a file to take away."""

    removed = Signal(str)

    def __init__(self, report: DataReport) -> None:
        super().__init__()
        self.setObjectName("file_list")
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(0)
        columns = min(len(report.files), COLUMNS)
        for place, file in enumerate(report.files[:MOST]):
            grid.addWidget(self._line(report, file, place), place // columns, place % columns)
        for place in range(columns):
            grid.setColumnStretch(place, 1)
        more = len(report.files) - MOST
        if more > 0:
            words = ngettext("… and {n} more file", "… and {n} more files", more).format(n=count(more))
            rest = label(words, "small", wrap=False)
            rest.setToolTip("\n".join(Path(file).name for file in report.files[MOST : MOST + 40]))
            grid.addWidget(rest, MOST // columns, 0)

    def _line(self, report: DataReport, file: str, place: int) -> QWidget:
        name = Path(file).name or file
        shown = label("", "body", wrap=False)
        shown.ensurePolished()
        shown.setText(shown.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, WIDEST))
        shown.setToolTip(file)
        found = QWidget()
        parts = row(Icon("folder" if Path(file).is_dir() else "file", "muted", 16), shown, spacing=8)
        parts.addWidget(Elided(" · ".join(_notes(report, file, place)), "small"), 1)
        if len(report.files) > 1:
            gone = button("", f"remove_file_{place}", lambda: self.removed.emit(file), kind="quiet", icon="close")
            gone.setToolTip(_("Take this file away"))
            gone.setAccessibleName(_("Take {file} away").format(file=name))
            gone.setFixedSize(28, 26)
            parts.addWidget(gone)
        found.setLayout(parts)
        return found


def _notes(report: DataReport, file: str, place: int) -> list[str]:
    """Rows to learn from, language and encoding, as far as they are known."""
    notes = []
    if len(report.by_file) == len(report.files):
        rows = report.by_file[place]
        notes.append(ngettext("{n} row", "{n} rows", rows).format(n=count(rows)))
    inside = [row for row in report.preview if row.file == file or row.file.startswith(file + "/")]
    notes += filter(None, (language_words(inside), _encoding(report, file)))
    return notes


def _encoding(report: DataReport, file: str) -> str:
    return report.encodings.get(file, "").upper()


def language_words(rows: Sequence[Conversation]) -> str:
    """The script of some rows in words, empty when there is no telling."""
    text = "".join(message.content for row in rows for message in row.messages)
    han = sum("\u4e00" <= letter <= "\u9fff" for letter in text)
    latin = sum(letter.isascii() and letter.isalpha() for letter in text)
    if not han + latin:
        return ""
    # a Chinese letter says as much as three Latin ones
    share = 3 * han / (3 * han + latin)
    if share > 0.8:
        return _("Chinese")
    return _("Latin letters") if share < 0.2 else _("Chinese and Latin letters")
