"""How long the rows are: a histogram in tokens, with the longest sequence marked and what lies beyond it hatched."""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from core.i18n import _, ngettext
from core.wording import count
from gui import theme
from gui.widgets.hatch import strokes

#: Bars are at least so many pixels wide; more buckets than that are put together.
_BAR = 6
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 12, 26, 24
#: The axis ends a little behind the place where so large a share of the rows has ended: a few very long ones
#: would leave no room for the others.
_SHARE = 0.97


class Histogram(QWidget):
    """Draws (upper bound in tokens, rows) in growing order."""

    def __init__(self, lengths: Sequence[tuple[int, int]], limit: int = 0) -> None:
        super().__init__()
        self.setObjectName("histogram")
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._lengths = [(0, 0), *lengths]
        self.limit = limit
        rows = sum(n for _bound, n in lengths)
        words = ngettext("{n} row by its length in tokens", "{n} rows by their length in tokens", rows)
        self.setAccessibleName(words.format(n=count(rows)))

    def sizeHint(self) -> QSize:
        return QSize(480, 220)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, 160)

    @property
    def end(self) -> int:
        """Where the axis ends, in tokens; rows that are longer stand in the last bar."""
        rows = sum(n for _bound, n in self._lengths)
        seen, longest = 0, self._lengths[-1][0]
        for bound, n in self._lengths:
            seen += n
            if seen >= rows * _SHARE:
                longest = min(longest, max(bound * 5 // 4, bound + 64))
                break
        # the mark is in sight, unless all rows are far below it
        return max(longest, self.limit * 5 // 4) if self.limit <= 4 * longest else longest

    def bars(self, width: int) -> list[tuple[int, int, float]]:
        """Return bars of equal width as (from, to, rows), where buckets are cut by share; `width` in pixels."""
        most = max(1, width // _BAR)
        size = max(64, -(-self.end // most // 64) * 64)
        number = max(1, -(-self.end // size))
        rows = [0.0] * number
        for (low, _n), (high, n) in zip(self._lengths, self._lengths[1:], strict=False):
            # a bucket is as wide as the gap below it, where that is not a gap without rows
            low = max(low, high - max(64, high // 5))
            for place in range(min(low // size, number - 1), min((high - 1) // size, number - 1) + 1):
                last = place == number - 1
                inside = (high if last else min(high, (place + 1) * size)) - max(low, place * size)
                rows[place] += n * max(inside, 0) / (high - low)
        return [(place * size, (place + 1) * size, n) for place, n in enumerate(rows)]

    def _area(self) -> QRectF:
        return QRectF(_LEFT, _TOP, max(self.width() - _LEFT - _RIGHT, 1), max(self.height() - _TOP - _BOTTOM, 1))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area, bars = self._area(), self.bars(int(self._area().width()))
        highest, end = max(n for _low, _high, n in bars) or 1, bars[-1][1]
        self._axes(painter, area, highest, end)
        for low, high, n in bars:
            if n:
                # rows are there or not: a bar of one pixel says so
                tall = max(n / highest * area.height(), 2.0)
                left = area.left() + low / end * area.width()
                box = QRectF(left + 0.5, area.bottom() - tall, (high - low) / end * area.width() - 1, tall)
                self._bar(painter, box, cut=bool(self.limit) and low >= self.limit)
        if self.limit and self.limit <= end:
            self._mark(painter, area, area.left() + self.limit / end * area.width())

    def _bar(self, painter: QPainter, box: QRectF, *, cut: bool) -> None:
        colour = theme.colour("caution" if cut else "accent")
        if not cut:
            painter.fillRect(box, colour)
            return
        painter.save()
        painter.setClipRect(box)
        painter.setPen(QPen(colour, 1.5))
        strokes(painter, box, "/")
        painter.drawRect(box.adjusted(0.5, 0.5, -0.5, 0.5))
        painter.restore()

    def _mark(self, painter: QPainter, area: QRectF, x: float) -> None:
        painter.setPen(QPen(theme.colour("ink"), 1.5, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(x, area.top() - 4), QPointF(x, area.bottom()))
        words = _("longest sequence: {n}").format(n=count(self.limit))
        wide = QFontMetrics(painter.font()).horizontalAdvance(words)
        left = x + 6 if x + 6 + wide < self.width() else x - 6 - wide
        painter.drawText(QPointF(left, area.top() - 8), words)

    def _axes(self, painter: QPainter, area: QRectF, highest: float, end: int) -> None:
        painter.setPen(QPen(theme.colour("hairline"), 1))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        painter.drawLine(area.topLeft(), area.topRight())
        painter.setPen(theme.colour("muted"))
        painter.drawText(QRectF(0, area.top() - 8, _LEFT - 6, 16), Qt.AlignmentFlag.AlignRight, count(round(highest)))
        painter.drawText(QRectF(0, area.bottom() - 8, _LEFT - 6, 16), Qt.AlignmentFlag.AlignRight, "0")
        places = 4 if area.width() > 300 else 2
        free = float(self.width())
        for part in range(places, -1, -1):
            x = area.left() + area.width() * part / places
            words = count(end * part // places)
            if part == places:
                beyond = self._lengths[-1][0] > end
                words = (_("{n} tokens and more") if beyond else _("{n} tokens")).format(n=words)
            wide = QFontMetrics(painter.font()).horizontalAdvance(words)
            x = min(max(x - wide / 2, 0), self.width() - wide - 2)
            if x + wide < free:
                painter.drawText(QPointF(x, area.bottom() + 17), words)
                free = x - 8

    def said(self, x: float) -> str:
        """What stands at a place, in words; empty beside the bars."""
        area = self._area()
        bars = self.bars(int(area.width()))
        at = (x - area.left()) / area.width() * bars[-1][1]
        for low, high, n in bars:
            if low <= at < high and n:
                last = high == bars[-1][1] and self._lengths[-1][0] > high
                to = self._lengths[-1][0] if last else high
                words = ngettext(
                    "{low} to {high} tokens: about {n} row", "{low} to {high} tokens: about {n} rows", max(round(n), 1)
                )
                return words.format(low=count(low + 1), high=count(to), n=count(max(round(n), 1)))
        return ""

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        QToolTip.showText(event.globalPosition().toPoint(), self.said(event.position().x()), self)
