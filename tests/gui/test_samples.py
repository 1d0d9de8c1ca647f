"""The panel of sample answers: it follows the newest one until a step is chosen, by keyboard too."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from core.events import Event, Sampled, Side, Stage, StageName
from core.history import RunHistory, fold
from gui import theme
from gui.pages.train_samples import SamplesPanel

QUESTIONS = ("How long?", "Which <b>jar</b>?")


def answered(step: int, *answers: str) -> list[Sampled]:
    side = Side.TUNED if step else Side.BASE
    pairs = zip(QUESTIONS, answers, strict=True)
    return [Sampled(step=step, side=side, question=q, answer=a, expected="Two years.", cut=not step) for q, a in pairs]


def history(*rounds: list[Sampled]) -> RunHistory:
    events: list[Event] = [Stage(stage=StageName.TRAINING)]
    return fold(events + [sample for each in rounds for sample in each])


ROUNDS = (answered(0, "No idea.", "A <b>jar</b>."), answered(10, "It lasts ten years.", ""),
          answered(20, "It lasts two years.", "Glass"))  # fmt: skip


@pytest.fixture
def panel(qtbot: QtBot, qapp: QApplication) -> SamplesPanel:
    theme.apply(qapp, "light")
    made = SamplesPanel()
    qtbot.addWidget(made)
    made.show()
    qtbot.waitExposed(made, timeout=60_000)
    return made


def test_the_newest_answer_is_shown_with_what_is_new_in_it(panel: SamplesPanel) -> None:
    panel.set(history(*ROUNDS))
    shown = panel.timeline
    assert shown.question.text() == "How long?" and shown.step == 20
    assert "cut at the length limit" in shown.base.who.text() and shown.base.body.text() == "No idea."
    assert 'underline">two</span> years.' in shown.answer.body.text()
    assert shown.hint.text() == "What is new since step 10 is underlined."
    assert shown.expected.body.text() == "Two years."


def test_a_step_and_a_question_are_chosen_with_the_keyboard_and_stay_chosen(panel: SamplesPanel, qtbot: QtBot) -> None:
    panel.set(history(*ROUNDS[:2]))
    assert panel.timeline.slider.isHidden()
    panel.set(history(*ROUNDS))
    qtbot.keyClick(panel.timeline.slider, Qt.Key.Key_Left)
    assert panel.timeline.step == 10 and panel.timeline.hint.isHidden()
    qtbot.keyClick(panel.questions, Qt.Key.Key_Down)
    assert panel.chosen == QUESTIONS[1] and panel.timeline.step == 10
    assert panel.timeline.base.body.text() == "A &lt;b&gt;jar&lt;/b&gt;."
    assert "(no answer)" in panel.timeline.answer.body.text()
    panel.set(history(*ROUNDS, answered(30, "Two  years.", "Glass")))
    assert panel.chosen == QUESTIONS[1] and panel.timeline.step == 10
    qtbot.keyClick(panel.timeline.slider, Qt.Key.Key_End)
    assert panel.timeline.hint.text() == "Nothing has changed since step 20."
    panel.questions.setCurrentRow(0)
    assert "word for word as in the data" in panel.timeline.answer.who.text()
    assert panel.timeline.hint.text() == "What is new since step 20 is underlined."


def test_a_run_without_samples_says_so(panel: SamplesPanel) -> None:
    panel.set(RunHistory())
    assert panel.empty.text() == "This run answered no questions while it trained." and panel.timeline.isHidden()
    panel.set(history())
    assert panel.empty.text() == "The first answers come before the first step."
    panel.set(history(ROUNDS[0]))
    assert panel.empty.isHidden() and panel.timeline.answer.isHidden() and panel.timeline.base.isVisible()
