"""The memory bar: readable without colour, past the card's end in red, explained to mouse and keyboard."""

from itertools import pairwise

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QHelpEvent, QImage, QPainter
from PySide6.QtWidgets import QApplication, QToolTip, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from core.wording import part_hint, part_words
from gui import theme
from gui.widgets.hatch import HATCHES
from gui.widgets.legend import Entry, Legend
from gui.widgets.memory_bar import MemoryBar, Part

GB = 10**9
ORDER = ("others", "weights", "adapter", "gradients", "optimizer", "activations", "logits", "workspace", "overhead")


def part(tone: str, size: float) -> Part:
    return Part(part_words(tone), int(size * GB), tone, part_hint(tone))


def bar_of(qtbot: QtBot, *parts: Part, total: float, width: int = 400) -> MemoryBar:
    bar = MemoryBar()
    qtbot.addWidget(bar)
    bar.set(parts, int(total * GB), (0, int(total * GB)))
    bar.resize(width, bar.sizeHint().height())
    bar.show()
    return bar


def picture(bar: MemoryBar) -> QImage:
    image = QImage(bar.size(), QImage.Format.Format_RGB32)
    image.fill(QColor("#FFFFFF"))
    painter = QPainter(image)
    bar.render(painter, QPoint())
    painter.end()
    return image


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_neighbours_differ_in_greyscale(qtbot: QtBot, qapp: QApplication, scheme: str) -> None:
    theme.apply(qapp, scheme)
    bar = bar_of(qtbot, *(part(tone, 1) for tone in ORDER), total=10, width=500)
    grey = picture(bar).convertToFormat(QImage.Format.Format_Grayscale8)
    spots = [range(50 * n + 6, 50 * n + 44) for n in range(10)]
    rows = range(8, 26)
    light = [sum(grey.pixelColor(x, y).red() for x in xs for y in rows) / (38 * 18) for xs in spots]
    theme.apply(qapp, "light")
    for left, right in pairwise(light):
        assert abs(left - right) > 30, light


def test_every_part_has_a_hatch_of_its_own() -> None:
    shown = [*ORDER, "headroom", "overflow"]
    assert len({HATCHES[tone] for tone in shown}) == len(shown)


def test_every_part_is_explained() -> None:
    for tone in (*ORDER, "headroom", "overflow"):
        assert part_hint(tone).endswith(".")
        assert part_words(tone) != tone


def test_what_does_not_fit_is_striped_past_the_end(qtbot: QtBot) -> None:
    bar = bar_of(qtbot, part("weights", 8), part("activations", 4), total=10, width=360)
    assert bar.overflow_bytes == 2 * GB
    image, red = picture(bar), theme.colour("overflow")
    reds = [x for x in range(360) if image.pixelColor(x, 16) == red]
    assert reds and min(reds) >= 300
    over = bar.part_at(350)
    assert over is not None and over.tone == "overflow" and over.size_bytes == 2 * GB


def test_the_card_stays_in_sight_however_large_the_plan(qtbot: QtBot) -> None:
    bar = bar_of(qtbot, part("weights", 8), part("activations", 400), total=10, width=280)
    found = bar.part_at(100)
    assert found is not None and found.tone == "weights"


def test_the_part_under_the_mouse_is_explained(qtbot: QtBot) -> None:
    bar = bar_of(qtbot, part("weights", 5), part("logits", 5), total=10)
    for x, tone in ((50, "weights"), (350, "logits")):
        QApplication.sendEvent(bar, QHelpEvent(QHelpEvent.Type.ToolTip, QPoint(x, 12), bar.mapToGlobal(QPoint(x, 12))))
        assert part_hint(tone) in QToolTip.text()
    with qtbot.waitSignal(bar.looked, timeout=60_000) as heard:
        qtbot.mouseMove(bar, QPoint(350, 12))
        QApplication.sendEvent(bar, _moved(bar, 350))
    assert heard.args == ["logits"]
    QToolTip.hideText()


def _moved(bar: MemoryBar, x: int) -> object:
    from PySide6.QtGui import QMouseEvent

    none = Qt.MouseButton.NoButton
    place = QPointF(x, 12)
    return QMouseEvent(QMouseEvent.Type.MouseMove, place, bar.mapToGlobal(place), none, none, Qt.KeyboardModifier(0))


def test_the_arrow_keys_walk_through_the_legend(qtbot: QtBot) -> None:
    box = QWidget()
    inner = QVBoxLayout(box)
    bar, legend = MemoryBar(), Legend()
    legend.follow(bar)
    inner.addWidget(bar)
    inner.addWidget(legend)
    qtbot.addWidget(box)
    parts = [part("weights", 5), part("adapter", 1), part("logits", 2)]
    bar.set(parts, 10 * GB)
    legend.set(parts)
    box.show()
    box.activateWindow()
    qtbot.waitUntil(box.isActiveWindow, timeout=60_000)
    entries = legend.findChildren(Entry)
    stops = [entry for entry in entries if entry.focusPolicy() & Qt.FocusPolicy.TabFocus]
    assert stops == entries[:1], "one stop for Tab"
    entries[0].setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(entries[0], Qt.Key.Key_Down)
    qtbot.keyClick(entries[1], Qt.Key.Key_Down)
    qtbot.keyClick(entries[2], Qt.Key.Key_Down)
    assert entries[2].hasFocus()
    assert bar._lit == "logits"
    assert entries[2].accessibleName() == "Loss computation 2.0 GB"
    assert entries[2].accessibleDescription() == part_hint("logits")
    QToolTip.hideText()


def test_the_legend_keeps_the_keyboards_place_when_sizes_change(qtbot: QtBot) -> None:
    legend = Legend()
    qtbot.addWidget(legend)
    legend.set([part("weights", 5), part("adapter", 1)])
    legend.show()
    legend.activateWindow()
    qtbot.waitUntil(legend.isActiveWindow, timeout=60_000)
    legend._move(1)
    legend.set([part("weights", 5), part("adapter", 2), part("logits", 1)])
    qtbot.waitUntil(legend._entries[1].hasFocus, timeout=60_000)
    assert legend._entries[1].part.tone == "adapter"
    QToolTip.hideText()
