"""The outline icons: SVG files drawn in a colour of the scheme in use."""

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPaintEvent, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QAbstractButton, QWidget

from core.assets import resource
from gui import theme


def icon_file(name: str) -> str:
    """Path of an icon as style sheets write it."""
    return resource("icons", f"{name}.svg").as_posix()


@lru_cache(maxsize=64)
def _source(name: str) -> str:
    return resource("icons", f"{name}.svg").read_text(encoding="utf-8")


@lru_cache(maxsize=128)
def _renderer(name: str, colour: str) -> QSvgRenderer:
    return QSvgRenderer(QByteArray(_source(name).replace("currentColor", colour).encode()))


def pixmap(name: str, tone: str = "ink", size: int = 20, ratio: float = 2.0) -> QPixmap:
    """The icon in the colour `tone`, `size` pixels wide, sharp on screens up to `ratio`."""
    image = QPixmap(QSize(round(size * ratio), round(size * ratio)))
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    _renderer(name, theme.colour(tone).name()).render(painter)
    painter.end()
    image.setDevicePixelRatio(ratio)
    return image


def set_icon(button: QAbstractButton, name: str, tone: str = "ink") -> None:
    """Give a button an icon that follows the scheme (see `retint`)."""
    button.setProperty("icon_name", name)
    button.setProperty("icon_tone", tone)
    button.setIcon(QIcon(pixmap(name, tone)))


def retint(root: QWidget) -> None:
    """Draw the icons of all buttons under `root` again, after the scheme changed."""
    for button in root.findChildren(QAbstractButton):
        name = button.property("icon_name")
        if name:
            set_icon(button, name, button.property("icon_tone"))


class Icon(QWidget):
    """One icon; it asks for its colour each time it is painted."""

    def __init__(self, name: str, tone: str = "ink", size: int = 20) -> None:
        super().__init__()
        self._name, self._tone = name, tone
        self.setFixedSize(size, size)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def set(self, name: str, tone: str) -> None:
        """Show another icon."""
        if (name, tone) != (self._name, self._tone):
            self._name, self._tone = name, tone
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        _renderer(self._name, theme.colour(self._tone).name()).render(painter, QRectF(self.rect()))
