"""Where Tab goes: through the window as it is read, and to the page when the control that had the keyboard has gone."""

from collections.abc import Iterator

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QAbstractSpinBox,
    QComboBox,
    QGridLayout,
    QLayout,
    QLineEdit,
    QScrollArea,
    QStackedWidget,
    QWidget,
)

#: Controls whose parts are none of Tab's business.
_WHOLE = (QAbstractButton, QAbstractScrollArea, QAbstractSpinBox, QComboBox, QLineEdit)


def walk(root: QWidget, page: QWidget | None, *, forward: bool) -> bool:
    """Give the keyboard to the next control, or the one before, and bring it into sight; False without a page."""
    if page is None:
        return False
    found = next_stop(root, page, root.window().focusWidget(), forward=forward)
    found.setFocus(Qt.FocusReason.TabFocusReason if forward else Qt.FocusReason.BacktabFocusReason)
    area = found.parentWidget()
    while area is not None and found is not page:
        if isinstance(area, QScrollArea):
            area.ensureWidgetVisible(found)
        area = area.parentWidget()
    return True


class Comeback(QObject):
    """Gives the keyboard to the page when its window comes to the front, and what had it was hidden meanwhile.

    So it is after a file was chosen: its page has begun to read before the window is active again, and Qt would
    take the next control of its own order.
    """

    def __init__(self, root: QWidget, stack: QStackedWidget) -> None:
        super().__init__(root)
        self._root, self._stack = root, stack
        root.window().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.WindowActivate and _gone(self._root, self._root.window().focusWidget()):
            page = self._stack.currentWidget()
            if page is not None:
                page.setFocus()
        return False


def turn(stack: QStackedWidget, page: QWidget) -> None:
    """Show a page of the stack; if the keyboard was on the page before, it comes along."""
    before, focus = stack.currentWidget(), stack.window().focusWidget()
    stack.setCurrentWidget(page)
    if before is not None and focus is not None and before.isAncestorOf(focus):
        page.setFocus()


def next_stop(root: QWidget, page: QWidget, now: QWidget | None, *, forward: bool) -> QWidget:
    """What takes the keyboard after `now`.

    Qt's own order is that in which the parts were made, and what is made anew comes last. Its answer to a control
    that was hidden or disabled is the next one in that order, anywhere in the window: whoever presses Return on
    Start, and once more, would open the runs. Here the page takes over, where Return means its next step.
    """
    if _gone(root, now):
        return page
    stops = list(tab_stops(root))
    if now in stops:
        return stops[(stops.index(now) + (1 if forward else -1)) % len(stops)]
    start = now if now is not None and page.isAncestorOf(now) else page
    inside = next((place for place, stop in enumerate(stops) if start.isAncestorOf(stop)), 0)
    return stops[inside if forward else inside - 1] if stops else page


def _gone(root: QWidget, now: QWidget | None) -> bool:
    """Whether a control of the window cannot be used any more; what is just being hidden is visible for a while."""
    return now is not None and root.isAncestorOf(now) and not (now.isVisibleTo(root) and now.isEnabled())


def tab_stops(root: QWidget) -> Iterator[QWidget]:
    """Everything in `root` that Tab reaches, in the order of its layouts."""
    if root.isHidden() or not (root.isVisible() and root.isEnabled()):
        return
    if root.focusPolicy() & Qt.FocusPolicy.TabFocus:
        yield root
    if isinstance(root, _WHOLE) and not isinstance(root, QScrollArea):
        return
    for part in _parts(root):
        yield from tab_stops(part)


def _parts(widget: QWidget) -> list[QWidget]:
    if isinstance(widget, (QScrollArea, QStackedWidget)):
        shown = widget.widget() if isinstance(widget, QScrollArea) else widget.currentWidget()
        return [shown] if shown is not None else []
    layout = widget.layout()
    laid = list(_laid_out(layout)) if layout else []
    loose = [part for part in widget.children() if isinstance(part, QWidget) and part not in laid]
    return [*laid, *sorted((part for part in loose if not part.isWindow()), key=lambda part: (part.y(), part.x()))]


def _laid_out(layout: QLayout) -> Iterator[QWidget]:
    places = list(range(layout.count()))
    if isinstance(layout, QGridLayout):
        places.sort(key=lambda place: layout.getItemPosition(place)[:2])  # type: ignore[index]
    for place in places:
        item = layout.itemAt(place)
        inner, part = (item.layout(), item.widget()) if item is not None else (None, None)
        if inner is not None:
            yield from _laid_out(inner)
        elif part is not None:
            yield part
