"""The list of findings: each a line to click, with its count, its sentence and the switch of its cleaning step."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QFrame, QVBoxLayout, QWidget

from core.data.clean import Mode, StepName
from core.i18n import _
from core.wording import count
from core.wording.cleaning import clean_step_words
from gui.icons import Icon
from gui.pages.data_findings import Finding
from gui.pages.page import scroll_area
from gui.widgets.badge import Badge
from gui.widgets.buttons import Tile
from gui.widgets.text import column, label, line, row

ICONS = {"good": "done", "caution": "warning", "trouble": "trouble", "muted": "info"}


class FindingList(QWidget):
    """`chosen` carries a Finding that was clicked, `switched` a step and its new mode."""

    chosen = Signal(object)
    switched = Signal(object, object)

    def __init__(self, found: Sequence[Finding], quiet: Sequence[StepName] = (), above: QWidget | None = None) -> None:
        super().__init__()
        self._tiles: list[tuple[Tile, Finding]] = []
        inner = QWidget()
        lines = QVBoxLayout(inner)
        lines.setContentsMargins(0, 0, 8, 0)
        lines.setSpacing(8)
        if above is not None:
            lines.addWidget(above)
        lines.addWidget(label(_("Findings"), "strong"))
        if not any(one.key == "rejected" for one in found):
            lines.addWidget(Badge("good", _("Every row can be used")))
        for finding in found:
            lines.addWidget(self._card(finding))
        if quiet:
            names = ", ".join(clean_step_words(step)[0] for step in quiet)
            lines.addWidget(line())
            lines.addWidget(label(_("Looked for and not found: {names}").format(names=names), "small"))
        lines.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll_area(inner))

    def _card(self, finding: Finding) -> QWidget:
        head = row(Icon(ICONS[finding.tone], finding.tone, 16), spacing=8)
        title = label(finding.title, "strong")
        head.addWidget(title, 1)
        if finding.count and finding.step is not None:
            head.addWidget(label(count(finding.count), "strong", wrap=False), 0, Qt.AlignmentFlag.AlignTop)
        tile = Tile(f"finding_{finding.key}", column(head, label(finding.sentence, "small"), spacing=2), pad=12)
        number = count(finding.count) if finding.count else ""
        tile.setAccessibleName(f"{finding.title} {number}".strip())
        tile.setAccessibleDescription(finding.sentence)
        tile.setToolTip(_("Show the rows") if finding.details else "")
        tile.setEnabled(bool(finding.details))
        tile.clicked.connect(lambda _on=False, one=finding: self._choose(one))
        self._tiles.append((tile, finding))
        box = QFrame()
        parts = QVBoxLayout(box)
        parts.setContentsMargins(0, 0, 0, 4 if finding.step else 0)
        parts.setSpacing(4)
        parts.addWidget(tile)
        if finding.step is not None:
            parts.addLayout(self._switch(finding, finding.step))
        return box

    def _switch(self, finding: Finding, step: StepName) -> QVBoxLayout:
        """The step's switch and what it does to the number of rows."""
        title, _finds, does = clean_step_words(step)
        lines = column(spacing=0)
        lines.setContentsMargins(12, 0, 8, 0)
        report = finding.report
        if not does or report is None:
            return lines
        switch = QCheckBox(does)
        switch.setObjectName(f"clean_{step.value}")
        switch.setAccessibleName(f"{title}: {does}")
        switch.setChecked(report.mode is Mode.ACT)
        switch.toggled.connect(lambda on: self.switched.emit(step, Mode.ACT if on else Mode.REPORT))
        lines.addWidget(_Wrapping(switch, does))
        lines.addWidget(label(_change(finding), "small"))
        return lines

    def _choose(self, finding: Finding) -> None:
        self.mark(finding)
        self.chosen.emit(finding)

    def press(self, key: str) -> None:
        """Choose a finding by its key."""
        for _tile, finding in self._tiles:
            if finding.key == key and finding.details:
                self._choose(finding)

    def mark(self, finding: Finding | None) -> None:
        """Show which finding's rows are shown beside."""
        for tile, one in self._tiles:
            tile.setChecked(one == finding)


class _Wrapping(QWidget):
    """A switch whose words may need two lines: a check box has one only."""

    def __init__(self, switch: QCheckBox, words: str) -> None:
        super().__init__()
        switch.setText("")
        text = label(words, "body")
        text.mousePressEvent = lambda _event: switch.toggle()  # type: ignore[method-assign]
        inner = row(spacing=8)
        inner.addWidget(switch, 0, Qt.AlignmentFlag.AlignTop)
        inner.addWidget(text, 1)
        self.setLayout(inner)


def _change(finding: Finding) -> str:
    """What the step did to the rows, as counts before and after."""
    report = finding.report
    if report is None or report.mode is not Mode.ACT:
        return _("Switched off: these rows stay as they are.")
    if report.dropped:
        words = _("{before} rows → {after}").format(before=count(report.before), after=count(report.after))
    else:
        words = _("{n} of {rows} rows changed").format(n=count(report.changed), rows=count(report.before))
    if report.reported:
        words += " · " + _("{n} only listed").format(n=count(report.reported))
    return words
