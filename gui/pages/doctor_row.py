"""One finding of the doctor as a row: its mark, what was looked at, what was found, and what to do."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout

from core.findings import Check, Finding, Fix, Level
from core.wording.doctor import check_words, finding_level_words, finding_words
from gui import theme
from gui.icons import Icon
from gui.widgets.buttons import button
from gui.widgets.text import column, label, row

#: Icon and tone of each level; the words stand beside them for those who see neither.
MARKS = {
    Level.GOOD: ("done", "good"),
    Level.NOTE: ("info", "muted"),
    Level.CAUTION: ("warning", "caution"),
    Level.TROUBLE: ("trouble", "trouble"),
}
#: Width of the column that says what was looked at. Pixels.
NAMES = 150


class FindingRow(QFrame):
    """A row of the table; `fixed` carries the finding whose button was pressed."""

    fixed = Signal(object)

    def __init__(self, finding: Finding) -> None:
        super().__init__()
        self.finding = finding
        words = finding_words(finding)
        name, level = check_words(finding.check), finding_level_words(finding.level)
        self.setObjectName(f"finding_{finding.code.value}")
        self.setAccessibleName(f"{name}: {level}. {words.title}")
        self.setAccessibleDescription(words.advice)
        good = finding.level is Level.GOOD
        icon, tone = MARKS[finding.level]
        mark = Icon(icon, tone, 18)
        head = label(name, "muted" if good else "strong", name="finding_check")
        head.setFixedWidth(NAMES)
        head.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.title = label(words.title, "body" if good else "strong", name="finding_title")
        self.title.setAlignment(Qt.AlignmentFlag.AlignTop)
        inner = column(self.title, spacing=4)
        self.advice = label(words.advice, "body", name="finding_advice")
        self.advice.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        if words.advice and not good:
            inner.addWidget(self.advice)
        else:
            self.advice.setParent(self)
            self.advice.hide()
        if words.button and _offered(finding):
            self.button = button(words.button, f"fix_{finding.code.value}", lambda: self.fixed.emit(finding))
            self.button.setAccessibleName(f"{words.button}: {name}")
            inner.addSpacing(4)
            inner.addLayout(row(self.button, None))
        inner.addStretch(1)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(0, 10, 0, 10)
        outer.setSpacing(2 * theme.GRID)
        side = column(mark)
        side.addStretch(1)
        left = column(head)
        left.addStretch(1)
        outer.addLayout(side)
        outer.addLayout(left)
        outer.addLayout(inner, 1)


def _offered(finding: Finding) -> bool:
    """Whether the window can do something about it: only the card's own page names programs that can be closed."""
    return finding.fix is not Fix.FREE_MEMORY or finding.check is Check.CARD_ROOM
