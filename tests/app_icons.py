"""Draw the icons of the app in every size and container from one SVG: `python tests/app_icons.py`.

Windows takes them from an .ico, macOS from an .icns; both are lists of PNG images behind a header.
"""

import os
import struct
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QBuffer, QIODevice, Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

FOLDER = Path(__file__).parents[1] / "resources" / "icons" / "app"
PNG_SIZES = (16, 24, 32, 48, 64, 128, 256, 512)
ICO_SIZES = (16, 24, 32, 48, 64, 128, 256)
#: Apple's names of the sizes, the last two letters of a name saying nothing of them.
ICNS_NAMES = {b"icp4": 16, b"icp5": 32, b"icp6": 64, b"ic07": 128, b"ic08": 256, b"ic09": 512}


def drawn(size: int) -> bytes:
    """The icon as PNG, `size` pixels wide."""
    image = QImage(size, size, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    QSvgRenderer(str(FOLDER / "solotune.svg")).render(painter)
    painter.end()
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    return bytes(buffer.data().data())


def ico(images: dict[int, bytes]) -> bytes:
    """An .ico of PNG images by their width (Windows Vista and later)."""
    header, place = struct.pack("<HHH", 0, 1, len(images)), 6 + 16 * len(images)
    for size, image in images.items():
        header += struct.pack("<BBBBHHII", size % 256, size % 256, 0, 0, 1, 32, len(image), place)
        place += len(image)
    return header + b"".join(images.values())


def icns(images: dict[bytes, bytes]) -> bytes:
    """An .icns of PNG images by their name."""
    body = b"".join(name + struct.pack(">I", len(image) + 8) + image for name, image in images.items())
    return b"icns" + struct.pack(">I", len(body) + 8) + body


def main() -> int:
    """Write all of them."""
    app = QGuiApplication(sys.argv[:1])
    images = {size: drawn(size) for size in PNG_SIZES}
    for size, image in images.items():
        (FOLDER / f"{size}.png").write_bytes(image)
    (FOLDER / "solotune.ico").write_bytes(ico({size: images[size] for size in ICO_SIZES}))
    (FOLDER / "solotune.icns").write_bytes(icns({name: images[size] for name, size in ICNS_NAMES.items()}))
    app.quit()
    return 0


if __name__ == "__main__":
    sys.exit(main())
