"""The Plan page: fits or not and what to do about it, budget of the adapter, cut rows, rules, how much is shown."""

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from core.advice import adapter_parameters
from core.catalog import spec_of
from core.choices import Initialisation
from core.plan import Method
from core.runs import RunState
from core.settings import load
from core.wizard import Step, WizardState, choose_data, choose_model, choose_plan
from gui.main_window import MainWindow
from gui.pages.plan import PlanPage, cut_words
from tests.gui import states
from tests.gui.conftest import Finder
from tests.gui.fakes import HungryTrain

QWEN = "Qwen/Qwen2.5-7B-Instruct"


def texts(widget: QWidget) -> str:
    QApplication.processEvents()
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


def too_large(tmp_path: Path) -> WizardState:
    """A 7B model in 16 bits with long rows on a 12 GB card."""
    state = states.with_card()
    state = choose_data(choose_model(state, spec_of(QWEN), tmp_path), states.report(tmp_path))
    base = states.planned(states.with_card(), tmp_path).plan
    assert base is not None
    plan = replace(base, model=QWEN, method=Method.LORA, batch=8, accumulation=2, tokens=4096)
    return replace(choose_plan(state, plan), step=Step.PLAN)


@pytest.fixture
def page(window: MainWindow, tmp_path: Path) -> PlanPage:
    window.propose(too_large(tmp_path))
    found = window.page("plan")
    assert isinstance(found, PlanPage)
    return found


def test_what_does_not_fit_is_made_smaller_with_one_click(page: PlanPage, window: MainWindow, find: Finder) -> None:
    before = window.state.plan
    assert before is not None
    assert "too much" in find("fit").text
    assert find("part_overflow").isVisible()
    find("make_smaller").click()
    plan, card = window.state.plan, window.state.card
    assert plan is not None and card is not None and window.state.model is not None
    needed = window.desk.predict(plan, window.state.model, card).total_bytes
    assert needed + 500_000_000 <= card.free_bytes
    assert window.state.larger_plan == before
    said = texts(find("steps_down"))
    assert "instead of" in said
    assert "%" in said, "what it costs"
    assert not page.cost.smaller.isVisible()
    find("undo_smaller").click()
    assert window.state.plan == before
    assert window.state.larger_plan is None


def test_what_fits_has_nothing_to_make_smaller(window: MainWindow, find: Finder, tmp_path: Path) -> None:
    window.propose(states.planned(states.with_card(), tmp_path, Step.PLAN))
    assert "to spare" in find("fit").text
    with pytest.raises(LookupError):
        find("make_smaller")


def test_at_the_end_of_the_ladder_another_model_is_chosen(window: MainWindow, find: Finder, tmp_path: Path) -> None:
    state = too_large(tmp_path)
    assert state.plan is not None and state.card is not None
    least = replace(state.plan, method=Method.QLORA, batch=1, accumulation=16, tokens=256, checkpointing="full")
    tiny = replace(state.card, total_bytes=2 * 10**9, free_bytes=10**9, processes=())
    window.propose(replace(choose_plan(state, least), card=tiny))
    assert find("make_smaller").text() == "&Choose a smaller model"
    find("make_smaller").click()
    assert window.state.step is Step.MODEL


def test_the_smallest_plan_that_is_still_too_large_says_so(window: MainWindow, find: Finder, tmp_path: Path) -> None:
    state = too_large(tmp_path)
    assert state.card is not None
    tiny = replace(state.card, total_bytes=2 * 10**9, free_bytes=10**9, processes=())
    window.propose(replace(state, card=tiny))
    find("make_smaller").click()
    assert "too much" in find("fit").text
    assert "as small as it gets" in texts(find("steps_down"))
    assert find("make_smaller").text() == "&Choose a smaller model"


def test_out_of_memory_goes_down_until_it_fits_and_says_what_changed(
    window: MainWindow, find: Finder, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("gui.live_run.TrainJob", HungryTrain)
    window.propose(replace(too_large(tmp_path), step=Step.TRAIN))
    find("start").click()
    qtbot.waitUntil(lambda: window.state.run_state is RunState.FAILED, timeout=60_000)
    find("problem_action").click()
    assert window.state.step is Step.PLAN
    assert window.state.run is None
    assert "to spare" in find("fit").text
    assert "instead of" in texts(find("steps_down"))


def test_the_estimate_has_a_band(window: MainWindow, find: Finder, tmp_path: Path) -> None:
    window.propose(states.planned(states.with_card(), tmp_path, Step.PLAN))
    assert find("needed_memory").text().endswith("B")
    assert find("memory_band").text().startswith("± ")


def test_the_bar_moves_with_every_field(page: PlanPage, find: Finder) -> None:
    seen = [find("needed_memory").text()]
    for name, value in (("rank", 128), ("tokens", 512), ("batch", 1)):
        page.fields.lines[name].field.setValue(value)
        seen.append(find("needed_memory").text())
    assert len(set(seen)) == len(seen)


def test_choices_that_exclude_each_other_give_way_or_say_why(page: PlanPage, window: MainWindow, find: Finder) -> None:
    window.desk.change(replace(window.desk.settings, advanced=True))
    window.propose(window.state)

    def choose(name: str, value: object) -> None:
        field = find(name)
        field.setCurrentIndex(field.findData(value))

    choose("initialisation", Initialisation.LOFTQ)
    assert window.state.plan is not None and window.state.plan.initialisation is Initialisation.DEFAULT
    assert "LoftQ a 4-bit one" in texts(page)
    choose("initialisation", Initialisation.PISSA)
    choose("dora", True)
    plan = window.state.plan
    assert plan is not None and plan.dora and plan.initialisation is Initialisation.DEFAULT
    choose("method", Method.LORA8)
    assert window.state.plan is not None and window.state.plan.method is Method.LORA8 and not window.state.plan.dora


def test_the_budget_offers_what_fits_and_takes_it(page: PlanPage, window: MainWindow, find: Finder) -> None:
    find("advanced").click()
    assert "adapter learns" in find("adapter_size").text()
    find("budget_most").setValue(5.0)
    for targets in ("minimal", "recommended"):
        find(f"budget_{targets}").click()
        plan, model = window.state.plan, window.state.model
        assert plan is not None and model is not None
        assert plan.targets == targets
        assert plan.alpha == 2 * plan.rank
        assert adapter_parameters(model.architecture, plan) <= 5_000_000
        assert not find(f"budget_{targets}").isEnabled(), "taken already"


def test_simple_hides_the_technical_fields_and_is_remembered(page: PlanPage, find: Finder) -> None:
    for name in ("alpha", "budget"):
        with pytest.raises(LookupError):
            find(name)
    find("advanced").click()
    assert find("alpha").isVisible() and find("budget").isVisible()
    assert load().advanced


def test_every_field_has_its_rule_behind_a_question_mark(page: PlanPage, find: Finder, qtbot: QtBot) -> None:
    ask = find("why_rank")
    assert ask.accessibleName() == "What is known about: Rank"
    assert ask.focusPolicy() & Qt.FocusPolicy.TabFocus
    assert not page.fields.lines["rank"].rule.isVisible()
    qtbot.keyClick(ask, Qt.Key.Key_Space)
    assert page.fields.lines["rank"].rule.isVisible()
    assert "D4" in page.fields.lines["rank"].rule.text()
    assert "document" in ask.toolTip()
    ask.click()
    assert not page.fields.lines["rank"].rule.isVisible()
    find("advanced").click()
    for name, line in page.fields.lines.items():
        assert find(f"why_{name}").isVisible()
        # what the field is comes first, also where the documents are silent
        assert line.rule.text().startswith(f"· {line.field.toolTip()}")


def test_rows_that_are_cut_are_counted_under_the_field(window: MainWindow, tmp_path: Path) -> None:
    state = states.planned(states.with_card(), tmp_path, Step.PLAN)
    assert state.report is not None and state.plan is not None
    report = replace(
        state.report, tokens={"longest": 3000}, tokens_exact=True, tokens_model=str(state.model_folder),
        lengths=((512, 30), (1024, 6), (3008, 4)),
    )  # fmt: skip
    window.propose(replace(state, report=report, plan=replace(state.plan, tokens=1024)))
    line = window.page("plan").fields.lines["tokens"]
    assert line.note.text == "4 rows of 40 are cut; the longest has 3,000 tokens."
    window.page("plan").fields.lines["tokens"].field.setValue(4096)
    assert line.note.text == "No row is cut: the longest has 3,000 tokens."
    plan = replace(state.plan, tokens=1024)
    assert cut_words(replace(state, plan=plan, report=replace(report, tokens_exact=False))).startswith("About 4 rows")
    other = replace(state, plan=plan, report=report, model_folder=tmp_path / "other")
    assert cut_words(other).startswith("About"), "counted with another model's tokenizer"
    assert cut_words(replace(state, report=replace(report, tokens={}))) == ""


def test_the_keyboard_reaches_every_part_of_the_legend(
    page: PlanPage, window: MainWindow, find: Finder, qtbot: QtBot
) -> None:
    first = find("part_others")
    assert first.focusPolicy() & Qt.FocusPolicy.TabFocus
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=60_000)
    first.setFocus(Qt.FocusReason.TabFocusReason)
    assert page.cost._bar._lit == "others"
