"""When questions are answered again, and what changed since the answer before."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.events import Sampled, Side, Stage, StageName, StepDone
from core.history import RunHistory, fold
from core.plan import TrainingPlan
from core.rounds import planned_every, rounds_every
from core.timelines import pieces, same_words, timelines

PLAN = TrainingPlan("m", ("d.jsonl",), evaluate_every=10, save_every=500)


def history(a_round: float, a_step: float, steps: int = 10) -> RunHistory:
    """One round, then steps of a run of 1,000."""
    said: list[Stage | StepDone] = [
        Stage(stage=StageName.ANSWERING, time=0.0), Stage(stage=StageName.TRAINING, time=a_round),
    ]  # fmt: skip
    said += [
        StepDone(step=n, total_steps=1000, epoch=0.0, loss=1.0, learning_rate=1e-4, seconds=a_step, time=a_round + n)
        for n in range(1, steps + 1)
    ]
    return fold(said)


@pytest.mark.parametrize(
    ("total", "validates", "every"),
    [
        (100, True, 10),
        (200, True, 10),
        (210, True, 20),
        (10_000, True, 500),
        (5, True, 10),
        (95, False, 10),
        (3, False, 1),
    ],
)
def test_rounds_come_with_evaluations_but_at_most_twenty_times(total: int, validates: bool, every: int) -> None:
    assert planned_every(PLAN, total, validates=validates) == every
    assert validates is False or every % PLAN.evaluate_every == 0


def test_rounds_take_a_fiftieth_of_the_time_and_what_was_asked_for_is_done() -> None:
    def every(a_round: float, a_step: float, plan: TrainingPlan = PLAN) -> int:
        return rounds_every(history(a_round, a_step), plan, 1000, validates=True)

    # twenty rounds of a second in a thousand seconds; of two seconds, only half as many
    assert [every(1.0, 1.0), every(2.0, 1.0), every(9.0, 1.0)] == [50, 100, 400]
    # not even one: before and after training only
    assert every(60.0, 1.0) == 1000
    assert every(60.0, 1.0, replace(PLAN, sample_every=7)) == 7
    assert rounds_every(RunHistory(), PLAN, 1000, validates=True) == 50
    for a_round in (0.3, 1.7, 8.0, 25.0):
        assert (999 // every(a_round, 1.0)) * a_round <= 0.02 * 1000


def test_answers_are_sorted_by_question_and_step() -> None:
    said = [Sampled(step=0, side=Side.BASE, question=q, answer="base", expected="data") for q in "ab"]
    said += [Sampled(step=step, side=Side.TUNED, question=q, answer=str(step)) for step in (5, 10) for q in "ab"]
    a, b = timelines(fold(said))
    assert (a.question, a.expected, a.base and a.base.answer) == ("a", "data", "base")
    assert [each.step for each in b.rounds] == [5, 10]
    assert timelines(RunHistory()) == ()


@pytest.mark.parametrize(
    ("before", "after", "new"),
    [
        ("It lasts two years.", "It lasts ten years.", ["ten "]),
        ("它的保修期是两年。", "它的保修期是三年。", ["三"]),
        ("All of this goes.", "Nothing else remains here.", ["Nothing else remains here."]),
        ("The same.", "The same.", []),
        ("", "First words.", ["First words."]),
    ],
)
def test_what_is_new_is_marked_word_by_word(before: str, after: str, new: list[str]) -> None:
    assert [piece.text for piece in pieces(before, after) if piece.new] == new


@given(st.text(), st.text())
def test_no_letter_of_an_answer_is_lost(before: str, after: str) -> None:
    assert "".join(piece.text for piece in pieces(before, after)) == after
    assert not same_words(before, after) or not any(piece.new for piece in pieces(before, after) if piece.text.strip())
