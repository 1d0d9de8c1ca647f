"""The list of findings: each a line to click, with its count, its sentence and what its cleaning step does with it."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from core.data.clean import Mode, StepName
from core.data.clean.cleaning import RECOMMENDED
from core.i18n import _
from core.wording import count
from core.wording.cleaning import clean_step_words
from gui.icons import Icon
from gui.pages.data_findings import Finding
from gui.pages.page import scroll_area
from gui.widgets.badge import Badge
from gui.widgets.buttons import Chip, Tile, button
from gui.widgets.segments import Segments
from gui.widgets.text import clear, column, label, line, row

ICONS = {"good": "done", "caution": "warning", "trouble": "trouble", "muted": "info"}
_REPAIRED = (StepName.GARBLED, StepName.HTML, StepName.INVISIBLE)
_PAIRED = (StepName.EXACT, StepName.NEAR)


class FindingList(QWidget):
    """`chosen` carries a Finding that was clicked, `switched` a step and its new mode.

    `included` says that rows which were left as they are should be cleaned like the others.
    """

    chosen = Signal(object)
    switched = Signal(object, object)
    included = Signal()

    def __init__(self, above: QWidget | None = None) -> None:
        super().__init__()
        self._tiles: list[tuple[Tile, Finding]] = []
        inner = QWidget()
        lines = QVBoxLayout(inner)
        lines.setContentsMargins(0, 0, 8, 0)
        lines.setSpacing(8)
        if above is not None:
            lines.addWidget(above)
            lines.addSpacing(4)
        self._lines = QVBoxLayout()
        self._lines.setSpacing(8)
        lines.addLayout(self._lines)
        lines.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        self._area = scroll_area(inner)
        outer.addWidget(self._area)

    def show_findings(
        self, found: Sequence[Finding], quiet: Sequence[StepName] = (), off: Sequence[StepName] = ()
    ) -> None:
        """List what was found; `quiet` steps looked and found nothing, those that are `off` did not look."""
        marked = next((finding for tile, finding in self._tiles if tile.isChecked()), None)
        clear(self._lines)
        self._tiles = []
        self._lines.addWidget(label(_("Findings"), "strong"))
        if not any(one.key == "rejected" for one in found):
            self._lines.addWidget(Badge("good", _("Every row can be used")))
        for finding in found:
            self._lines.addWidget(self._card(finding))
        if off:
            self._lines.addWidget(line())
            self._lines.addWidget(label(_("Not looked for"), "small"))
        for step in off:
            self._lines.addWidget(self._look_again(step))
        if quiet:
            names = _(", ").join(clean_step_words(step)[0] for step in quiet)
            self._lines.addWidget(line())
            self._lines.addWidget(label(_("Looked for and not found: {names}").format(names=names), "small"))
        self.mark(marked)

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
        if finding.step is not None and finding.report is not None:
            parts.addLayout(self._switch(finding, finding.step, finding.report.mode))
        if finding.key == "left":
            again = button(_("Clean all of them after all"), "include_all", self.included.emit, kind="quiet")
            parts.addLayout(row(again, None))
        return box

    def _switch(self, finding: Finding, step: StepName, mode: Mode) -> QVBoxLayout:
        """What the step does, and what that does to the number of rows."""
        title, _finds, does = clean_step_words(step)
        ways = [(Mode.REPORT, _("List"), _("Lists these rows and leaves them as they are.")),
                (Mode.OFF, _("Off"), _("Does not look for such rows."))]  # fmt: skip
        if does:
            ways.insert(0, (Mode.ACT, _act_words(step), does))
        made = Segments(f"clean_{step.value}", title, ways, mode)
        made.chosen.connect(lambda value: self.switched.emit(step, value))
        parts = row(made, spacing=8)
        parts.addWidget(label(_change(finding), "small"), 1)
        lines = column(parts)
        lines.setContentsMargins(0, 0, 0, 4)
        return lines

    def _look_again(self, step: StepName) -> QWidget:
        """The chip that switches a step on as it is recommended."""
        title, finds, _does = clean_step_words(step)
        again = Chip(_("Look for: {name}").format(name=title), f"look_{step.value}")
        again.setToolTip(finds)
        mode = next(switch.mode for switch in RECOMMENDED if switch.step is step)
        again.clicked.connect(lambda: self.switched.emit(step, mode))
        return again

    def _choose(self, finding: Finding) -> None:
        self.mark(finding)
        self.chosen.emit(finding)

    def press(self, key: str) -> bool:
        """Choose a finding by its key; False when there is no such finding, or no rows of it."""
        for tile, finding in self._tiles:
            if finding.key == key and finding.details:
                self._choose(finding)
                # once it has its place
                QTimer.singleShot(0, tile, lambda tile=tile: self._area.ensureWidgetVisible(tile))
                return True
        return False

    def mark(self, finding: Finding | None) -> None:
        """Show which finding's rows are shown beside."""
        for tile, one in self._tiles:
            tile.setChecked(one == finding)


def _act_words(step: StepName) -> str:
    """What a step does, in a word or two."""
    if step is StepName.PRIVATE:
        return _("Mask")
    if step in _REPAIRED:
        return _("Repair")
    return _("Keep one") if step in _PAIRED else _("Leave out")


def _change(finding: Finding) -> str:
    """What the step did to the rows, as counts before and after."""
    report = finding.report
    if report is None or report.mode is not Mode.ACT:
        return ""
    if report.dropped:
        words = _("{before} rows → {after}").format(before=count(report.before), after=count(report.after))
    else:
        words = _("{n} of {rows} rows changed").format(n=count(report.changed), rows=count(report.before))
    if report.reported:
        words += " · " + _("{n} only listed").format(n=count(report.reported))
    return words
