"""Curves that follow a history: gaps, resumes, nights between two sittings."""

import math

from core.events import Evaluated, Finished, Measured, Stage, StageName, StepDone
from core.history import RunHistory
from gui.timeline import IDLE, MOST, Timeline
from gui.widgets.sparkline import thinned


def step(number: int, time: float, loss: float | None = 1.0) -> StepDone:
    return StepDone(time=time, step=number, total_steps=10, epoch=0.1, loss=loss, learning_rate=1e-4)


def test_curves_take_over_what_is_new() -> None:
    history, timeline = RunHistory(), Timeline()
    history.apply(Stage(time=100.0, stage=StageName.TRAINING))
    history.apply(step(1, 101.0, 3.0))
    assert timeline.follow(history)
    assert not timeline.follow(history)
    history.apply(step(2, 102.0, None))
    history.apply(Evaluated(time=103.0, step=2, loss=2.5, perplexity=12.0))
    assert timeline.follow(history)
    assert list(timeline.loss.x.view()) == [1.0, 2.0]
    assert math.isnan(timeline.loss.y.view()[1])
    assert list(timeline.validation.y.view()) == [2.5]


def test_a_resumed_run_is_drawn_once_and_the_night_is_left_out() -> None:
    history, timeline = RunHistory(), Timeline()
    history.apply(Stage(time=0.0, stage=StageName.TRAINING))
    for number in range(1, 5):
        history.apply(step(number, float(number)))
        history.apply(Measured(time=float(number), used_bytes=10**9, total_bytes=2 * 10**9, on_card=True))
    timeline.follow(history)
    history.apply(Finished(time=5.0))
    night = 8 * 3600.0
    history.apply(Stage(time=night, stage=StageName.TRAINING))
    history.apply(step(3, night + 1))
    history.apply(step(4, night + 2))
    timeline.follow(history)
    times = list(timeline.loss.x.view())
    assert len(times) == 4
    assert times[-1] < IDLE
    assert times == sorted(times)


def test_a_long_run_is_taken_over_in_slices() -> None:
    history, timeline = RunHistory(), Timeline()
    history.steps.extend(step(number, float(number)) for number in range(1, MOST + 10))
    timeline.follow(history)
    assert not timeline.caught_up(history)
    timeline.follow(history)
    assert timeline.caught_up(history)
    assert timeline.smooth.x.size == MOST + 9


def test_thinned_keeps_the_mean_of_slices() -> None:
    assert thinned([1.0, 2.0]) == [1.0, 2.0]
    assert thinned([float(n) for n in range(1000)], 10) == [49.5 + 100 * n for n in range(10)]


def test_thinning_keeps_extremes_gaps_and_the_newest_value() -> None:
    import numpy

    from gui.thinning import thinned as fewer
    from gui.thinning import visible

    x = numpy.arange(10_001, dtype=float)
    y = numpy.sin(x)
    y[5000], y[7] = 50.0, numpy.nan
    few_x, few_y = fewer(x, y, 400, extremes=True)
    assert len(few_x) <= 402
    assert few_y.max() == 50.0
    assert list(few_x) == sorted(few_x)
    mean_x, mean_y = fewer(x, y, 400, extremes=False)
    assert len(mean_x) <= 401
    assert not numpy.isnan(mean_y).any()
    assert list(fewer(x[:50], y[:50], 400, extremes=False)[0]) == list(x[:50])
    part_x, _part_y = visible(x, y, 100.0, 200.0)
    assert (part_x[0], part_x[-1]) == (99.0, 201.0)
