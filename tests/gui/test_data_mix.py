"""Files that are weighed, learned in stages, mixed in and checked with, and what of a plan follows from it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from core.arrangement import Arrangement, in_order
from core.data.rows import DataReport, Shape
from core.data.shared import Shared
from core.plan import Mix, TrainingPlan, TrainingStage
from core.tokens import TokenTotals
from core.wizard import Step, choose_data, choose_plan
from gui.desk import Desk
from gui.main_window import MainWindow
from gui.pages.data_look import Extras, counting
from gui.pages.data_mix import FilesView
from gui.pages.data_totals import TotalsView
from gui.pages.plan_summary import order_words
from gui.widgets.fields import Real
from gui.widgets.segments import Segments
from tests import messy
from tests.gui import states
from tests.gui.test_data_page import page, read, settled, words

__all__ = ["page"]  # a fixture

FILES = ("/d/a.jsonl", "/d/b.jsonl", "/d/c.jsonl")
REPORT = DataReport(FILES, 300, 300, Shape.ALPACA, by_file=(100, 120, 80))
PLAN = TrainingPlan("model", FILES, epochs=2, batch=4, accumulation=2)


class Arranging:
    """A FilesView that takes every change, and what it says."""

    def __init__(self, qtbot: QtBot, start: Arrangement, extras: Extras | None = None) -> None:
        self.now, self._extras = start, extras
        self.asked: list[str] = []
        self.view = FilesView(REPORT)
        qtbot.addWidget(self.view)
        self.view.asked.connect(self.asked.append)
        self.view.changed.connect(self.take)
        self.take(start)

    def take(self, arrangement: Arrangement) -> None:
        self.now = arrangement
        from core.arrangement import arranged

        self.view.show_files(arrangement, arranged(PLAN, arrangement), self._extras, "")

    def press(self, name: str) -> None:
        self.view.findChild(QPushButton, name).click()

    def field(self, name: str) -> Real:
        found = self.view.findChild(Real, name)
        assert isinstance(found, Real)
        return found

    @property
    def stages(self) -> list[tuple[str, float]]:
        return [("".join(Path(file).stem for file in stage.files), stage.epochs) for stage in self.now.stages]


@pytest.fixture
def arranging(qtbot: QtBot, desk: Desk) -> Callable[..., Arranging]:
    return lambda *args: Arranging(qtbot, *(args or (Arrangement(),)))


def test_weights_change_what_an_epoch_sees(arranging: Callable[..., Arranging]) -> None:
    files = arranging()
    assert "15 rows (5 %) are kept aside" in words(files.view)
    field = files.field("weight_1")
    field.setValue(2)
    assert files.now == Arrangement((("/d/b.jsonl", 2.0),))
    # 114 of the 120 rows are left to learn from
    assert "120 rows · 228 an epoch" in words(files.view)
    assert files.field("weight_1") is field, "it keeps the focus"
    field.setValue(1)
    assert files.now == Arrangement()


def test_stages_are_made_moved_joined_and_parted(arranging: Callable[..., Arranging]) -> None:
    files = arranging()
    files.press("order_staged")
    assert files.stages == [("a", 1), ("b", 1), ("c", 2)], "the last one as often as was planned"
    files.press("up_stage_2")
    files.field("stage_epochs_0").setValue(4)
    assert files.stages == [("a", 4), ("c", 2), ("b", 1)]
    files.press("join_stage_2")
    assert files.stages == [("a", 4), ("cb", 2)]
    files.press("own_stage_2")
    assert files.stages == [("a", 4), ("b", 2), ("c", 2)]
    assert not files.view.findChild(QPushButton, "up_stage_0").isEnabled()
    for _ in range(2):
        files.press("join_stage_1")
    assert files.now.stages == (), "all together is no stage"
    files.press("order_staged")
    files.press("order_together")
    assert files.now == Arrangement()


def test_mixed_in_files_have_a_share_and_say_when_they_are_too_small(arranging: Callable[..., Arranging]) -> None:
    extras = Extras(("/d/talk.jsonl",), rows={"/d/talk.jsonl": 40})
    files = arranging(Arrangement(mix=(Mix("/d/talk.jsonl"),)), extras)
    assert "32 of its 40 rows join an epoch" in words(files.view)
    files.field("mix_0").setValue(20)
    assert files.now.mix[0].share == pytest.approx(0.2)
    assert "has only 40 of the 71 rows" in words(files.view)
    files.press("add_mix")
    files.press("remove_mix_0")
    assert files.asked == ["mix"] and files.now == Arrangement()
    assert "About 10 %" in words(files.view)


def test_a_file_to_check_with_is_asked_for_and_taken_back(arranging: Callable[..., Arranging]) -> None:
    files = arranging()
    files.press("checks_own")
    choice = files.view.findChild(Segments, "checks")
    assert files.asked == ["validation"] and isinstance(choice, Segments) and choice.value == "share"
    extras = Extras((), "/d/check.jsonl", {"/d/check.jsonl": 30}, shared=Shared(30, 7, 4))
    files = arranging(Arrangement(validation="/d/check.jsonl"), extras)
    assert "7 of 30 rows to check with stand in the training rows too" in words(files.view)
    assert "100 rows" in words(files.view), "none of them is kept aside"
    files.press("checks_share")
    assert files.now == Arrangement()


def test_totals_say_tokens_steps_padding_and_what_is_lost(qtbot: QtBot, desk: Desk) -> None:
    totals = TokenTotals(
        number=0,
        rows=200,
        skipped=3,
        truncated=2,
        tokens=9000,
        trained=2250,
        padding=1000,
        padding_unpacked=6000,
        steps=25,
    )
    view = TotalsView(PLAN)
    qtbot.addWidget(view)
    view.show_totals(totals)
    said = words(view)
    for part in (
        "2,250",
        "25 % of all",
        "25",
        "50 in all",
        "90 %",
        "60 % without",
        "rows are cut (1 %)",
        "rows teach nothing",
    ):
        assert part in said
    assert "learns to stop" in said
    view.show_plan(replace(PLAN, packing=False))
    assert "40 %" in words(view)
    view.show_totals(replace(totals, endless=2))
    assert "would never stop" in words(view)
    view.show_plan(replace(PLAN, stages=in_order(FILES, 2)))
    assert view.findChild(QLabel, "total_steps") is None, "one pass does not tell the steps of stages"


def test_only_what_makes_tokens_decides_whether_they_are_counted_again() -> None:
    assert counting(PLAN) == counting(replace(PLAN, epochs=9, learning_rate=1e-3, rank=8, alpha=8))
    for other in ({"tokens": 99}, {"batch": 9}, {"system": "Hi"}, {"weights": (1.0, 2.0, 1.0)}, {"seed": 1}):
        assert counting(PLAN) != counting(replace(PLAN, **other))


def test_a_staged_plan_says_its_stages_and_not_the_epochs_it_does_not_have(window: MainWindow, tmp_path: Path) -> None:
    stages = (TrainingStage(("/d/a.jsonl", "/d/b.jsonl")), TrainingStage(("/d/c.jsonl",), 2.5))
    assert order_words(replace(PLAN, stages=stages)) == "a.jsonl + b.jsonl (1 ×) → c.jsonl (2.5 ×)"
    state = choose_data(states.planned(states.with_card(), tmp_path, Step.PLAN), REPORT)
    before = states.planned(state, tmp_path).plan
    assert before is not None
    plan = replace(before, data=FILES, stages=stages, mix=(Mix("/d/talk.jsonl", 0.2),), validation="/d/v.jsonl")
    window.propose(replace(choose_plan(state, plan), step=Step.PLAN))
    fields = window.page("plan").fields
    assert not fields.lines["epochs"].field.isEnabled()
    assert "epochs of its own" in fields.lines["epochs"].note.text
    window.propose(replace(window.state, step=Step.TRAIN))
    said = "\n".join(shown.text() for shown in window.page("train").summary.findChildren(QLabel))
    assert "2 stages" in said and "3 epochs" not in said
    assert "20 % of talk.jsonl mixed in" in said and "checked with v.jsonl" in said


def test_files_beside_the_data_are_read_and_what_is_learned_too_is_found(
    window: MainWindow, page: Any, qtbot: QtBot, tmp_path: Path
) -> None:
    folder = tmp_path / "files"
    view = read(window, page, qtbot, messy.write(folder)[:2])
    page.take_extras("mix", [messy.general(folder)])
    page.take_extras("validation", [messy.checks(folder)])
    qtbot.waitUntil(lambda: page._view._known.shared is not None, timeout=60_000)
    assert page._view is view, "nothing is drawn anew"
    assert "7 rows to check with are learned too" in words(view.findings)
    assert "7 rows to check with (19 %)" in words(view.learn)
    view.show_finding("overlap")
    assert "to_check.jsonl:31" in words(view.touched)
    assert not view.touched.findChildren(QPushButton, "keep_row")
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"no table")
    page.take_extras("mix", [str(broken)])
    qtbot.waitUntil(lambda: bool(page.findChildren(QWidget, "problem_card")), timeout=60_000)
    assert [Path(mix.file).name for mix in window.state.arrangement.mix] == ["everyday_talk.jsonl"]


def test_rows_left_as_they_are_can_be_cleaned_after_all(
    window: MainWindow, page: Any, qtbot: QtBot, tmp_path: Path
) -> None:
    view = read(window, page, qtbot, messy.write(tmp_path / "files")[:1])
    first = window.state.report
    view.show_finding("near")
    view.touched.findChild(QPushButton, "keep_row").click()
    view = settled(window, page, qtbot, first)
    assert "1 row is left as it is" in words(view.findings)
    assert first is not None and window.state.report is not None
    assert window.state.report.learned == first.learned + 1
    assert view.shown_finding == "near", "the next one can be left alone too"
    view.show_finding("left")
    second = window.state.report
    next(one for one in view.touched.findChildren(QPushButton, "keep_row") if one.isVisible()).click()
    settled(window, page, qtbot, second)
    assert window.state.cleaning is not None and window.state.cleaning.except_rows == ()
    assert window.state.report.learned == first.learned
