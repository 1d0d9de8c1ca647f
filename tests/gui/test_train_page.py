"""The cockpit of a training: pauses, spikes and their rows, what the coach offers, what blocks the start."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QToolTip
from pytestqt.qtbot import QtBot

from core.commands import GoOn, Pause, Stop
from core.data.browse import RowsFile
from core.events import Measured, Noted, Paused, Stage, StageName, StepDone, Wait, WentOn
from core.history import RunHistory, fold
from core.plan import TrainingPlan
from core.runs import RunFolder, RunState
from core.settings import Settings, load
from core.watch import Severity
from core.wire import encode
from core.wizard import Step, WizardState
from core.wording import Action
from gui.desk import Desk
from gui.main_window import MainWindow
from gui.pages.run_card import standing
from gui.pages.train_charts import ChartsPanel
from gui.pages.train_coach import CoachPanel, offers
from gui.pages.train_cockpit import Cockpit
from gui.pages.train_waits import waiting_words
from gui.pages.train_words import progress_words
from gui.run_reader import Summary
from gui.timeline import Timeline
from gui.widgets.chart_pointing import moved, pointed_at
from gui.widgets.notes import NotesView
from tests.curves import Curve, overfit
from tests.gui import states
from tests.gui.conftest import Finder

ODD = 30


def step(number: int, time: float, **more: object) -> StepDone:
    return StepDone(time=time, step=number, total_steps=50, epoch=0.1, loss=1.0, learning_rate=1e-4, **more)  # type: ignore[arg-type]


def with_spike() -> RunHistory:
    """Fifty steps, two of them spikes, of the first of which the rows are known."""
    history = Curve(steps=50).history()
    for number, rows in ((ODD, [["a/rows.jsonl", 7], ["a/rows.jsonl", 9]]), (ODD + 10, [])):
        facts = {"step": number, "norm": 9.0, "usual": 0.7, "rows": rows}
        history.apply(Noted(time=history.steps[-1].time, code="gradient_spike", facts=facts))
    return history


def test_a_pause_takes_no_time_and_gets_a_mark() -> None:
    history = fold((
        Stage(time=0.0, stage=StageName.TRAINING), step(1, 1.0), step(2, 2.0), Paused(time=2.5, step=2),
        *(Measured(time=2.5 + n, used_bytes=10**9, total_bytes=2 * 10**9, on_card=True) for n in range(20)),
        WentOn(time=22.5, step=2, seconds=20.0), step(3, 23.5),
    ))  # fmt: skip
    timeline = Timeline()
    timeline.follow(history)
    assert list(timeline.loss.x.view()) == [1.0, 2.0, 3.5]
    assert not timeline.memory.x.size, "a card that waits tells nothing of the training"
    assert [moment for moment, _event in timeline.marks] == [2.5]
    # killed while it waited, and gone on with the next day
    history.apply(Paused(time=24.0, step=3))
    history.apply(step(4, 90_000.0, seconds=1.0))
    timeline.follow(history)
    assert timeline.loss.x.last() == pytest.approx(5.0, abs=1.1)


def test_a_step_that_was_rolled_back_is_no_spike_any_more() -> None:
    history, timeline = with_spike(), Timeline()
    timeline.follow(history)
    assert timeline.spikes == [ODD - 1, ODD + 9]
    history.apply(step(ODD, history.steps[-1].time + 1))
    history.apply(Noted(code="rolled_back", facts={"step": ODD, "to": ODD - 1}))
    timeline.follow(history)
    assert timeline.spikes == [ODD - 1]


def test_mouse_and_keys_find_steps_and_spikes() -> None:
    timeline = Timeline()
    timeline.follow(with_spike())
    at = float(timeline.loss.x.view()[ODD - 1])
    assert pointed_at(timeline, at + 2.0, reach=3.0) == ODD - 1
    assert pointed_at(timeline, at + 100.0, reach=3.0) != ODD - 1
    assert moved(timeline, -1, Qt.Key.Key_Left) == 48
    assert moved(timeline, 48, Qt.Key.Key_Up) == ODD + 9
    assert moved(timeline, 5, Qt.Key.Key_Down) == ODD - 1
    assert moved(timeline, 5, Qt.Key.Key_Escape) == -1
    assert moved(timeline, 5, Qt.Key.Key_A) is None
    assert moved(Timeline(), -1, Qt.Key.Key_Left) is None


def test_the_rows_of_a_spike_are_shown_and_asked_for(qtbot: QtBot, desk: Desk) -> None:
    charts = ChartsPanel(desk)
    qtbot.addWidget(charts)
    history = with_spike()
    charts.follow(history)
    qtbot.keyClick(charts.plot, Qt.Key.Key_Home)
    assert charts.step.title.text() == "Step 1"
    charts.step.findChild(QPushButton, "spike_after").click()
    assert charts.step.title.text() == f"Step {ODD}"
    assert "instead of 0.7" in charts.plot.accessibleDescription().replace("\u00a0", " ")
    with qtbot.waitSignal(charts.row_asked, timeout=60_000) as asked:
        charts.step.findChild(QPushButton, "open_row_9").click()
    assert asked.args == ["a/rows.jsonl", 9]
    qtbot.keyClick(charts.plot, Qt.Key.Key_Escape)
    assert not charts.step.isVisibleTo(charts)


def test_a_click_on_a_spike_shows_it_and_the_mouse_says_what_a_mark_is(qtbot: QtBot, desk: Desk) -> None:
    charts = ChartsPanel(desk)
    qtbot.addWidget(charts)
    charts.resize(700, 500)
    charts.show()
    history = with_spike()
    history.apply(Paused(time=history.steps[20].time + 0.01, step=21, reason=Wait.DISK))
    history.apply(WentOn(time=history.steps[20].time + 0.02, step=21))
    charts.follow(history)
    view = charts.plot._views["loss"]
    box = view.chart.getViewBox()

    def place(at: float, loss: float) -> QPoint:
        QApplication.processEvents()
        return view.mapFromScene(box.mapViewToScene(QPointF(at, loss)))

    spike, pause = (float(charts.timeline.loss.x.view()[n]) for n in (ODD - 1, 20))
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place(spike + 0.1, 1.5))
    assert charts.step.title.text() == f"Step {ODD}"
    charts.plot._hovered(view, box.mapViewToScene(QPointF(pause, 1.5)))
    assert QToolTip.text() == "The disk is nearly full."
    charts.plot._hovered(view, box.mapViewToScene(QPointF(spike, 1.5)))
    qtbot.waitUntil(lambda: not QToolTip.isVisible(), timeout=60_000)


def test_more_curves_are_opened_and_remembered(qtbot: QtBot, desk: Desk, tmp_path: Path) -> None:
    charts = ChartsPanel(desk)
    qtbot.addWidget(charts)
    charts.follow(with_spike())
    offered = {action.text(): action for action in charts._curves_menu().actions()}
    assert offered["Temperature of the card in °C"].isEnabled()
    assert not offered["Power of the card in watts"].isEnabled(), "nobody measured it"
    offered["Gradient"].trigger()
    charts.toggle("rate", True)
    assert charts.plot.strips == ("rate", "gradient")
    assert load().curves == "rate,gradient"
    # all show the same time
    spans = {tuple(view.chart.viewRange()[0]) for view in charts.plot._views.values()}
    assert len(spans) == 1
    charts.save_picture(tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes()[:4] == b"\x89PNG"
    with pytest.raises(OSError, match="picture"):
        charts.save_picture(tmp_path / "no" / "curves.png")


def test_the_coach_offers_what_can_be_done(qtbot: QtBot) -> None:
    coach, curve = CoachPanel(), overfit(3)
    qtbot.addWidget(coach)
    history = curve.history(200)
    coach.set(history, curve.plan, offers(here=True, waiting=False, best=True, over=False))
    assert coach.findChild(QLabel, "observed_overfitting").accessibleName().startswith("Trouble")
    with qtbot.waitSignal(coach.acted, timeout=60_000) as acted:
        coach.findChild(QPushButton, "coach_stop_keep_best").click()
    assert acted.args == [Action.STOP_KEEP_BEST]
    with qtbot.waitSignal(coach.planned, timeout=60_000) as planned:
        coach.findChild(QPushButton, "remedy_fix_dropout").click()
    assert planned.args[0] == replace(curve.plan, dropout=0.1)
    # over: nothing to stop any more, but the next run can be better
    coach.set(history, curve.plan, offers(here=False, waiting=False, best=True, over=True))
    shown = [found.objectName() for found in coach.findChildren(QPushButton) if found.isVisibleTo(coach)]
    assert "coach_stop_keep_best" not in shown
    assert len([name for name in shown if name == "remedy_fix_dropout"]) == 1
    coach.set(RunHistory(), curve.plan, frozenset())
    assert any(text.text() == "Nothing stands out so far." for text in coach.findChildren(QLabel))


def waiting(window: MainWindow, qtbot: QtBot, planned: WizardState, *events: object) -> RunFolder:
    """A run that another process trains, shown on the Train page."""
    assert planned.plan is not None
    run = states.write_run(window.desk.runs_root, planned.plan, "1_held")
    late = run.history().steps[-1].time + 5
    with run.events_file.open("a", encoding="utf-8") as file:
        for event in events:
            file.write(encode(replace(event, time=late)) + "\n")  # type: ignore[type-var, arg-type]
    run.hold(os.getpid())
    window.open_run(run.path)
    qtbot.waitUntil(lambda: window.state.run == run.path, timeout=60_000)
    assert window.state.run_state is RunState.RUNNING
    return run


def test_a_run_that_waits_for_a_cooler_card_says_so_and_can_go_on(
    window: MainWindow, find: Finder, qtbot: QtBot, planned: WizardState
) -> None:
    hot = Measured(used_bytes=10**9, total_bytes=12 * 10**9, on_card=True, temperature=88)
    window.desk.settings = Settings(temperature_limit=84)
    run = waiting(window, qtbot, planned, Paused(step=20, reason=Wait.TEMPERATURE), hot)
    assert find("page_title").text() == "Training waits"
    assert find("train_progress").text() == "The card is too hot. Step 20 of 40 is done."
    assert "76\u00a0°C; now it is 88\u00a0°C" in find("train_more").text()
    find("go_on").click()
    assert list(run.orders()) == [GoOn()]
    run.release()


def test_a_run_can_be_paused_and_stopped(window: MainWindow, find: Finder, qtbot: QtBot, planned: WizardState) -> None:
    run = waiting(window, qtbot, planned)
    find("pause").click()
    assert find("train_progress").text() == "Pausing after this step…"
    find("stop").click()
    assert list(run.orders()) == [Pause(), Stop()]
    assert not find("stop").isEnabled()
    run.release()


@pytest.mark.parametrize(
    ("reason", "released", "words"),
    [
        (Wait.USER, True, "It goes on when you say so. Its memory is free meanwhile"),
        (Wait.QUIET_HOURS, False, "at 07:00"),
        (Wait.POWER, False, "less than 180 watts"),
        (Wait.DISK, False, "room again"),
    ],
)
def test_what_ends_a_pause(reason: Wait, released: bool, words: str) -> None:
    settings = Settings(quiet_hours="22:00-07:00", power_limit=200)
    assert words in waiting_words(Paused(step=1, reason=reason, released=released), RunHistory(), settings)


def test_nothing_starts_from_which_nothing_would_be_learned(
    window: MainWindow, find: Finder, planned: WizardState
) -> None:
    assert planned.plan is not None
    assert find("start").isEnabled()
    window.propose(replace(planned, plan=replace(planned.plan, steps=1, warmup=0.5)))
    assert not find("start").isEnabled()
    assert "only step of the run is its warm-up" in " ".join(
        text.text() for text in find("start_blocked").findChildren(QLabel)
    )
    find("blocked_to_data").click()
    assert window.state.step is Step.DATA


def test_a_row_is_found_by_file_and_line(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text(
        '{"messages": [{"role": "user", "content": "line 12"}], "file": "a", "line": 1}\n'
        '{"messages": [{"role": "user", "content": "b"}], "file": "b", "line": 12}\n'
        '{"messages": [{"role": "user", "content": "a"}], "file": "a", "line": 12}\n'
    )
    assert RowsFile(rows).place("a", 12) == 2
    assert RowsFile(rows).place("a", 2) == -1


@pytest.mark.parametrize(
    ("summary", "here", "words"),
    [
        ({"state": RunState.RUNNING}, True, "Running"),
        ({"state": RunState.RUNNING}, False, "Trains in the background"),
        ({"state": RunState.RUNNING, "waits": "user"}, True, "Paused"),
        ({"state": RunState.RUNNING, "waits": "disk"}, False, "Waits: disk nearly full"),
        ({"state": RunState.STOPPED, "waits": "user"}, False, "Stopped"),
    ],
)
def test_a_card_says_how_a_run_stands(summary: dict[str, object], here: bool, words: str) -> None:
    assert standing(Summary(Path("run"), None, **summary), here=here)[1] == words  # type: ignore[arg-type]


def test_what_happened_to_a_run_stays_in_sight_above_all_other_notes(qtbot: QtBot) -> None:
    view = NotesView()
    qtbot.addWidget(view)
    spikes = [Noted(code="gradient_spike", facts={"step": n, "norm": 9.0, "usual": 0.7}) for n in range(20)]
    rolled = Noted(code="rolled_back", facts={"step": 12, "to": 10, "rate": 1e-4})
    best = Noted(code="best_kept", facts={"step": 5, "loss": 1.04751, "last_step": 20, "last_loss": 1.5635})
    view.set([spikes[0], rolled, *spikes[1:], best])
    told = [text.text() for text in view.findChildren(QLabel) if text.text()]
    assert len(told) == 6 and told[0].startswith("Step 12 gave numbers that are none")
    assert (
        told[1] == "The adapter of step 5 is kept, where the validation loss was lowest: 1.05. At the end it was 1.56."
    )
    assert told[-1].startswith("Step 19 ")


def test_a_run_whose_best_adapter_is_kept_says_so_first(desk: Desk, tmp_path: Path) -> None:
    run = states.write_run(tmp_path, TrainingPlan("m", ("a.jsonl",)), "1_early")
    live = desk.live(run.path)
    live.history, live.state, live.loaded = run.history(), RunState.FINISHED, True
    assert "loss " in progress_words(live, WizardState(), None)
    live.history.apply(Noted(code="best_kept", facts={"step": 3, "loss": 1.0, "last_step": 5, "last_loss": 1.5}))
    assert "kept is the adapter of step 3, the best" in progress_words(live, WizardState(), None)


def test_in_a_small_window_what_matters_most_is_said_above_the_charts(qtbot: QtBot, desk: Desk, tmp_path: Path) -> None:
    curve = overfit(3)
    run = states.write_run(tmp_path, curve.plan, "1_overfits")
    run.events_file.write_text("".join(encode(event) + "\n" for event in curve.events(200)), encoding="utf-8")
    live, cockpit = desk.live(run.path), Cockpit(desk)
    qtbot.addWidget(cockpit)
    qtbot.waitUntil(lambda: live.loaded, timeout=60_000)
    cockpit.resize(600, 900)
    cockpit.show()
    cockpit.attach(live)
    cockpit.judge(live)
    assert cockpit.headline.isVisible() and cockpit.headline.width() <= cockpit.width()
    assert cockpit.headline.text() == "The model begins to learn the rows by heart: it overfits."
    cockpit.coach.worst = (Severity.CAUTION, "Step 251 pulled much harder. " * 20)
    cockpit.resize(610, 900)
    assert cockpit.headline.text().endswith("…") and cockpit.width() == 610
    cockpit.resize(1000, 900)
    assert not cockpit.headline.isVisible(), "the coach is beside the charts"


def test_the_memory_of_a_computer_is_not_called_that_of_a_card(qtbot: QtBot, desk: Desk) -> None:
    charts = ChartsPanel(desk)
    qtbot.addWidget(charts)
    for on_card, words in ((True, "Memory in GB"), (False, "Computer memory in GB")):
        charts.show_words(fold((Measured(used_bytes=10**9, total_bytes=2 * 10**9, on_card=on_card),)))
        assert charts.plot.titles["memory"].text() == words
