"""Pages against states: what they show, what they propose."""

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from core.catalog import STARTER, spec_of
from core.events import Failed, Finished, Side
from core.problems import Code, Problem, Trouble
from core.runs import RunState
from core.wizard import Step, WizardState
from gui.main_window import MainWindow
from gui.pages.data_report import ReportView
from gui.widgets.bubble import Bubble
from tests.gui import states
from tests.gui.conftest import Finder
from tests.gui.fakes import Chat, HungryTrain, Inspect, Merge

MODEL_NOT_HERE = "This model is not on this computer yet. Download it first."


def visible_texts(widget: QWidget) -> list[str]:
    QApplication.processEvents()  # a widget that was just added is shown by an event
    return [label.text() for label in widget.findChildren(QLabel) if label.isVisible()]


def texts(widget: QWidget) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel))


def test_gpu_page_shows_free_memory_and_the_suggestion(window: MainWindow, find: Finder) -> None:
    window.propose(states.with_card())
    assert find("free_memory").text() == "10.9 GB"
    assert "Suggested" in find("suggestion").text()
    assert "firefox" in texts(window.page("gpu"))


def test_gpu_and_model_page_say_why_the_method_is_not_the_guides(window: MainWindow) -> None:
    window.propose(states.with_card())
    why = "QLoRA instead of LoRA on an 8-bit base, which does not fit"
    assert any(why in words for words in visible_texts(window.page("gpu")))
    window.propose(replace(states.with_card(), step=Step.MODEL))
    assert any(why in words for words in visible_texts(window.page("model")))


def test_next_on_the_gpu_page_takes_the_recommended_model(window: MainWindow, find: Finder) -> None:
    for state in (window.state, states.with_card()):
        window.propose(replace(state, step=Step.GPU))
        find("next").click()
        assert window.state.step is Step.MODEL
        assert state.recommendation is not None
        assert window.state.model == state.recommendation.model
        assert window.state.method is state.recommendation.method


def test_gpu_page_explains_a_broken_driver_and_offers_practice(window: MainWindow, find: Finder) -> None:
    window.propose(WizardState())
    window.page("gpu").take(Trouble(Code.DRIVER, text="mismatch").problem)
    assert find("problem_card").isVisible()
    find("practise").click()
    assert window.state.practice


def test_data_page_reads_the_sample(window: MainWindow, find: Finder, qtbot: QtBot, tmp_path: Path) -> None:
    start = replace(states.planned(window.state, tmp_path, Step.DATA), report=None, plan=None)
    window.propose(start)
    find("sample_en").click()
    qtbot.waitUntil(lambda: window.state.report is not None, timeout=60_000)
    assert window.state.report is not None
    assert window.state.report.usable > 100
    assert find("data_report").isVisible()


def test_rows_are_counted_with_the_models_tokenizer_and_again_for_another_model(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("gui.pages.data_reader.InspectJob", Inspect)
    start = replace(states.planned(window.state, tmp_path / "one", Step.DATA), report=None, plan=None)
    window.propose(start)
    window.page("data").take_files(["a.jsonl"])
    for folder in ("one", "two"):
        window.propose(replace(window.state, model_folder=tmp_path / folder))
        qtbot.waitUntil(
            lambda wanted=str(tmp_path / folder): bool(
                window.state.report and window.state.report.tokens_model == wanted
            ),
            timeout=60_000,
        )
    qtbot.waitUntil(lambda: window.desk.runner.idle, timeout=60_000)


def test_data_page_explains_a_missing_file(window: MainWindow, find: Finder, qtbot: QtBot, tmp_path: Path) -> None:
    window.propose(replace(states.planned(window.state, tmp_path, Step.DATA), report=None, plan=None))
    window.page("data").take_files([str(tmp_path / "nothing.jsonl")])
    qtbot.waitUntil(lambda: bool(window.page("data").findChildren(QWidget, "problem_card")), timeout=60_000)
    assert find("browse_data").isVisible()


def test_report_lists_rejected_rows_with_file_and_line(qtbot: QtBot, tmp_path: Path) -> None:
    view = ReportView(states.report(tmp_path, usable=5, rejected=300))
    qtbot.addWidget(view)
    view.show_finding("rejected")
    shown = texts(view)
    assert "data.jsonl:1" in shown
    assert "300 rows cannot be used" in shown
    assert "and 200 more" in shown
    assert len(view.findChildren(Bubble)) == 6


def test_report_tells_how_the_files_were_read(qtbot: QtBot, tmp_path: Path) -> None:
    found = replace(states.report(tmp_path), encodings={"/a/old.csv": "gb18030"}, preferred=3)
    view = ReportView(found)
    qtbot.addWidget(view)
    assert "old.csv is not UTF-8; it was read as GB18030" in texts(view)
    assert "3 rows hold two answers" in texts(view)


def test_plan_page_makes_the_recommended_plan(window: MainWindow, find: Finder, qtbot: QtBot, tmp_path: Path) -> None:
    window.propose(replace(states.planned(states.with_card(), tmp_path, Step.PLAN), plan=None))
    qtbot.waitUntil(lambda: window.state.plan is not None, timeout=60_000)
    assert find("needed_memory").text().endswith("B")
    assert find("next").isEnabled()


def test_plan_fields_change_the_plan_and_warn(window: MainWindow, find: Finder, tmp_path: Path) -> None:
    window.propose(states.planned(states.with_card(), tmp_path, Step.PLAN))
    fields = window.page("plan").fields
    fields.lines["rank"].field.setValue(64)
    assert window.state.plan is not None
    assert window.state.plan.rank == 64
    fields.lines["alpha"].field.setValue(4)
    assert "below rank" in find("unseen_danger").text
    find("advanced").click()
    assert fields.lines["alpha"].note.isVisible()
    assert not fields._unseen.isVisible()
    fields.reset.emit()
    assert window.state.plan.rank != 64


def test_a_goal_changes_the_rank(window: MainWindow, find: Finder, tmp_path: Path) -> None:
    window.propose(states.planned(states.with_card(), tmp_path, Step.PLAN))
    find("goal_complex").click()
    assert window.state.goal == "complex"
    assert window.state.plan is not None
    assert window.state.plan.rank >= 32


@pytest.mark.parametrize("name", ["method", "rank", "epochs"])
def test_the_wheel_changes_no_field_without_focus(
    window: MainWindow, find: Finder, qtbot: QtBot, tmp_path: Path, name: str
) -> None:
    window.propose(states.planned(states.with_card(), tmp_path, Step.PLAN))
    before = window.state.plan
    window.setFocus()
    field = find(name)
    down = QWheelEvent(
        QPointF(5, 5), QPointF(5, 5), QPoint(0, -120), QPoint(0, -120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(field, down)
    assert window.state.plan == before


def test_train_page_shows_an_old_run_and_its_log(
    window: MainWindow, find: Finder, qtbot: QtBot, planned: WizardState
) -> None:
    assert planned.plan is not None
    run = states.write_run(window.desk.runs_root, planned.plan, "1_a", last=Finished(), adapter=True)
    open_run(window, run.path, qtbot)
    assert window.state.step is Step.TRAIN
    assert window.state.run_state is RunState.FINISHED
    window.page("train").log.open()
    assert "line 4999" in find("log").toPlainText()
    qtbot.waitUntil(lambda: window.page("train")._timeline.loss.x.size == 20, timeout=60_000)


def test_train_page_offers_resume_after_an_interruption(
    window: MainWindow, find: Finder, qtbot: QtBot, planned: WizardState
) -> None:
    assert planned.plan is not None
    run = states.write_run(window.desk.runs_root, planned.plan, "1_a")
    open_run(window, run.path, qtbot)
    assert find("page_title").text() == "Training was interrupted"
    assert find("resume").isEnabled()
    assert not find("next").isEnabled()


def test_without_a_checkpoint_the_button_says_start_over(
    window: MainWindow, find: Finder, qtbot: QtBot, planned: WizardState
) -> None:
    assert planned.plan is not None
    run = states.write_run(window.desk.runs_root, planned.plan, "1_a")
    open_run(window, run.path, qtbot)
    assert "starts again from the beginning" in find("train_progress").text()
    assert find("resume").text() == "&Start over"


@pytest.mark.parametrize("gone", [False, True])
def test_a_run_whose_model_is_not_here_shows_its_curves(
    window: MainWindow, find: Finder, qtbot: QtBot, planned: WizardState, tmp_path: Path, gone: bool
) -> None:
    assert planned.plan is not None
    plan = replace(planned.plan, model=str(tmp_path / "gone")) if gone else planned.plan
    run = states.write_run(window.desk.runs_root, plan, "1_a", last=Finished(), adapter=True)
    window.open_run(run.path)
    qtbot.waitUntil(lambda: window.state.run == run.path, timeout=60_000)
    assert window.state.model_folder is None
    assert window.state.step is Step.TRAIN
    qtbot.waitUntil(lambda: window.page("train")._timeline.loss.x.size == 20, timeout=60_000)
    assert not find("next").isEnabled()
    assert find("blocker").text() == ("Choose a model first." if gone else MODEL_NOT_HERE)
    assert bool(window.findChildren(QWidget, "problem_card")) is gone
    find("step_model").click()
    find("step_train").click()
    assert window.state.step is Step.TRAIN


def test_out_of_memory_leads_to_a_smaller_plan(
    window: MainWindow, find: Finder, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, planned: WizardState
) -> None:
    monkeypatch.setattr("gui.live_run.TrainJob", HungryTrain)
    find("start").click()
    qtbot.waitUntil(lambda: window.state.run_state is RunState.FAILED, timeout=60_000)
    find("problem_action").click()
    assert window.state.step is Step.PLAN
    assert window.state.plan != planned.plan
    assert window.state.run is None


def test_both_sides_answer_and_the_label_says_who(
    window: MainWindow, find: Finder, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, planned: WizardState
) -> None:
    monkeypatch.setattr("gui.pages.test.ChatJob", Chat)
    finished(window, qtbot, planned)
    find("next").click()
    page = window.page("test")
    qtbot.waitUntil(lambda: page._ready, timeout=60_000)
    for turn in (1, 3):
        page.question.setText("Hello?")
        find("ask").click()
        qtbot.waitUntil(lambda: not page._awaited, timeout=60_000)
        assert page.columns[Side.BASE].last_answer == f"base says {turn}"
        assert page.columns[Side.TUNED].last_answer == f"tuned says {turn}"
    assert "adapter off" in texts(page.columns[Side.BASE])
    find("back").click()
    qtbot.waitUntil(lambda: window.desk.runner.idle, timeout=60_000)


def test_merging_ends_with_the_proof(
    window: MainWindow, find: Finder, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, planned: WizardState
) -> None:
    monkeypatch.setattr("gui.pages.export.MergeJob", Merge)
    finished(window, qtbot, planned)
    window.propose(replace(window.state, step=Step.EXPORT))
    find("merge").click()
    qtbot.waitUntil(lambda: window.state.merged is not None, timeout=60_000)
    assert find("proof").text == "10 of 10 answers identical"
    assert find("open_merged").isVisible()


def test_a_run_without_a_checkpoint_starts_over(
    window: MainWindow, find: Finder, qtbot: QtBot, planned: WizardState, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert planned.plan is not None
    states.write_run(window.desk.runs_root, planned.plan, "1_interrupted")
    for step, words in ((0, "Start over"), (20, "Resume")):
        monkeypatch.setattr("core.runs.RunFolder.checkpoint_step", lambda _self, known=step: known)
        window.open_aside("runs")
        qtbot.waitUntil(lambda: bool(window.page("runs")._cards), timeout=60_000)
        assert find("resume_run").text() == words
        window.open_aside("runs")
        window.page("runs")._reader._known.clear()


def test_the_charts_say_what_they_show(window: MainWindow, planned: WizardState) -> None:
    plot = window.page("train").plot
    assert [plot.titles[name].text() for name in ("loss", "memory")] == ["Loss", "Memory in GB"]
    assert plot.memory.getAxis("bottom").labelText == "Time spent training"
    assert plot.memory.getAxis("bottom").label.isVisible()


def test_runs_page_lists_interrupted_runs_first_and_deletes(
    window: MainWindow, find: Finder, qtbot: QtBot, planned: WizardState
) -> None:
    assert planned.plan is not None
    root = window.desk.runs_root
    old = states.write_run(root, planned.plan, "1_interrupted")
    states.write_run(root, planned.plan, "2_finished", last=Finished())
    states.write_run(root, planned.plan, "3_failed", last=Failed(problem=Problem(Code.GPU_MEMORY)))
    find("runs").click()
    page = window.page("runs")
    qtbot.waitUntil(lambda: len(page._cards) == 3, timeout=60_000)
    first = page._list.itemAt(0).widget()
    assert first.summary.path == old.path
    page.delete(old.path)
    qtbot.waitUntil(lambda: len(page._cards) == 2, timeout=60_000)
    assert not old.path.exists()


def test_settings_change_the_language_at_once(window: MainWindow, find: Finder, qtbot: QtBot) -> None:
    find("settings").click()
    heard: list[bool] = []
    window.desk.dressed.connect(lambda: heard.append(True))
    page = window.page("settings")
    page.general.theme.setCurrentIndex(2)
    page.general.theme.activated.emit(2)
    assert window.desk.settings.theme == "dark"
    assert heard


def open_run(window: MainWindow, path: Path, qtbot: QtBot) -> None:
    window.open_run(path)
    qtbot.waitUntil(lambda: window.desk.live(path).loaded, timeout=60_000)
    qtbot.wait(20)
    # the starter model is not on this computer: say that it is
    state = replace(window.state, model=spec_of(STARTER), model_folder=path, step=Step.TRAIN)
    window.propose(state)


def finished(window: MainWindow, qtbot: QtBot, planned: WizardState) -> None:
    assert planned.plan is not None
    run = states.write_run(window.desk.runs_root, planned.plan, "1_done", last=Finished(), adapter=True)
    open_run(window, run.path, qtbot)


def test_the_cost_beside_the_plan_fits_its_place(window: MainWindow, tmp_path: Path) -> None:
    for state in (window.state, states.with_card()):
        window.propose(states.planned(state, tmp_path, Step.PLAN))
        page = window.page("plan")
        assert page.cost.minimumSizeHint().width() <= 244


def test_the_plan_fits_beside_its_cost_in_a_small_window(window: MainWindow, find: Finder, tmp_path: Path) -> None:
    window.resize(window.minimumSize())
    window.propose(states.planned(states.with_card(), tmp_path, Step.PLAN))
    find("advanced").click()
    QApplication.processEvents()
    page = window.page("plan")
    assert page.fields.minimumSizeHint().width() <= page.fields.width()
    middle = page.fields.parentWidget().parentWidget().parentWidget()
    assert page.fields.mapTo(middle, QPoint(page.fields.width(), 0)).x() <= middle.width()
