"""What is marked in the charts: pauses and comebacks as thin lines, spikes, the best evaluation, the chosen step."""

from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import Qt

from gui import theme
from gui.timeline import Timeline

#: The newest moments that get a line.
MOST = 60


class Marks:
    """Belongs to a LivePlot: `loss` is the chart with spikes and evaluations, `charts` all that are shown."""

    def __init__(self, loss: Any) -> None:
        self._loss = loss
        self._lines: list[tuple[Any, Any]] = []
        self._drawn: object = None
        self._charts: list[Any] = []
        self._spikes = pg.ScatterPlotItem(symbol="t1", size=11)
        self._best = pg.ScatterPlotItem(symbol="o", size=14)
        self._point = pg.ScatterPlotItem(symbol="o", size=11)
        self._chosen: list[Any] = []
        for place, item in enumerate((self._spikes, self._best, self._point)):
            item.setZValue(10 + place)
            loss.addItem(item, ignoreBounds=True)

    def show_in(self, charts: list[Any]) -> None:
        """Draw the lines in these charts."""
        for line, chart in self._lines:
            chart.removeItem(line)
        for line, chart in zip(self._chosen, self._charts, strict=True):
            chart.removeItem(line)
        self._charts, self._lines, self._drawn = charts, [], None
        self._chosen = [pg.InfiniteLine(angle=90, movable=False) for _chart in charts]
        for line, chart in zip(self._chosen, charts, strict=True):
            line.hide()
            chart.addItem(line, ignoreBounds=True)
        self.retint()

    def draw(self, timeline: Timeline) -> None:
        """Show what happened so far."""
        moments = timeline.marks[-MOST:]
        if moments != self._drawn:
            self._drawn = moments
            for line, chart in self._lines:
                chart.removeItem(line)
            self._lines = [
                (pg.InfiniteLine(pos=moment, angle=90, movable=False, pen=_thin()), chart)
                for moment, _event in moments for chart in self._charts
            ]  # fmt: skip
            for line, chart in self._lines:
                chart.addItem(line, ignoreBounds=True)
        self._spikes.setData(*_points(timeline.loss, timeline.spikes))
        best = [timeline.best] if 0 <= timeline.best < timeline.validation.x.size else []
        self._best.setData(*_points(timeline.validation, best))

    def choose(self, timeline: Timeline, place: int) -> None:
        """Point at a step; -1 points at none."""
        there = 0 <= place < timeline.loss.x.size
        self._point.setData(*_points(timeline.loss, [place] if there else []))
        for line in self._chosen:
            line.setVisible(there)
            if there:
                line.setValue(float(timeline.loss.x.view()[place]))

    def retint(self) -> None:
        """Take the colours of the scheme in use."""
        self._spikes.setBrush(pg.mkBrush(theme.colour("caution")))
        self._spikes.setPen(pg.mkPen(theme.colour("surface"), width=1))
        self._best.setBrush(pg.mkBrush(None))
        self._best.setPen(pg.mkPen(theme.colour("validation"), width=2))
        self._point.setBrush(pg.mkBrush(theme.colour("surface")))
        self._point.setPen(pg.mkPen(theme.colour("ink"), width=2))
        for line, _chart in self._lines:
            line.setPen(_thin())
        for line in self._chosen:
            line.setPen(pg.mkPen(theme.colour("muted"), width=1))


def _points(curve: Any, places: list[int]) -> tuple[list[float], list[float]]:
    """The points at `places`, where they have a value."""
    xs, ys = curve.x.view(), curve.y.view()
    known = [place for place in places if ys[place] == ys[place]]
    return [float(xs[place]) for place in known], [float(ys[place]) for place in known]


def _thin() -> Any:
    return pg.mkPen(theme.colour("edge"), width=1, style=Qt.PenStyle.DashLine)
