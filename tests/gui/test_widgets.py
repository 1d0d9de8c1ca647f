"""The parts that pages are made of."""

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QImage
from PySide6.QtWidgets import QApplication, QLabel, QVBoxLayout
from pytestqt.qtbot import QtBot

from core.events import Measured
from core.history import RunHistory
from core.problems import Code, Problem
from gui import theme
from gui.icons import pixmap
from gui.widgets.drop_zone import DropZone
from gui.widgets.fields import Choice, Real, Whole, short
from gui.widgets.fold import Fold
from gui.widgets.memory_bar import MemoryBar, Part
from gui.widgets.problem_card import ProblemCard
from gui.widgets.series_legend import SeriesLegend

NUMBERS = ((0.0002, True, "2e-4"), (1.5e-4, True, "1.5e-4"), (3.0, False, "3"), (0.05, False, "0.05"))


@pytest.mark.parametrize(("value", "small", "text"), NUMBERS)
def test_numbers_have_no_more_digits_than_they_need(value: float, small: bool, text: str) -> None:
    assert short(value, small=small) == text


def test_arrows_step_through_the_list(qtbot: QtBot) -> None:
    field = Whole("rank", "Rank", 1, 2048, (4, 8, 16, 32))
    qtbot.addWidget(field)
    field.set(12)
    field.stepBy(1)
    assert field.value() == 16
    field.stepBy(-2)
    assert field.value() == 4
    field.stepBy(-1)
    assert field.value() == 4


def test_a_learning_rate_can_be_typed(qtbot: QtBot) -> None:
    field = Real("rate", "Rate", 1e-7, 1.0, 5e-5, small=True)
    qtbot.addWidget(field)
    field.lineEdit().setText("3e-4")
    field.interpretText()
    assert field.value() == pytest.approx(3e-4)
    assert field.text() == "3e-4"


def test_a_choice_takes_a_value_that_is_not_on_its_list(qtbot: QtBot) -> None:
    field = Choice("targets", "Targets", [("full", "All")])
    qtbot.addWidget(field)
    field.set("q_proj,up_proj")
    assert field.value == "q_proj,up_proj"


def test_a_fold_opens_and_closes(qtbot: QtBot) -> None:
    body = QVBoxLayout()
    inside = QLabel("inside")
    body.addWidget(inside)
    fold = Fold("More", "more", body)
    qtbot.addWidget(fold)
    fold.show()
    assert not inside.isVisible()
    fold.open()
    assert inside.isVisible()


def test_dropped_files_arrive_as_paths(qtbot: QtBot) -> None:
    zone = DropZone("Drop", "hint", QLabel("x"))
    qtbot.addWidget(zone)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile("/tmp/数据 one.jsonl"), QUrl("https://example.org/x")])
    none = (Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier)
    event = QDropEvent(QPointF(1, 1), Qt.DropAction.CopyAction, data, *none)
    with qtbot.waitSignal(zone.dropped, timeout=60_000) as heard:
        zone.dropEvent(event)
    assert heard.args == [["/tmp/数据 one.jsonl"]]


def test_a_long_hint_of_the_drop_zone_is_broken_into_lines(qtbot: QtBot) -> None:
    zone = DropZone("Drop", "JSON, CSV, Excel, Parquet, Word, PDF, web pages. " * 3, QLabel("x"))
    qtbot.addWidget(zone)
    zone.resize(420, 260)
    zone.show()
    assert zone.width() == 420
    hint = next(one for one in zone.findChildren(QLabel) if one.text().startswith("JSON"))
    assert hint.heightForWidth(hint.width()) <= hint.height() and hint.geometry().right() < 420


def test_memory_bar_says_its_parts(qtbot: QtBot) -> None:
    bar = MemoryBar()
    qtbot.addWidget(bar)
    bar.set([Part("Base", 2 * 10**9, "weights"), Part("Nothing", 0, "logits")], 10**10)
    bar.resize(300, 30)
    bar.show()
    assert bar.accessibleName() == "Memory of the card"
    assert bar.accessibleDescription() == "Base 2.0 GB"


def test_every_problem_has_a_card(qtbot: QtBot) -> None:
    for code in Code:
        card = ProblemCard(Problem(code, {"path": "/x/<b>y</b>"}))
        qtbot.addWidget(card)
        assert card.title.text()
        assert card.title.textFormat() is Qt.TextFormat.PlainText


@pytest.mark.parametrize("choice", ["light", "dark"])
def test_text_has_contrast(qapp: QApplication, choice: str) -> None:
    theme.apply(qapp, choice)
    tokens = theme.tokens()
    for ground in (tokens.paper, tokens.surface, tokens.wash):
        assert contrast(tokens.ink, ground) >= 7
        assert contrast(tokens.muted, ground) >= 4.5
    assert contrast(tokens.on_accent, tokens.accent) >= 4.5
    for meaning in (tokens.good, tokens.caution, tokens.trouble, tokens.accent):
        assert contrast(meaning, tokens.surface) >= 3
    theme.apply(qapp, "light")


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(name: str) -> float:
    from PySide6.QtGui import QColor

    parts = QColor(name).getRgbF()[:3]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_icons_take_the_colour_of_the_scheme(qapp: QApplication) -> None:
    theme.apply(qapp, "dark")
    image: QImage = pixmap("check", "ink").toImage()
    lightest = max(
        image.pixelColor(x, y).lightness() * (image.pixelColor(x, y).alpha() > 200)
        for x in range(image.width())
        for y in range(image.height())
    )
    theme.apply(qapp, "light")
    assert lightest > 200


@pytest.mark.parametrize(("on_card", "words"), [(True, "Memory"), (False, "Computer memory")])
def test_the_legend_says_whose_memory_it_is(qtbot: QtBot, on_card: bool, words: str) -> None:
    legend = SeriesLegend()
    qtbot.addWidget(legend)
    history = RunHistory()
    history.apply(Measured(used_bytes=10**9, total_bytes=12 * 10**9, on_card=on_card))
    legend.set(history)
    assert legend.findChild(QLabel, "name_memory").text() == words
