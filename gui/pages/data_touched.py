"""The rows of a finding: what a step touched, before and after; what repeats what; what cannot be used and why."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, cast

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QBoxLayout, QFrame, QVBoxLayout, QWidget

from core.data.clean import RowRef, StepName, Touch
from core.data.rows import RowProblem
from core.i18n import _
from core.wording import count, row_problem_words
from core.wording.cleaning import effect_words
from gui.pages.data_findings import PAIRS, Finding, kinds_words
from gui.widgets.bubble import breakable
from gui.widgets.buttons import button
from gui.widgets.row_list import RowList
from gui.widgets.text import Elided, clear, column, label, row

#: More rejected rows than this nobody reads; their number is told.
LISTED = 100


class TouchedView(QWidget):
    """`excepted` carries a Touch and whether its row is to stay as it is; `closed` that all rows are wanted again."""

    excepted = Signal(object, bool)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("touched")
        self._except: set[str] = set()
        #: The key of the finding that is shown.
        self.key = ""
        self._head = QVBoxLayout()
        self._list = RowList(self._make, "touched_rows")
        self._more = label("", "muted")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(8)
        outer.addLayout(self._head)
        outer.addWidget(self._list, 1)
        outer.addWidget(self._more)

    def show_finding(self, finding: Finding) -> None:
        """List the rows of a finding."""
        clear(self._head)
        self.key = finding.key
        alone = finding.details if finding.key == "left" else ()
        self._except = {one.row.key for one in alone if isinstance(one, Touch)}
        back = button(_("All rows"), "all_rows", self.closed.emit, kind="quiet")
        title = Elided(finding.title, "strong")
        top = row(spacing=8)
        top.addWidget(title, 1)
        top.addWidget(back)
        self._head.addLayout(top)
        listed: Sequence[Any] = finding.details
        if finding.key == "rejected":
            listed = listed[:LISTED]
        self._list.setAccessibleName(finding.title)
        self._list.show_rows(cast(Any, listed))
        left = max(finding.count - len(listed), 0)
        self._more.setText(_("… and {n} more").format(n=count(left)))
        self._more.setVisible(left > 0)

    def _make(self, _number: int, item: Any) -> QWidget:
        return _problem(item) if isinstance(item, RowProblem) else self._touch(item)

    def _touch(self, touch: Touch) -> QWidget:
        box, inner = _card()
        top = row(Elided(place(touch.row), "small"), spacing=8)
        top.setStretch(0, 1)
        if touch.row.key and touch.row.key not in self._except:
            top.addWidget(label(effect_words(touch.effect), "small", wrap=False))
        inner.addLayout(top)
        if touch.step in PAIRS:
            said = _("Answers {n} rows in all").format(n=touch.found) if touch.found else ""
            inner.addWidget(_Sides((_("This row"), touch.before), (_like(touch.like), touch.after)))
        elif touch.after:
            said = kinds_words(_kinds(touch.found)) if touch.step is StepName.PRIVATE else touch.found
            inner.addWidget(_Sides((_("Before"), touch.before), (_("After"), touch.after)))
        else:
            said = touch.found if touch.found not in touch.before else ""
            inner.addWidget(_text(touch.before or touch.found))
        if said or touch.row.key:
            foot = row(spacing=8)
            foot.addWidget(Elided(said, "small"), 1)
            if touch.row.key:
                foot.addWidget(self._keep(touch))
            inner.addLayout(foot)
        return box

    def _keep(self, touch: Touch) -> QWidget:
        """The button that takes a row out of all cleaning, or back into it."""
        key = touch.row.key
        keep = button("", "keep_row", kind="quiet")

        def show() -> None:
            left = key in self._except
            keep.setText(_("Clean it after all") if left else _("Leave as it is"))
            tip = _("The cleaning steps look at this row again.") if left else _("No cleaning step touches this row.")
            keep.setToolTip(tip)
            keep.setAccessibleName(f"{keep.text()} {place(touch.row)}")

        def press() -> None:
            self._except ^= {key}
            show()
            self.excepted.emit(touch, key in self._except)

        show()
        keep.clicked.connect(lambda: press())
        return keep


class _Sides(QWidget):
    """Two texts side by side."""

    def __init__(self, left: tuple[str, str], right: tuple[str, str]) -> None:
        super().__init__()
        self._box = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(12)
        for head, said in (left, right):
            side = column(Elided(head, "small"), _text(said), spacing=2)
            side.addStretch(1)
            self._box.addLayout(side, 1)

    def sizeHint(self) -> QSize:
        return self._box.sizeHint()


def _card() -> tuple[QFrame, QVBoxLayout]:
    box = QFrame()
    box.setProperty("role", "panel")
    inner = QVBoxLayout(box)
    inner.setContentsMargins(12, 8, 12, 8)
    inner.setSpacing(4)
    return box, inner


def _problem(problem: RowProblem) -> QWidget:
    box, inner = _card()
    inner.addWidget(Elided(place(problem)))
    inner.addWidget(label(row_problem_words(problem), "body"))
    return box


def _text(said: str) -> QWidget:
    found = label(breakable(said), "body")
    found.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return found


class _Standing(Protocol):
    @property
    def file(self) -> str: ...

    @property
    def line(self) -> int: ...


def place(ref: _Standing) -> str:
    """Where a row stands, as file:line."""
    name = Path(ref.file).name
    return f"{name}:{ref.line}" if ref.line else name


def _like(ref: RowRef | None) -> str:
    return _("Repeats {place}").format(place=place(ref)) if ref else ""


def _kinds(found: str) -> dict[str, int]:
    """The kinds of private data in a row, from "email 1, phone 2"."""
    parts = (one.rpartition(" ") for one in found.split(", "))
    return {kind: int(number) for kind, _space, number in parts if number.isdigit()}
