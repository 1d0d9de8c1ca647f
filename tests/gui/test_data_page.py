"""The Data page with real files: findings, switches, rows, lengths, columns by hand, and a hundred thousand rows."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from core.data.browse import RowsFile
from core.data.clean import Cleaning, Mode, StepName
from core.data.rows import Conversation, Message
from core.wizard import Step
from gui.main_window import MainWindow
from gui.pages.data_columns import Table
from gui.pages.data_findings import RANKS, findings
from gui.pages.data_lengths import padding_share
from gui.pages.data_rows import RowsView
from gui.widgets.bubble import Bubble
from gui.widgets.histogram import Histogram
from gui.widgets.row_list import RowList
from tests import messy
from tests.gui import states


def words(widget: QWidget) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if not label.isHidden())


@pytest.fixture
def page(window: MainWindow, tmp_path: Path) -> Any:
    """The Data page of a window in which a model is chosen."""
    window.propose(replace(states.planned(window.state, tmp_path, Step.DATA), report=None, plan=None))
    return window.page("data")


def read(window: MainWindow, page: Any, qtbot: QtBot, files: list[str]) -> Any:
    """Give files to the page; its view, once every row can be read."""
    before = window.state.report
    page.take_files(files)
    return settled(window, page, qtbot, before)


def settled(window: MainWindow, page: Any, qtbot: QtBot, before: object) -> Any:
    def done() -> bool:
        return window.state.report is not before and page._view is not None and page._view.rows._rows is not None

    qtbot.waitUntil(done, timeout=60_000)
    qtbot.waitUntil(lambda: window.desk.runner.idle, timeout=60_000)
    return page._view


def test_a_messy_set_shows_every_finding_worst_first(
    window: MainWindow, page: Any, qtbot: QtBot, tmp_path: Path
) -> None:
    view = read(window, page, qtbot, messy.write(tmp_path / "files"))
    report = window.state.report
    assert report is not None and report.kept is not None and report.kept < report.usable < report.rows
    look = page.look
    found = findings(report, look.cleaned, look.private)
    assert {finding.key for finding in found} == {"rejected", "shapes", "read", *(step.value for step in StepName)}
    ranks = [RANKS.get(finding.key, 8) for finding in found]
    assert ranks == sorted(ranks)
    said = words(view)
    for part in (
        "5 rows cannot be used",
        "E-mail address: 2",
        "4 shapes of rows",
        "GB18030",
        "8 rows hold two answers",
    ):
        assert part in said
    assert view.findings.findChildren(QPushButton, "clean_private_act")


def test_a_click_on_a_finding_shows_before_and_after_side_by_side(
    window: MainWindow, page: Any, qtbot: QtBot, tmp_path: Path
) -> None:
    view = read(window, page, qtbot, messy.write(tmp_path / "files"))
    view.findings.findChild(QPushButton, "finding_private").click()
    shown = words(view.touched)
    assert messy.MAIL in shown and "[EMAIL_1]" in shown
    view.findings.findChild(QPushButton, "finding_near").click()
    assert "Repeats tickets.jsonl:" in words(view.touched)
    view.findings.findChild(QPushButton, "finding_rejected").click()
    assert "tickets.jsonl:6" in words(view.touched)
    assert view._right.currentWidget() is view.touched
    view.touched.findChild(QPushButton, "all_rows").click()
    assert view._right.currentWidget() is view.rows


def test_a_switch_reads_the_data_again_and_the_files_stay_as_they_are(
    window: MainWindow, page: Any, qtbot: QtBot, tmp_path: Path
) -> None:
    files = messy.write(tmp_path / "files")
    before = [Path(file).read_bytes() for file in files]
    view = read(window, page, qtbot, files)
    report = window.state.report
    assert report is not None
    view.findings.findChild(QPushButton, "clean_exact_report").click()
    view.findings.findChild(QPushButton, "clean_html_off").click()
    view.findings.findChild(QPushButton, "clean_private_act").click()
    view = settled(window, page, qtbot, report)
    state = window.state
    wanted = Cleaning().switched(StepName.EXACT, Mode.REPORT).switched(StepName.PRIVATE, Mode.ACT)
    assert state.cleaning == wanted.switched(StepName.HTML, Mode.OFF)
    assert view.findings.findChild(QPushButton, "look_html"), "it can be looked for again"
    assert state.report is not None and report.kept is not None
    assert state.report.learned == report.kept + 6
    assert "[EMAIL_1]" in "".join(m.content for n in range(len(view.rows._rows)) for m in view.rows.row(n).messages)
    assert [Path(file).read_bytes() for file in files] == before


def test_files_are_added_and_taken_away(window: MainWindow, page: Any, qtbot: QtBot, tmp_path: Path) -> None:
    one, two, *_rest = messy.write(tmp_path / "files")
    read(window, page, qtbot, [one])
    report = window.state.report
    page._add([two])
    view = settled(window, page, qtbot, report)
    assert window.state.report is not None and window.state.report.files == (one, two)
    report = window.state.report
    view.findChild(QPushButton, "remove_file_0").click()
    settled(window, page, qtbot, report)
    assert window.state.report.files == (two,)


def test_the_lists_of_the_report_scroll_and_the_page_does_not(
    window: MainWindow, page: Any, qtbot: QtBot, tmp_path: Path
) -> None:
    window.show()
    view = read(window, page, qtbot, messy.write(tmp_path / "files")[:1])
    bar = page._area.verticalScrollBar()
    for size in ((1200, 800), (1600, 1000), (1100, 760)):
        window.resize(*size)
        qtbot.waitUntil(lambda: page.height() > 600 and bar.maximum() == 0, timeout=60_000)
        # nor is more than the margins left over
        rest = page.height() - view.mapTo(page, view.rect().bottomLeft()).y() - page._guide.height()
        assert 0 < rest < 80, size


def test_rows_are_searched_and_jumped_to(window: MainWindow, page: Any, qtbot: QtBot, tmp_path: Path) -> None:
    view = read(window, page, qtbot, messy.write(tmp_path / "files"))
    rows: RowsView = view.rows
    rows._search.setText("GREEN LIGHT")
    rows._search.returnPressed.emit()
    qtbot.waitUntil(lambda: "holds" in rows._note.text(), timeout=60_000)
    assert any("green light" in message.content for message in rows.row(rows.list.top).messages)
    first = rows.list.top
    rows._search.setText("no such words at all")
    rows._search.returnPressed.emit()
    qtbot.waitUntil(lambda: rows._note.text().startswith("No row"), timeout=60_000)
    assert rows.list.top == first
    rows._jump.setText("42")
    rows._jump.returnPressed.emit()
    assert rows.list.top == 41


def test_a_table_with_unknown_columns_is_mapped_by_hand(
    window: MainWindow, page: Any, qtbot: QtBot, tmp_path: Path
) -> None:
    file = tmp_path / "table.csv"
    lines = [f"{n},Where is part {n}?,It lies in drawer {n} beside the window." for n in range(30)]
    file.write_text("nr,feld_a,feld_b\n" + "\n".join(lines), encoding="utf-8")
    page.take_files([str(file)])
    qtbot.waitUntil(lambda: bool(page.findChildren(QWidget, "columns_form")), timeout=60_000)
    assert page.findChild(QComboBox, "column_question").currentData() == "feld_a"
    assert page.findChild(QComboBox, "column_answer").currentData() == "feld_b"
    assert "It lies in drawer 0" in words(page.findChild(QWidget, "columns_form"))
    page.findChild(QPushButton, "use_columns").click()
    view = settled(window, page, qtbot, None)
    assert window.state.columns is not None and window.state.columns.question == "feld_a"
    assert view.rows.row(0).messages[0].content == "Where is part 0?"


def test_running_text_is_learned_when_the_user_says_so(
    window: MainWindow, page: Any, qtbot: QtBot, tmp_path: Path
) -> None:
    file = tmp_path / "book.txt"
    file.write_text("\n\n".join(f"In year {n} the harbour was rebuilt by hand number {n}." for n in range(200)))
    page.take_files([str(file)])
    qtbot.waitUntil(lambda: bool(page.findChildren(QPushButton, "learn_text")), timeout=60_000)
    page.findChild(QPushButton, "learn_text").click()
    view = settled(window, page, qtbot, None)
    assert window.state.passage > 0
    assert view.rows.row(0).is_running


def test_what_the_table_holds_decides_whether_the_guess_is_sure() -> None:
    assert not Table(("question", "answer"), [{"question": "a", "answer": "b"}]).unsure
    assert Table(("a", "b"), [{"a": "Why is it so?", "b": "Because of the long winter."}]).unsure


class Many:
    """A hundred thousand rows that are made when they are asked for."""

    def __init__(self) -> None:
        self.read = 0

    def __len__(self) -> int:
        return 100_000

    def __getitem__(self, number: int) -> Conversation:
        self.read += 1
        return Conversation((Message("user", f"Question {number}? " * (number % 7 + 1)), Message("assistant", "Yes.")))


def test_a_hundred_thousand_rows_stay_smooth_and_few_of_them_are_widgets(qtbot: QtBot) -> None:
    rows = Many()
    shown = RowList(lambda _n, row: _bubbles(row), "many")
    qtbot.addWidget(shown)
    shown.resize(500, 500)
    shown.show()
    began = time.perf_counter()
    shown.show_rows(rows)
    for number in range(0, 100_000, 2_500):
        shown.show_row(number)
        assert shown.top == number
        assert len(shown.shown) < 12
    shown._move(100_000)
    for _ in range(50):
        shown._move(-120)
    QApplication.processEvents()
    assert rows.read < 40 * 12 + 400
    # 90 jumps and turns: 5 ms each on the slowest machine that tests ran on
    assert time.perf_counter() - began < 5


def _bubbles(row: Conversation) -> QWidget:
    from PySide6.QtWidgets import QVBoxLayout

    box = QWidget()
    lines = QVBoxLayout(box)
    for message in row.messages:
        lines.addWidget(Bubble(message.role, message.content))
    return box


def test_scrolling_moves_by_pixels_through_rows_of_any_height(qtbot: QtBot) -> None:
    shown = RowList(lambda _n, row: _bubbles(row), "many")
    qtbot.addWidget(shown)
    shown.resize(500, 500)
    shown.show()
    shown.show_rows(Many())
    bar = shown.verticalScrollBar()
    passed = [bar.value()]
    for _ in range(40):
        shown._move(60)
        passed.append(bar.value())
    assert passed == sorted(set(passed)), "it must never stand still or go back"
    for _ in range(60):
        shown._move(-60)
    assert bar.value() == 0


def test_rows_file_reads_what_was_written(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    talk = [{"role": "user", "content": "Größe?\n"}, {"role": "assistant", "content": "大"}]
    lines = [{"messages": talk, "file": "a.json", "line": 3}, {"text": "Only text.", "file": "b.txt", "line": 1}]
    file.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    rows = RowsFile(file)
    assert len(rows) == 2
    assert rows[0].plain() == talk and (rows[0].file, rows[0].line) == ("a.json", 3)
    assert rows[1].is_running
    assert [rows.find("GRÖSSE"), rows.find("größe"), rows.find("only", 1), rows.find("大", 1), rows.find("zzz")] == [
        0, 0, 1, 0, -1,
    ]  # fmt: skip
    with pytest.raises(IndexError):
        rows[2]


def test_histogram_marks_the_limit_and_counts_every_row(qtbot: QtBot, tmp_path: Path) -> None:
    lengths = ((64, 50), (128, 400), (192, 30), (40_000, 2))
    chart = Histogram(lengths, 128)
    qtbot.addWidget(chart)
    bars = chart.bars(600)
    assert sum(n for _low, _high, n in bars) == pytest.approx(482)
    assert sum(n for low, _high, n in bars if low >= 128) == pytest.approx(32)
    assert chart.end < 1000, "two long rows must not push the others together"
    assert chart.limit < chart.end
    chart.resize(600, 220)
    chart.show()
    assert "65 to 128 tokens: about 400 rows" in {chart.said(x) for x in range(600)}


def test_padding_follows_from_the_lengths(tmp_path: Path) -> None:
    report = states.report(tmp_path)
    plan = states.planned(states.with_card(), tmp_path).plan
    assert plan is not None
    one, many = replace(plan, batch=1), replace(plan, batch=16, tokens=1024)
    half = replace(report, lengths=((100, 10), (200, 10)))
    assert padding_share(half, one) == 0
    # the longest of two rows is 175 on average, a row 150
    assert padding_share(half, replace(plan, batch=2, tokens=1024)) == pytest.approx(1 - 150 / 175)
    assert padding_share(half, many) > 0.24
    assert padding_share(replace(report, lengths=((128, 40),)), many) == 0
