"""The hatch of each part of the memory: what tells the parts apart where colours do not."""

from PySide6.QtCore import QLineF, QPointF, QRectF
from PySide6.QtGui import QColor, QPainter, QPen

from gui import theme

#: Part → the strokes of its hatch; an empty one is a plain surface.
HATCHES: dict[str, str] = {
    "others": ".",
    "weights": "",
    "adapter": "|",
    "gradients": "/",
    "optimizer": "-",
    "activations": "\\",
    "logits": "+",
    "workspace": "x",
    "overhead": ":",
    "program_a": "/",
    "program_b": "\\|",
    "program_c": "/-",
    "program_d": "x|",
    "headroom": " ",
    "overflow": "//",
}
#: Pixels between two strokes.
STEP = 6


def paint(painter: QPainter, area: QRectF, part: str) -> None:
    """Fill `area` with the colour and the hatch of `part`."""
    ground = theme.colour(part)
    painter.fillRect(area, ground)
    painter.save()
    painter.setClipRect(area)
    painter.setPen(QPen(stroke_on(ground), 2.0 if part == "overflow" else 1.0))
    for stroke in dict.fromkeys(HATCHES.get(part, "")):
        strokes(painter, area, stroke)
    painter.restore()


def stroke_on(ground: QColor) -> QColor:
    """White on dark grounds and black on light ones, thin enough to leave the ground its colour."""
    stroke = QColor("#FFFFFF") if ground.lightnessF() < 0.5 else QColor("#000000")
    stroke.setAlphaF(0.55)
    return stroke


def strokes(painter: QPainter, area: QRectF, stroke: str) -> None:
    """Draw the strokes of a hatch with the painter's pen."""
    left, top, right, bottom = area.left(), area.top(), area.right(), area.bottom()
    tall = bottom - top
    # one raster for the whole bar: the hatch does not move when a part grows
    begin = left - left % STEP
    if stroke in "|+":
        painter.drawLines([QLineF(x, top, x, bottom) for x in _steps(begin, right)])
    if stroke in "-+":
        painter.drawLines([QLineF(left, y, right, y) for y in _steps(top + STEP / 2, bottom)])
    if stroke in "/x":
        painter.drawLines([QLineF(x, bottom, x + tall, top) for x in _steps(begin - tall, right)])
    if stroke in "\\x":
        painter.drawLines([QLineF(x, top, x + tall, bottom) for x in _steps(begin - tall, right)])
    if stroke in ".:":
        dense = stroke == ":"
        painter.setPen(QPen(painter.pen().color(), 1.6))
        for row, y in enumerate(_steps(top + 3, bottom, STEP / 2 if dense else STEP)):
            shift = STEP / 2 if row % 2 else 0.0
            painter.drawPoints([QPointF(x + shift, y) for x in _steps(begin, right)])


def _steps(first: float, last: float, step: float = STEP) -> list[float]:
    count = max(0, int((last - first) / step) + 1)
    return [first + step * n for n in range(count)]
