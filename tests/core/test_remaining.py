"""The time left: right within 10 % after 5 % of the run, whatever the steps, evaluations, samples and pauses."""

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from core.events import Evaluated, Event, Failed, Noted, Sampled, Saved, Side, Stage, StageName, StepDone
from core.history import RunHistory, fold
from core.plan import TrainingPlan
from core.problems import Code, Problem
from core.watch import seconds_left
from tests.curves import PLAN, Curve, errors_of_time_left


# Few steps say less, and nobody has seen an evaluation yet that may take a third of the time: the third step of a run
# of 50 is the first that neither compiled nor warmed up.
@pytest.mark.parametrize(("steps", "limit"), [(50, 0.12), (100, 0.12), (400, 0.1), (1500, 0.1)])
def test_time_left_is_right_within_a_tenth_after_a_twentieth_of_the_run(steps: int, limit: float) -> None:
    chance, errors = random.Random(steps), []
    for seed in range(24 if steps < 1000 else 6):
        curve = Curve(
            steps=steps, seed=seed, sorted_rows=seed % 3 == 0, time_noise=chance.choice([0.02, 0.05, 0.1]),
            evaluation_steps=chance.choice([2.0, 5.0, 20.0]), forward=chance.uniform(0.36, 0.5),
            answers=chance.choice([0, 4, 10]), epochs=chance.choice([1, 3]), fixed=(0.0, 0.2, 0.5)[seed // 3 % 3],
            pause=lambda at: 500.0 if at % 97 == 0 else 0.0,
        )  # fmt: skip
        errors += map(abs, errors_of_time_left(curve).values())
    within = sum(error <= 0.1 for error in errors) / len(errors)
    print(f"\n{steps} steps: worst error {max(errors):.1%}, {within:.1%} within a tenth")
    assert max(errors) < limit and within > 0.97


def test_packed_steps_need_no_word_about_their_tokens() -> None:
    for seed in range(6):
        errors = errors_of_time_left(Curve(steps=600, seed=seed, planned=False, answers=4))
        assert max(map(abs, errors.values())) < 0.1, errors


RECORDED = json.loads(Path(__file__).with_name("recorded_runs.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("run", RECORDED, ids=lambda run: run["what"])
def test_time_left_of_recorded_runs(run: dict[str, Any]) -> None:
    """Trainings as they went, by the time of one core: a checking, a round of answers or a saving that nobody saw yet,
    answers that become short, rows sorted by their length, shapes that are computed for the first time.
    """
    plan, history, events = TrainingPlan("model", ("rows.jsonl",), **run["plan"]), RunHistory(), list(replayed(run))
    off = []
    for event in events:
        history.apply(event)
        if isinstance(event, StepDone) and 0.05 * plan.steps <= event.step < plan.steps:
            told = seconds_left(history, plan)
            off += [] if told is None else [abs(told / (events[-1].time - event.time) - 1)]
    within = sum(each <= 0.1 for each in off) / len(off)
    print(f"\n{within:.0%} of {len(off)} within a tenth, worst {max(off):.0%}, median {median(off):.1%}")
    assert len(off) > 0.9 * plan.steps and within > 0.65 and median(off) < 0.08 and max(off) < 0.25


def replayed(run: dict[str, Any]) -> Iterator[Event]:
    """The events of a recorded run, its answers left out."""
    yield Noted(code="validation_rows", facts=run["validation"], time=0.0)
    yield Noted(code="tokens_planned", facts={"tokens": run["tokens_planned"]}, time=0.0)
    clock, step, steps = 0.0, 0, run["plan"]["steps"]
    for what, seconds, *more in run["told"]:
        begun, clock = clock, clock + seconds
        if what == "step":
            step, (tokens, trained, rows) = step + 1, more
            yield StepDone(
                step=step, total_steps=steps, epoch=0.0, loss=1.0, learning_rate=1e-4, seconds=seconds, tokens=tokens,
                trained_tokens=trained, rows=rows, time=clock,
            )  # fmt: skip
            continue
        yield Stage(stage=StageName(what), time=begun)
        if what == StageName.EVALUATING:
            yield Evaluated(step=step, loss=1.0, perplexity=2.7, time=clock)
        elif what == StageName.ANSWERING:
            side = Side.TUNED if step else Side.BASE
            yield Sampled(step=step, side=side, question="?", answer="", cut=more[0], time=clock)
        else:
            yield Saved(step=step, path="checkpoint", time=clock)
        yield Stage(stage=StageName.TRAINING, time=clock)


def test_answers_become_as_long_as_those_of_the_rows() -> None:
    """A base that does not end is timed once; rows have 20 trained tokens, and an answer at most 64."""
    for cut, expected in ((True, 16 * 1.6 * 20 / 64), (False, 16.0)):
        asked = Sampled(step=0, side=Side.BASE, question="?", answer="", cut=cut)
        begun, over = Stage(stage=StageName.ANSWERING, time=-16.0), Stage(stage=StageName.TRAINING, time=0.0)
        steps = [replace(done(n), rows=4, trained_tokens=80) for n in range(1, 21)]
        assert seconds_left(fold([begun, asked, over, *steps]), PLAN) == pytest.approx(40.5 + expected)


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


def test_long_steps_do_not_take_as_much_longer_as_they_have_more_tokens() -> None:
    """Half of the time of a usual step hangs on no token: rows sorted by length would mislead otherwise."""
    steps = [done(n, tokens=tokens, seconds=1.0 + tokens / 1000) for n, tokens in enumerate([3000, 1800] * 10, 1)]
    history = fold(steps)
    history.planned_tokens = history.tokens + 20 * 600
    assert seconds_left(history, PLAN) == pytest.approx(20 * 1.6 + 0.5, rel=0.1)


def test_an_evaluation_nobody_saw_takes_what_its_tokens_take() -> None:
    noted = Noted(code="validation_rows", facts={"rows": 10, "tokens": 20_000})
    history = fold([noted, *(done(n) for n in range(1, 21))])
    plan = replace(PLAN, evaluate_every=20)
    # one is due and one comes at the end, each of twenty steps' tokens
    assert seconds_left(history, plan) == pytest.approx(40.5 + 2 * 0.43 * 40)


def test_an_evaluation_that_a_killed_run_left_open_is_not_counted() -> None:
    history = RunHistory()
    for event in (
        done(1, at=2.0), Stage(stage=StageName.EVALUATING, time=3.0),
        Failed(problem=Problem(Code.WORKER_KILLED), time=4.0), Stage(stage=StageName.STARTING, time=90_000.0),
        Stage(stage=StageName.EVALUATING, time=90_001.0), Stage(stage=StageName.TRAINING, time=90_003.0),
    ):  # fmt: skip
        history.apply(event)
    assert history.asides[StageName.EVALUATING] == [2.0]


def test_nobody_knows_before_the_third_step_or_after_the_end() -> None:
    assert seconds_left(fold([done(1), done(2)]), PLAN) is None and seconds_left(fold([]), PLAN) is None
    history = fold([done(n) for n in range(1, 41)])
    assert seconds_left(history, PLAN) == 0.0
    history.apply(Failed(problem=Problem(Code.UNKNOWN)))
    assert seconds_left(history, PLAN) is None
