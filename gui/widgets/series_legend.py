"""The legend of the charts: each curve's dash, name and newest value."""

from PySide6.QtCore import QPointF
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from core.history import RunHistory
from core.i18n import _
from core.wording import gigabytes
from gui import theme
from gui.widgets.text import label


class Dash(QWidget):
    """A short piece of a curve."""

    def __init__(self, series: str) -> None:
        super().__init__()
        self._series = series
        self.setFixedSize(24, 14)

    def paintEvent(self, event: QPaintEvent) -> None:
        series = theme.tokens().series[self._series]
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.colour(self._series), 2, series.dash))
        middle = self.height() / 2
        painter.drawLine(QPointF(0, middle), QPointF(self.width(), middle))


class SeriesLegend(QWidget):
    """Loss, validation and memory, with what they are now."""

    def __init__(self) -> None:
        super().__init__()
        self._values: dict[str, QLabel] = {}
        self._names: dict[str, QLabel] = {}
        inner = QHBoxLayout(self)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(6)
        for series, words in (("loss", _("Loss")), ("validation", _("Validation")), ("memory", _("Memory"))):
            value = label("", "strong", wrap=False, name=f"now_{series}")
            value.setMinimumWidth(44)
            self._values[series] = value
            self._names[series] = label(words, "muted", wrap=False, name=f"name_{series}")
            for part in (Dash(series), self._names[series], value):
                inner.addWidget(part)
            inner.addSpacing(16)
        inner.addStretch(1)

    def set(self, history: RunHistory | None) -> None:
        """Show the newest values."""
        loss = history.last_loss if history else None
        checked = history.evaluations[-1].loss if history and history.evaluations else None
        measured = history.memory[-1] if history and history.memory else None
        memory = measured.used_bytes if measured else 0
        on_card = measured is None or measured.on_card
        self._names["memory"].setText(_("Memory") if on_card else _("Computer memory"))
        self._values["loss"].setText("–" if loss is None else f"{loss:.3f}")
        self._values["validation"].setText("–" if checked is None else f"{checked:.3f}")
        self._values["memory"].setText(gigabytes(memory) if memory else "–")
