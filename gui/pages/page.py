"""The contract of a page: it shows a WizardState and proposes the next one."""

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from core.findings import Check
from core.gpu import Reading
from core.wizard import WizardState
from gui import theme
from gui.desk import Desk
from gui.widgets.text import label

#: A page narrower than this has little room for two columns.
SMALL = 760


def scroll_area(content: QWidget) -> QScrollArea:
    """An area that scrolls up and down only, and lets the paper show through."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(content)
    area.viewport().setAutoFillBackground(False)
    content.setAutoFillBackground(False)
    return area


class Page(QWidget):
    """A scrolling column with a title.

    `proposed` carries the WizardState that the page would like to be next; `opened` the folder of a run that
    should be attached, and whether to resume it.
    """

    proposed = Signal(object)
    opened = Signal(object, bool)

    def __init__(self, desk: Desk, title: str, lead: str = "", *, wide: bool = False) -> None:
        super().__init__()
        self.desk = desk
        self.state = WizardState()
        # what a screen reader says when the keyboard comes to the page
        self.setAccessibleName(title)
        self.column = QVBoxLayout()
        self.column.setSpacing(2 * theme.GRID)
        self.title = label(title, "title", name="page_title")
        self.lead = label(lead, "muted", name="page_lead")
        words = QVBoxLayout()
        words.setSpacing(4)
        words.addWidget(self.title)
        words.addWidget(self.lead)
        if not lead:
            self.lead.hide()
        self._head = QHBoxLayout()
        self._head.setSpacing(2 * theme.GRID)
        self._head.addLayout(words, 1)
        self.column.addLayout(self._head)
        self._beside: QScrollArea | None = None
        self._frame = QVBoxLayout(self)
        self._frame.setContentsMargins(0, 0, 0, 0)
        self._frame.setSpacing(0)
        self._middle = QHBoxLayout()
        self._middle.setSpacing(0)
        self._area = self._scroll(wide)
        self._middle.addWidget(self._area, 1)
        self._frame.addLayout(self._middle, 1)

    def _scroll(self, wide: bool) -> QScrollArea:
        inner = QWidget()
        inner.setProperty("role", "column")
        inner.setMaximumWidth(16_777_215 if wide else theme.COLUMN)
        self.column.setContentsMargins(0, 0, 0, 0)
        inner.setLayout(self.column)
        middle = QWidget()
        middle.setProperty("role", "column")
        row = self._row = QHBoxLayout(middle)
        row.setContentsMargins(theme.MARGIN, theme.MARGIN - 8, theme.MARGIN, theme.MARGIN)
        row.addWidget(inner, 1)
        if not wide:
            row.addStretch(0)
        return scroll_area(middle)

    def bring_to_top(self, part: QWidget) -> None:
        """Scroll to a part of the column, once it is laid out."""
        bar = self._area.verticalScrollBar()

        def scroll() -> None:
            content = self._area.widget()
            if content is not None:
                bar.setValue(part.mapTo(content, QPoint(0, 0)).y() - 2 * theme.GRID)

        QTimer.singleShot(0, part, scroll)

    def bring_into_view(self, part: QWidget) -> None:
        """Scroll as little as it takes to see a part as a whole, its beginning if it is too high for that."""
        bar, port = self._area.verticalScrollBar(), self._area.viewport()

        def scroll() -> None:
            content = self._area.widget()
            if content is None or not part.isVisible():
                return
            above = part.mapTo(content, QPoint(0, 0)).y() - 2 * theme.GRID
            below = above + part.height() + 4 * theme.GRID - port.height()
            bar.setValue(min(above, max(bar.value(), below)))

        # once it is laid out, and again when what is around it has found its height
        for wait in (0, 60):
            QTimer.singleShot(wait, part, scroll)

    def put_beside_title(self, widget: QWidget) -> None:
        """Put a widget to the right of the title."""
        self._head.addWidget(widget, 0, Qt.AlignmentFlag.AlignTop)

    def dock_right(self, widget: QWidget, width: int, narrow: int) -> None:
        """Put a widget beside the scrolling column, always in sight; it is `narrow` in a small window."""
        self._row.setContentsMargins(theme.MARGIN, theme.MARGIN - 8, 2 * theme.GRID, theme.MARGIN)
        holder = QWidget()
        holder.setProperty("role", "column")
        self._side = QVBoxLayout(holder)
        self._side.addWidget(widget)
        self._side.addStretch(1)
        area = self._beside = scroll_area(holder)
        self._widths = (width + theme.MARGIN, narrow + 2 * theme.GRID)
        self._middle.addWidget(area)
        self._fit_beside()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_beside()

    def _fit_beside(self) -> None:
        """Leave what is scrolled enough room in a small window."""
        if self._beside is None:
            return
        small = self.width() < SMALL
        self._beside.setFixedWidth(self._widths[small])
        right = 2 * theme.GRID if small else theme.MARGIN
        self._side.setContentsMargins(0, theme.MARGIN - 8, right, theme.GRID)
        edge = 2 * theme.GRID
        self._row.setContentsMargins(edge if small else theme.MARGIN, theme.MARGIN - 8, edge, theme.MARGIN)

    def dock(self, widget: QWidget) -> None:
        """Put a widget under the scrolling column, always in sight."""
        self._frame.addWidget(widget)

    def show_state(self, state: WizardState) -> None:
        """Show `state`; pages keep it as what their proposals start from."""
        self.state = state

    def answered(self) -> WizardState:
        """The state that Next goes on from; a page may fill in what it proposes."""
        return self.state

    def hint(self) -> str:
        """What the footer says instead of why the next step is not open; empty for the usual words."""
        return ""

    def show_reading(self, reading: Reading | None) -> None:
        """The card was read again, about once a second; None when it does not answer."""

    def called(self, checks: Sequence[Check], part: str) -> None:
        """Somebody asked for this page, and for a part of it (gui.calls.PageCall); it is shown next."""

    def left(self) -> None:
        """The user went to another page."""

    def primary(self) -> QPushButton | None:
        """The button that Return presses; None means Next."""
        return None

    def shutdown(self) -> None:
        """The page is about to be taken away."""
        self.left()
