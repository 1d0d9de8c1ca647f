"""The token view: kinds that differ without colour, the hover, the cursor, and a real job behind it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from pytestqt.qtbot import QtBot

from core.plan import TrainingPlan
from core.tokens import Kind, TokenPiece
from gui import theme
from gui.desk import Desk
from gui.pages.data_tokens import TokensView
from gui.widgets.token_view import TokenView, kind_words, paint_token
from tests.tiny import make_tiny_model


def piece(text: str, number: int, kind: Kind, special: bool = False) -> TokenPiece:
    return TokenPiece(text=text, ids=(number,), kind=kind, special=special)


PIECES = (
    piece("<|im_start|>", 1, Kind.SPECIAL, True), piece("user\n", 2, Kind.CONTEXT), piece("Hi", 3, Kind.CONTEXT),
    TokenPiece(text="龙", ids=(4, 5, 6), kind=Kind.TRAINED), piece("<|im_end|>", 7, Kind.TRAINED, True),
    piece(" end", 8, Kind.TRUNCATED),
)  # fmt: skip


@pytest.fixture
def view(qtbot: QtBot, desk: Desk) -> TokenView:
    made = TokenView()
    qtbot.addWidget(made)
    made.resize(300, 200)
    made.show()
    made.show_tokens(PIECES)
    return made


def grey(kind: str, special: bool = False) -> bytes:
    """How a kind looks to somebody who sees no colours, in two tones."""
    image = QImage(40, 20, QImage.Format.Format_RGB32)
    image.fill(QColor(theme.tokens().surface))
    painter = QPainter(image)
    paint_token(painter, QRectF(0, 0, 40, 20), kind, special=special)
    painter.end()
    mono = image.convertToFormat(QImage.Format.Format_Grayscale8)
    ground = mono.pixelColor(20, 0).lightness()
    return bytes(abs(mono.pixelColor(x, y).lightness() - ground) > 25 for y in range(20) for x in range(40))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_kinds_differ_by_form_alone(qapp: Any, desk: Desk, scheme: str) -> None:
    theme.apply(qapp, scheme)
    drawn = [grey(kind) for kind in Kind] + [grey(Kind.TRAINED, special=True)]
    assert len(set(drawn)) == len(drawn)


def test_every_kind_has_a_name_and_a_meaning() -> None:
    assert len({kind_words(kind)[0] for kind in Kind}) == len(Kind)
    assert all(all(kind_words(kind)) for kind in Kind)


def test_hover_tells_number_id_and_kind(view: TokenView) -> None:
    place = next(n for n, box in enumerate(view._boxes) if n == 3)
    centre = view._boxes[place].center()
    assert view.token_at(centre) == 3
    assert view.token_at(QPoint(299, 199)) == -1
    assert view.words(3) == "Token 4: “龙”, id 4, 5, 6 · Trained – The model learns to write this."
    assert view.words(4).startswith("Token 7: “<|im_end|>”, id 7 · Trained – A mark")
    assert "⏎" in view.words(1)
    assert view.words(-1) == ""


def test_tokens_break_into_lines_that_fit(view: TokenView) -> None:
    assert max(box.right() for box in view._boxes) < view.viewport().width()
    assert view._boxes[2].top() > view._boxes[1].top(), "a token with a line end ends the line"
    view.show_tokens([piece(f"word{n} ", n, Kind.TRAINED) for n in range(20_000)])
    assert view.verticalScrollBar().maximum() > 10_000
    view.point_at(19_999)
    assert view.verticalScrollBar().value() == pytest.approx(view.verticalScrollBar().maximum(), abs=30)


def test_arrow_keys_move_from_token_to_token(view: TokenView, qtbot: QtBot) -> None:
    view.setFocus()
    for _ in range(4):
        qtbot.keyClick(view, Qt.Key.Key_Right)
    assert view.at == 3 and "龙" in view.accessibleDescription()
    qtbot.keyClick(view, Qt.Key.Key_End)
    assert view.at == len(PIECES) - 1
    qtbot.keyClick(view, Qt.Key.Key_Home)
    assert view.at == 0


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("model") / "tiny")


def test_rows_come_from_the_job_and_are_searched(qtbot: QtBot, desk: Desk, base: Path, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    lines = [f'{{"instruction": "Question {n}?", "output": "Answer number {n}."}}\n' for n in range(30)]
    file.write_text("".join(lines), encoding="utf-8")
    plan = TrainingPlan(model=str(base), data=(str(file),), tokens=64, validation_share=0.0)
    view = TokensView(desk.runner, replace(plan, tokens=40), "2 steps")
    qtbot.addWidget(view)
    view.show()
    view.open()
    qtbot.waitUntil(lambda: bool(view.view.tokens), timeout=90_000)
    assert "Question 0?" in "".join(token.text for token in view.view.tokens)
    assert any(token.kind is Kind.TRUNCATED for token in view.view.tokens)
    assert "are cut off" in view._facts.text()
    assert view._prompt.toPlainText().endswith("assistant\n")
    view._next.click()
    qtbot.waitUntil(lambda: view._row == 1, timeout=60_000)
    view._search.setText("NUMBER 17")
    view._search.returnPressed.emit()
    qtbot.waitUntil(lambda: view._row == 17, timeout=60_000)
    view._jump.setText("5")
    view._jump.returnPressed.emit()
    qtbot.waitUntil(lambda: view._row == 4, timeout=60_000)
    view.close_rows()
    qtbot.waitUntil(lambda: desk.runner.idle, timeout=60_000)
