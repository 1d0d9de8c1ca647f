"""The time left: right within 10 % after 5 % of the run, whatever the steps, evaluations, samples and pauses."""

import random

import pytest

from core.events import Failed, Stage, StageName, StepDone
from core.history import RunHistory, fold
from core.problems import Code, Problem
from core.watch import seconds_left
from tests.curves import PLAN, Curve, errors_of_time_left


# the five steps of a run of 100 say less; nobody has seen an evaluation then, and all of them may take twice its time
@pytest.mark.parametrize(("steps", "limit"), [(100, 0.15), (400, 0.1), (1500, 0.1)])
def test_time_left_is_right_within_a_tenth_after_a_twentieth_of_the_run(steps: int, limit: float) -> None:
    chance = random.Random(steps)
    worst = 0.0
    for seed in range(12 if steps < 1000 else 6):
        curve = Curve(
            steps=steps, seed=seed, sorted_rows=seed % 3 == 0, time_noise=chance.choice([0.02, 0.05, 0.1]),
            evaluation_steps=chance.choice([2.0, 5.0, 20.0]), forward=chance.uniform(0.36, 0.5),
            answers=chance.choice([0, 4, 10]), epochs=chance.choice([1, 3]),
            pause=lambda at: 500.0 if at % 97 == 0 else 0.0,
        )  # fmt: skip
        worst = max(worst, *map(abs, errors_of_time_left(curve).values()))
    print(f"\n{steps} steps: worst error {worst:.1%}")
    assert worst < limit


def test_packed_steps_need_no_word_about_their_tokens() -> None:
    for seed in range(6):
        errors = errors_of_time_left(Curve(steps=600, seed=seed, planned=False, answers=4))
        assert max(map(abs, errors.values())) < 0.1, errors


def done(step: int, seconds: float = 2.0, tokens: int = 1000, at: float | None = None) -> StepDone:
    return StepDone(
        step=step, total_steps=40, epoch=step / 40, loss=1.0, learning_rate=1e-4, seconds=seconds, tokens=tokens,
        time=step * seconds if at is None else at,
    )  # fmt: skip


def test_the_first_step_compiles_and_does_not_count() -> None:
    history = fold([done(1, seconds=60.0), *(done(n) for n in range(2, 21))])
    # twenty steps, and the adapter
    assert seconds_left(history, PLAN) == pytest.approx(40.5)


def test_steps_to_come_are_counted_by_their_tokens() -> None:
    history = fold([done(n, tokens=3000, seconds=6.0) for n in range(1, 21)])
    history.planned_tokens = 80_000
    assert seconds_left(history, PLAN) == pytest.approx(40.5)


def test_an_evaluation_that_a_killed_run_left_open_is_not_counted() -> None:
    history = RunHistory()
    for event in (
        done(1, at=2.0), Stage(stage=StageName.EVALUATING, time=3.0),
        Failed(problem=Problem(Code.WORKER_KILLED), time=4.0), Stage(stage=StageName.STARTING, time=90_000.0),
        Stage(stage=StageName.EVALUATING, time=90_001.0), Stage(stage=StageName.TRAINING, time=90_003.0),
    ):  # fmt: skip
        history.apply(event)
    assert history.asides[StageName.EVALUATING] == [2.0]


def test_nobody_knows_before_the_second_step_or_after_the_end() -> None:
    assert seconds_left(fold([done(1)]), PLAN) is None
    history = fold([done(n) for n in range(1, 41)])
    assert seconds_left(history, PLAN) == 0.0
    history.apply(Failed(problem=Problem(Code.UNKNOWN)))
    assert seconds_left(history, PLAN) is None
